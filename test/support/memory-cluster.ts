/** Leases and a fenced log in memory: what Valkey does, with a clock that a test sets. */

import {
  type Acquired,
  type Epoch,
  type FencedLog,
  type Held,
  LEASE,
  type LeaseStore,
  type Position,
  type Release,
  type Renewals,
} from '../../server/cluster/lease.ts';

interface RoomState<W> {
  epoch: Epoch;
  /** Number of the epoch's last write. */
  last: number;
  /** The last epoch whose owner has given the room up with all of it stored. */
  released: Epoch;
  renewals: Renewals;
  /** Who the room was given to. */
  heir?: { readonly holder: string; readonly until: number };
  lease: { readonly holder: string; readonly epoch: Epoch; until: number } | undefined;
  readonly writes: { readonly epoch: Epoch; readonly write: W }[];
}

/** Ways in which it can be broken, to see that tests notice. */
export interface Faults {
  /** Takes writes of any epoch. */
  readonly noFence?: boolean;
  /** Repeats writes that it has seen. */
  readonly noNumbers?: boolean;
  /** Does not tell that a lease has been renewed. */
  readonly noCount?: boolean;
  /** Believes that all is stored of whatever is given up. */
  readonly trustsReleases?: boolean;
}

/** One store for any number of processes. */
export class MemoryCluster<W> implements LeaseStore, FencedLog<W> {
  private readonly rooms = new Map<string, RoomState<W>>();

  /** @param now its own clock, ms; it may be set in either direction */
  constructor(
    private readonly now: () => number,
    private readonly faults: Faults = {},
  ) {}

  /** What has been written, in order. */
  writesOf(room: string): readonly { readonly epoch: Epoch; readonly write: W }[] {
    return this.stateOf(room).writes;
  }

  async acquire(room: string, holder: string, abandoned?: Renewals): Promise<Acquired | Held> {
    const state = this.stateOf(room);
    const { renewals } = state;
    const heir = state.heir && state.heir.until > this.now() ? state.heir.holder : holder;
    if (heir !== holder) return { renewals };
    const isLeased = state.lease !== undefined && state.lease.until > this.now();
    const isAbandoned = renewals === abandoned;
    if (isLeased && !isAbandoned) return { renewals };
    state.renewals++;
    const isReleased = state.released === state.epoch;
    const epoch = ++state.epoch;
    state.last = 0;
    state.lease = { holder, epoch, until: this.now() + LEASE.lease };
    return { epoch, isReleased, renewals };
  }

  async renew(room: string, holder: string, epoch: Epoch): Promise<boolean> {
    const lease = this.leaseOf(room, holder, epoch);
    if (lease) {
      lease.until = this.now() + LEASE.lease;
      if (!this.faults.noCount) this.stateOf(room).renewals++;
    }
    return lease !== undefined;
  }

  async release(room: string, holder: string, epoch: Epoch, how: Release): Promise<void> {
    if (!this.leaseOf(room, holder, epoch)) return;
    const { heir, isStored } = how;
    const state = this.stateOf(room);
    state.lease = undefined;
    if (isStored || this.faults.trustsReleases) state.released = epoch;
    if (heir) state.heir = { holder: heir, until: this.now() + LEASE.offer };
  }

  async write(room: string, { epoch, number }: Position, write: W): Promise<boolean> {
    const state = this.stateOf(room);
    if (epoch !== state.epoch && !this.faults.noFence) return false;
    if (number <= state.last && !this.faults.noNumbers) return true;
    state.last = number;
    state.writes.push({ epoch, write });
    return true;
  }

  private leaseOf(room: string, holder: string, epoch: Epoch) {
    const { lease } = this.stateOf(room);
    const isValid = lease?.holder === holder && lease.epoch === epoch && lease.until > this.now();
    return isValid ? lease : undefined;
  }

  private stateOf(room: string): RoomState<W> {
    let state = this.rooms.get(room);
    if (!state) {
      const never = { epoch: 0, last: 0, released: 0, renewals: 0 };
      state = { ...never, lease: undefined, writes: [] };
      this.rooms.set(room, state);
    }
    return state;
  }
}
