/** The rooms of a server: made, opened, closed and removed while it runs. */
import { Mutex } from 'async-mutex';
import { HostRefusal } from '../../shared/host/reasons.ts';
import { applyChange, type RoomSettings, type SettingsChange } from '../../shared/host/settings.ts';
import type { RoomSummary } from '../../shared/host/state.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { EngineError, type EngineInfo } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Bans } from '../realtime/policy/bans.ts';
import { RoomPolicy } from '../realtime/policy/room-policy.ts';
import { RoomServer } from '../realtime/room-server.ts';
import { DeviceMarks } from '../realtime/sessions/device-marks.ts';
import { NewcomerEnergy } from '../realtime/sessions/newcomer-energy.ts';
import { ResumeTokens } from '../realtime/sessions/resume-tokens.ts';
import type { WallInfo } from '../realtime/sessions/room-client.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import { openRoom } from '../storage/open-room.ts';
import type { PlanRecord } from '../storage/record-schemas.ts';
import type { Store } from '../storage/store.ts';
import { StoreError } from '../storage/store-error.ts';
import type { Room } from '../world/room.ts';
import type { Pace, Ticker } from '../world/ticker.ts';
import type { RoomPlace, World } from '../world/world.ts';
import type { LoadedCheckpoint } from './loaded-checkpoint.ts';

export interface RoomRegistryOptions {
  readonly world: World;
  readonly ticker: Ticker;
  readonly engine: EngineInfo;
  /** By the name of the checkpoint; the first is taken where none is named. */
  readonly checkpoints: ReadonlyMap<string, LoadedCheckpoint>;
  /** What cells are kept in; absent: they end with the server. */
  readonly storage?: { readonly store: Store; readonly journalWriter: JournalWriter } | undefined;
  /** What the host's wishes are kept in. */
  readonly hostStore: Store;
  /** How a room is set that nobody has touched. */
  readonly defaults: RoomSettings;
  readonly secret: Uint8Array;
  readonly bans: Bans;
  readonly wallFacts: () => WallInfo;
  /** A room has been opened, before anybody is there; it has been closed, and nobody is there any more. */
  readonly onOpen?: (roomServer: RoomServer, pace: () => Pace) => void;
  readonly onClose?: (roomServer: RoomServer) => void;
  readonly clock: Clock;
  /** Wall clock, ms. */
  readonly date: () => number;
  readonly log: Log;
}

/** What an open room is made of. */
export interface OpenRoom {
  readonly room: Room;
  readonly server: RoomServer;
}

/** A room that the host wants made. */
export type RoomRequest = Omit<PlanRecord, 'made' | 'open'>;

interface Known {
  plan: PlanRecord;
  readonly rules: RoomPolicy;
  /** Also of a closed room, where nothing is kept of it elsewhere. */
  live: OpenRoom | undefined;
  busy: RoomSummary['busy'];
  /** Held while something changes the plan. */
  readonly mutex: Mutex;
}

export class RoomRegistry {
  /** Of the open rooms, by name. */
  readonly roomServers = new Map<string, RoomServer>();
  private readonly known = new Map<string, Known>();
  /** Names of rooms that are about to be made: nobody else may make them. */
  private readonly reserved = new Set<string>();
  private hours = { dim: false, closed: false };
  private readonly listeners = new Set<(room: string, settings: RoomSettings) => void>();

  constructor(private readonly options: RoomRegistryOptions) {}

  /**
   * Opens the rooms that the server is started with, and those that the host has made.
   *
   * @param fixed rooms to be there whatever else is
   * @throws StoreError; EngineError
   */
  async start(fixed: readonly Omit<PlanRecord, 'made' | 'open' | 'change'>[]): Promise<void> {
    const plans = new Map((await this.options.hostStore.plans()).map((plan) => [plan.name, plan]));
    for (const place of fixed) {
      const kept = plans.get(place.name);
      plans.delete(place.name);
      const { open = true, change = {} } = kept ?? {};
      const known = this.register({ ...place, made: false, open, change });
      if (open) await this.startRoom(known);
    }
    for (const plan of plans.values()) {
      if (!plan.made) continue;
      const known = this.register(plan);
      if (plan.open) await this.startRoomIfPossible(known);
    }
  }

