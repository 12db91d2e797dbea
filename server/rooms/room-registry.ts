/**
 * All rooms of a server, open and closed. The host can create, open, close and remove rooms while
 * the server runs. At most one operation runs on a room at any time. Start reading at
 * `RoomRegistry`.
 */
import { HostRefusal } from '../../shared/host/reasons.ts';
import {
  applyChange,
  type RoomSettings,
  type SettingsRequest,
  storedChange,
} from '../../shared/host/room-settings.ts';
import type { RoomSummary } from '../../shared/host/state.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import type { RoomLeases } from '../cluster/lease.ts';
import { EngineError } from '../engine/engine.ts';
import { Mutex } from '../platform/queues.ts';
import { RoomPolicy } from '../realtime/policy/room-policy.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import type { PlanRecord, RoomRecord } from '../storage/record-schemas.ts';
import { StoreError } from '../storage/records.ts';
import { isUnused } from '../storage/recovery.ts';
import type { Store } from '../storage/store.ts';
import type { Pace } from '../world/ticker.ts';
import { applySettings, bringUpRoom, type LiveRoomOptions, type OpenRoom } from './live-room.ts';
import type { Replicas } from './replicas.ts';

/** Maximum number of rooms per server, open or closed. */
export const MAX_ROOMS = 32;

export interface RoomEntry {
  plan: PlanRecord;
  readonly policy: RoomPolicy;
  /** The running room. If rooms are not stored on disk, a closed room stays in memory, paused. */
  live: OpenRoom | undefined;
  busy: RoomSummary['busy'];
  /**
   * Locked during each operation that changes the room's plan (size, checkpoint, state and
   * settings).
   */
  readonly mutex: Mutex;
}

export interface RoomRegistryOptions extends LiveRoomOptions {
  /** Leases of the rooms that this server runs; absent if this server runs alone. */
  readonly leases?: RoomLeases;
  /** Store for plans and settings of rooms. */
  readonly hostStore: Store;
  /** Default settings, for rooms whose settings the host has not changed. */
  readonly defaults: RoomSettings;
  /** Called when a room has opened, before the first client joins. */
  readonly onOpen?: (roomServer: RoomServer, pace: () => Pace) => void;
  /**
   * Called while a room is closing, after its clients were disconnected. If the function returns a
   * promise, the room closes only after the promise has resolved.
   */
  readonly onClose?: (roomServer: RoomServer) => unknown;
  readonly onSettings?: (room: string, settings: RoomSettings) => void;
}

/** Whether the size and the checkpoint were given explicitly when the server was started. */
type ExplicitSettings = Readonly<Record<'size' | 'checkpoint', boolean>>;

/** The host's request to create a room. */
export type RoomRequest = Omit<PlanRecord, 'made' | 'open'>;

export class RoomRegistry {
  protected readonly entries = new Map<string, RoomEntry>();
  protected replicas: Replicas | undefined;
  /**
   * Whether walls are dim (`dim`) and rooms are closed (`closed`) now, according to the opening
   * hours.
   */
  private hours = { dim: false, closed: false };
  /** The room servers of all open rooms, by room name. */
  readonly roomServers = new Map<string, RoomServer>();
  /** Names of rooms that are being created. */
  private readonly reserved = new Set<string>();

  constructor(private readonly options: RoomRegistryOptions) {
    options.bans.on('added', () => {
      for (const roomServer of this.roomServers.values()) roomServer.disconnectBanned();
    });
  }

