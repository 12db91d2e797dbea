/**
 * The leader's side of a lease: renews the lease, and determines by this process's monotonic clock
 * how long to rely on it. That time counts from when a renewal was sent, so a late answer does not
 * extend it. Start at `Lease`.
 */
import { type Clock, pause, repeat } from '../platform/clock.ts';
import { Mutex } from '../platform/queues.ts';
import { Refused } from './valkey-connection.ts';

/** Times of leases, in ms. */
export const LEASE = {
  /** Time from a lease's last renewal to its end, in ms. */
  lease: 3_000,
  /** Interval of lease renewals, in ms. */
  renewal: 1_000,
  /** How long a leader trusts its lease after it sent the last successful renewal, in ms. */
  trusted: 2_000,
  /**
   * How long a new leader waits before its first tick, in ms. The delay starts when it saw the
   * previous leader's last renewal or, if it saw none, when it acquired the lease. At the end of
   * the delay the previous leader has stopped itself, whatever Valkey's clock says.
   */
  firstTickDelay: 2_200,
  /** Interval of attempts to acquire a lease, in ms. */
  attempt: 250,
  /** Delay before another attempt if the room could not be opened, in ms. */
  failed: 5_000,
  /** Delay before another attempt if Valkey refused the room's writes or its lease, in ms. */
  refused: 30_000,
  /** Delay before a failed write is retried, in ms. */
  writeRetry: 100,
  /** How long a room that was given to a server is reserved for that server, in ms. */
  offer: 1_500,
} as const;

/**
 * Interval of load reports, in ms. A server that has sent no report for three intervals counts as
 * gone.
 */
export const REPORT_INTERVAL = 1_000;

/** Number of leaders that a room has had. Never decreases or expires. */
export type Epoch = number;

/** Number of times that a room's lease was acquired or renewed. Never decreases or expires. */
export type Renewals = number;

/** A lease that has just been acquired. */
export interface Acquired {
  readonly epoch: Epoch;
  /** Whether the previous leader released the room with everything stored, or there was none. */
  readonly isReleased: boolean;
  /** Number of renewals before this acquisition. */
  readonly renewals: Renewals;
}

/** Answer to an attempt to acquire a lease that another process holds. */
export interface Held {
  readonly epoch?: undefined;
  readonly renewals: Renewals;
}

/** How a leader releases a room. */
export interface Release {
  /** Whether everything that this leader and earlier ones have shown of the room is stored. */
  readonly isStored: boolean;
  /** The only process that may acquire the room during the next `LEASE.offer`. */
  readonly heir?: string | undefined;
}

/**
 * Stores leases. A call that gets no answer fails, but may have taken effect.
 *
 * @throws Refused; Error if the store cannot be reached
 */
export interface LeaseStore {
  /**
   * Acquires a room's lease with a new epoch, for `LEASE.lease`.
   *
   * @param holder unique name of this process
   * @param abandoned a number of renewals. If the room still has exactly this number, the caller
   *   knows that the holder has stopped relying on the lease, so the lease is acquired even though
   *   somebody holds it.
   */
  acquire(room: string, holder: string, abandoned?: Renewals): Promise<Acquired | Held>;
  /** Extends a lease to its full duration. @returns false if the holder has lost it */
  renew(room: string, holder: string, epoch: Epoch): Promise<boolean>;
  /** Ends a lease, if the holder still has it. Call it after the leader has stopped. */
  release(room: string, holder: string, epoch: Epoch, how: Release): Promise<void>;
}

/** Identifies a write by its leader and number. */
export interface Position {
  readonly epoch: Epoch;
  /** Number of the write among the leader's writes, from 1. */
  readonly number: number;
}

/** Stores writes of type `W`. */
export interface FencedLog<W> {
  /**
   * Writes atomically, if the epoch is the room's latest. A write whose number is not new has no
   * effect and counts as written, because it is a repetition or a later write overtook it.
   *
   * @returns whether it is written and survives a power failure
   * @throws Refused; Error if there is no answer, in which case the write may still have been done
   */
  write(room: string, position: Position, write: W): Promise<boolean>;
}

interface LeaseOptions {
  readonly leases: LeaseStore;
  /** Unique name of this process. */
  readonly holder: string;
  readonly clock: Clock;
  /** Called when the store refuses to acquire or renew a lease. */
  readonly onRefused?: (room: string, why: string) => void;
}

/**
 * A number of renewals, and when this process first saw that number, in ms of the process's own
 * clock.
 */
export interface Sighting {
  readonly renewals: Renewals;
  readonly at: number;
}

/** A room's lease, from its acquisition until it has ended. */
export class Lease {
  readonly epoch = this.acquired.epoch;
  /** Whether everything shown of the room is stored. The leader updates it on every change. */
  isStored = this.acquired.isReleased;
  /** Resolves when the lease has ended: it was released, has lapsed, or somebody else has it. */
  readonly ended: Promise<void>;
  private hasEnded = false;
  private readonly writes = new Mutex();
  private lastWrite = 0;
  /** When the lease lapses unless it is renewed, in ms of this process's clock. */
  private until = this.acquired.sentAt + LEASE.trusted;
  private readonly ticksFrom: number;
  private readonly cancelRenewal = repeat(this.options.clock, LEASE.renewal, () => {
    void this.renew();
  });
  private cancelLapse = (): void => {};
  /** Cancels pending calls of `whileHeld`. */
  private readonly waiting = new Set<() => void>();
  private tellEnded!: () => void;

