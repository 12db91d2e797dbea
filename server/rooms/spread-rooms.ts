/**
 * Has servers know what the others carry, and spreads rooms over them by their cells awake: one that
 * is too busy for some time gives a room to one that is less busy and has followed it.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { NodeLoad, ReportLoad } from '../cluster/node-loads.ts';
import type { Clock } from '../platform/clock.ts';
import type { Draining } from './draining.ts';

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
