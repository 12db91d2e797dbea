/** The leases that this process holds, by room. */
import type { Clock } from '../platform/clock.ts';
import { Refused } from './cluster-error.ts';
import { Lease, type Sighting } from './lease.ts';
import type { LeaseStore } from './lease-store.ts';

export interface RoomLeasesOptions {
  readonly leases: LeaseStore;
  /** Names this process; no other has the same. */
  readonly holder: string;
  readonly clock: Clock;
  /** The store has answered that it does not acquire or renew a lease. */
  readonly onRefused?: (room: string, why: string) => void;
  /** Called when a lease has ended without having been released. */
  readonly onEnd: (room: string) => void;
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

  /** Acquires a room's lease, unless this process holds it. @returns whether it holds it now */
  async acquire(room: string): Promise<boolean> {
    return (await this.tryAcquire(room)) instanceof Lease;
  }

  /** As `acquire`. @returns the lease, or why there is none */
  async tryAcquire(room: string): Promise<Lease | NotAcquired> {
    const own = this.held.get(room);
    if (own?.isHeld) return own;
    if (own) {
      // What runs under it stops first.
      own.end();
      return 'no-answer';
    }
    const seen = this.seen.get(room);
    const lease = await Lease.acquire({ ...this.options, room }, seen).catch((error: unknown) => {
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
      this.options.onEnd(room);
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
