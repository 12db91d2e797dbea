/**
 * The host's bans: of participants by number, and of devices and addresses by fingerprint, never in
 * clear text. Somebody who is banned can delete the mark of their device, so newcomers without one
 * get in slowly where somebody was banned.
 */
import { createHmac, randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import { TokenBucket } from '../../platform/queues.ts';

const MAX_ID = 0x7fffffff;

/** One ban. */
export interface Ban {
  readonly id: number;
  readonly room: string;
  readonly participant: ParticipantId;
  /** The participant's name at that time, for the host's list. */
  readonly name: string;
  /** Fingerprint of the device; null if unknown. */
  readonly device: string | null;
  /** Fingerprint of the address; null: others at this address are not banned. */
  readonly address: string | null;
  /** Wall clock, ms since the epoch. */
  readonly since: number;
  /** Wall clock, ms since the epoch; null: until the ban is lifted. */
  readonly until: number | null;
}

/** A ban as the host's page shows it, without fingerprints. */
export function withoutFingerprints({ device: _, address, ...ban }: Ban) {
  return { ...ban, address: address !== null };
}

/** Who asks to join, as far as it is known. */
export interface Applicant {
  /** Owner of the client's resume token, if it has one. */
  readonly participant: ParticipantId | undefined;
  /** Id of the device's mark, if it has one. */
  readonly device: string | undefined;
  /** Address key; '' if unknown. */
  readonly address: string;
}

/**
 * The list of bans, which the caller stores. `added`: somebody has been banned, here or on another
 * server, and may be in rooms.
 */
export class Bans extends EventEmitter<{ added: [] }> {
  /** By the address of a banned participant: how many newcomers without a mark it may have. */
  private readonly slowed = new Map<string, { readonly bucket: TokenBucket; until: number }>();
  private bans: readonly Ban[];

  constructor(
    private readonly options: {
      /** Key of the fingerprints, the same after a restart. */
      readonly secret: Uint8Array;
      /** Wall clock, ms since the epoch. */
      readonly date: () => number;
      /** Slows newcomers: unlike the wall clock, it is never set. */
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

  /** Takes the bans as they are stored now, perhaps by another server. */
  replace(bans: readonly Ban[]): void {
    const known = new Set(this.bans.map(({ id }) => id));
    this.bans = bans;
    if (bans.some(({ id }) => !known.has(id))) this.emit('added');
  }

  /** The bans that are in force. */
  get all(): readonly Ban[] {
    const now = this.options.date();
    return this.bans.filter(({ until }) => until === null || until > now);
  }

  /**
   * Bans a participant, their device and, if wished, everybody at their address.
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
      /** ms; absent: until the ban is lifted */
      readonly duration?: number | undefined;
    },
  ): Ban {
    const { room, participant, name, device, address, wholeAddress, duration } = request;
    const since = this.options.date();
    this.slow(address);
    const ban = {
      // Random, as other servers add bans too.
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

  /** Whether a client is banned: a participant from one room, devices and addresses from all. */
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

  /** Whether a newcomer without a mark may join now; counts them if so. */
  admitsUnmarked(address: string): boolean {
    const slowed = this.slowed.get(address);
    const now = this.options.clock.now();
    return !slowed || now >= slowed.until || slowed.bucket.take(1, now);
  }

  /** Somebody who is banned was at this address; '' if unknown. */
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
