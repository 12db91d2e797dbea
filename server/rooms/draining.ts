/** Gives all rooms of a server to others while the host wants that, and takes none. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { NodeLoad, ReportLoad } from '../cluster/open-cluster.ts';
import type { Clock } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { Log } from '../platform/log.ts';

const { drainUnfollowed, drainAgain, drainAgainMost, takeBack } = DEFAULTS.cluster;

export interface DrainingOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Cells awake, by room that runs here. */
  readonly running: () => Readonly<Record<string, number>>;
  /**
   * Stops a room and gives it up.
   *
   * @param successor who is to have it; undefined: whoever takes it first
   * @returns whether it has stopped here
   */
  readonly give: (room: string, successor: string | undefined) => Promise<boolean>;
}

/** A room that has been given away, and that no other server has reported yet. */
interface Given {
  readonly successor: string | undefined;
  /** Cells awake. */
  readonly cells: number;
}

/** Whether a server takes rooms. */
const takesRooms = ({ server }: NodeLoad): boolean =>
  server !== undefined && server.role !== 'gateway' && !server.draining;

/**
 * The server that should have a room: one that has followed it, and of these the least busy.
 *
 * @param coming rooms that have been given to the others, and that they do not report yet
 */
export function chooseSuccessor(
  room: string,
  others: readonly NodeLoad[],
  coming: readonly Given[],
): string | undefined {
  const load = ({ node, rooms }: NodeLoad): number => {
    const given = coming.flatMap(({ successor, cells }) => (successor === node ? [cells] : []));
    return [...Object.values(rooms), ...given].reduce((a, b) => a + b, 0);
  };
  const followers = others.filter((one) => takesRooms(one) && one.followed.includes(room));
  return followers.sort((a, b) => load(a) - load(b))[0]?.node;
}

/** Gives all rooms of a server that the host drains to other servers. */
export class Draining {
  private since: number | undefined;
  /** Whether another server takes rooms. */
  private hasTakers = true;
  private readonly given = new Map<string, Given>();
  /** When rooms were last seen to run on another server, or could have begun to, ms. */
  private readonly seen = new Map<string, number>();
  /** When rooms that nobody has taken are offered again, and the pause until then, ms. */
  private readonly kept = new Map<string, { readonly at: number; readonly pause: number }>();

  constructor(private readonly options: DrainingOptions) {}

  get isOn(): boolean {
    return this.since !== undefined;
  }

  /** Rooms that have been given away, and that are not known to run elsewhere yet. */
  get leaving(): readonly string[] {
    return [...this.given.keys()];
  }

  /** @throws HostRefusal nobody-takes-over; then nothing has changed */
  begin(others: readonly NodeLoad[]): void {
    const { clock, log, running } = this.options;
    const hasTakers = others.some(takesRooms);
    if (Object.keys(running()).length > 0 && !hasTakers) {
      throw new HostRefusal('nobody-takes-over');
    }
    if (this.isOn) return;
    this.forget();
    this.hasTakers = hasTakers;
    this.since = clock.now();
    log.info('draining', 'The host drains this server: it gives its rooms away and takes none.');
  }

  end(): void {
    if (!this.isOn) return;
    this.since = undefined;
    this.forget();
    this.options.log.info('not-draining', 'This server takes rooms again.');
  }

  /** Whether this server may take a room that runs nowhere. */
  takes(room: string): boolean {
    if (!this.isOn) return true;
    const now = this.options.clock.now();
    // Better here than nowhere, whoever ran it before.
    return now - getOrAdd(this.seen, room, () => now) >= takeBack;
  }

  /** Whether a room runs here only because nobody has taken it. */
  isKept(room: string): boolean {
    return this.isOn && (!this.hasTakers || this.kept.has(room));
  }

  /**
   * Gives one room away, if one can be given now. The next one waits until the others have said
   * again what they carry.
   *
   * @param others what the other servers have just said
   */
  async look(others: readonly NodeLoad[]): Promise<void> {
    const { since } = this;
    if (since === undefined) return;
    const { clock, running, give } = this.options;
    const now = clock.now();
    this.hasTakers = others.some(takesRooms);
    for (const room of others.flatMap(({ rooms }) => Object.keys(rooms))) {
      this.seen.set(room, now);
      this.given.delete(room);
      this.kept.delete(room);
    }
    for (const [room, cells] of Object.entries(running())) {
      if (this.given.delete(room)) this.keep(room, now);
      if (now < (this.kept.get(room)?.at ?? 0) || !this.hasTakers) continue;
      const successor = chooseSuccessor(room, others, [...this.given.values()]);
      // Who follows it goes on from the same picture at once.
      if (successor === undefined && now - since < drainUnfollowed) continue;
      const isGiven = await give(room, successor);
      // The host may want the rooms here again.
      if (this.since !== since) return;
      if (!isGiven) continue;
      this.given.set(room, { successor, cells });
      this.seen.set(room, clock.now());
      return;
    }
  }

