/**
 * A leader's side of a lease: renews it, and knows by its own monotonic clock until when it may count on it.
 * It never counts from later than when a renewal was sent, so a late answer does not extend anything. Start
 * at `Lease`.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { type Clock, pause } from '../platform/clock.ts';
import { Mutex } from '../platform/queues.ts';
import { Refused } from './valkey-connection.ts';

/** Counts the leaders that a room has had. It never decreases and never expires. */
export type Epoch = number;

/** How often a room's lease has been acquired or renewed. It never decreases and never expires. */
export type Renewals = number;

/** A lease that has just been acquired. */
export interface Acquired {
  readonly epoch: Epoch;
  /** Whether the leader before has given the room up with all of it stored, or there was none. */
  readonly isReleased: boolean;
  /** Before this acquisition; −1 if the leader before has not counted them. */
  readonly renewals: Renewals;
}

/** A lease that somebody else has. */
export interface Held {
  readonly epoch?: undefined;
  readonly renewals: Renewals;
}

/** How a leader gives a room up. */
export interface Release {
  /** Whether all that it and earlier leaders have shown of the room is stored. */
  readonly isStored: boolean;
  /** Nobody else acquires the room for the next `DEFAULTS.cluster.offer`. */
  readonly heir?: string | undefined;
}

/**
 * Keeps leases. Calls that get no answer fail; whether they had an effect is not known then.
 *
 * @throws Refused; Error: the store cannot be reached
 */
export interface LeaseStore {
  /**
   * Acquires a room's lease with a new epoch, for `DEFAULTS.cluster.lease`.
   *
   * @param holder a name that no other process has
   * @param abandoned if there have been no more renewals than these, it is acquired even from
   *   somebody who has it: the caller knows that they do not count on it any more
   */
  acquire(room: string, holder: string, abandoned?: Renewals): Promise<Acquired | Held>;
  /** Has a lease last as long as a new one. @returns false if the holder does not have it any more */
  renew(room: string, holder: string, epoch: Epoch): Promise<boolean>;
  /** Ends a lease, if the holder has it. Its leader has stopped before. */
  release(room: string, holder: string, epoch: Epoch, how: Release): Promise<void>;
}

const { renewal, trusted, firstTickDelay } = DEFAULTS.cluster;

/** Which write of which leader. */
export interface Position {
  readonly epoch: Epoch;
  /** Counts a leader's writes, from 1. */
  readonly number: number;
}

/** Stores writes of type `W`. */
export interface FencedLog<W> {
  /**
   * Writes atomically, if the epoch is the room's latest. A write whose number the room has seen
   * has no effect and counts as written: it is a repetition, or has been overtaken by one.
   *
   * @returns whether it is written, and survives a loss of power
   * @throws Refused; Error: there is no answer, and whether it is written is not known
   */
  write(room: string, position: Position, write: W): Promise<boolean>;
}

