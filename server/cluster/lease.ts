/**
 * A room's lease, as used by the server that leads the room. If a renewal succeeds, the server
 * relies on the lease for a limited time from the moment at which it sent the renewal, measured
 * with its own monotonic clock. Start reading at `Lease`.
 */
import { type Clock, pause, repeat } from '../platform/clock.ts';
import { Mutex } from '../platform/queues.ts';
import { Refused } from './valkey-connection.ts';

export const LEASE = {
  /** Time after which a lease expires in Valkey unless it is renewed, in ms. */
  lease: 3_000,
  /** Interval of lease renewals, in ms. */
  renewal: 1_000,
  /** How long a leader relies on its lease after sending a successful renewal, in ms. */
  trusted: 2_000,
  /**
   * Delay before a new leader's first tick if the previous leader did not release the room, in ms.
   * The delay is longer than `trusted`, so the previous leader stops before the delay ends. It
   * starts when this server sees the previous leader's last renewal. If this server has not seen
   * that renewal, the delay starts when this server acquires the lease.
   */
  firstTickDelay: 2_200,
  /** Interval between attempts to acquire a lease, in ms. */
  attempt: 250,
  /** Delay before the next attempt to take over a room that could not be opened, in ms. */
  failed: 5_000,
  /**
   * Delay before the next attempt to take over a room after Valkey has refused the room's lease or
   * a write to the room, in ms.
   */
  refused: 30_000,
  /** Delay before a failed write is retried, in ms. */
  writeRetry: 100,
  /** How long a released room stays reserved for the server that should take it over, in ms. */
  offer: 1_500,
} as const;

/**
 * Interval at which a server reports its load, in ms. After three intervals without a report, the
 * server is considered gone.
 */
export const REPORT_INTERVAL = 1_000;

/** Number of leaders that a room has had. Never decreases or expires. */
export type Epoch = number;

/** Number of times that a room's lease was acquired or renewed. Never decreases or expires. */
export type Renewals = number;

/** A lease that has just been acquired. */
export interface Acquired {
  readonly epoch: Epoch;
  /**
   * Whether the room had no earlier leader, or its previous leader stored everything and then
   * released the room.
   */
  readonly isReleased: boolean;
  /** Number of renewals before this lease was acquired. */
  readonly renewals: Renewals;
}

/**
 * Answer to `acquire` if another process holds the lease, or if the room is reserved for another
 * process.
 */
export interface Held {
  readonly epoch?: undefined;
  readonly renewals: Renewals;
}

export interface Release {
  /** Whether all ticks that visitors have seen are stored, including ticks of earlier leaders. */
  readonly isStored: boolean;
  /** The only process that may acquire the room's lease during the next `LEASE.offer` ms. */
  readonly heir?: string | undefined;
}

/**
 * Stores leases. A call that fails without an answer may still have been executed.
 *
 * @throws Refused if the store refuses the call; Error if the store cannot be reached
 */
export interface LeaseStore {
  /**
   * Acquires a room's lease with a new epoch. The lease expires after `LEASE.lease` ms unless it is
   * renewed.
   *
   * @param holder unique name of this process
   * @param abandoned number of renewals that the caller saw last. Pass this number only if the
   *   current holder has certainly stopped. If the lease has not been renewed since, the caller
   *   gets it before it expires
   */
  acquire(room: string, holder: string, abandoned?: Renewals): Promise<Acquired | Held>;
  /**
   * Extends a lease, so that it expires `LEASE.lease` ms from now.
   *
   * @returns false if the holder has lost the lease
   */
  renew(room: string, holder: string, epoch: Epoch): Promise<boolean>;
  /** Ends a lease if `holder` still has it. Call this after the leader has stopped the room. */
  release(room: string, holder: string, epoch: Epoch, how: Release): Promise<void>;
}

/** Position of a write to a room: the epoch of the leader that writes, and the write's number. */
export interface Position {
  readonly epoch: Epoch;
  /** Sequence number among all writes of this leader, from 1. */
  readonly number: number;
}

/** A log that accepts a write (of type `W`) only if the writer is the room's latest leader. */
export interface FencedLog<W> {
  /**
   * Writes atomically if `position.epoch` is the room's latest epoch. If the log already contains
   * this write or a later write of the same leader, does nothing and returns true.
   *
   * @returns true if the data are stored and survive a power failure; false if nothing is written,
   *   because `position.epoch` is not the latest
   * @throws Refused if the log refuses the write; Error if the log does not answer. After an Error,
   *   the data may or may not have been written
   */
  write(room: string, position: Position, write: W): Promise<boolean>;
}

