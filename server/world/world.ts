/** All rooms of a server. Rooms that tick together share one engine call. */
import {
  type Engine,
  EngineError,
  type NewPatch,
  type PatchId,
  type PatchStep,
  type Readout,
} from '../engine/engine.ts';
import type { RoomEvent } from './commands.ts';
import { genomesNow } from './organisms/transformation.ts';
import { Room } from './room.ts';
import type { RoomOptions } from './room-contents.ts';
import type { RoomState } from './room-state.ts';

export type RoomTick = Awaited<ReturnType<World['tick']>>[number];

/** The events of a room's current tick, which the journal must store. */
export interface TickEvents {
  readonly room: Room;
  readonly tick: number;
  readonly events: readonly RoomEvent[];
  /** Indices of the tick's refused commands. */
  readonly refused: readonly number[];
}

/** Stores the events of a tick. Resolves when the events are stored durably. */
export type Journal = (ticks: readonly TickEvents[]) => Promise<void>;

/** Options for opening a room. */
export type RoomPlace = Omit<RoomOptions, 'nextPatch'>;

/**
 * Maximum number of patches per engine call for a room that cannot keep its rate. Between two
 * calls, the engine can step other rooms.
 */
const PART = 16;

export class World {
  readonly rooms = new Map<string, Room>();

  /** A tick does not end before the journal has stored the tick's events. */
  journal: Journal | undefined;

  private storing = 0;

  /** @param patches `last`: highest patch id so far of all worlds that share the engine */
  constructor(
    readonly engine: Engine,
    private readonly patches: { last: PatchId } = { last: 0 },
  ) {}

  /** Whether a tick is waiting until its events are stored. */
  get isStoring(): boolean {
    return this.storing > 0;
  }

  newPatch(): PatchId {
    return ++this.patches.last;
  }

  /** Creates another world with the same engine. The other world's ticks are not journalled. */
  beside(): World {
    return new World(this.engine, this.patches);
  }

  /**
   * Moves a room into this world from another world with the same engine.
   *
   * @throws Error if this world already has an open room of this name
   */
  adopt(room: Room, from: World): void {
    if (this.rooms.has(room.name)) throw new Error(`room "${room.name}" is already open`);
    from.rooms.delete(room.name);
    this.rooms.set(room.name, room);
  }

  /** Opens a room. @throws Error if a room of this name is open */
  open(options: RoomPlace): Room {
    if (this.rooms.has(options.name)) throw new Error(`room "${options.name}" is already open`);
    const room = new Room({ ...options, nextPatch: () => this.newPatch() });
    this.rooms.set(room.name, room);
    return room;
  }

  /**
   * Opens a room with a stored state. If this function throws, the room is not opened.
   *
   * @param stored.cells cell states of the state's organisms, in the same order
   * @throws Error if a room of this name is open; EngineError 'bad-latent', 'bad-state',
   *   'out-of-memory'
   */
  async restore(
    { name, width, height, species }: Pick<RoomPlace, 'name' | 'width' | 'height' | 'species'>,
    { state, cells }: { readonly state: RoomState; readonly cells: readonly Float32Array[] },
  ): Promise<Room> {
    const { maxOrganisms, organisms } = state;
    const room = this.open({ name, width, height, maxOrganisms, seed: 0, species, from: state });
    const patches = organisms.map(({ id }) => room.patchOf(id)!);
    try {
      await this.load(room, organisms, patches, cells);
    } catch (error) {
      await this.close(room).catch(() => {});
      throw error;
    }
    return room;
  }

  /**
   * Replaces a room's state. Call between two ticks. If this function throws, the state is
   * unchanged.
   *
   * @param states cell states of `from.organisms`, in the same order
   * @throws EngineError
   */
  async replaceState(room: Room, from: RoomState, states: readonly Float32Array[]): Promise<void> {
    const patches = from.organisms.map(() => this.newPatch());
    await this.load(room, from.organisms, patches, states);
    room.replaceState(from, patches);
  }

  /**
   * Moves the state and patches of `other` into `room`. `other` is a room of another world with the
   * same engine, and cannot be used afterwards.
   */
  async merge(room: Room, other: Room): Promise<void> {
    const state = other.export();
    const patches = state.organisms.map(({ id }) => other.patchOf(id)!);
    room.replaceState(state, patches);
    await this.engine.dispose(other.lifecycle.takeDisposed());
  }

