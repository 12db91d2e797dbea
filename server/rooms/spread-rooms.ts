/**
 * Spreads rooms over servers by their cells awake: one that is too busy for some time gives a room
 * to one that is less busy and has followed it.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { NodeLoad, ReportLoad } from '../cluster/node-loads.ts';
import type { Clock } from '../platform/clock.ts';

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
}

/** Reports what this server carries, and gives rooms away. */
export class SpreadRooms {
  private averages: Record<string, number> = {};
  /** Since when this server has been too busy, ms. */
  private busySince: number | undefined;
  private stopped = false;
  private cancel: () => void;

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

  private readonly look = async (): Promise<void> => {
    const { clock } = this.options;
    // Without an answer, nobody knows who is less busy.
    const move = await this.choose().catch(() => undefined);
    if (!move) this.busySince = undefined;
    else this.busySince ??= clock.now();
    if (move && clock.now() - this.busySince! >= spreadAfter && !this.stopped) {
      this.busySince = undefined;
      await this.options.give(move);
    }
    if (!this.stopped) this.cancel = clock.after(report, this.look);
  };

  private async choose(): Promise<Move | undefined> {
    const { node, followed } = this.options;
    const own: NodeLoad = { node, rooms: this.average(), followed: [...followed()] };
    return chooseMove(own, await this.options.report(own));
  }

  /** Loads change from tick to tick. */
  private average(): Record<string, number> {
    const share = report / loadAverage;
    const awake = Object.entries(this.options.awake());
    this.averages = Object.fromEntries(
      awake.map(([room, cells]) => {
        const before = this.averages[room] ?? cells;
        return [room, Math.round(before + share * (cells - before))];
      }),
    );
    return this.averages;
  }
}
