/** All rooms of a server, stepped together: patches of all rooms go to the engine in one call. */
import type { Engine, PatchId } from '../engine/engine.ts';
import { Room, type RoomOptions } from './room.ts';
import type { TickResult } from './tickWork.ts';

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
    const step = works.flatMap((work) => work.step);
    // Calls take effect in the order they are made, so one round trip is enough for all three.
    const [, , readouts] = await Promise.all([
      dispose.length > 0 ? this.engine.dispose(dispose) : undefined,
      plant.length > 0 ? this.engine.plant(plant) : undefined,
      step.length > 0 ? this.engine.step(step) : [],
    ]);
    let taken = 0;
    return rooms.map((room, i) => {
      const count = works[i].step.length;
      const mine = readouts.slice(taken, taken + count);
      taken += count;
      return { room, result: room.endTick(mine) };
    });
  }
}
