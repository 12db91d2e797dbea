/**
 * The rooms of one server in a cluster. The server runs the rooms whose leases it holds, and waits
 * to take over the rooms of other servers. Start reading at `ClusterRooms.start`.
 */
import { HostRefusal } from '../../shared/host/reasons.ts';
import {
  applyChange,
  type RoomSettings,
  type SettingsRequest,
} from '../../shared/host/room-settings.ts';
import type { ClusterState, JobState, ServerState } from '../../shared/host/state.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { LEASE, Lease, type RoomLeases, Standby } from '../cluster/lease.ts';
import type { ReportLoad } from '../cluster/open-cluster.ts';
import { repeat } from '../platform/clock.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import type { PlanRecord } from '../storage/record-schemas.ts';
import { StoreError } from '../storage/records.ts';
import { NotReplicated, RoomReplica } from '../storage/recovery.ts';
import type { OpenRoom } from './live-room.ts';
import { Replicas } from './replicas.ts';
import { type RoomEntry, RoomRegistry, type RoomRegistryOptions } from './room-registry.ts';
import { SpreadRooms } from './spread-rooms.ts';

/**
 * Interval at which a server looks for changes to rooms that the host has made on other servers, in
 * ms.
 */
export const PLANS_INTERVAL = 1_000;

/** Delay between the nightly restarts of two servers of a cluster, in ms. */
export const RESTART_APART = 180_000;

export interface ClusterRoomsOptions extends RoomRegistryOptions {
  readonly leases: RoomLeases;
  /** Whether this server runs rooms. If false, the server only knows which rooms exist. */
  readonly runsRooms: boolean;
  readonly report: ReportLoad;
  /**
   * Reads the stored bans and wall seats again, because other servers may have changed them.
   *
   * @param takenOver room that this server is taking over; its walls then count as disconnected
   */
  readonly refresh: (takenOver?: string) => Promise<void>;
  /** Describes this server for the host, without the state of its rooms. */
  readonly describe: () => Omit<ServerState, 'draining' | 'rooms' | 'leaving' | 'followed'>;
}

/** Whether a room failed to open for a reason that may be temporary. */
const isTransient = (error: unknown): boolean =>
  (error instanceof HostRefusal && error.reason === 'elsewhere') ||
  (error instanceof StoreError && ['not-owner', 'unreachable'].includes(error.reason));

export class ClusterRooms extends RoomRegistry {
  private standby: Standby | undefined;
  readonly spread: SpreadRooms;
  private cancel = (): void => {};
  /** Lists the films that this server has recorded or is recording. */
  films: () => readonly JobState[] = () => [];

  constructor(private readonly shared: ClusterRoomsOptions) {
    super(shared);
    const { clock, log, leases, report } = shared;
    this.spread = new SpreadRooms({
      ...{ clock, log, node: leases.holder, report },
      awake: () => this.awake,
      followed: () => this.replicas?.names ?? [],
      give: (room, node) => this.give(room, node),
      describe: (awake) => this.describe(awake),
    });
  }

  /**
   * Starts like `RoomRegistry.start`, but does not open rooms that other servers run. Later, this
   * server takes over the rooms of servers that stop.
   */
  override async start(...from: Parameters<RoomRegistry['start']>): Promise<void> {
    await super.start(...from);
    const { leases, clock, log, runsRooms } = this.shared;
    // If Valkey does not answer, the next poll tries again.
    this.cancel = repeat(clock, PLANS_INTERVAL, () => this.readPlans().catch(() => {}));
    this.spread.start();
    if (!runsRooms) return;
    const onFailure = (room: string, error: unknown): void => {
      const { message } = error as Error;
      log.warn('not-taken-over', `This server could not take over the room "${room}": ${message}`, {
        room,
      });
    };
    this.standby = new Standby({
      ...{ leases, clock, onFailure },
      waiting: () => this.waiting.filter((room) => this.spread.takes(room)),
      open: (room) =>
        this.takeOver(room).catch((error: unknown) => {
          if (!isTransient(error)) throw error;
          // Only log the failure, because the standby soon tries again.
          onFailure(room, error);
        }),
    });
    this.replicas = new Replicas({
      ...{ clock, log },
      waiting: () => this.waiting,
      isOpening: (room) => leases.of(room) !== undefined,
      isIdle: () => this.running.length === 0,
      open: (room) => this.replicate(room),
    });
  }

