/**
 * The host's bans: of participants by number, and of devices and addresses by fingerprint, never in
 * clear text. A banned person can delete the mark of their device. Therefore newcomers without a
 * mark are admitted only slowly at addresses where somebody was banned.
 */
import { createHmac, randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import { TokenBucket } from '../../platform/queues.ts';

const MAX_ID = 0x7fffffff;

export interface Ban {
  readonly id: number;
  readonly room: string;
  readonly participant: ParticipantId;
  /** The participant's name when they were banned, for the host's list. */
  readonly name: string;
  /** Fingerprint of the device; null if unknown. */
  readonly device: string | null;
  /** Fingerprint of the address; null if others at this address are not banned. */
  readonly address: string | null;
  /** Wall clock, ms since the epoch. */
  readonly since: number;
  /** Wall clock, ms since the epoch; null if the ban lasts until it is lifted. */
  readonly until: number | null;
}

/** Returns a ban as shown on the host's page, without fingerprints. */
export function withoutFingerprints({ device: _, address, ...ban }: Ban) {
  return { ...ban, address: address !== null };
}

/** A client that asks to join, as far as it is known. */
export interface Applicant {
  /** Participant that the client's resume token belongs to, if it has one. */
  readonly participant: ParticipantId | undefined;
  /** Id of the device's mark, if it has one. */
  readonly device: string | undefined;
  /** Address key; '' if unknown. */
  readonly address: string;
}

/**
 * Manages the list of bans, which the caller stores. `added` is emitted when somebody has been
 * banned, here or on another server. They may still be in a room.
 */
export class Bans extends EventEmitter<{ added: [] }> {
  /** Limits on newcomers without a mark, by address of a banned participant. */
  private readonly slowed = new Map<string, { readonly bucket: TokenBucket; until: number }>();
  private bans: readonly Ban[];

  constructor(
    private readonly options: {
      /** Key of the fingerprints; must be the same after a restart. */
      readonly secret: Uint8Array;
      /** Wall clock, ms since the epoch. */
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
    this.bans = options.bans ?? [];
  }

  /** Replaces the bans with the stored ones, which another server may have changed. */
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
   * @returns the ban
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
      // Random, because other servers add bans, too.
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

  /** Lifts a ban. @returns whether it existed */
  lift(id: number): boolean {
    const found = this.all.some((ban) => ban.id === id);
    if (found) this.change(this.all.filter((ban) => ban.id !== id));
    return found;
  }

  /**
   * Returns whether a client is banned. Participants are banned from one room, devices and
   * addresses from all rooms.
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
   * Returns whether a newcomer without a mark may join now. Counts them if the address is limited.
   */
  admitsUnmarked(address: string): boolean {
    const slowed = this.slowed.get(address);
    const now = this.options.clock.now();
    return !slowed || now >= slowed.until || slowed.bucket.take(1, now);
  }

  /** Limits newcomers at the address of a banned participant; '' if unknown. */
  slow(address: string): void {
    const { unmarkedSeconds, slowedSeconds } = DEFAULTS.bans;
    const now = this.options.clock.now();
    for (const [other, { until }] of this.slowed) if (until <= now) this.slowed.delete(other);
    if (address === '') return;
    const bucket = this.slowed.get(address)?.bucket ?? new TokenBucket(1 / unmarkedSeconds, 1, now);
    this.slowed.set(address, { bucket, until: now + 1000 * slowedSeconds });
  }

  private change(bans: readonly Ban[]): void {
    this.bans = bans;
    this.options.onChange?.(bans);
  }

  private fingerprintOf(what: 'device' | 'address', key: string): string {
    return createHmac('sha256', this.options.secret).update(`${what} ${key}`).digest('base64url');
  }
}
