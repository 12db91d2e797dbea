/**
 * Spreads rooms over the servers of a cluster: reports this server's load, gives a room to a less
 * busy server, and gives all rooms away while the host drains this server. Never stops a room
 * itself. Start at `SpreadRooms.look`.
 */

import { HostRefusal } from '../../shared/host/reasons.ts';
import { REPORT_INTERVAL } from '../cluster/lease.ts';
import type { NodeLoad, ReportLoad } from '../cluster/open-cluster.ts';
import { type Clock, repeat } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { Log } from '../platform/log.ts';

/** How busy and draining servers give rooms away; times are in ms. */
export const SPREAD = {
  /** Length of the period over which loads are averaged, in ms. */
  loadAverage: 10_000,
  /** Minimum number of awake cells that a server must run before it gives rooms away. */
  spreadFrom: 50_000,
  /**
   * Maximum load of either server after a room was given away, as a share of the load that the
   * giving server had before.
   */
  spreadShare: 0.75,
  /** How long a server must have been too busy before it gives a room away, in ms. */
  spreadAfter: 30_000,
  /** How long a draining server gives rooms only to servers that have a replica, in ms. */
  drainUnfollowed: 10_000,
  /**
   * How long a draining server waits before it takes back a room that no other server took, in
   * ms.
   */
  takeBack: 10_000,
  /**
   * Delay before a draining server offers a room again that no other server took, in ms. It
   * doubles each time.
   */
  drainAgain: 30_000,
  /** Maximum time between two offers of a room, in ms. */
  drainAgainMost: 480_000,
} as const;

const takesRooms = ({ server }: NodeLoad): boolean =>
  server !== undefined && server.role !== 'gateway' && !server.draining;

const loadOf = ({ rooms }: NodeLoad): number =>
  Object.values(rooms).reduce((all, one) => all + one, 0);

/**
 * Chooses a room that a server should give away, and the node to give it to. Moves a room only if
 * the busier of the two servers then has much less load than before, so that giving the room back
 * is never worthwhile. Returns undefined if there is no such move.
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
  /** For each room that this server runs, counts its awake cells. */
  readonly awake: () => Readonly<Record<string, number>>;
  /** Lists rooms that this server could take over immediately. */
  readonly followed: () => readonly string[];
  /**
   * Stops a room and releases it.
   *
   * @param node process that should take the room; if undefined, any process may take it
   * @returns whether the room has stopped here
   */
  readonly give: (room: string, node: string | undefined) => Promise<boolean>;
  /**
   * Describes this server to the others, apart from its load.
   *
   * @param awake for each room, its averaged number of awake cells
   */
  readonly describe: (awake: Readonly<Record<string, number>>) => Pick<NodeLoad, 'server' | 'jobs'>;
}

/** Reports this server's load, and gives rooms away. */
export class SpreadRooms {
  private averages: Record<string, number> = {};
  /** When this server became too busy, in ms; undefined if it is not too busy. */
  private busySince: number | undefined;
  private stopped = false;
  private cancel = (): void => {};
  /** For each other server's name, when its last report was received, in ms. */
  private readonly heard = new Map<string, number>();
  /** Latest reports of the other servers. */
  others: readonly NodeLoad[] = [];
  /** Whether the last request for the others' reports was answered. */
  isCurrent = false;
  /**
   * When the host began draining this server, in ms; undefined if the server is not being drained.
   */
  private drainedSince: number | undefined;
  /** Whether another server takes rooms. */
  private hasTakers = true;
  /**
   * Rooms that were given away while draining and that no other server has reported yet, with the
   * number of their awake cells.
   */
  private readonly given = new Map<string, { readonly node?: string | undefined; cells: number }>();
  /** For each room, when it was last seen running on any server, in ms. */
  private readonly seen = new Map<string, number>();
  /**
   * For each room that nobody has taken, when it is offered again and the pause until then, both in
   * ms.
   */
  private readonly retained = new Map<string, { readonly at: number; readonly pause: number }>();

  constructor(private readonly options: SpreadRoomsOptions) {}

