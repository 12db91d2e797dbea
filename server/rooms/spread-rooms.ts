/**
 * Spreads rooms over the servers of a cluster: reports this server's load, gives a room to a less
 * busy server, and gives all rooms away while the host drains this server. Start reading at
 * `SpreadRooms.look`.
 */

import { HostRefusal } from '../../shared/host/reasons.ts';
import { REPORT_INTERVAL } from '../cluster/lease.ts';
import type { NodeLoad, ReportLoad } from '../cluster/open-cluster.ts';
import { type Clock, repeat } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { Log } from '../platform/log.ts';

export const SPREAD = {
  /** Length of the period over which loads are averaged, in ms. */
  loadAverage: 10_000,
  /** A server with fewer awake cells gives no rooms away. */
  spreadFrom: 50_000,
  /**
   * After a move, both servers must have less load than this fraction of the giving server's
   * present load.
   */
  spreadShare: 0.75,
  /** How long a server must be too busy before it gives a room away, in ms. */
  spreadAfter: 30_000,
  /**
   * After draining for this time, in ms, a server gives rooms even to servers without a replica.
   */
  drainUnfollowed: 10_000,
  /** A draining server may take a room back if no server has run the room for this time, in ms. */
  takeBack: 10_000,
  /**
   * If no other server takes an offered room, a draining server runs the room again, and repeats
   * the offer after this delay, in ms. The delay doubles with each offer.
   */
  drainAgain: 30_000,
  /** Maximum delay between two offers of the same room, in ms. */
  drainAgainMost: 480_000,
} as const;

const takesRooms = ({ server }: NodeLoad): boolean =>
  server !== undefined && server.role !== 'gateway' && !server.draining;

const loadOf = ({ rooms }: NodeLoad): number =>
  Object.values(rooms).reduce((all, one) => all + one, 0);

/**
 * Chooses a room to give away, and the node (server process) that should take the room. After a
 * move, the busier of the two servers must have much less load than this server has now, so that
 * moving the room back is never worthwhile.
 *
 * @param own this server's report
 * @param others reports of the other servers
 * @returns undefined if no move is worthwhile
 */
export function chooseMove(
  own: NodeLoad,
  others: readonly NodeLoad[],
): { readonly room: string; readonly node: string } | undefined {
  const load = loadOf(own);
  if (load < SPREAD.spreadFrom) return undefined;
  const moves = others.flatMap((other) =>
    Object.entries(own.rooms).flatMap(([room, cells]) => {
      if (!other.followed.includes(room)) return [];
      const left = Math.max(load - cells, loadOf(other) + cells);
      return [{ room, cells, node: other.node, left }];
    }),
  );
  const [best] = moves.sort((a, b) => a.left - b.left || a.cells - b.cells);
  return best && best.left < SPREAD.spreadShare * load
    ? { room: best.room, node: best.node }
    : undefined;
}

export interface SpreadRoomsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Unique name of this process. */
  readonly node: string;
  readonly report: ReportLoad;
  /** Returns the number of awake cells of each room that this server runs, by room name. */
  readonly awake: () => Readonly<Record<string, number>>;
  /** Lists the rooms of which this server has an up-to-date replica. */
  readonly followed: () => readonly string[];
  /**
   * Stops a room and releases the room's lease.
   *
   * @param node name of the process that should take the room; undefined for any process
   * @returns whether the room has stopped on this server
   */
  readonly give: (room: string, node: string | undefined) => Promise<boolean>;
  /**
   * Describes this server, without its load, for the other servers.
   *
   * @param awake average number of awake cells of each room, by room name
   */
  readonly describe: (awake: Readonly<Record<string, number>>) => Pick<NodeLoad, 'server' | 'jobs'>;
}

