/**
 * Manages the host's bans. Participants are banned by id. Their devices and addresses are banned by
 * fingerprint, so that neither is stored in clear text. A banned person could delete the mark by
 * which the server recognises their device. Therefore, newcomers without a device mark are admitted
 * only slowly at addresses where somebody was banned.
 */
import { createHmac, randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import * as v from 'valibot';
import { id } from '../../../shared/common-schemas.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import { TokenBucket } from '../../platform/queues.ts';

/** How newcomers without a device mark are slowed down at the address of a banned participant. */
export const BANS = {
  /** Minimum time between the admissions of two newcomers without a device mark, in seconds. */
  unmarkedSeconds: 5,
  /** How long after a ban newcomers without a device mark are slowed down, in seconds. */
  slowedSeconds: 600,
} as const;

const MAX_ID = 0x7fffffff;

export const banRecords = v.array(
  v.strictObject({
    id,
    room: v.string(),
    participant: id,
    /** Name of the participant when they were banned, for the host's list. */
    name: v.string(),
    /** Fingerprint of the participant's device; null if unknown. */
    device: v.nullable(v.string()),
    /**
     * Fingerprint of the participant's address; null if the ban does not apply to other people at
     * the address.
     */
    address: v.nullable(v.string()),
    /** When the ban began, by the wall clock, in ms since the epoch. */
    since: v.number(),
    /**
     * When the ban ends, by the wall clock, in ms since the epoch; null if the ban lasts until the
     * host lifts it.
     */
    until: v.nullable(v.number()),
  }),
);
export type Ban = Readonly<v.InferOutput<typeof banRecords>[number]>;

/** Returns a ban as shown on the host's page, without fingerprints. */
export function withoutFingerprints({ device: _, address, ...ban }: Ban) {
  return { ...ban, address: address !== null };
}

/** Properties of a client that asks to join, which are compared with the bans. */
export interface Applicant {
  /** Participant whose resume token the client has presented, if any. */
  readonly participant: ParticipantId | undefined;
  /** Id in the device mark that the client has presented, if any. */
  readonly device: string | undefined;
  /** Address key (see `addressKey`); '' if unknown. */
  readonly address: string;
}

/**
 * Manages the list of bans, which the caller stores. Emits `added` after somebody has been banned,
 * on this or another server. The banned person may still be in a room.
 */
export class Bans extends EventEmitter<{ added: [] }> {
  /**
   * For each address of a banned participant, the rate limit for newcomers without a device mark.
   */
  private readonly slowed = new Map<string, { readonly bucket: TokenBucket; until: number }>();
  private bans = this.options.bans ?? [];

  constructor(
    private readonly options: {
      /** Secret key for computing fingerprints. It must be the same after a restart. */
      readonly secret: Uint8Array;
      /** Returns the wall clock, in ms since the epoch. */
      readonly date: () => number;
      /**
       * Monotonic clock for limiting the rate of newcomers. Unlike the wall clock, it is never
       * adjusted.
       */
      readonly clock: Pick<Clock, 'now'>;
      readonly bans?: readonly Ban[];
      /** Called with the new list of bans after each change. */
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
      /** Device id in the participant's device mark; undefined if there is none. */
      readonly device?: string | undefined;
      /** Address key (see `addressKey`); '' if unknown. */
      readonly address: string;
      readonly wholeAddress: boolean;
      /** Duration in ms; if absent, the ban lasts until the host lifts it. */
      readonly duration?: number | undefined;
    },
  ): Ban {
    const { room, participant, name, device, address, wholeAddress, duration } = request;
    const since = this.options.date();
    this.slow(address);
    const ban = {
      // Use a random id, so that it differs from the ids that other servers give to their bans.
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
   * Returns whether a client is banned from a room. Banned participants are banned from one room.
   * Banned devices and addresses are banned from all rooms.
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
   * Returns whether a newcomer without a device mark may join now. If the address is slowed down,
   * counts the newcomer.
   */
  admitsUnmarked(address: string): boolean {
    const slowed = this.slowed.get(address);
    const now = this.options.clock.now();
    return !slowed || now >= slowed.until || slowed.bucket.take(1, now);
  }

  /**
   * Slows down newcomers without a device mark at the address of a banned participant.
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
