/** The rooms that a server knows, open and closed; operations on a room run one at a time. */
import { HostRefusal } from '../../shared/host/reasons.ts';
import { applyChange, type RoomSettings } from '../../shared/host/settings.ts';
import type { RoomSummary } from '../../shared/host/state.ts';
import { Mutex } from '../platform/mutex.ts';
import { RoomPolicy } from '../realtime/policy/room-policy.ts';
import type { PlanRecord } from '../storage/record-schemas.ts';
import type { Store } from '../storage/store.ts';
import type { LiveRoomOptions } from './live-room.ts';
import { type RoomEntry, summaryOf } from './room-entry.ts';

export interface RoomEntriesOptions extends Pick<LiveRoomOptions, 'ticker' | 'places'> {
  /** Where plans and settings are stored. */
  readonly hostStore: Store;
  /** Settings of a room that the host has not changed. */
  readonly defaults: RoomSettings;
}

/** Finds rooms, and serialises what is done with each. */
export class RoomEntries {
  protected readonly entries = new Map<string, RoomEntry>();
  /** Opening hours, which hold for rooms of later too. */
  protected hours = { dim: false, closed: false };

  constructor(private readonly known: RoomEntriesOptions) {}

  /** A room's current settings. @throws HostRefusal no-such-room */
  settingsOf(name: string): RoomSettings {
    return this.require(name).policy.settings;
  }

  /** A room's stored plan. @throws HostRefusal no-such-room */
  planOf(name: string): PlanRecord {
    return this.require(name).plan;
  }

  /** Names of all rooms, open and closed, in the order of creation. */
  get names(): readonly string[] {
    return [...this.entries.keys()];
  }

  /** A room's state for the host's page. @throws HostRefusal no-such-room */
  summary(name: string): RoomSummary {
    return summaryOf(this.require(name), this.known);
  }

  /**
   * Marks a room as busy during an operation, so that no other begins.
   *
   * @throws HostRefusal no-such-room, room-busy
   */
  async during<T>(
    name: string,
    busy: NonNullable<RoomSummary['busy']>,
    work: () => Promise<T>,
  ): Promise<T> {
    const entry = this.requireIdle(name);
    entry.busy = busy;
    try {
      return await work();
    } finally {
      entry.busy = null;
    }
  }

  protected require(name: string): RoomEntry {
    const entry = this.entries.get(name);
    if (!entry) throw new HostRefusal('no-such-room', name);
    return entry;
  }

  protected requireIdle(name: string): RoomEntry {
    const entry = this.require(name);
    if (entry.busy) throw new HostRefusal('room-busy', entry.busy);
    return entry;
  }

  protected async storePlan(entry: RoomEntry, change: Partial<PlanRecord>): Promise<void> {
    const plan = { ...entry.plan, ...change };
    await this.known.hostStore.putPlan(plan);
    entry.plan = plan;
  }

  /**
   * Runs a change of a room's plan after those that have begun before.
   *
   * @throws HostRefusal no-such-room if the room has been removed meanwhile
   */
  protected serialised<T>(entry: RoomEntry, work: () => Promise<T>): Promise<T> {
    return entry.mutex.runExclusive(() => {
      if (this.require(entry.plan.name) !== entry) throw new HostRefusal('no-such-room');
      return work();
    });
  }

  /**
   * Marks the room as busy at once, also while it waits for the mutex.
   *
   * @throws HostRefusal room-busy
   */
  protected whileBusy(
    entry: RoomEntry,
    busy: NonNullable<RoomSummary['busy']>,
    work: () => Promise<void>,
  ): Promise<void> {
    return this.during(entry.plan.name, busy, () =>
      this.serialised(entry, () => this.owning(entry, work)),
    );
  }

  /** Runs work on a room that this server owns. */
  protected owning<T>(_: RoomEntry, work: () => Promise<T>): Promise<T> {
    return work();
  }

  protected register(plan: PlanRecord): RoomEntry {
    const policy = new RoomPolicy(applyChange(this.known.defaults, plan.change));
    policy.isDimmed = this.hours.dim;
    policy.isClosed = this.hours.closed;
    const entry: RoomEntry = { plan, policy, live: undefined, busy: null, mutex: new Mutex() };
    this.entries.set(plan.name, entry);
    return entry;
  }
}