  /**
   * Opens the rooms of the configuration and the rooms that the host has created.
   *
   * @param fixed the rooms of the configuration
   * @param explicit which properties of `fixed` the configuration sets explicitly. Explicit
   *   properties override stored properties.
   * @throws StoreError; EngineError
   */
  async start(
    fixed: readonly Omit<RoomRequest, 'change'>[],
    explicit?: ExplicitSettings,
  ): Promise<void> {
    const plans = new Map((await this.options.hostStore.plans()).map((plan) => [plan.name, plan]));
    for (const place of fixed) {
      const { open = true, change = {} } = plans.get(place.name) ?? {};
      plans.delete(place.name);
      const plan = { ...place, made: false, open, change };
      const entry = this.register(await this.storedPlan(plan, explicit));
      if (open) await this.begin(entry);
    }
    for (const plan of [...plans.values()].filter(({ made }) => made)) {
      const entry = this.register(await this.storedPlan(plan));
      if (!plan.open) continue;
      await this.begin(entry).catch((error: unknown) => {
        const isFull = error instanceof EngineError && error.reason === 'out-of-memory';
        if (!(isFull || error instanceof StoreError || error instanceof HostRefusal)) throw error;
        entry.plan = { ...entry.plan, open: false };
        this.options.log.warn('room-not-opened', error.message, { room: plan.name });
      });
    }
  }

  /** Returns a room's current settings. @throws HostRefusal no-such-room */
  settingsOf(name: string): RoomSettings {
    return this.require(name).policy.settings;
  }

  /** Returns a room's stored plan. @throws HostRefusal no-such-room */
  planOf(name: string): PlanRecord {
    return this.require(name).plan;
  }

  /** Names of all rooms, open and closed, in the order of creation. */
  get names(): readonly string[] {
    return [...this.entries.keys()];
  }

  /** Summarises a room for the host's page. @throws HostRefusal no-such-room */
  summary(roomName: string): RoomSummary {
    const { plan, policy, live, busy } = this.require(roomName);
    const { ticker, wallSeats } = this.options;
    const { name, width, height, checkpoint, open, made } = plan;
    const { settings, isFarewell: farewell } = policy;
    const { room, server } = (open && live) || {};
    const still = { tickRate: settings.tickRate, actual: 0, slow: false };
    return {
      ...{ name, width, height, checkpoint, open, fixed: !made, settings, farewell, busy },
      participants: server?.seats.size ?? 0,
      waiting: server?.seats.waiting ?? 0,
      reported: server?.reports.size ?? 0,
      drawingsWaiting: server?.drawings.waiting.length ?? 0,
      organisms: live?.room.size ?? null,
      awake: room?.awake ?? 0,
      tick: live?.room.tick ?? 0,
      pace: (room && ticker.pace(room)) ?? still,
      walls: {
        up: server?.walls.upCount ?? 0,
        lost: server ? wallSeats.of(name).filter(({ lost }) => lost !== null).length : 0,
        showing: server?.walls.showing ?? null,
      },
    };
  }

  /** Returns the room server of an open room. @throws Refusal 'no-such-room' or 'room-closed' */
  findServer(name: string): RoomServer {
    const roomServer = this.roomServers.get(name);
    if (roomServer) return roomServer;
    throw new Refusal(this.entries.has(name) ? 'room-closed' : 'no-such-room', name);
  }

  /**
   * Returns an open room, for an operation of the host.
   *
   * @throws HostRefusal 'no-such-room', 'room-closed' or 'room-busy'
   */
  requireOpen(name: string): OpenRoom {
    const { live, plan } = this.requireIdle(name);
    if (!live || !plan.open) throw new HostRefusal('room-closed');
    return live;
  }

  /** Whether a room runs, or should run, on another server. Always false outside a cluster. */
  isElsewhere(_: string): boolean {
    return false;
  }

  /**
   * If this server cannot run rooms or is draining, returns the name of an open room that runs on
   * another server. That server must create, open and remove rooms on behalf of this server.
   *
   * @param _except room to ignore
   * @returns undefined outside a cluster, if this server can run rooms and is not draining, or if
   *   no other server runs a room
   */
  ledElsewhere(_except?: string): string | undefined {
    return undefined;
  }

