/**
 * Manages the host's bans. A ban contains the participant's id, and fingerprints of the
 * participant's device and network address instead of the clear text. A device is recognised by a
 * mark in the browser. A banned person could delete the mark. So, after a ban, newcomers without a
 * mark are admitted only slowly from the same address.
 */
import { createHmac, randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import * as v from 'valibot';
import { id } from '../../../shared/common-schemas.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import { TokenBucket } from '../../platform/queues.ts';

/**
 * Limits for newcomers without a device mark, at a network address where somebody has been banned.
 */
export const BANS = {
  /** Minimum time between two admissions, in seconds. */
  unmarkedSeconds: 5,
  /** How long newcomers without a device mark are slowed down after a ban, in seconds. */
  slowedSeconds: 600,
} as const;

const MAX_ID = 0x7fffffff;

export const banRecords = v.array(
  v.strictObject({
    id,
    room: v.string(),
    participant: id,
    /** The participant's name at the time of the ban. */
    name: v.string(),
    /** Fingerprint of the participant's device; null if unknown. */
    device: v.nullable(v.string()),
    /** Fingerprint of the participant's network address; null if the address is not banned. */
    address: v.nullable(v.string()),
    /** When the ban began, by the wall clock, in ms since the epoch. */
    since: v.number(),
    /**
     * When the ban ends, by the wall clock, in ms since the epoch. Null if the ban lasts until the
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

/** Facts about a client that asks to join, which decide whether the client is banned. */
export interface Applicant {
  /** Participant whose resume token the client has presented, if any. */
  readonly participant: ParticipantId | undefined;
  /** Id in the device mark that the client has presented, if any. */
  readonly device: string | undefined;
  /** Address key (see `addressKey`); '' if unknown. */
  readonly address: string;
}

/**
 * The list of bans, which the caller stores. Emits `added` when somebody has been banned on any
 * server of the cluster.
 */
export class Bans extends EventEmitter<{ added: [] }> {
  /**
   * For each network address where somebody has been banned, the rate limit for newcomers without a
   * device mark.
   */
  private readonly slowed = new Map<string, { readonly bucket: TokenBucket; until: number }>();
  private bans = this.options.bans ?? [];

  constructor(
    private readonly options: {
      /** Secret key for computing fingerprints. The key must stay the same across restarts. */
      readonly secret: Uint8Array;
      /** Returns the wall clock, in ms since the epoch. */
      readonly date: () => number;
      /** Monotonic clock for limiting the rate of newcomers. */
      readonly clock: Pick<Clock, 'now'>;
      readonly bans?: readonly Ban[];
      /** Called with the new list of bans after each change. */
      readonly onChange?: (bans: readonly Ban[]) => void;
    },
  ) {
    super();
  }

  /** Replaces the list of bans. Call when another server may have changed the stored list. */
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
   * Bans a participant, their device and, if `wholeAddress` is true, everybody at their network
   * address.
   */
  add(
    request: Pick<Ban, 'room' | 'participant' | 'name'> & {
      /** Id in the participant's device mark; undefined if the participant has no mark. */
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
      // A random id, because the servers of a cluster assign ids independently.
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
   * banned device or network address is banned from all rooms.
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
   * Returns whether a newcomer without a device mark may join now. An admission counts towards the
   * network address's rate limit, if the address has one.
   */
  admitsUnmarked(address: string): boolean {
    const slowed = this.slowed.get(address);
    const now = this.options.clock.now();
    return !slowed || now >= slowed.until || slowed.bucket.take(1, now);
  }

  /**
   * Limits newcomers without a device mark at a network address for a while. Call when somebody at
   * this address has been banned.
   *
   * @param address if '' (unknown), nothing is limited
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