/** Reports this server's load to the other servers, and gives rooms away. */
export class SpreadRooms {
  private averages: Record<string, number> = {};
  /** When this server became too busy, in ms; undefined if the server is not too busy. */
  private busySince: number | undefined;
  private stopped = false;
  private cancel = (): void => {};
  /** Arrival time of each other server's last report, in ms, by server name. */
  private readonly heard = new Map<string, number>();
  /** Latest reports of the other servers. */
  others: readonly NodeLoad[] = [];
  /** Whether Valkey answered the last request for the other servers' reports. */
  isCurrent = false;
  /** When the host started draining this server, in ms; undefined if the server is not draining. */
  private drainedSince: number | undefined;
  /** Whether any other server accepts rooms. */
  private hasTakers = true;
  /**
   * Rooms that this server has given away while draining, and that no other server runs yet, by
   * name. `node`: the process that should take the room; absent for any process. `cells`: the
   * room's number of awake cells.
   */
  private readonly given = new Map<string, { readonly node?: string | undefined; cells: number }>();
  /** When each room was last seen running on any server, in ms, by room name. */
  private readonly seen = new Map<string, number>();
  /**
   * Rooms that this draining server has offered to other servers, but that no server has taken, by
   * name. `at`: time of the next offer, in ms. `pause`: delay before the next offer, in ms.
   */
  private readonly retained = new Map<string, { readonly at: number; readonly pause: number }>();

  constructor(private readonly options: SpreadRoomsOptions) {}

  start(): void {
    this.cancel = repeat(this.options.clock, REPORT_INTERVAL, this.look);
  }

