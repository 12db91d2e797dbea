/** A room that replays its journal from one of its moments. */
import type { Engine } from '../engine/engine.ts';
import { reopenRoom, replay } from '../storage/recovery.ts';
import type { StoredMoment } from '../storage/store.ts';
import { StoreError } from '../storage/store-error.ts';
import type { Room } from '../world/room.ts';
import type { Species } from '../world/species.ts';
import { World } from '../world/world.ts';
import type { JournalRange } from './journal-range.ts';

/** A room's state between two ticks, with its cells. */
export type Moment = Pick<StoredMoment, 'state' | 'cells'>;

/** What a replayed room runs on. */
export interface ReplayedRoomOptions {
  /** An engine with the room's checkpoint and without patches of others. */
  readonly engine: Engine;
  readonly species: Species;
}

/** The outcome of a replay. */
export interface ReplayResult {
  readonly ticks: number;
  /** Number of equal checksums. */
  readonly equal: number;
  /** Number of ticks that these cover. */
  readonly proven: number;
  /** Ticks with a different checksum. */
  readonly unequal: readonly number[];
}

/** A room and the part of its journal that it has not replayed yet. */
export class ReplayedRoom {
  private constructor(
    private readonly world: World,
    readonly room: Room,
    private readonly range: JournalRange,
  ) {}

  /**
   * @param beside another one of the same range on the same engine
   * @throws EngineError
   */
  static async open(
    range: JournalRange,
    { state, cells }: Moment,
    { engine, species }: ReplayedRoomOptions,
    beside?: ReplayedRoom,
  ): Promise<ReplayedRoom> {
    const world = beside?.world ?? new World(engine);
    const name = beside ? `${range.room.name} from ${state.tick}` : range.room.name;
    // A room takes over the state that it is opened with.
    const moment = { state: structuredClone(state), cells };
    const room = await reopenRoom(world, { ...range.room, name, species }, moment);
    return new ReplayedRoom(world, room, range);
  }

  /**
   * Replays to a tick.
   *
   * @param onTick called after each tick
   * @param marksFrom first tick whose checksum is compared
   * @throws StoreError damaged: a state in the range is missing
   */
  async run(
    to: number,
    onTick?: (tick: number) => void | Promise<void>,
    marksFrom = this.room.tick + 1,
  ): Promise<ReplayResult> {
    const { world, room, range } = this;
    const unequal: number[] = [];
    const { ticks, equal, proven } = await replay({
      world,
      room,
      to,
      journal: each(range.journal.filter(({ tick }) => tick > room.tick)),
      marks: each(range.marks.filter(({ tick }) => tick >= marksFrom)),
      async moment(tick) {
        const jump = range.jumps?.find((one) => one.state.tick === tick);
        if (jump) return jump;
        const what = `The state that replaced the room in tick ${tick} is missing.`;
        throw new StoreError('damaged', what);
      },
      async onTick({ tick }, same) {
        if (same === false) unequal.push(tick);
        await onTick?.(tick);
      },
    });
    return { ticks, equal, proven, unequal };
  }

  /** The room's moment after its last tick. */
  async moment(): Promise<Moment> {
    const { world, room } = this;
    const state = room.export();
    const patches = state.organisms.map(({ id }) => room.patchOf(id)!);
    return { state, cells: await world.engine.exportStates(patches) };
  }

  close(): Promise<void> {
    return this.world.close(this.room);
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
