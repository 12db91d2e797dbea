/**
 * The host's bans. Participants are banned by id, and devices and addresses by fingerprint, never
 * in clear text. Because a banned person can delete their device's mark, newcomers without a mark
 * are admitted only slowly at addresses where somebody was banned.
 */
import { createHmac, randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import * as v from 'valibot';
import { id } from '../../../shared/common-schemas.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import { TokenBucket } from '../../platform/queues.ts';

/** After a ban, newcomers without a device mark at the same address are admitted more slowly. */
export const BANS = {
  /** Minimum time between the admissions of two newcomers without a mark, in seconds. */
  unmarkedSeconds: 5,
  /** How long after a ban newcomers without a mark are slowed down, in seconds. */
  slowedSeconds: 600,
} as const;

const MAX_ID = 0x7fffffff;

/** The stored bans. */
export const banRecords = v.array(
  v.strictObject({
    id,
    room: v.string(),
    participant: id,
    /** The participant's name when they were banned, for the host's list. */
    name: v.string(),
    /** Fingerprint of the device; null if unknown. */
    device: v.nullable(v.string()),
    /** Fingerprint of the address; null if others at this address are not banned. */
    address: v.nullable(v.string()),
    /** When the ban began, by the wall clock, in ms since the epoch. */
    since: v.number(),
    /**
     * When the ban ends, by the wall clock, in ms since the epoch; null if it lasts until it is
     * lifted.
     */
    until: v.nullable(v.number()),
  }),
);
export type Ban = Readonly<v.InferOutput<typeof banRecords>[number]>;

/** Returns a ban as shown on the host's page, without fingerprints. */
export function withoutFingerprints({ device: _, address, ...ban }: Ban) {
  return { ...ban, address: address !== null };
}

/** Properties of a client that asks to join, for checking the bans. */
export interface Applicant {
  /** Participant that the client's resume token belongs to, if it has one. */
  readonly participant: ParticipantId | undefined;
  /** Id of the device's mark, if it has one. */
  readonly device: string | undefined;
  /** Address key; '' if unknown. */
  readonly address: string;
}

/**
 * Manages the list of bans, which the caller stores. Emits `added` after somebody has been banned,
 * here or on another server. That person may still be in a room.
 */
export class Bans extends EventEmitter<{ added: [] }> {
  /** For each address of a banned participant, the rate limit for newcomers without a mark. */
  private readonly slowed = new Map<string, { readonly bucket: TokenBucket; until: number }>();
  private bans = this.options.bans ?? [];

  constructor(
    private readonly options: {
      /** Secret key for computing fingerprints; must be the same after a restart. */
      readonly secret: Uint8Array;
      /** Returns the wall clock, in ms since the epoch. */
      readonly date: () => number;
      /** Clock for slowing newcomers. Unlike the wall clock, it is never adjusted. */
      readonly clock: Pick<Clock, 'now'>;
      /** The stored bans. */
      readonly bans?: readonly Ban[];
      /** Called with the new list after each change. */
      readonly onChange?: (bans: readonly Ban[]) => void;
    },
  ) {
    super();
  }

  /** Replaces the bans with the stored bans, which another server may have changed. */
  replace(bans: readonly Ban[]): void {
    const known = new Set(this.bans.map(({ id }) => id));
    this.bans = bans;
    if (bans.some(({ id }) => !known.has(id))) this.emit('added');
  }

  /** Bans that are in force now. */
  get all(): readonly Ban[] {
    const now = this.options.date();
    return this.bans.filter(({ until }) => until === null || until > now);
  }

  /**
   * Bans a participant, their device and, if requested, everybody at their address.
   *
   * @returns the new ban
   */
  add(
    request: Pick<Ban, 'room' | 'participant' | 'name'> & {
      /** Id of the device's mark. */
      readonly device?: string | undefined;
      /** Address key; '' if unknown. */
      readonly address: string;
      readonly wholeAddress: boolean;
      /** Duration in ms; if absent, the ban lasts until it is lifted. */
      readonly duration?: number | undefined;
    },
  ): Ban {
    const { room, participant, name, device, address, wholeAddress, duration } = request;
    const since = this.options.date();
    this.slow(address);
    const ban = {
      // Draw the id at random, so that it differs from ids that other servers draw for their bans.
      id: randomInt(1, MAX_ID),
      room,
      participant,
      name,
      device: device ? this.fingerprintOf('device', device) : null,
      address: wholeAddress && address ? this.fingerprintOf('address', address) : null,
      since,
      until: duration === undefined ? null : since + duration,
    };
    this.change([...this.all, ban]);
    this.emit('added');
    return ban;
  }

  /** Lifts a ban. @returns whether the ban existed */
  lift(id: number): boolean {
    const found = this.all.some((ban) => ban.id === id);
    if (found) this.change(this.all.filter((ban) => ban.id !== id));
    return found;
  }

  /**
   * Returns whether a client is banned from a room. A banned participant is banned from one room; a
   * banned device or address is banned from all rooms.
   */
  isBanned(room: string, { participant, device, address }: Applicant): boolean {
    const { all } = this;
    if (all.length === 0) return false;
    const prints = {
      device: device && this.fingerprintOf('device', device),
      address: address && this.fingerprintOf('address', address),
    };
    return all.some(
      (ban) =>
        (ban.room === room && ban.participant === participant) ||
        (ban.device !== null && ban.device === prints.device) ||
        (ban.address !== null && ban.address === prints.address),
    );
  }

  /**
   * Returns whether a newcomer without a mark may join now. If their address is limited, counts
   * them.
   */
  admitsUnmarked(address: string): boolean {
    const slowed = this.slowed.get(address);
    const now = this.options.clock.now();
    return !slowed || now >= slowed.until || slowed.bucket.take(1, now);
  }

  /**
   * Limits newcomers without a mark at the address of a banned participant.
   *
   * @param address '' if unknown
   */
  slow(address: string): void {
    const now = this.options.clock.now();
    for (const [other, { until }] of this.slowed) if (until <= now) this.slowed.delete(other);
    if (address === '') return;
    const bucket =
      this.slowed.get(address)?.bucket ?? new TokenBucket(1 / BANS.unmarkedSeconds, 1, now);
    this.slowed.set(address, { bucket, until: now + 1000 * BANS.slowedSeconds });
  }

  private change(bans: readonly Ban[]): void {
    this.bans = bans;
    this.options.onChange?.(bans);
  }

  private fingerprintOf(what: 'device' | 'address', key: string): string {
    return createHmac('sha256', this.options.secret).update(`${what} ${key}`).digest('base64url');
  }
}