interface LeaseOptions {
  readonly leases: LeaseStore;
  /** Unique name of this process. */
  readonly holder: string;
  readonly clock: Clock;
  /** Called when the lease store refuses to acquire or renew a lease. */
  readonly onRefused?: (room: string, why: string) => void;
}

/**
 * The number of renewals that this process last saw of a room's lease (`renewals`), and the time at
 * which this process first saw that number (`at`), in ms of its own clock.
 */
export interface Sighting {
  readonly renewals: Renewals;
  readonly at: number;
}

/** A room's lease in the process that holds it, from its acquisition to its end. */
export class Lease {
  readonly epoch = this.acquired.epoch;
  /** Whether all ticks that visitors have seen are stored. The leader updates this field. */
  isStored = this.acquired.isReleased;
  /** Resolves when the lease has been released, has lapsed, or has passed to another process. */
  readonly ended: Promise<void>;
  private hasEnded = false;
  private readonly writes = new Mutex();
  private lastWrite = 0;
  /** Time at which the lease lapses unless it is renewed, in ms of this process's clock. */
  private until = this.acquired.sentAt + LEASE.trusted;
  private readonly ticksFrom: number;
  private readonly cancelRenewal = repeat(this.options.clock, LEASE.renewal, () => {
    void this.renew();
  });
  private cancelLapse = (): void => {};
  private readonly waiting = new Set<() => void>();
  private tellEnded!: () => void;

  private constructor(
    private readonly room: string,
    private readonly options: LeaseOptions,
    private readonly acquired: Acquired & { readonly sentAt: number },
    seen: Sighting | undefined,
  ) {
    const { isReleased, renewals } = acquired;
    // If this process has seen the previous leader's last renewal, start the delay at that time
    // (`seen.at`), because the previous leader sent the renewal even earlier.
    const lastSign = seen?.renewals === renewals ? seen.at : options.clock.now();
    this.ticksFrom = isReleased ? 0 : lastSign + LEASE.firstTickDelay;
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve;
    });
    this.awaitLapse();
  }

  /**
   * Acquires a room's lease. If this process has seen no new renewal for `LEASE.firstTickDelay` ms,
   * the holder has stopped, so this process acquires the lease even before it expires.
   *
   * @param seen the latest renewal of the lease that this process has seen, and when
   * @throws the errors of `LeaseStore`
   */
  static async acquire(
    room: string,
    options: LeaseOptions,
    seen?: Sighting,
  ): Promise<Lease | Held> {
    const { leases, holder, clock } = options;
    const sentAt = clock.now();
    const isAbandoned = seen && sentAt >= seen.at + LEASE.firstTickDelay;
    const answer = await leases.acquire(room, holder, isAbandoned ? seen.renewals : undefined);
    if (answer.epoch === undefined) return answer;
    return new Lease(room, options, { ...answer, sentAt }, seen);
  }

  /** Whether it is certain that no other process holds the lease now. */
  get isHeld(): boolean {
    return !this.hasEnded && this.options.clock.now() < this.until;
  }

  /**
   * Whether this process is allowed to tick and show the room now. If true, all earlier leaders
   * have stopped.
   */
  get mayTick(): boolean {
    return this.isHeld && this.options.clock.now() >= this.ticksFrom;
  }

  /**
   * Waits for a promise, but only until the lease ends.
   *
   * @returns the promise's result; undefined if the lease ended first
   */
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
   * Writes to a log after all earlier writes are done. If the log does not answer, retries until
   * the lease ends. Ends the lease if the log refuses the write, or if the room already has a newer
   * leader.
   *
   * @returns whether the data are written and survive a power failure
   * @throws Refused if the log refuses the write
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
          await this.whileHeld(pause(this.options.clock, LEASE.writeRetry));
        }
      }
      return false;
    });
  }

  /** Ends the lease in this process, so that the room stops here. Does not notify the store. */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.cancelRenewal();
    this.cancelLapse();
    for (const giveUp of this.waiting) giveUp();
    this.tellEnded();
  }

  /**
   * Releases the lease in the store, so that another process can take over the room immediately.
   * Afterwards, this process must not write to the room.
   *
   * @param heir name of the process that should take over the room
   */
  async release(heir?: string): Promise<void> {
    // Release the lease only if all earlier leaders have stopped, because the next leader starts
    // immediately.
    const mayGiveUp = this.mayTick;
    this.end();
    const { leases, holder } = this.options;
    const { room, epoch, isStored } = this;
    // Ignore errors: a lease that is not released expires in the store.
    if (mayGiveUp) await leases.release(room, holder, epoch, { isStored, heir }).catch(() => {});
  }

  private async renew(): Promise<void> {
    const { leases, holder, clock, onRefused } = this.options;
    const sentAt = clock.now();
    // Ignore a missing answer, because the next renewal may succeed.
    const renewed = await leases.renew(this.room, holder, this.epoch).catch((error: unknown) => {
      if (error instanceof Refused) onRefused?.(this.room, error.message);
      return undefined;
    });
    if (this.hasEnded || renewed === undefined) return;
    if (!renewed || !this.isHeld) {
      this.end();
      return;
    }
    this.until = Math.max(this.until, sentAt + LEASE.trusted);
    this.awaitLapse();
  }

  private awaitLapse(): void {
    this.cancelLapse();
    const left = this.until - this.options.clock.now();
    this.cancelLapse = this.options.clock.after(Math.max(0, left), () => {
      // Wait again if the timer has fired slightly too early.
      if (this.isHeld) this.awaitLapse();
      else this.end();
    });
  }
}

