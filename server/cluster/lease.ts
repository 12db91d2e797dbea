/**
 * An owner's side of a lease: renews it, and knows by its own monotonic clock until when it may
 * count on it. It counts from when a renewal was sent, so a late answer does not extend anything.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Clock } from '../platform/clock.ts';
import { Mutex } from '../platform/mutex.ts';
import { Refused } from './cluster-error.ts';
import type { Acquired, Epoch, Held, LeaseStore, Renewals } from './lease-store.ts';

const { renewal, trusted, firstTickDelay } = DEFAULTS.cluster;

export interface LeaseOptions {
  readonly leases: LeaseStore;
  readonly room: string;
  /** Names this process; no other has the same. */
  readonly holder: string;
  readonly clock: Clock;
  /** The store has answered that it does not acquire or renew the lease. */
  readonly onRefused?: (room: string, why: string) => void;
}

/** When a process first saw that a lease had been renewed so often, by its own clock, ms. */
export interface Sighting {
  readonly renewals: Renewals;
  readonly at: number;
}

/** A room's lease, from its acquisition until it has ended. */
export class Lease {
  readonly epoch: Epoch;
  /** Whether all that was shown of the room is stored. The owner says so whenever that changes. */
  isStored: boolean;
  /** Resolves when the lease has ended: it was released, has lapsed, or somebody else has it. */
  readonly ended: Promise<void>;
  private hasEnded = false;
  private readonly writes = new Mutex();
  private lastWrite = 0;
  /** By this process's clock, ms. */
  private until: number;
  private readonly ticksFrom: number;
  private cancelRenewal = (): void => {};
  private cancelLapse = (): void => {};
  /** Calls of `whileHeld` that wait. */
  private readonly waiting = new Set<() => void>();
  private tellEnded!: () => void;

  private constructor(
    private readonly options: LeaseOptions,
    { epoch, isReleased, renewals }: Acquired,
    sentAt: number,
    seen: Sighting | undefined,
  ) {
    this.epoch = epoch;
    this.isStored = isReleased;
    this.until = sentAt + trusted;
    // The owner before has sent its last renewal before anybody could see it.
    const lastSign = seen?.renewals === renewals ? seen.at : options.clock.now();
    this.ticksFrom = isReleased ? 0 : lastSign + firstTickDelay;
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve;
    });
    this.awaitLapse();
    this.renewLater();
  }

  /**
   * Acquires a room's lease. Whoever has seen no renewal for so long that its owner has stopped need not
   * wait until the store ends it.
   *
   * @param seen what this process has seen of the room's lease
   * @throws Error as `LeaseStore`
   */
  static async acquire(options: LeaseOptions, seen?: Sighting): Promise<Lease | Held> {
    const { leases, room, holder, clock } = options;
    const sentAt = clock.now();
    const isAbandoned = seen && sentAt >= seen.at + firstTickDelay;
    const answer = await leases.acquire(room, holder, isAbandoned ? seen.renewals : undefined);
    return answer.epoch === undefined ? answer : new Lease(options, answer, sentAt, seen);
  }

  /** Whether nobody else can have the room now. */
  get isHeld(): boolean {
    return !this.hasEnded && this.options.clock.now() < this.until;
  }

  /** Whether the room may tick and be shown now: no earlier owner can do so any more. */
  get mayTick(): boolean {
    return this.isHeld && this.options.clock.now() >= this.ticksFrom;
  }

  /** Waits for some work, but no longer than the lease lasts. @returns undefined if it has ended */
  async whileHeld<T>(work: Promise<T>): Promise<T | undefined> {
    if (this.hasEnded) {
      work.catch(() => {});
      return undefined;
    }
    let giveUp!: () => void;
    const end = new Promise<undefined>((resolve) => {
      giveUp = () => resolve(undefined);
    });
    this.waiting.add(giveUp);
    try {
      return await Promise.race([work, end]);
    } finally {
      this.waiting.delete(giveUp);
    }
  }

  /** Does one write after another. @param write takes its number, from 1 */
  inOrder<T>(write: (number: number) => Promise<T>): Promise<T> {
    return this.writes.runExclusive(() => write(++this.lastWrite));
  }

  /** Ends the lease on this side: the room stops here at once. */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.cancelRenewal();
    this.cancelLapse();
    for (const giveUp of this.waiting) giveUp();
    this.tellEnded();
  }

  /**
   * Gives the room up, so that another process need not wait. Nothing of it may be written then.
   *
   * @param heir who is to have it
   */
  async release(heir?: string): Promise<void> {
    // An owner that still waits for the one before to stop must not have the next one start at once.
    const mayGiveUp = this.mayTick;
    this.end();
    const { leases, room, holder } = this.options;
    const { epoch, isStored } = this;
    // Otherwise it ends by itself.
    if (mayGiveUp) await leases.release(room, holder, epoch, { isStored, heir }).catch(() => {});
  }

  private renewLater(): void {
    this.cancelRenewal = this.options.clock.after(renewal, () => {
      this.renewLater();
      void this.renew();
    });
  }

  private async renew(): Promise<void> {
    const { leases, room, holder, clock } = this.options;
    const sentAt = clock.now();
    // Without an answer, the next renewal may succeed.
    const renewed = await leases.renew(room, holder, this.epoch).catch((error: unknown) => {
      if (error instanceof Refused) this.options.onRefused?.(room, error.message);
      return undefined;
    });
    if (this.hasEnded || renewed === undefined) return;
    if (!renewed || !this.isHeld) {
      this.end();
      return;
    }
    this.until = Math.max(this.until, sentAt + trusted);
    this.awaitLapse();
  }

  private awaitLapse(): void {
    this.cancelLapse();
    const left = this.until - this.options.clock.now();
    this.cancelLapse = this.options.clock.after(Math.max(0, left), () => {
      // A timer may fire early.
      if (this.isHeld) this.awaitLapse();
      else this.end();
    });
  }
}