  /**
   * Creates and opens a room.
   *
   * @throws HostRefusal 'room-exists', 'no-such-checkpoint', or 'other-checkpoint' if a stored room
   *   of this name has another checkpoint
   */
  async create(request: RoomRequest): Promise<void> {
    const { name } = request;
    if (this.entries.has(name) || this.reserved.has(name)) throw new HostRefusal('room-exists');
    this.reserved.add(name);
    try {
      await this.requireCompatible(request);
      const entry = this.register({ ...request, made: true, open: true });
      const create = this.whileBusy(entry, 'opening', async () => {
        const begun = await this.begunRoom(name);
        try {
          await this.startRoom(entry);
          await this.options.hostStore.putPlan(entry.plan);
        } catch (error) {
          // Close the room again: without a stored plan, the server would not know the room after a
          // restart.
          await this.stopRoom(entry);
          await this.release(entry);
          // Delete the new room's records. Otherwise, only a room of the same size and checkpoint
          // could get this name.
          if (!begun) await this.options.storage?.store.forget(name).catch(() => {});
          throw error;
        }
      });
      await create.catch((error: unknown) => {
        this.entries.delete(name);
        throw error;
      });
    } finally {
      this.reserved.delete(name);
    }
  }

  /** Opens a closed room. @throws HostRefusal no-such-room, room-busy */
  async open(name: string): Promise<void> {
    const entry = this.requireIdle(name);
    if (entry.plan.open) return;
    await this.whileBusy(entry, 'opening', async () => {
      await this.startRoom(entry);
      try {
        await this.storePlan(entry, { open: true });
      } catch (error) {
        await this.stopRoom(entry);
        throw error;
      }
    });
  }

  /**
   * Closes a room: disconnects all clients, stops the room and stores it.
   *
   * @throws HostRefusal 'no-such-room' or 'room-busy'
   */
  async close(name: string): Promise<void> {
    const entry = this.requireIdle(name);
    if (!entry.plan.open) return;
    await this.whileBusy(entry, 'closing', async () => {
      // Store the plan first: if storing fails, the room stays open and no client is disconnected.
      await this.storePlan(entry, { open: false });
      await this.stopRoom(entry);
    });
  }

  /**
   * Deletes a closed room permanently.
   *
   * @param backUp called first, to save a copy of the room's data
   * @throws HostRefusal 'no-such-room', 'room-open', or 'fixed-room' if the configuration names the
   *   room
   */
  async remove(name: string, backUp: () => Promise<void>): Promise<void> {
    const entry = this.require(name);
    if (!entry.plan.made) throw new HostRefusal('fixed-room', "it is in the server's --rooms");
    if (entry.plan.open) throw new HostRefusal('room-open');
    await this.whileBusy(entry, 'closing', async () => {
      await backUp();
      await this.release(entry);
      const { hostStore, storage } = this.options;
      await storage?.store.forget(name);
      await hostStore.forget(name);
      this.options.wallSeats.forget(name);
      this.entries.delete(name);
    });
  }

  /**
   * Applies the opening hours. `dim`: whether walls are dim now. `closed`: whether rooms are closed
   * now; closing disconnects all visitors.
   */
  setHours(hours: { readonly dim: boolean; readonly closed: boolean }): void {
    this.hours = hours;
    for (const { policy, live, plan } of this.entries.values()) {
      policy.isDimmed = hours.dim;
      policy.isClosed = hours.closed;
      if (!live || !plan.open) continue;
      live.server.broadcastSettings();
      if (hours.closed) live.server.disconnectAll('room-closed', true);
    }
  }

  /**
   * Changes settings of a room, stores them, and sends them to all clients in the room.
   *
   * @throws HostRefusal 'no-such-room'
   */
  async change(name: string, change: SettingsRequest): Promise<RoomSettings> {
    const entry = this.require(name);
    return this.serialised(entry, async () => {
      const { policy } = entry;
      const previous = policy.settings;
      const settings = applyChange(previous, change);
      const stored = storedChange(settings, change);
      await this.storePlan(entry, { change: { ...entry.plan.change, ...stored } });
      policy.settings = settings;
      if (entry.live) {
        const { ticker } = this.options;
        const { room } = entry.live;
        // Apply changed settings between two ticks, because a replay also applies them there.
        await ticker.hold(room);
        try {
          applySettings(entry.live, settings, previous, ticker);
        } finally {
          ticker.resume(room);
        }
      }
      this.options.onSettings?.(name, settings);
      return settings;
    });
  }

