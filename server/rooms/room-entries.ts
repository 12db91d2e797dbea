/** The rooms that a server knows, open and closed; operations on a room run one at a time. */

import { HostRefusal } from '../../shared/host/reasons.ts';
import { applyChange, type RoomSettings } from '../../shared/host/settings.ts';
import type { RoomSummary } from '../../shared/host/state.ts';
import { Mutex } from '../platform/queues.ts';
import { RoomPolicy } from '../realtime/policy/room-policy.ts';
import { isUnused } from '../storage/open-room.ts';
import type { PlanRecord, RoomRecord } from '../storage/record-schemas.ts';
import type { Store } from '../storage/store.ts';
import type { LiveRoomOptions, OpenRoom } from './live-room.ts';

/** A room, open or closed. */
export interface RoomEntry {
  plan: PlanRecord;
  readonly policy: RoomPolicy;
  /** A closed room stays in memory if there is no store. */
  live: OpenRoom | undefined;
  busy: RoomSummary['busy'];
  /** Held while the plan changes. */
  readonly mutex: Mutex;
}

/** A room's state for the host's page. */
export function summaryOf(
  { plan, policy, live, busy }: RoomEntry,
  { ticker, places }: Pick<LiveRoomOptions, 'ticker' | 'places'>,
): RoomSummary {
  const { settings } = policy;
  const { tickRate } = settings;
  const open = plan.open ? live : undefined;
  return {
    name: plan.name,
    width: plan.width,
    height: plan.height,
    checkpoint: plan.checkpoint,
    open: plan.open,
    fixed: !plan.made,
    participants: open?.server.seats.size ?? 0,
    waiting: open?.server.seats.waiting ?? 0,
    reported: open?.server.reports.size ?? 0,
    drawingsWaiting: open?.server.drawings.waiting.length ?? 0,
    organisms: live?.room.size ?? null,
    awake: open?.room.awake ?? 0,
    tick: live?.room.tick ?? 0,
    pace: (open && ticker.pace(open.room)) ?? { tickRate, actual: 0, slow: false },
    settings,
    farewell: policy.isFarewell,
    busy,
    walls: {
      up: open?.server.walls.upCount ?? 0,
      lost: open ? places.of(plan.name).filter(({ lost }) => lost !== null).length : 0,
      showing: open?.server.walls.showing ?? null,
    },
  };
}

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

/** Whether settings were given, not left to their defaults. */
export interface ExplicitSettings {
  readonly size: boolean;
  readonly checkpoint: boolean;
}

type Stored = Pick<LiveRoomOptions, 'storage' | 'checkpoints'>;

/** The plan of a room as it is stored, unless the host has asked for something else. */
export async function storedPlan(
  plan: PlanRecord,
  { storage, checkpoints }: Stored,
  explicit?: ExplicitSettings,
): Promise<PlanRecord> {
  // A damaged record is noticed when the room opens.
  const stored = await storage?.store.room(plan.name).catch(() => undefined);
  if (!stored) return plan;
  const { width, height, checkpoint } = stored;
  const own = [...checkpoints.values()].find(({ hash }) => hash === checkpoint.hash);
  // Another release of the same checkpoint is not what the host has asked for.
  const isOther = explicit?.checkpoint && plan.checkpoint !== checkpoint.name;
  return {
    ...plan,
    ...(!explicit?.size && { width, height }),
    ...(own && !isOther && { checkpoint: own.species.checkpoint }),
  };
}

/** The parameters of a stored room; undefined if there is none, or only one that has never begun. */
export async function begunRoom(
  name: string,
  { storage }: Pick<Stored, 'storage'>,
): Promise<RoomRecord | undefined> {
  const stored = await storage?.store.room(name);
  return stored && !(await isUnused(storage!.store, name)) ? stored : undefined;
}

/**
 * Checks a room that the host asks for against the store and the checkpoints.
 *
 * @throws HostRefusal room-exists, no-such-checkpoint, other-checkpoint
 */
export async function requireCompatible(
  { name, width, height, checkpoint }: Omit<PlanRecord, 'made' | 'open'>,
  { storage, checkpoints }: Stored,
): Promise<void> {
  const loaded = checkpoints.get(checkpoint);
  if (!loaded) throw new HostRefusal('no-such-checkpoint');
  const stored = await begunRoom(name, { storage });
  // A stored room of the same name continues if it fits.
  if (stored && stored.checkpoint.hash !== loaded.hash) throw new HostRefusal('other-checkpoint');
  if (stored && (stored.width !== width || stored.height !== height)) {
    throw new HostRefusal('room-exists', `stored with ${stored.width}x${stored.height} cells`);
  }
}