interface LeaseOptions {
  readonly leases: LeaseStore;
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
  /** Whether all that was shown of the room is stored. The leader says so whenever that changes. */
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
    private readonly room: string,
    private readonly options: LeaseOptions,
    { epoch, isReleased, renewals }: Acquired,
    { sentAt, seen }: { readonly sentAt: number; readonly seen: Sighting | undefined },
  ) {
    this.epoch = epoch;
    this.isStored = isReleased;
    this.until = sentAt + trusted;
    // The leader before has sent its last renewal before anybody could see it.
    const lastSign = seen?.renewals === renewals ? seen.at : options.clock.now();
    this.ticksFrom = isReleased ? 0 : lastSign + firstTickDelay;
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve;
    });
    this.awaitLapse();
    this.renewLater();
  }

  /**
   * Acquires a room's lease. A caller that has seen no renewal for long enough to know that the leader has
   * stopped need not wait until the store ends it.
   *
   * @param seen what this process has seen of the room's lease
   * @throws Error as `LeaseStore`
   */
  static async acquire(
    room: string,
    options: LeaseOptions,
    seen?: Sighting,
  ): Promise<Lease | Held> {
    const { leases, holder, clock } = options;
    const sentAt = clock.now();
    const isAbandoned = seen && sentAt >= seen.at + firstTickDelay;
    const answer = await leases.acquire(room, holder, isAbandoned ? seen.renewals : undefined);
    if (answer.epoch === undefined) return answer;
    return new Lease(room, options, answer, { sentAt, seen });
  }

  /** Whether nobody else can have the room now. */
  get isHeld(): boolean {
    return !this.hasEnded && this.options.clock.now() < this.until;
  }

  /** Whether the room may tick and be shown now: no earlier leader can do so any more. */
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

  /**
   * Writes after the earlier writes, as often as it takes while the lease is held. If it cannot, the lease
   * has ended: what is not durable is not shown either.
   *
   * @returns whether it is durable
   * @throws Refused; the lease has ended then
   */
  write<W>(log: FencedLog<W>, write: W): Promise<boolean> {
    return this.writes.runExclusive(async () => {
      const position = { epoch: this.epoch, number: ++this.lastWrite };
      while (this.isHeld) {
        try {
          const written = await this.whileHeld(log.write(this.room, position, write));
          if (written) return true;
          this.end();
        } catch (error) {
          if (error instanceof Refused) {
            this.end();
            throw error;
          }
          await this.whileHeld(pause(this.options.clock, DEFAULTS.cluster.writeRetry));
        }
      }
      return false;
    });
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
    // A leader that still waits for the one before to stop must not have the next one start at once.
    const mayGiveUp = this.mayTick;
    this.end();
    const { leases, holder } = this.options;
    const { room, epoch, isStored } = this;
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
    const { leases, holder, clock, onRefused } = this.options;
    const sentAt = clock.now();
    // Without an answer, the next renewal may succeed.
    const renewed = await leases.renew(this.room, holder, this.epoch).catch((error: unknown) => {
      if (error instanceof Refused) onRefused?.(this.room, error.message);
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

interface RoomLeasesOptions extends LeaseOptions {
  /** Called when a lease has ended without having been released. */
  readonly onEnd?: (room: string) => void;
}

/** Why a lease has not been acquired: another process has it, or the store does not say so now. */
export type NotAcquired = 'held-elsewhere' | 'no-answer';

/** Acquires and releases the leases of rooms. */
export class RoomLeases {
  private readonly held = new Map<string, Lease>();
  private readonly seen = new Map<string, Sighting>();
  /** When rooms may be taken over again, ms. */
  private readonly notBefore = new Map<string, number>();

  constructor(private readonly options: RoomLeasesOptions) {}

  /** Acquires a room's lease, unless this process holds it. @returns the lease, or why there is none */
  async acquire(room: string): Promise<Lease | NotAcquired> {
    const own = this.held.get(room);
    if (own?.isHeld) return own;
    if (own) {
      // What runs under it stops first.
      own.end();
      return 'no-answer';
    }
    const seen = this.seen.get(room);
    const lease = await Lease.acquire(room, this.options, seen).catch((error: unknown) => {
      if (error instanceof Refused) this.options.onRefused?.(room, error.message);
      return 'no-answer' as const;
    });
    if (lease === 'no-answer') return lease;
    if (!(lease instanceof Lease)) {
      const { renewals } = lease;
      if (renewals !== seen?.renewals) {
        this.seen.set(room, { renewals, at: this.options.clock.now() });
      }
      return 'held-elsewhere';
    }
    if (!lease.isHeld) {
      await lease.release();
      return 'no-answer';
    }
    this.held.set(room, lease);
    void lease.ended.then(() => {
      if (this.held.get(room) !== lease) return;
      this.held.delete(room);
      this.options.onEnd?.(room);
    });
    return lease;
  }

  /** Names this process. */
  get holder(): string {
    return this.options.holder;
  }

  /** The lease that this process has of a room; it may have lapsed. */
  of(room: string): Lease | undefined {
    return this.held.get(room);
  }

  /** Does not take a room over for some time. @param time ms */
  holdOff(room: string, time: number): void {
    const until = this.options.clock.now() + time;
    this.notBefore.set(room, Math.max(until, this.notBefore.get(room) ?? 0));
  }

  /** Whether a room may be taken over now. */
  mayTakeOver(room: string): boolean {
    return this.options.clock.now() >= (this.notBefore.get(room) ?? 0);
  }

  /** Whether a room may tick and be shown by this process now. */
  readonly mayTick = (room: string): boolean => this.held.get(room)?.mayTick ?? false;

  /**
   * Gives a room up. Its ticks have stopped, and all its writes are done.
   *
   * @param heir who is to have it
   */
  async release(room: string, heir?: string): Promise<void> {
    const lease = this.held.get(room);
    this.held.delete(room);
    await lease?.release(heir);
  }

  /** Gives all rooms up. */
  async releaseAll(): Promise<void> {
    await Promise.all([...this.held.keys()].map((room) => this.release(room)));
  }
}

const { attempt, failed } = DEFAULTS.cluster;

interface StandbyOptions {
  readonly leases: RoomLeases;
  readonly clock: Clock;
  /** Rooms that should run, and that this process does not run. */
  readonly waiting: () => Iterable<string>;
  /** Opens a room whose lease this process has just acquired. It releases it if that fails. */
  readonly open: (room: string) => Promise<void>;
  /** A room could not be opened; it is tried again later. */
  readonly onFailure: (room: string, error: unknown) => void;
}

/** Tries again and again to acquire the leases of the rooms that wait. */
export class Standby {
  private readonly trying = new Set<string>();
  private stopped = false;
  private cancel: () => void;

  constructor(private readonly options: StandbyOptions) {
    this.cancel = options.clock.after(0, this.look);
  }

  /** Ends the attempts; one that has begun may still open its room. */
  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private readonly look = (): void => {
    const { leases, waiting, clock } = this.options;
    this.cancel = clock.after(attempt, this.look);
    for (const room of waiting()) {
      if (leases.mayTakeOver(room) && !this.trying.has(room)) void this.try(room);
    }
  };

  private async try(room: string): Promise<void> {
    const { leases, open, onFailure } = this.options;
    this.trying.add(room);
    try {
      if (!((await leases.acquire(room)) instanceof Lease)) return;
      if (this.stopped) await leases.release(room);
      else await open(room);
    } catch (error) {
      leases.holdOff(room, failed);
      onFailure(room, error);
    } finally {
      this.trying.delete(room);
    }
  }
}