  /**
   * Replaces a room's stored data, and opens the room with the new data. If the room cannot be
   * opened, puts the old data back.
   *
   * @param exchange replaces the stored data, and returns a function that puts the old data back
   * @throws HostRefusal 'no-such-room', 'room-busy', or 'failed' if the room cannot be opened with
   *   the new data
   */
  async exchange(name: string, exchange: () => Promise<() => Promise<unknown>>): Promise<void> {
    const entry = this.requireIdle(name);
    await this.whileBusy(entry, 'restoring', async () => {
      await this.stopRoom(entry);
      const { plan } = entry;
      let takeBack: (() => Promise<unknown>) | undefined;
      try {
        takeBack = await exchange();
        entry.plan = await this.storedPlan({ ...plan, open: true });
        await this.startRoom(entry, true);
        // Store that the room is open now, so that it is opened again after a restart.
        await this.storePlan(entry, { open: true });
      } catch (error) {
        entry.plan = plan;
        await this.stopRoom(entry);
        await takeBack?.();
        if (plan.open) await this.startRoom(entry);
        throw new HostRefusal('failed', (error as Error).message);
      }
    });
  }

  /**
   * Marks a room as busy while `work` runs, so that no other operation of the host begins.
   *
   * @param busy the kind of operation, as shown to the host
   * @throws HostRefusal 'no-such-room' or 'room-busy'
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

  private requireIdle(name: string): RoomEntry {
    const entry = this.require(name);
    if (entry.busy) throw new HostRefusal('room-busy', entry.busy);
    return entry;
  }

  private async storePlan(entry: RoomEntry, change: Partial<PlanRecord>): Promise<void> {
    const plan = { ...entry.plan, ...change };
    await this.options.hostStore.putPlan(plan);
    entry.plan = plan;
  }

  /**
   * Waits until all earlier operations on the room's plan have ended, then runs `work`.
   *
   * @throws HostRefusal 'no-such-room' if the room was removed in the meantime
   */
  protected serialised<T>(entry: RoomEntry, work: () => Promise<T>): Promise<T> {
    return entry.mutex.runExclusive(() => {
      if (this.require(entry.plan.name) !== entry) throw new HostRefusal('no-such-room');
      return work();
    });
  }

  /**
   * Marks a room as busy, waits until all earlier changes of the room's plan have ended, and runs
   * an operation on the room.
   *
   * @throws HostRefusal 'room-busy' if the room is already marked as busy
   */
  private whileBusy(
    entry: RoomEntry,
    busy: NonNullable<RoomSummary['busy']>,
    work: () => Promise<void>,
  ): Promise<void> {
    return this.during(entry.plan.name, busy, () =>
      this.serialised(entry, () => this.leading(entry, work)),
    );
  }

  /**
   * Runs an operation on a room. In a cluster, the subclass first makes sure that this server leads
   * the room.
   */
  protected leading<T>(_: RoomEntry, work: () => Promise<T>): Promise<T> {
    return work();
  }

  protected register(plan: PlanRecord): RoomEntry {
    const policy = new RoomPolicy(applyChange(this.options.defaults, plan.change));
    policy.isDimmed = this.hours.dim;
    policy.isClosed = this.hours.closed;
    const entry: RoomEntry = { plan, policy, live: undefined, busy: null, mutex: new Mutex() };
    this.entries.set(plan.name, entry);
    return entry;
  }

  /** Opens a room at the start of the server. */
  protected begin(entry: RoomEntry): Promise<void> {
    return this.startRoom(entry);
  }

