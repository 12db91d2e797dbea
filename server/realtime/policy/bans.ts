/**
 * Manages the host's bans. A participant is banned by id. Their device and address are banned by
 * fingerprints, so that neither is stored in clear text. The server recognises a device by a mark
 * in the browser, which a banned person could delete in order to return. Therefore, at addresses
 * where somebody has been banned, newcomers without a mark are admitted only slowly.
 */
import { createHmac, randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import * as v from 'valibot';
import { id } from '../../../shared/common-schemas.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import { TokenBucket } from '../../platform/queues.ts';

/**
 * How often newcomers without a device mark are admitted at the address of a banned participant.
 */
export const BANS = {
  /** Minimum time, in seconds, between two admissions of newcomers without a device mark. */
  unmarkedSeconds: 5,
  /** How long after a ban newcomers without a device mark are admitted slowly, in seconds. */
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
     * Fingerprint of the participant's address. Null if only the participant is banned, but not
     * everybody else at the address.
     */
    address: v.nullable(v.string()),
    /** When the ban began, by the wall clock, in ms since the epoch. */
    since: v.number(),
    /**
     * When the ban ends, in ms since the epoch, by the wall clock. Null if the ban lasts until the
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

/** Facts about a client that asks to join. They are compared with the bans. */
export interface Applicant {
  /** Participant whose resume token the client has presented, if any. */
  readonly participant: ParticipantId | undefined;
  /** Id in the device mark that the client has presented, if any. */
  readonly device: string | undefined;
  /** Address key (see `addressKey`); '' if unknown. */
  readonly address: string;
}

/**
 * Manages the list of bans; the list is stored by the caller. Emits `added` when somebody has been
 * banned, on this server or on another one. The banned person may be in a room at that time.
 */
export class Bans extends EventEmitter<{ added: [] }> {
  /**
   * For each address at which a participant has been banned, the rate limit for newcomers without a
   * device mark.
   */
  private readonly slowed = new Map<string, { readonly bucket: TokenBucket; until: number }>();
  private bans = this.options.bans ?? [];

  constructor(
    private readonly options: {
      /**
       * Secret key from which fingerprints are computed. After a restart, the key must be the same.
       */
      readonly secret: Uint8Array;
      /** Returns the wall clock, in ms since the epoch. */
      readonly date: () => number;
      /**
       * Monotonic clock, by which the rate of newcomers is limited. Unlike the wall clock, it is
       * never set back or forward.
       */
      readonly clock: Pick<Clock, 'now'>;
      readonly bans?: readonly Ban[];
      /** Called with the new list of bans after each change. */
      readonly onChange?: (bans: readonly Ban[]) => void;
    },
  ) {
    super();
  }

  /**
   * Replaces the list of bans with the stored list. Call when another server may have changed the
   * stored list.
   */
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
   * Bans a participant and their device. On request, also bans everybody at their address.
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
      // Other servers also give ids to bans, so use a random id, which differs from theirs.
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
   * Returns whether a client is banned from a room. The ban of a participant applies to the room
   * where they were banned. The ban of a device or an address applies to all rooms.
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
   * Returns whether a newcomer without a device mark may join now. If newcomers from this address
   * are admitted only slowly, charges the address for this one.
   */
  admitsUnmarked(address: string): boolean {
    const slowed = this.slowed.get(address);
    const now = this.options.clock.now();
    return !slowed || now >= slowed.until || slowed.bucket.take(1, now);
  }

  /**
   * Starts to admit newcomers without a device mark only slowly, at the address of a banned
   * participant.
   *
   * @param address '' if unknown; nothing happens then
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