  private constructor(
    private readonly room: string,
    private readonly options: LeaseOptions,
    private readonly acquired: Acquired & { readonly sentAt: number },
    seen: Sighting | undefined,
  ) {
    const { isReleased, renewals } = acquired;
    // The previous leader sent its last renewal before this process saw it, so it is safe to count
    // the delay from the sighting.
    const lastSign = seen?.renewals === renewals ? seen.at : options.clock.now();
    this.ticksFrom = isReleased ? 0 : lastSign + LEASE.firstTickDelay;
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve;
    });
    this.awaitLapse();
  }

  /**
   * Acquires a room's lease. A caller that has seen no renewal for long enough to know that the
   * leader has stopped does not need to wait until the lease expires in the store.
   *
   * @param seen latest sighting of the room's lease by this process
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

  /** Whether it is certain that no other process has the room now. */
  get isHeld(): boolean {
    return !this.hasEnded && this.options.clock.now() < this.until;
  }

  /** Whether the room may tick and be shown now, because all earlier leaders have stopped. */
  get mayTick(): boolean {
    return this.isHeld && this.options.clock.now() >= this.ticksFrom;
  }

  /**
   * Waits for a promise, but at most until the lease ends.
   *
   * @returns undefined if the lease has ended
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
   * Writes once all earlier writes are done, and retries while the lease is held. If the write
   * fails, ends the lease, because only durable changes may be shown.
   *
   * @returns whether the write is durable
   * @throws Refused if the lease has ended
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

  /** Ends the lease on this side, so that the room stops here immediately. */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.cancelRenewal();
    this.cancelLapse();
    for (const giveUp of this.waiting) giveUp();
    this.tellEnded();
  }

  /**
   * Releases the room, so that another process does not have to wait. Nothing may write the room
   * afterwards.
   *
   * @param heir process that should take the room
   */
  async release(heir?: string): Promise<void> {
    // Do not release the room while an earlier leader may still run it, because the next leader
    // would start immediately.
    const mayGiveUp = this.mayTick;
    this.end();
    const { leases, holder } = this.options;
    const { room, epoch, isStored } = this;
    // If the room is not released, or if releasing fails, the lease expires in the store.
    if (mayGiveUp) await leases.release(room, holder, epoch, { isStored, heir }).catch(() => {});
  }

  private async renew(): Promise<void> {
    const { leases, holder, clock, onRefused } = this.options;
    const sentAt = clock.now();
    // If there is no answer, the next renewal may succeed.
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
      // A timer may fire early, so check the lease and wait again if necessary.
      if (this.isHeld) this.awaitLapse();
      else this.end();
    });
  }
}

interface RoomLeasesOptions extends LeaseOptions {
  /** Called when a lease has ended without having been released. */
  readonly onEnd?: (room: string) => void;
}

/**
 * Reason for not acquiring a lease. Either another process has it, or the store does not answer.
 */
export type NotAcquired = 'held-elsewhere' | 'no-answer';

/** Acquires and releases the leases of rooms. */
export class RoomLeases {
  private readonly held = new Map<string, Lease>();
  private readonly seen = new Map<string, Sighting>();
  /** For each room, the earliest time at which this process may take it over, in ms. */
  private readonly notBefore = new Map<string, number>();

  constructor(private readonly options: RoomLeasesOptions) {}

  /**
   * Acquires a room's lease, unless this process holds it.
   *
   * @returns the lease, or why there is none
   */
  async acquire(room: string): Promise<Lease | NotAcquired> {
    const own = this.held.get(room);
    if (own?.isHeld) return own;
    if (own) {
      // The room that runs under the ended lease must stop before a new lease is acquired.
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

  /** Unique name of this process. */
  get holder(): string {
    return this.options.holder;
  }

  /** Returns this process's lease of a room, which may have lapsed. */
  of(room: string): Lease | undefined {
    return this.held.get(room);
  }

  /** Prevents this process from taking a room over for `time` ms. */
  holdOff(room: string, time: number): void {
    const until = this.options.clock.now() + time;
    this.notBefore.set(room, Math.max(until, this.notBefore.get(room) ?? 0));
  }

  /** Whether a room may be taken over now. */
  mayTakeOver(room: string): boolean {
    return this.options.clock.now() >= (this.notBefore.get(room) ?? 0);
  }

  /** Whether this process may tick and show a room now. */
  readonly mayTick = (room: string): boolean => this.held.get(room)?.mayTick ?? false;

  /**
   * Releases a room. Call it after its ticks have stopped and all its writes are done.
   *
   * @param heir process that should take the room
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
  /** Lists the rooms that should run but do not run in this process. */
  readonly waiting: () => Iterable<string>;
  /**
   * Opens a room whose lease this process has just acquired. Must release the lease if that fails.
   */
  readonly open: (room: string) => Promise<void>;
  /** Called when a room could not be opened; another attempt follows later. */
  readonly onFailure: (room: string, error: unknown) => void;
}

/** Repeatedly tries to acquire the leases of the rooms that wait. */
export class Standby {
  private readonly trying = new Set<string>();
  private stopped = false;
  private readonly cancel = repeat(this.options.clock, LEASE.attempt, () => this.look(), 0);

  constructor(private readonly options: StandbyOptions) {}

  /** Stops the attempts. An attempt in progress may still open its room. */
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