  /**
   * Returns the states of all servers in the cluster. If Valkey does not answer, returns the last
   * known states.
   */
  async servers(): Promise<ClusterState> {
    const { spread } = this;
    await spread.tell();
    const states = [spread.own, ...spread.others].flatMap(({ server }) => server ?? []);
    return {
      own: this.name,
      current: spread.isCurrent,
      servers: states.sort((a, b) => (a.name < b.name ? -1 : 1)),
    };
  }

  /** This server's name, unique in the cluster. */
  get name(): string {
    return this.shared.describe().name;
  }

  /**
   * Number of other servers whose names sort before this server's name. Counts only servers that
   * sent a report within the last `RESTART_APART` ms.
   */
  get place(): number {
    return this.spread.heardWithin(RESTART_APART).filter((name) => name < this.name).length;
  }

  /** Returns whether this server knows a server with this name in the cluster. */
  knows(server: string): boolean {
    return server === this.name || this.spread.others.some((one) => one.server?.name === server);
  }

  /** Films of the other servers, by server name. */
  get filmsElsewhere(): ReadonlyMap<string, readonly JobState[]> {
    const { others } = this.spread;
    return new Map(
      others.flatMap(({ server, jobs }) => (server && jobs ? [[server.name, jobs]] : [])),
    );
  }

  /** Stops taking over rooms. Rooms that run on this server continue. */
  stopStandby(): void {
    this.standby?.stop();
    void this.replicas?.stop();
    this.spread.stop();
    this.cancel();
  }

  /**
   * Returns the room server of a room that runs in this process.
   *
   * @throws Refusal 'elsewhere' if another server runs the room, 'no-such-room' or 'room-closed'
   */
  override findServer(name: string): RoomServer {
    const entry = this.entries.get(name);
    const isHere = this.roomServers.has(name) && this.shared.leases.mayTick(name);
    if (entry?.plan.open && !isHere) throw new Refusal('elsewhere', name);
    return super.findServer(name);
  }

  /**
   * Returns an open room that runs on this server.
   *
   * @throws HostRefusal 'no-such-room', 'room-closed', 'room-busy', or 'elsewhere' if the room does
   *   not run on this server
   */
  override requireOpen(name: string): OpenRoom {
    const entry = this.require(name);
    if (!entry.busy) this.requireHere(entry);
    return super.requireOpen(name);
  }

  override isElsewhere(name: string): boolean {
    const { plan, live } = this.entries.get(name) ?? {};
    return plan?.open === true && !(live && this.shared.leases.of(name)?.isHeld);
  }

  override ledElsewhere(except?: string): string | undefined {
    if (this.shared.runsRooms && !this.spread.isDraining) return undefined;
    return this.names.find((name) => name !== except && this.isElsewhere(name));
  }

  /**
   * Changes settings of a room that runs on this server.
   *
   * @throws HostRefusal 'no-such-room', or 'elsewhere' if the room does not run on this server
   */
  override async change(name: string, change: SettingsRequest): Promise<RoomSettings> {
    this.requireHere(this.require(name));
    return super.change(name, change);
  }

  /** Whether this server runs an open room, or the cluster has no open room. */
  get isLeader(): boolean {
    const { leases } = this.shared;
    const open = [...this.entries.values()].filter(({ plan }) => plan.open);
    return open.length === 0 || open.some(({ plan }) => leases.mayTick(plan.name));
  }

