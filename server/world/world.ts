/** All rooms of a server, stepped together: patches of all rooms go to the engine in one call. */
import {
  type Engine,
  EngineError,
  type NewPatch,
  type PatchId,
  type PatchStep,
  type Readout,
} from '../engine/engine.ts';
import type { RoomEvent } from './events.ts';
import { Room, type RoomOptions, type TickResult } from './room.ts';
import type { RoomState } from './room-state.ts';

export interface RoomTick {
  readonly room: Room;
  readonly result: TickResult;
  /** Cells stepped. */
  readonly cells: number;
}

/** What has come from outside into a tick that is about to be done. */
export interface TickEvents {
  readonly room: Room;
  readonly tick: number;
  readonly events: readonly RoomEvent[];
  /** Places, among the commands, of those that were refused. */
  readonly refused: readonly number[];
}

/** Keeps what happened; resolves when that is kept. */
export type Journal = (ticks: readonly TickEvents[]) => Promise<void>;

export type RoomPlace = Omit<RoomOptions, 'nextPatch'>;

export class World {
  readonly rooms = new Map<string, Room>();
  private patches: PatchId = 0;

  /** Told of each tick's events; a tick is not done before it has kept them. */
  journal: Journal | undefined;

  constructor(readonly engine: Engine) {}

  /** A patch id that nobody else has. */
  newPatch(): PatchId {
    return ++this.patches;
  }

  /** @throws Error when there is a room of that name */
  open(options: RoomPlace): Room {
    if (this.rooms.has(options.name)) throw new Error(`room "${options.name}" is open already`);
    const room = new Room({ ...options, nextPatch: () => this.newPatch() });
    this.rooms.set(room.name, room);
    return room;
  }

  /**
   * Opens a room where another one stood.
   *
   * @param states the engine's, of `from.organisms` in their order
   * @throws Error when there is a room of that name; EngineError bad-latent, bad-state, out-of-memory: the room is not there then
   */
  async restore(
    options: RoomPlace & { readonly from: RoomState },
    states: readonly Float32Array[],
  ): Promise<Room> {
    const room = this.open(options);
    const { checkpoint } = room.species;
    const patches = options.from.organisms.map(({ id, latent }) => {
      return { patch: room.patchOf(id)!, checkpoint, latent };
    });
    try {
      await this.engine.plant(patches);
      await this.engine.importStates(patches.map(({ patch }, i) => ({ patch, state: states[i] })));
    } catch (error) {
      await this.close(room).catch(() => {});
      throw error;
    }
    return room;
  }

  /**
   * Between two ticks, a room becomes another at once.
   *
   * @param states the engine's, of `from.organisms` in their order
   * @throws EngineError; nothing has changed then
   */
  async replaceState(room: Room, from: RoomState, states: readonly Float32Array[]): Promise<void> {
    const { checkpoint } = room.species;
    const patches = from.organisms.map(({ latent }) => {
      return { patch: this.newPatch(), checkpoint, latent };
    });
    await this.engine.plant(patches);
    await this.engine.importStates(patches.map(({ patch }, i) => ({ patch, state: states[i] })));
    room.replaceState(
      from,
      patches.map(({ patch }) => patch),
    );
  }

  /** A room becomes another one, which is no more then: its patches go over. */
  async merge(room: Room, other: Room): Promise<void> {
    const state = other.export();
    const patches = state.organisms.map(({ id }) => other.patchOf(id)!);
    this.rooms.delete(other.name);
    room.replaceState(state, patches);
    await this.engine.dispose(other.release());
  }

  /** Closes a room: its patches are given back. */
  async close(room: Room): Promise<void> {
    this.rooms.delete(room.name);
    const patches = room.organisms.map(({ id }) => room.patchOf(id)!);
    await this.engine.dispose([...patches, ...room.release()]);
  }

  /**
   * One tick of some rooms.
   *
   * @param meanwhile is called once, while the engine steps
   * @throws EngineError; the rooms are then lost, for their cells and their ground no longer agree
   */
  async tick(rooms: readonly Room[], meanwhile?: () => void): Promise<RoomTick[]> {
    const works = rooms.map((room) => room.beginTick());
    const dispose = works.flatMap((work) => work.dispose);
    const plant = works.flatMap((work) => work.plant);
    let steps = works.map(({ step }) => step);
    const uprooted = rooms.map(() => false);
    // Calls take effect in the order they are made, so one round trip is enough for all three.
    const disposed = dispose.length > 0 ? this.engine.dispose(dispose) : undefined;
    const planted = this.plant(plant);
    let stepped = this.step(steps.flat());
    // Whatever it fails of, the plants fail of first, or it is awaited below.
    stepped.catch(() => {});
    const [, hasRoom] = await Promise.all([disposed, planted]);
    if (!hasRoom) {
      for (const [i, room] of rooms.entries()) uprooted[i] = room.refusePending();
      const refused = new Set(plant.map(({ patch }) => patch));
      steps = steps.map((some) => some.filter(({ patch }) => !refused.has(patch)));
      // The step was refused too, for patches that are not there.
      stepped = this.step(steps.flat());
    }
    // Keeping goes on while the engine steps: the tick takes as long as the slower of both.
    const kept = this.journal?.(
      rooms.map((room, i) => {
        const lost = uprooted[i] ? [{ what: 'no-memory' } as const] : [];
        const events = [...works[i].events, ...lost];
        return { room, tick: room.tick + 1, events, refused: room.refused };
      }),
    );
    meanwhile?.();
    const [readouts] = await Promise.all([stepped, kept]);
    let taken = 0;
    return rooms.map((room, i) => {
      const count = steps[i].length;
      const mine = readouts.slice(taken, taken + count);
      taken += count;
      const cells = mine.reduce((sum, { stage }) => sum + stage * stage, 0);
      return { room, result: room.endTick(mine), cells };
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