  /** Starts reporting and giving rooms away. */
  start(): void {
    this.cancel = repeat(this.options.clock, REPORT_INTERVAL, this.look);
  }

  /** Stops reporting. The last report has no `server`, so that nobody gives this server a room. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.cancel();
    const { node, report } = this.options;
    void report({ node, rooms: this.averages, followed: [] }).catch(() => {});
  }

  /**
   * Names of other servers heard within the last `time` ms, including servers that are gone now.
   */
  heardWithin(time: number): string[] {
    const since = this.options.clock.now() - time;
    for (const [name, at] of this.heard) if (at < since) this.heard.delete(name);
    return [...this.heard.keys()];
  }

  /** This server's load and description. */
  get own(): NodeLoad {
    const { node, followed, describe } = this.options;
    const rooms = this.averages;
    return { node, rooms, followed: this.isDraining ? [] : [...followed()], ...describe(rooms) };
  }

  /**
   * Reports this server's load, and receives the others' reports.
   *
   * @returns the others' reports; undefined if there is no answer
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

  /** Whether the host is draining this server. */
  get isDraining(): boolean {
    return this.drainedSince !== undefined;
  }

  /** Rooms that have been given away and are not yet known to run elsewhere. */
  get leaving(): readonly string[] {
    return [...this.given.keys()];
  }

  /**
   * Starts giving all rooms away.
   *
   * @throws HostRefusal nobody-takes-over, in which case nothing has changed
   */
  async drain(): Promise<void> {
    const { clock, log, awake } = this.options;
    // Without an answer, it is unknown who could take the rooms, so count nobody.
    const hasTakers = ((await this.tell()) ?? []).some(takesRooms);
    if (Object.keys(awake()).length > 0 && !hasTakers) throw new HostRefusal('nobody-takes-over');
    if (!this.isDraining) {
      this.forget();
      this.hasTakers = hasTakers;
      this.drainedSince = clock.now();
      log.info(
        'draining',
        'The host drains this server: its rooms move to other servers, and it takes no rooms.',
      );
    }
    await this.tell();
  }

  async stopDraining(): Promise<void> {
    if (this.isDraining) {
      this.drainedSince = undefined;
      this.forget();
      this.options.log.info('not-draining', 'This server takes rooms again.');
    }
    await this.tell();
  }

  /** Whether this server may take a room that runs nowhere. */
  takes(room: string): boolean {
    if (!this.isDraining) return true;
    const now = this.options.clock.now();
    // Even a draining server takes a room that has run nowhere for a while.
    return now - getOrAdd(this.seen, room, () => now) >= SPREAD.takeBack;
  }

  /** Whether a room runs here only because nobody has taken it. */
  isKept(room: string): boolean {
    return this.isDraining && (!this.hasTakers || this.retained.has(room));
  }

  private readonly look = async (): Promise<void> => {
    const { clock, give } = this.options;
    this.average();
    const others = await this.tell();
    if (others && !this.stopped) await this.giveNext(others);
    // Without an answer, it is unknown which server is less busy, so give no room away.
    const move = others && !this.isDraining ? chooseMove(this.own, others) : undefined;
    if (!move) this.busySince = undefined;
    else this.busySince ??= clock.now();
    if (move && clock.now() - this.busySince! >= SPREAD.spreadAfter && !this.stopped) {
      this.busySince = undefined;
      await give(move.room, move.node);
    }
  };

  /**
   * Gives one room away if the host is draining this server and another server can take the room.
   * The next room has to wait for the others' next reports.
   *
   * @param others reports that the other servers have just sent
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
      // A server that has replicated the room can continue it without a break, so wait for such a
      // server at first.
      if (node === undefined && now - since < SPREAD.drainUnfollowed) continue;
      const isGiven = await give(room, node);
      // The host may have stopped draining meanwhile, so check again.
      if (this.drainedSince !== since) return;
      if (!isGiven) continue;
      this.given.set(room, { node, cells });
      this.seen.set(room, clock.now());
      return;
    }
  }

  /** Chooses the least busy node that has replicated a room. */
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

  /**
   * Updates the average load of each room. Averages are used because loads change from tick to
   * tick.
   */
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