  /**
   * Stops a room whose lease has ended. Another server can continue the room from the stored state.
   */
  async stopForLostLease(name: string): Promise<void> {
    const entry = this.entries.get(name);
    if (!entry) return;
    entry.live?.server.disconnectAll('elsewhere');
    // A room that is still being opened is stopped as soon as it is open.
    await this.serialised(entry, async () => {
      // A room may run only under the lease with which it was opened. So stop the room even if this
      // server has a newer lease.
      if (!entry.live) return;
      const why = `Room "${name}" stops on this server, because the server no longer holds the room's lease (the right to run the room).`;
      this.shared.log.warn('lease-lost', why, { room: name });
      await this.stopRoom(entry, 'elsewhere');
    });
  }

  /**
   * Runs an operation on a room that this server leads. If no server leads the room, first acquires
   * the room's lease.
   *
   * @throws HostRefusal 'elsewhere' if another server leads the room; StoreError 'unreachable' if
   *   Valkey does not answer
   */
  protected override async leading<T>(entry: RoomEntry, work: () => Promise<T>): Promise<T> {
    const { leases } = this.shared;
    const { name } = entry.plan;
    if (entry.live) this.requireHere(entry);
    else if (!this.shared.runsRooms || !(leases.of(name) || this.spread.takes(name)))
      throw new HostRefusal('elsewhere');
    else {
      const lease = await leases.acquire(name);
      if (lease === 'held-elsewhere') throw new HostRefusal('elsewhere');
      const text = `Valkey does not answer, so this server cannot find out which server runs the room "${name}".`;
      if (lease === 'no-answer') throw new StoreError('unreachable', text);
    }
    try {
      return await work();
    } finally {
      if (!entry.live) await leases.release(name);
    }
  }

  /**
   * Checks that a room is closed, or runs on this server under a valid lease.
   *
   * @throws HostRefusal 'elsewhere'
   */
  private requireHere({ plan, live }: RoomEntry): void {
    if (plan.open && !(live && this.shared.leases.of(plan.name)?.isHeld))
      throw new HostRefusal('elsewhere');
  }

  protected override async begin(entry: RoomEntry): Promise<void> {
    const { name } = entry.plan;
    if (!this.shared.runsRooms || !((await this.shared.leases.acquire(name)) instanceof Lease))
      return;
    await this.takeOver(name).catch((error: unknown) => {
      // Ignore failures that may be temporary: the standby tries again later.
      if (!isTransient(error)) throw error;
    });
  }

  /** Opens a room whose lease this server has just acquired. */
  private async takeOver(name: string): Promise<void> {
    const entry = this.require(name);
    await this.serialised(entry, () =>
      this.leading(entry, async () => {
        const { hostStore, refresh } = this.shared;
        await refresh(name);
        this.adopt(entry, await hostStore.plan(name));
        if (entry.plan.open && !entry.live) await this.startRoom(entry);
      }),
    );
  }

  /** Open rooms that run on this server. */
  private get running(): RoomEntry[] {
    return [...this.entries.values()].filter(({ plan, live }) => plan.open && live);
  }

  /**
   * Names of rooms that a draining server has not yet handed over completely. Such a room does not
   * run here. Either this server still holds the room's lease (while opening or stopping the room),
   * or no other server has taken the room yet.
   */
  private get leaving(): string[] {
    const given = new Set(this.spread.leaving);
    const left = [...this.entries.values()].filter(({ plan, live }) => {
      return !live && (this.shared.leases.of(plan.name) || (plan.open && given.has(plan.name)));
    });
    return left.map(({ plan }) => plan.name);
  }

  /** Number of awake cells of each room that runs on this server, by room name. */
  private get awake(): Record<string, number> {
    const live = this.running.flatMap(({ live }) => live ?? []);
    return Object.fromEntries(
      live.map(({ room }) => [room.name, room.awake * room.species.side ** 2]),
    );
  }

