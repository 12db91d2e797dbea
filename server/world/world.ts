/** All rooms of a server, stepped together: patches of all rooms go to the engine in one call. */
import {
  type Engine,
  EngineError,
  type NewPatch,
  type PatchId,
  type PatchStep,
  type Readout,
} from '../engine/engine.ts';
import { Room, type RoomOptions, type TickResult } from './room.ts';

export interface RoomTick {
  readonly room: Room;
  readonly result: TickResult;
}

export class World {
  readonly rooms = new Map<string, Room>();
  private patches: PatchId = 0;

  constructor(readonly engine: Engine) {}

  /** @throws Error when there is a room of that name */
  open(options: Omit<RoomOptions, 'nextPatch'>): Room {
    if (this.rooms.has(options.name)) throw new Error(`room "${options.name}" is open already`);
    const room = new Room({ ...options, nextPatch: () => ++this.patches });
    this.rooms.set(room.name, room);
    return room;
  }

  /**
   * One tick of some rooms.
   *
   * @throws EngineError; the rooms are then lost, for their cells and their ground no longer agree
   */
  async tick(rooms: readonly Room[]): Promise<RoomTick[]> {
    const works = rooms.map((room) => room.beginTick());
    const dispose = works.flatMap((work) => work.dispose);
    const plant = works.flatMap((work) => work.plant);
    let steps = works.map(({ step }) => step);
    // Calls take effect in the order they are made, so one round trip is enough for all three.
    const disposed = dispose.length > 0 ? this.engine.dispose(dispose) : undefined;
    const planted = this.plant(plant);
    let stepped = this.step(steps.flat());
    // Whatever it fails of, the plants fail of first, or it is awaited below.
    stepped.catch(() => {});
    const [, hasRoom] = await Promise.all([disposed, planted]);
    if (!hasRoom) {
      for (const room of rooms) room.uproot();
      const refused = new Set(plant.map(({ patch }) => patch));
      steps = steps.map((some) => some.filter(({ patch }) => !refused.has(patch)));
      // The step was refused too, for patches that are not there.
      stepped = this.step(steps.flat());
    }
    const readouts = await stepped;
    let taken = 0;
    return rooms.map((room, i) => {
      const count = steps[i].length;
      const mine = readouts.slice(taken, taken + count);
      taken += count;
      return { room, result: room.endTick(mine) };
    });
  }

  /** @returns whether the engine has memory for them; if not, it has none of them */
  private async plant(patches: readonly NewPatch[]): Promise<boolean> {
    if (patches.length === 0) return true;
    try {
      await this.engine.plant(patches);
      return true;
    } catch (error) {
      if (error instanceof EngineError && error.reason === 'out-of-memory') return false;
      throw error;
    }
  }

  private async step(steps: readonly PatchStep[]): Promise<Readout[]> {
    return steps.length > 0 ? this.engine.step(steps) : [];
  }
}