  /** Closes a room and disposes of its patches. */
  async close(room: Room): Promise<void> {
    this.rooms.delete(room.name);
    const patches = room.organisms.map(({ id }) => room.patchOf(id)!);
    await this.engine.dispose([...patches, ...room.lifecycle.takeDisposed()]);
  }

  /**
   * Runs one tick of some rooms. Ticks of different rooms may overlap. If this function throws, the
   * rooms are unusable, because their grids no longer match the engine's cell states.
   *
   * @param meanwhile called once, while the engine is stepping
   * @param isApart whether to step only a few patches per engine call, so that other rooms can step
   *   between the calls
   * @returns for each room: the result of the tick; the number of stepped cells; and whether the
   *   room's seeds were refused because the engine had no memory left
   * @throws EngineError
   */
  async tick(rooms: readonly Room[], meanwhile?: () => void, isApart = false) {
    const works = rooms.map((room) => room.beginTick());
    const dispose = works.flatMap((work) => work.dispose);
    const plant = works.flatMap((work) => work.plant);
    let steps = works.map(({ step }) => step);
    const isReverted = rooms.map(() => false);
    // Start all engine calls without waiting for earlier results. The engine executes calls in
    // order, so waiting would only add round trips.
    const disposed = dispose.length > 0 ? this.engine.dispose(dispose) : undefined;
    const planted = this.plant(plant);
    let stepped = isApart
      ? planted.then((hasMemory) => (hasMemory ? this.step(steps.flat(), PART) : []))
      : this.step(steps.flat());
    // If planting fails, `stepped` also rejects, and nothing awaits it. The empty handler prevents
    // an unhandled rejection.
    stepped.catch(() => {});
    const [, hasMemory] = await Promise.all([disposed, planted]);
    if (!hasMemory) {
      for (const [i, room] of rooms.entries()) isReverted[i] = room.refusePending();
      const refused = new Set(plant.map(({ patch }) => patch));
      steps = steps.map((some) => some.filter(({ patch }) => !refused.has(patch)));
      // Step again without the refused patches, because the engine has rejected the first step.
      stepped = this.step(steps.flat());
    }
    // Store the events while the engine is stepping, to save time.
    const journalled = this.store(
      rooms.map((room, i) => {
        const noMemory = isReverted[i] ? [{ what: 'no-memory' } as const] : [];
        const events = [...works[i].events, ...noMemory];
        return { room, tick: room.tick + 1, events, refused: room.refused };
      }),
    );
    meanwhile?.();
    const [readouts] = await Promise.all([stepped, journalled]);
    let offset = 0;
    return rooms.map((room, i) => {
      const end = offset + steps[i].length;
      const ofRoom = readouts.slice(offset, end);
      offset = end;
      const cells = ofRoom.reduce((sum, { stage }) => sum + stage * stage, 0);
      return { room, result: room.endTick(ofRoom), cells, lacksMemory: isReverted[i] };
    });
  }

  private async store(ticks: readonly TickEvents[]): Promise<void> {
    this.storing++;
    try {
      await this.journal?.(ticks);
    } finally {
      this.storing--;
    }
  }

  /** Plants stored organisms in the engine, and restores their cell states. @throws EngineError */
  private async load(
    { species: { checkpoint } }: Room,
    organisms: RoomState['organisms'],
    patches: readonly PatchId[],
    states: readonly Float32Array[],
  ): Promise<void> {
    await this.engine.plant(
      organisms.map((organism, i) => {
        const genomes = genomesNow(organism);
        return { patch: patches[i], checkpoint, latent: organism.latent, genomes };
      }),
    );
    await this.engine.importStates(patches.map((patch, i) => ({ patch, state: states[i] })));
  }

  /**
   * Plants patches in the engine.
   *
   * @returns false if the engine had too little memory and planted none of the patches
   */
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

  /**
   * Steps patches in the engine.
   *
   * @param perCall maximum number of patches per engine call
   */
  private async step(steps: readonly PatchStep[], perCall = Infinity): Promise<Readout[]> {
    const readouts: Readout[] = [];
    for (let i = 0; i < steps.length; i += perCall) {
      readouts.push(...(await this.engine.step(steps.slice(i, i + perCall))));
    }
    return readouts;
  }
}