  private describe(awake: Readonly<Record<string, number>>) {
    const { leases, describe } = this.shared;
    const rooms = this.running.flatMap(({ plan: { name } }) => {
      const { epoch } = leases.of(name) ?? {};
      const kept = this.spread.isKept(name);
      return epoch === undefined ? [] : [{ name, epoch, awake: awake[name] ?? 0, kept }];
    });
    const { isDraining: draining } = this.spread;
    const leaving = draining ? this.leaving : [];
    const followed = [...(this.replicas?.names ?? [])];
    const server: ServerState = { ...describe(), draining, rooms, leaving, followed };
    const jobs = this.films();
    return { server, ...(jobs.length > 0 && { jobs: [...jobs] }) };
  }

  /**
   * Stops a room and gives it to another server.
   *
   * @param node name of the process that should take the room; undefined for any process
   * @returns whether the room has stopped on this server
   */
  private async give(room: string, node: string | undefined): Promise<boolean> {
    const { leases, log } = this.shared;
    const entry = this.entries.get(room);
    if (!entry?.live || entry.busy) return false;
    const work = async (): Promise<boolean> => {
      if (!entry.live) return false;
      const text = this.spread.isDraining
        ? `Room "${room}" is moving to another server, because the host is draining this server (moving all its rooms).`
        : `Room "${room}" is moving to a server that is less busy.`;
      log.info('room-given', text, { room });
      await this.stopRoom(entry, 'elsewhere');
      // Do not acquire the lease for a while, so that another server has time to take the room.
      leases.holdOff(room, LEASE.offer + LEASE.attempt);
      await leases.release(room, node);
      return true;
    };
    const given = this.during(room, 'closing', () => this.serialised(entry, work));
    return given.catch((error: Error) => {
      const text = `Room "${room}" could not be moved to another server: ${error.message}`;
      log.warn('room-not-given', text, { room });
      return false;
    });
  }

  /**
   * Releases the leases of all rooms. Call after the rooms have stopped and, if possible, have been
   * saved.
   */
  async releaseAll(): Promise<void> {
    const { leases, storage } = this.shared;
    for (const { plan, live } of this.entries.values()) {
      const lease = leases.of(plan.name);
      if (lease && live) lease.isStored = storage?.journalWriter.isSaved(live.room) ?? false;
    }
    await leases.releaseAll();
  }

  /**
   * Opens a replica of another server's room, so that this server can take the room over quickly.
   *
   * @throws NotReplicated if this server cannot follow the room; StoreError; EngineError
   */
  private async replicate(room: string): Promise<RoomReplica> {
    const { storage, world, checkpoints } = this.shared;
    const { plan } = this.require(room);
    const loaded = checkpoints.get(plan.checkpoint);
    if (!storage || !loaded)
      throw new NotReplicated("this server does not have the room's checkpoint");
    const { species, hash, facts } = loaded;
    const checkpoint = { name: facts.name, hash };
    return RoomReplica.open(storage.store, world, { ...plan, checkpoint, species });
  }

  /** Names of open rooms that do not run on this server. */
  private get waiting(): string[] {
    return [...this.entries.values()]
      .filter(({ plan, live, busy }) => plan.open && !live && !busy)
      .map(({ plan }) => plan.name);
  }

  private adopt(entry: RoomEntry, plan: PlanRecord | undefined): void {
    if (!plan || entry.live) return;
    entry.plan = { ...entry.plan, open: plan.open, change: plan.change };
    entry.policy.settings = applyChange(this.shared.defaults, plan.change);
  }

  /** Reads the stored plans of rooms, because the host may have changed rooms on other servers. */
  private async readPlans(): Promise<void> {
    await this.shared.refresh();
    const plans = await this.shared.hostStore.plans();
    const stored = new Map(plans.map((plan) => [plan.name, plan]));
    for (const [name, entry] of this.entries) {
      const plan = stored.get(name);
      stored.delete(name);
      const isRemoved = entry.plan.made && !plan;
      if (isRemoved && !entry.live && !entry.busy) this.entries.delete(name);
      else this.adopt(entry, plan);
    }
    for (const plan of stored.values()) if (plan.made) this.register(plan);
  }
}