interface RoomLeasesOptions extends LeaseOptions {
  /** Called when a lease has ended without being released. */
  readonly onEnd?: (room: string) => void;
}

/** Why a lease was not acquired: another process holds it, or the attempt failed. */
export type NotAcquired = 'held-elsewhere' | 'no-answer';

export class RoomLeases {
  private readonly held = new Map<string, Lease>();
  private readonly seen = new Map<string, Sighting>();
  /** Earliest time at which this process is allowed to take over each room, in ms, by room name. */
  private readonly notBefore = new Map<string, number>();

  constructor(private readonly options: RoomLeasesOptions) {}

  /**
   * Acquires a room's lease, or returns the lease that this process already holds.
   *
   * @returns the lease, or the reason why it was not acquired
   */
  async acquire(room: string): Promise<Lease | NotAcquired> {
    const own = this.held.get(room);
    if (own?.isHeld) return own;
    if (own) {
      // The lease has lapsed. End it, so that the room stops in this process.
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

  get holder(): string {
    return this.options.holder;
  }

  /** Returns this process's lease of a room; the lease may have lapsed. */
  of(room: string): Lease | undefined {
    return this.held.get(room);
  }

  /** Prevents this process from taking over a room for `time` ms. */
  holdOff(room: string, time: number): void {
    const until = this.options.clock.now() + time;
    this.notBefore.set(room, Math.max(until, this.notBefore.get(room) ?? 0));
  }

  mayTakeOver(room: string): boolean {
    return this.options.clock.now() >= (this.notBefore.get(room) ?? 0);
  }

  readonly mayTick = (room: string): boolean => this.held.get(room)?.mayTick ?? false;

  /**
   * Releases a room's lease. Call this after the room's ticks have stopped and all its writes are
   * done.
   *
   * @param heir name of the process that should take over the room
   */
  async release(room: string, heir?: string): Promise<void> {
    const lease = this.held.get(room);
    this.held.delete(room);
    await lease?.release(heir);
  }

  async releaseAll(): Promise<void> {
    await Promise.all([...this.held.keys()].map((room) => this.release(room)));
  }
}

interface StandbyOptions {
  readonly leases: RoomLeases;
  readonly clock: Clock;
  /** Lists the rooms that this process should try to lead. */
  readonly waiting: () => Iterable<string>;
  /**
   * Opens a room whose lease this process has just acquired. Must release the lease if opening
   * fails.
   */
  readonly open: (room: string) => Promise<void>;
  /** Called when a room could not be opened. Another attempt follows later. */
  readonly onFailure: (room: string, error: unknown) => void;
}

/**
 * Repeatedly tries to acquire the leases of all rooms in `waiting`, and opens each room whose lease
 * it has acquired. While rooms wait, `rooms/replicas.ts` replays their journals.
 */
export class Standby {
  private readonly trying = new Set<string>();
  private stopped = false;
  private readonly cancel = repeat(this.options.clock, LEASE.attempt, () => this.look(), 0);

  constructor(private readonly options: StandbyOptions) {}

  /** Stops acquiring leases. If a room is being opened, the opening is not interrupted. */
  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private look(): void {
    const { leases, waiting } = this.options;
    for (const room of waiting()) {
      if (leases.mayTakeOver(room) && !this.trying.has(room)) void this.try(room);
    }
  }

  private async try(room: string): Promise<void> {
    const { leases, open, onFailure } = this.options;
    this.trying.add(room);
    try {
      if (!((await leases.acquire(room)) instanceof Lease)) return;
      if (this.stopped) await leases.release(room);
      else await open(room);
    } catch (error) {
      leases.holdOff(room, LEASE.failed);
      onFailure(room, error);
    } finally {
      this.trying.delete(room);
    }
  }
}
