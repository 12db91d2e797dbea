/** The rooms of a server, which the host can create, open, close and remove while it runs. */

import { HostRefusal } from '../../shared/host/reasons.ts';
import {
  applyChange,
  type RoomSettings,
  type SettingsRequest,
  storedChange,
} from '../../shared/host/settings.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import { EngineError } from '../engine/engine.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { StoreError } from '../storage/record-codec.ts';
import type { PlanRecord } from '../storage/record-schemas.ts';
import type { RoomFollower } from '../storage/room-follower.ts';
import type { Pace } from '../world/ticker.ts';
import { applySettings, bringUpRoom, type LiveRoomOptions, type OpenRoom } from './live-room.ts';
import {
  begunRoom,
  type ExplicitSettings,
  RoomEntries,
  type RoomEntriesOptions,
  type RoomEntry,
  requireCompatible,
  storedPlan,
} from './room-entries.ts';

export interface RoomRegistryOptions extends LiveRoomOptions, RoomEntriesOptions {
  /** Called when a room has opened, before the first client joins. */
  readonly onOpen?: (roomServer: RoomServer, pace: () => Pace) => void;
  /** Called when a room is closing, after its clients have been disconnected. It is waited for. */
  readonly onClose?: (roomServer: RoomServer) => unknown;
  /** Called when a room's settings have changed. */
  readonly onSettings?: (room: string, settings: RoomSettings) => void;
}

/** A room that the host asks to create. */
export type RoomRequest = Omit<PlanRecord, 'made' | 'open'>;

/** Creates, opens, changes, closes and removes rooms. */
export class RoomRegistry extends RoomEntries {
  /** The servers of the open rooms, by name. */
  readonly roomServers = new Map<string, RoomServer>();
  /** Names of rooms that are being created. */
  private readonly reserved = new Set<string>();

  constructor(private readonly options: RoomRegistryOptions) {
    super(options);
    options.bans.on('added', () => {
      for (const roomServer of this.roomServers.values()) roomServer.disconnectBanned();
    });
  }

  /**
   * Opens the rooms of the configuration and those that the host has created.
   *
   * @param fixed the rooms of the configuration
   * @param explicit what was asked for; otherwise stored rooms stay as they are
   * @throws StoreError; EngineError
   */
  async start(
    fixed: readonly Omit<PlanRecord, 'made' | 'open' | 'change'>[],
    explicit?: ExplicitSettings,
  ): Promise<void> {
    const plans = new Map((await this.options.hostStore.plans()).map((plan) => [plan.name, plan]));
    for (const place of fixed) {
      const { open = true, change = {} } = plans.get(place.name) ?? {};
      plans.delete(place.name);
      const plan = { ...place, made: false, open, change };
      const entry = this.register(await storedPlan(plan, this.options, explicit));
      if (open) await this.begin(entry);
    }
    for (const plan of [...plans.values()].filter(({ made }) => made)) {
      const entry = this.register(await storedPlan(plan, this.options));
      if (plan.open) await this.startRoomIfPossible(entry);
    }
  }

  /** An open room. @throws Refusal no-such-room, room-closed */
  findServer(name: string): RoomServer {
    const roomServer = this.roomServers.get(name);
    if (roomServer) return roomServer;
    throw new Refusal(this.entries.has(name) ? 'room-closed' : 'no-such-room', name);
  }

  /** An open room, for its host. @throws HostRefusal no-such-room, room-closed, room-busy */
  requireOpen(name: string): OpenRoom {
    const { live, plan } = this.requireIdle(name);
    if (!live || !plan.open) throw new HostRefusal('room-closed');
    return live;
  }

  /** Whether a room runs, or should run, on another server. */
  isElsewhere(_: string): boolean {
    return false;
  }

  /** If this server runs no rooms: an open one, whose server can create, open and remove others. */
  ownedElsewhere(_except?: string): string | undefined {
    return undefined;
  }