  protected async startRoom(entry: RoomEntry, isStrict = false): Promise<void> {
    const { ticker, leases } = this.options;
    if (entry.live) ticker.resume(entry.live.room);
    else {
      const replica = await this.replicas?.take(entry.plan.name);
      // False if the room's last server may have shown visitors ticks that are not stored.
      const isStored = leases?.of(entry.plan.name)?.isStored ?? true;
      const options = { ...this.options, isStrict, replica, isStored };
      entry.live = await bringUpRoom(entry.plan, entry.policy, options).finally(() =>
        // Ignore the error: closing fails only after the engine has failed.
        replica?.close().catch(() => {}),
      );
    }
    const { room, server: roomServer } = entry.live;
    this.roomServers.set(entry.plan.name, roomServer);
    this.options.onOpen?.(roomServer, () => ticker.pace(room)!);
    const lease = leases?.of(entry.plan.name);
    if (lease) lease.isStored = false;
  }

  /**
   * Disconnects all clients of a room and stops its ticks. If rooms are stored on disk, also stores
   * the room and removes it from memory.
   *
   * @param why reason sent to the clients
   * @returns whether the room's last state was stored
   */
  protected async stopRoom(entry: RoomEntry, why: Reason = 'room-closed'): Promise<boolean> {
    const { live } = entry;
    if (!live) return false;
    const { ticker, storage, onClose, leases } = this.options;
    // Look up the room's current lease now. Before this method ends, the server may acquire a new
    // lease for the room.
    const lease = leases?.of(entry.plan.name);
    this.roomServers.delete(entry.plan.name);
    live.server.disconnectAll(why);
    const told = onClose?.(live.server);
    await ticker.hold(live.room);
    await told;
    live.server.dispatcher.refuseWaiting(why);
    if (!storage) return false;
    const isSaved = await storage.journalWriter.unwatch(live.room);
    await this.release(entry);
    if (lease && isSaved) lease.isStored = true;
    return isSaved;
  }

  /** Removes a stopped room from the ticker and frees its engine memory. */
  private async release(entry: RoomEntry): Promise<void> {
    const { live } = entry;
    if (!live) return;
    await this.options.ticker.remove(live.room);
    entry.live = undefined;
    await this.options.world.close(live.room);
  }

  /**
   * Replaces the size and checkpoint of a plan by the stored room's size and checkpoint, except
   * values that were given explicitly.
   */
  private async storedPlan(plan: PlanRecord, explicit?: ExplicitSettings): Promise<PlanRecord> {
    const { storage, checkpoints } = this.options;
    // Ignore a damaged record here: opening the room reports it.
    const stored = await storage?.store.room(plan.name).catch(() => undefined);
    if (!stored) return plan;
    const { width, height, checkpoint } = stored;
    const own = [...checkpoints.values()].find(({ hash }) => hash === checkpoint.hash);
    // The plan contains the checkpoint's name, but not its version. If the room was stored with a
    // checkpoint of the same name, keep the stored version.
    const isOther = explicit?.checkpoint && plan.checkpoint !== checkpoint.name;
    return {
      ...plan,
      ...(!explicit?.size && { width, height }),
      ...(own && !isOther && { checkpoint: own.species.checkpoint }),
    };
  }

  /**
   * Reads the stored record of a room; undefined if there is none, or if the room has never run.
   */
  private async begunRoom(name: string): Promise<RoomRecord | undefined> {
    const { store } = this.options.storage ?? {};
    const stored = await store?.room(name);
    return stored && !(await isUnused(store!, name)) ? stored : undefined;
  }

  /**
   * Checks that a room can be created: its checkpoint must exist. If a room of the same name is
   * stored, the stored room must have the same checkpoint and size.
   *
   * @throws HostRefusal 'room-exists' if a stored room has another size; 'no-such-checkpoint';
   *   'other-checkpoint'
   */
  private async requireCompatible(request: RoomRequest): Promise<void> {
    const { name, width, height, checkpoint } = request;
    const loaded = this.options.checkpoints.get(checkpoint);
    if (!loaded) throw new HostRefusal('no-such-checkpoint');
    const stored = await this.begunRoom(name);
    if (stored && stored.checkpoint.hash !== loaded.hash) throw new HostRefusal('other-checkpoint');
    if (stored && (stored.width !== width || stored.height !== height)) {
      const text = `a stored room of this name has ${stored.width}x${stored.height} cells`;
      throw new HostRefusal('room-exists', text);
    }
  }
}