  /** An open room. @throws Refusal no-such-room, room-closed */
  findServer(name: string): RoomServer {
    const roomServer = this.roomServers.get(name);
    if (roomServer) return roomServer;
    throw new Refusal(this.known.has(name) ? 'room-closed' : 'no-such-room', name);
  }

  /** An open room, for its host. @throws HostRefusal no-such-room, room-closed, room-busy */
  requireOpen(name: string): OpenRoom {
    const { live, plan, busy } = this.require(name);
    if (busy) throw new HostRefusal('room-busy', busy);
    if (!live || !plan.open) throw new HostRefusal('room-closed');
    return live;
  }

  /** How a room is set. @throws HostRefusal no-such-room */
  settingsOf(name: string): RoomSettings {
    return this.require(name).rules.settings;
  }

  /** Calls back when a room is set otherwise. @returns ends it */
  onSettings(listener: (room: string, settings: RoomSettings) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** What a room is made with. @throws HostRefusal no-such-room */
  planOf(name: string): PlanRecord {
    return this.require(name).plan;
  }

  /** Open ones and closed ones, in the order they were made. */
  get names(): readonly string[] {
    return [...this.known.keys()];
  }

  /** @throws HostRefusal no-such-room */
  summary(name: string): RoomSummary {
    const { plan, rules, live, busy } = this.require(name);
    const { settings } = rules;
    const { tickRate } = settings;
    const open = plan.open ? live : undefined;
    return {
      name,
      width: plan.width,
      height: plan.height,
      checkpoint: plan.checkpoint,
      open: plan.open,
      fixed: !plan.made,
      participants: open?.server.size ?? 0,
      waiting: open?.server.waitingCount ?? 0,
      organisms: live?.room.size ?? 0,
      awake: open?.room.awake ?? 0,
      tick: live?.room.tick ?? 0,
      pace: (open && this.options.ticker.pace(open.room)) ?? { tickRate, actual: 0, slow: false },
      settings,
      busy,
    };
  }

  /** @throws HostRefusal room-exists, no-such-checkpoint, other-checkpoint */
  async create(wish: RoomRequest): Promise<void> {
    const { name } = wish;
    if (this.known.has(name) || this.reserved.has(name)) throw new HostRefusal('room-exists');
    this.reserved.add(name);
    try {
      await this.requireCompatible(wish);
      const known = this.register({ ...wish, made: true, open: true });
      await this.whileBusy(known, 'opening', async () => {
        try {
          await this.startRoom(known);
          await this.options.hostStore.putPlan(known.plan);
        } catch (error) {
          // What is not kept is not made: nobody could find it, see it or close it.
          await this.stopRoom(known);
          await this.releaseOldServer(known);
          this.known.delete(name);
          throw error;
        }
      });
    } finally {
      this.reserved.delete(name);
    }
  }

  /** @throws HostRefusal no-such-room, room-busy */
  async open(name: string): Promise<void> {
    const known = this.require(name);
    if (known.busy) throw new HostRefusal('room-busy', known.busy);
    if (known.plan.open) return;
    await this.whileBusy(known, 'opening', async () => {
      const plan = { ...known.plan, open: true };
      await this.startRoom(known);
      try {
        await this.options.hostStore.putPlan(plan);
      } catch (error) {
        await this.stopRoom(known);
        throw error;
      }
      known.plan = plan;
    });
  }

  /** Everybody is sent home; its cells stop, and are kept. @throws HostRefusal no-such-room, room-busy */
  async close(name: string): Promise<void> {
    const known = this.require(name);
    if (known.busy) throw new HostRefusal('room-busy', known.busy);
    if (!known.plan.open) return;
    await this.whileBusy(known, 'closing', async () => {
      const plan = { ...known.plan, open: false };
      // Only when that is kept does it close: it must not be closed in one's eyes and open in another's.
      await this.options.hostStore.putPlan(plan);
      known.plan = plan;
      await this.stopRoom(known);
    });
  }

  /**
   * @param aside keeps what the room was, before it is forgotten
   * @throws HostRefusal no-such-room, room-open, fixed-room
   */
  async remove(name: string, aside: () => Promise<void>): Promise<void> {
    const known = this.require(name);
    if (!known.plan.made) throw new HostRefusal('fixed-room', 'the server is started with it');
    if (known.plan.open) throw new HostRefusal('room-open');
    await this.whileBusy(known, 'closing', async () => {
      await aside();
      await this.releaseOldServer(known);
      const { hostStore: desk, storage: kept } = this.options;
      await kept?.store.forget(name);
      await desk.forget(name);
      this.known.delete(name);
    });
  }

  /** The house opens or closes: walls go dim, and visitors have to go where that is wanted. */
  setHours(hours: { readonly dim: boolean; readonly closed: boolean }): void {
    this.hours = hours;
    for (const { rules, live, plan } of this.known.values()) {
      rules.isDimmed = hours.dim;
      rules.isClosed = hours.closed;
      if (!live || !plan.open) continue;
      live.server.broadcastSettings();
      if (hours.closed) live.server.disconnectAll('room-closed', true);
    }
  }

  /** Turns some knobs; everybody there is told. @throws HostRefusal no-such-room */
  async change(name: string, change: SettingsChange): Promise<RoomSettings> {
    const known = this.require(name);
    return this.serialised(known, async () => {
      const { rules } = known;
      const before = rules.settings;
      const settings = applyChange(before, change);
      const plan = { ...known.plan, change: { ...known.plan.change, ...change } };
      await this.options.hostStore.putPlan(plan);
      known.plan = plan;
      rules.settings = settings;
      if (known.live) this.apply(known.live, settings, before);
      for (const listener of this.listeners) listener(name, settings);
      return settings;
    });
  }

  /**
   * Lets something happen in a room that takes its time, and nothing else meanwhile.
   *
   * @throws HostRefusal no-such-room, room-busy
   */
  async during<T>(
    name: string,
    busy: NonNullable<RoomSummary['busy']>,
    work: () => Promise<T>,
  ): Promise<T> {
    const known = this.require(name);
    if (known.busy) throw new HostRefusal('room-busy', known.busy);
    known.busy = busy;
    try {
      return await work();
    } finally {
      known.busy = null;
    }
  }

  private require(name: string): Known {
    const known = this.known.get(name);
    if (!known) throw new HostRefusal('no-such-room', name);
    return known;
  }

  /**
   * What changes a room's plan waits for what is changing it already, and begins from what that has left.
   *
   * @throws HostRefusal no-such-room: it has been removed meanwhile
   */
  private serialised<T>(known: Known, work: () => Promise<T>): Promise<T> {
    return known.mutex.runExclusive(() => {
      if (this.require(known.plan.name) !== known) throw new HostRefusal('no-such-room');
      return work();
    });
  }

  /** It is busy at once, so that nothing else begins while it waits for its turn. @throws HostRefusal room-busy */
  private whileBusy(
    known: Known,
    busy: NonNullable<RoomSummary['busy']>,
    work: () => Promise<void>,
  ): Promise<void> {
    return this.during(known.plan.name, busy, () => this.serialised(known, work));
  }

  /**
   * Whether a room can be made so.
   *
   * @throws HostRefusal room-exists, no-such-checkpoint, other-checkpoint
   */
  private async requireCompatible({ name, width, height, checkpoint }: RoomRequest): Promise<void> {
    const chosen = this.options.checkpoints.get(checkpoint);
    if (!chosen) throw new HostRefusal('no-such-checkpoint');
    const before = await this.options.storage?.store.room(name);
    // A room that was here before goes on, if it is the same.
    if (before && before.checkpoint.hash !== chosen.hash) throw new HostRefusal('other-checkpoint');
    if (before && (before.width !== width || before.height !== height)) {
      throw new HostRefusal('room-exists', `kept with ${before.width}x${before.height} cells`);
    }
  }

  private register(plan: PlanRecord): Known {
    const rules = new RoomPolicy(applyChange(this.options.defaults, plan.change));
    rules.isDimmed = this.hours.dim;
    rules.isClosed = this.hours.closed;
    const known: Known = { plan, rules, live: undefined, busy: null, mutex: new Mutex() };
    this.known.set(plan.name, known);
    return known;
  }

  private async startRoomIfPossible(known: Known): Promise<void> {
    try {
      await this.startRoom(known);
    } catch (error) {
      const isFull = error instanceof EngineError && error.reason === 'out-of-memory';
      if (!(isFull || error instanceof StoreError || error instanceof HostRefusal)) throw error;
      known.plan = { ...known.plan, open: false };
      this.options.log.warn('room-not-opened', error.message, { room: known.plan.name });
    }
  }

  private async startRoom(known: Known): Promise<void> {
    const { ticker } = this.options;
    if (known.live) ticker.resume(known.live.room);
    else known.live = await this.bringUp(known);
    const { room, server: roomServer } = known.live;
    this.roomServers.set(known.plan.name, roomServer);
    this.options.onOpen?.(roomServer, () => ticker.pace(room)!);
  }

  private async bringUp({ plan, rules }: Known): Promise<OpenRoom> {
    const {
      world,
      ticker,
      checkpoints: stock,
      storage: kept,
      engine,
      secret,
      bans,
      clock,
      date,
      log,
    } = this.options;
    const { name, width, height, seed, checkpoint } = plan;
    const chosen = stock.get(checkpoint);
    if (!chosen) throw new HostRefusal('no-such-checkpoint', checkpoint);
    const { settings } = rules;
    const { maxOrganisms, energy, tickRate } = settings;
    const { species, hash, facts, previews: seeds } = chosen;
    const place: RoomPlace = {
      ...{ name, width, height, maxOrganisms, seed, species, energy, tickRate },
    };
    let room: Room;
    if (kept) {
      const { store, journalWriter } = kept;
      const opened = await openRoom(place, {
        ...{ store, world, date },
        checkpoint: { name: checkpoint, hash },
        say: (remark) => log.info('room', remark),
      });
      room = opened.room;
      try {
        await journalWriter.watch(room, opened.tail);
      } catch (error) {
        await world.close(room);
        throw error;
      }
    } else room = world.open(place);
    ticker.add(room, tickRate);
    const pace = () => ticker.pace(room)!;
    const roomServer = new RoomServer({
      ...{ room, pace, clock, capacity: settings.capacity },
      info: { checkpoint: facts, engine },
      resumeTokens: new ResumeTokens(secret, name),
      newcomers: new NewcomerEnergy(room, new DeviceMarks(secret), clock),
      access: { policy: rules, bans },
      wallInfo: this.options.wallFacts,
      previews: seeds,
    });
    return { room, server: roomServer };
  }

  /** Nobody is there any more, and it stands still; where it is kept, it is only there now. */
  private async stopRoom(known: Known): Promise<void> {
    const { live } = known;
    if (!live) return;
    const { ticker, storage: kept, onClose } = this.options;
    this.roomServers.delete(known.plan.name);
    live.server.disconnectAll('room-closed');
    onClose?.(live.server);
    await ticker.hold(live.room);
    if (!kept) return;
    await kept.journalWriter.unwatch(live.room);
    await this.releaseOldServer(known);
  }

  /** What it had of the engine is free again. It must stand still. */
  private async releaseOldServer(known: Known): Promise<void> {
    const { live } = known;
    if (!live) return;
    await this.options.ticker.remove(live.room);
    known.live = undefined;
    await this.options.world.close(live.room);
  }

  private apply(
    { room, server: roomServer }: OpenRoom,
    settings: RoomSettings,
    before: RoomSettings,
  ): void {
    const { tickRate, capacity, maxOrganisms, energy, names } = settings;
    if (tickRate !== before.tickRate) {
      this.options.ticker.setRate(room, tickRate);
      room.setTickRate(tickRate);
    }
    if (capacity !== before.capacity) roomServer.setCapacity(capacity);
    if (maxOrganisms !== before.maxOrganisms) room.setMaxOrganisms(maxOrganisms);
    if (JSON.stringify(energy) !== JSON.stringify(before.energy)) roomServer.setEnergy(energy);
    if (names !== before.names) roomServer.requestRefresh();
    roomServer.broadcastSettings();
  }
}