  /**
   * Creates and opens a room.
   *
   * @throws HostRefusal room-exists, no-such-checkpoint, other-checkpoint
   */
  async create(request: RoomRequest): Promise<void> {
    const { name } = request;
    if (this.entries.has(name) || this.reserved.has(name)) throw new HostRefusal('room-exists');
    this.reserved.add(name);
    try {
      await requireCompatible(request, this.options);
      const entry = this.register({ ...request, made: true, open: true });
      const create = this.whileBusy(entry, 'opening', async () => {
        const { storage } = this.options;
        const stored = await begunRoom(name, { storage });
        try {
          await this.startRoom(entry);
          await this.options.hostStore.putPlan(entry.plan);
        } catch (error) {
          // Without a stored plan, nobody could find, see or close the room after a restart.
          await this.stopRoom(entry);
          await this.release(entry);
          // It would keep its name from rooms of another size.
          if (!stored) await storage?.store.forget(name).catch(() => {});
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

  /** @throws HostRefusal no-such-room, room-busy */
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
   * Disconnects everybody, stops the cells and stores them.
   *
   * @throws HostRefusal no-such-room, room-busy
   */
  async close(name: string): Promise<void> {
    const entry = this.requireIdle(name);
    if (!entry.plan.open) return;
    await this.whileBusy(entry, 'closing', async () => {
      // Store first: if this fails, the room stays open for everybody.
      await this.storePlan(entry, { open: false });
      await this.stopRoom(entry);
    });
  }

  /**
   * Deletes a closed room for good.
   *
   * @param backUp saves the room's data before it is deleted
   * @throws HostRefusal no-such-room, room-open, fixed-room
   */
  async remove(name: string, backUp: () => Promise<void>): Promise<void> {
    const entry = this.require(name);
    if (!entry.plan.made)
      throw new HostRefusal('fixed-room', 'it belongs to the server configuration');
    if (entry.plan.open) throw new HostRefusal('room-open');
    await this.whileBusy(entry, 'closing', async () => {
      await backUp();
      await this.release(entry);
      const { hostStore, storage } = this.options;
      await storage?.store.forget(name);
      await hostStore.forget(name);
      this.options.places.forget(name);
      this.entries.delete(name);
    });
  }

  /** Applies opening hours: walls go dim, and visitors are disconnected if `closed`. */
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
   * Changes some settings, stores them, and tells everybody in the room.
   *
   * @throws HostRefusal no-such-room
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
      await this.apply(entry, settings, previous);
      this.options.onSettings?.(name, settings);
      return settings;
    });
  }

  /** A tick ends under the settings that it began with, or its replay would differ. */
  private async apply(
    { live }: RoomEntry,
    settings: RoomSettings,
    previous: RoomSettings,
  ): Promise<void> {
    if (!live) return;
    const { ticker } = this.options;
    await ticker.hold(live.room);
    try {
      applySettings(live, settings, previous, ticker);
    } finally {
      ticker.resume(live.room);
    }
  }

  /**
   * Exchanges a room's stored data, and opens it with the new ones.
   *
   * @param exchange returns the exchange that takes it back
   * @throws HostRefusal no-such-room, room-busy; failed: it has the data it had before
   */
  async exchange(name: string, exchange: () => Promise<() => Promise<unknown>>): Promise<void> {
    const entry = this.requireIdle(name);
    await this.whileBusy(entry, 'restoring', async () => {
      await this.stopRoom(entry);
      const { plan } = entry;
      let takeBack: (() => Promise<unknown>) | undefined;
      try {
        takeBack = await exchange();
        entry.plan = await storedPlan({ ...plan, open: true }, this.options);
        await this.startRoom(entry, true);
        // It stays open after a restart too.
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

  /** Whether all that another server has shown of a room is stored. */
  protected isStored(_room: string): boolean {
    return true;
  }

  /** Who has followed a room that another server has run until now. */
  protected async followerOf(_: string): Promise<RoomFollower | undefined> {
    return undefined;
  }

  /** Opens a room when the server starts. */
  protected begin(entry: RoomEntry): Promise<void> {
    return this.startRoom(entry);
  }

  private async startRoomIfPossible(entry: RoomEntry): Promise<void> {
    try {
      await this.begin(entry);
    } catch (error) {
      const isFull = error instanceof EngineError && error.reason === 'out-of-memory';
      if (!(isFull || error instanceof StoreError || error instanceof HostRefusal)) throw error;
      entry.plan = { ...entry.plan, open: false };
      this.options.log.warn('room-not-opened', error.message, { room: entry.plan.name });
    }
  }

  protected async startRoom(entry: RoomEntry, isStrict = false): Promise<void> {
    const { ticker } = this.options;
    if (entry.live) ticker.resume(entry.live.room);
    else {
      const follower = await this.followerOf(entry.plan.name);
      const isStored = this.isStored(entry.plan.name);
      const options = { ...this.options, isStrict, follower, isStored };
      entry.live = await bringUpRoom(entry.plan, entry.policy, options).finally(() =>
        // An engine that has failed has nothing to free.
        follower?.close().catch(() => {}),
      );
    }
    const { room, server: roomServer } = entry.live;
    this.roomServers.set(entry.plan.name, roomServer);
    this.options.onOpen?.(roomServer, () => ticker.pace(room)!);
  }

  /**
   * Disconnects everybody and stops the ticks. With a store, also removes the room from memory.
   *
   * @returns whether it ran, and is stored as it was last
   */
  protected async stopRoom(entry: RoomEntry, why: Reason = 'room-closed'): Promise<boolean> {
    const { live } = entry;
    if (!live) return false;
    const { ticker, storage, onClose } = this.options;
    this.roomServers.delete(entry.plan.name);
    live.server.disconnectAll(why);
    const told = onClose?.(live.server);
    await ticker.hold(live.room);
    await told;
    live.server.dispatcher.refuseWaiting(why);
    if (!storage) return false;
    const isSaved = await storage.journalWriter.unwatch(live.room);
    await this.release(entry);
    return isSaved;
  }

  /** Frees what a stopped room holds of the engine. */
  private async release(entry: RoomEntry): Promise<void> {
    const { live } = entry;
    if (!live) return;
    await this.options.ticker.remove(live.room);
    entry.live = undefined;
    await this.options.world.close(live.room);
  }
}