  private keep(room: string, now: number): void {
    const { pause: before = drainAgain / 2 } = this.kept.get(room) ?? {};
    const pause = Math.min(2 * before, drainAgainMost);
    this.kept.set(room, { at: now + pause, pause });
    const why = `No server has taken "${room}", so it runs here again.`;
    this.options.log.warn('not-drained', why, { room });
  }

  private forget(): void {
    this.given.clear();
    this.seen.clear();
    this.kept.clear();
  }
}

const { report, loadAverage, spreadFrom, spreadShare, spreadAfter } = DEFAULTS.cluster;

/** A room, and the server that is to have it. */
export interface Move {
  readonly room: string;
  readonly node: string;
}

const sum = ({ rooms }: NodeLoad): number =>
  Object.values(rooms).reduce((all, one) => all + one, 0);

/**
 * The room that a server should give away, so that the busier of the two is left with much less than
 * before; undefined: none. What has been given away is not worth giving back.
 */
export function chooseMove(own: NodeLoad, others: readonly NodeLoad[]): Move | undefined {
  const load = sum(own);
  if (load < spreadFrom) return undefined;
  const moves = others.flatMap((other) =>
    Object.entries(own.rooms).flatMap(([room, cells]) => {
      if (!other.followed.includes(room)) return [];
      return [{ room, cells, node: other.node, left: Math.max(load - cells, sum(other) + cells) }];
    }),
  );
  const [best] = moves.sort((a, b) => a.left - b.left || a.cells - b.cells);
  return best && best.left < spreadShare * load ? { room: best.room, node: best.node } : undefined;
}

export interface SpreadRoomsOptions {
  readonly clock: Clock;
  /** Names this process. */
  readonly node: string;
  readonly report: ReportLoad;
  /** Cells awake now, by room that this server runs. */
  readonly awake: () => Readonly<Record<string, number>>;
  readonly followed: () => readonly string[];
  readonly give: (move: Move) => Promise<void>;
  readonly draining: Pick<Draining, 'isOn' | 'look'>;
  /** What else the others are told. @param awake as `awake`, averaged */
  readonly describe: (awake: Readonly<Record<string, number>>) => Pick<NodeLoad, 'server' | 'jobs'>;
}

/** Reports what this server carries, and gives rooms away. */
export class SpreadRooms {
  private averages: Record<string, number> = {};
  /** Since when this server has been too busy, ms. */
  private busySince: number | undefined;
  private stopped = false;
  private cancel: () => void;
  /** When the others, by name, were last heard, ms. */
  private readonly heard = new Map<string, number>();
  /** What the others have said last. */
  others: readonly NodeLoad[] = [];
  /** Whether they said so when they were last asked. */
  isCurrent = false;

  constructor(private readonly options: SpreadRoomsOptions) {
    this.cancel = options.clock.after(report, this.look);
  }

  /** Ends the reports, with one by which nobody gives this server a room. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.cancel();
    const { node, report } = this.options;
    void report({ node, rooms: this.averages, followed: [] }).catch(() => {});
  }

  /** Names of other servers that were heard within some time, ms, also if they are gone now. */
  heardWithin(time: number): string[] {
    const since = this.options.clock.now() - time;
    for (const [name, at] of this.heard) if (at < since) this.heard.delete(name);
    return [...this.heard.keys()];
  }

  /** What this server carries. */
  get own(): NodeLoad {
    const { node, followed, draining, describe } = this.options;
    const rooms = this.averages;
    return { node, rooms, followed: draining.isOn ? [] : [...followed()], ...describe(rooms) };
  }

  /** Tells what this server carries now. @returns what the others do @throws Error no answer */
  async tell(): Promise<readonly NodeLoad[]> {
    try {
      this.others = await this.options.report(this.own);
      this.isCurrent = true;
      const now = this.options.clock.now();
      for (const { server } of this.others) if (server) this.heard.set(server.name, now);
      return this.others;
    } catch (error) {
      this.isCurrent = false;
      throw error;
    }
  }

  private readonly look = async (): Promise<void> => {
    const { clock, draining } = this.options;
    this.average();
    const others = await this.tell().catch(() => undefined);
    if (draining.isOn && others && !this.stopped) await draining.look(others);
    // Without an answer, nobody knows who is less busy.
    const move = others && !draining.isOn ? chooseMove(this.own, others) : undefined;
    if (!move) this.busySince = undefined;
    else this.busySince ??= clock.now();
    if (move && clock.now() - this.busySince! >= spreadAfter && !this.stopped) {
      this.busySince = undefined;
      await this.options.give(move);
    }
    if (!this.stopped) this.cancel = clock.after(report, this.look);
  };

  /** Loads change from tick to tick. */
  private average(): void {
    const share = report / loadAverage;
    const awake = Object.entries(this.options.awake());
    this.averages = Object.fromEntries(
      awake.map(([room, cells]) => {
        const before = this.averages[room] ?? cells;
        return [room, Math.round(before + share * (cells - before))];
      }),
    );
  }
}