  /**
   * Stops reporting. First sends a last report without the field `server`, so that no server gives
   * rooms to this server.
   */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.cancel();
    const { node, report } = this.options;
    void report({ node, rooms: this.averages, followed: [] }).catch(() => {});
  }

  /** Returns the names of the other servers that have sent a report within the last `time` ms. */
  heardWithin(time: number): string[] {
    const since = this.options.clock.now() - time;
    for (const [name, at] of this.heard) if (at < since) this.heard.delete(name);
    return [...this.heard.keys()];
  }

  /** This server's report: its load and description. */
  get own(): NodeLoad {
    const { node, followed, describe } = this.options;
    const rooms = this.averages;
    return { node, rooms, followed: this.isDraining ? [] : [...followed()], ...describe(rooms) };
  }

  /**
   * Sends this server's report, and receives the reports of the other servers.
   *
   * @returns the other servers' reports; undefined if Valkey does not answer
   */
  async tell(): Promise<readonly NodeLoad[] | undefined> {
    const others = await this.options.report(this.own).catch(() => undefined);
    this.isCurrent = others !== undefined;
    if (!others) return undefined;
    this.others = others;
    const now = this.options.clock.now();
    for (const { server } of others) if (server) this.heard.set(server.name, now);
    return others;
  }

  get isDraining(): boolean {
    return this.drainedSince !== undefined;
  }

  /** Rooms that were given away and are not yet known to run on another server. */
  get leaving(): readonly string[] {
    return [...this.given.keys()];
  }

  /**
   * Starts draining this server: the server gives all its rooms to other servers.
   *
   * @throws HostRefusal 'nobody-takes-over' if this server runs rooms and no other server accepts
   *   rooms
   */
  async drain(): Promise<void> {
    const { clock, log, awake } = this.options;
    // If Valkey does not answer, assume that no server accepts rooms.
    const hasTakers = ((await this.tell()) ?? []).some(takesRooms);
    if (Object.keys(awake()).length > 0 && !hasTakers) throw new HostRefusal('nobody-takes-over');
    if (!this.isDraining) {
      this.forget();
      this.hasTakers = hasTakers;
      this.drainedSince = clock.now();
      const text =
        'The host is draining this server: the server hands its rooms to other servers and accepts no rooms.';
      log.info('draining', text);
    }
    await this.tell();
  }

  async stopDraining(): Promise<void> {
    if (this.isDraining) {
      this.drainedSince = undefined;
      this.forget();
      this.options.log.info('not-draining', 'This server accepts rooms again.');
    }
    await this.tell();
  }

  /**
   * Whether this server may take over a room that no server runs. If this server is draining, only
   * if no server has run the room for `SPREAD.takeBack` ms.
   */
  takes(room: string): boolean {
    if (!this.isDraining) return true;
    const now = this.options.clock.now();
    return now - getOrAdd(this.seen, room, () => now) >= SPREAD.takeBack;
  }

  /** Whether this server is draining, but continues to run a room that no other server takes. */
  isKept(room: string): boolean {
    return this.isDraining && (!this.hasTakers || this.retained.has(room));
  }

  private readonly look = async (): Promise<void> => {
    const { clock, give } = this.options;
    this.average();
    const others = await this.tell();
    if (others && !this.stopped) await this.giveNext(others);
    // If Valkey does not answer, give no room away.
    const move = others && !this.isDraining ? chooseMove(this.own, others) : undefined;
    if (!move) this.busySince = undefined;
    else this.busySince ??= clock.now();
    if (move && clock.now() - this.busySince! >= SPREAD.spreadAfter && !this.stopped) {
      this.busySince = undefined;
      await give(move.room, move.node);
    }
  };

  /**
   * If the host is draining this server, gives at most one room to another server.
   *
   * @param others reports that were just received from the other servers
   */
  private async giveNext(others: readonly NodeLoad[]): Promise<void> {
    const { drainedSince: since } = this;
    if (since === undefined) return;
    const { clock, awake, give } = this.options;
    const now = clock.now();
    this.hasTakers = others.some(takesRooms);
    for (const room of others.flatMap(({ rooms }) => Object.keys(rooms))) {
      this.seen.set(room, now);
      this.given.delete(room);
      this.retained.delete(room);
    }
    for (const [room, cells] of Object.entries(awake())) {
      if (this.given.delete(room)) this.retain(room, now);
      if (now < (this.retained.get(room)?.at ?? 0) || !this.hasTakers) continue;
      const node = this.successorOf(room, others);
      // At first, give the room only to a server with a replica, so that visitors notice no
      // interruption.
      if (node === undefined && now - since < SPREAD.drainUnfollowed) continue;
      const isGiven = await give(room, node);
      // The host may have stopped draining this server while the room was being given away.
      if (this.drainedSince !== since) return;
      if (!isGiven) continue;
      this.given.set(room, { node, cells });
      this.seen.set(room, clock.now());
      return;
    }
  }

  /**
   * Chooses the server process that should take a room: the least busy process with a replica of
   * the room; undefined if there is none.
   */
  private successorOf(room: string, others: readonly NodeLoad[]): string | undefined {
    const coming = [...this.given.values()];
    const load = (one: NodeLoad): number =>
      coming.reduce((sum, { node, cells }) => sum + (node === one.node ? cells : 0), loadOf(one));
    const takers = others.filter((one) => takesRooms(one) && one.followed.includes(room));
    return takers.sort((a, b) => load(a) - load(b))[0]?.node;
  }

  private retain(room: string, now: number): void {
    const { pause: before = SPREAD.drainAgain / 2 } = this.retained.get(room) ?? {};
    const pause = Math.min(2 * before, SPREAD.drainAgainMost);
    this.retained.set(room, { at: now + pause, pause });
    const why = `No other server took room "${room}", so the room runs on this server again.`;
    this.options.log.warn('not-drained', why, { room });
  }

  private forget(): void {
    for (const map of [this.given, this.seen, this.retained]) map.clear();
  }

  /** Updates the average load of each room. */
  private average(): void {
    const share = REPORT_INTERVAL / SPREAD.loadAverage;
    const awake = Object.entries(this.options.awake());
    this.averages = Object.fromEntries(
      awake.map(([room, cells]) => {
        const before = this.averages[room] ?? cells;
        return [room, Math.round(before + share * (cells - before))];
      }),
    );
  }
}
