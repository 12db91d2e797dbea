/**
 * One room: a pure, synchronous state machine. A tick has two halves, with the engine's step between them:
 * `beginTick` applies the waiting commands and says what to step; `endTick` takes the read-outs and settles the world.
 * The rules are listed in shared/RULES.md.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { PreviewSource } from '../../shared/protocol/commands.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { encodeSeed } from '../../shared/seed-token.ts';
import {
  type EnergySettings,
  HOUSE,
  type LifeEvent,
  type OrganismId,
  type OrganismView,
  type ParticipantId,
  type SeedView,
} from '../../shared/vocabulary.ts';
import type { NewPatch, PatchId, PatchStep, Readout } from '../engine/engine.ts';
import { CommandHandlers } from './command-handlers.ts';
import type { Answer, RoomCommand } from './commands.ts';
import { type CommandEvent, type OuterEvent, plainNumbers, type RoomEvent } from './events.ts';
import { GridPlanes } from './grid-planes.ts';
import { viewOf } from './organism.ts';
import { OrganismLifecycle } from './organism-lifecycle.ts';
import {
  exportOrganism,
  importOrganism,
  ROOM_STATE_VERSION,
  type RoomState,
} from './room-state.ts';
import type { Species } from './species.ts';

export interface RoomOptions {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly maxOrganisms: number;
  /** Seed of the room's randomness. */
  readonly seed: number;
  readonly species: Species;
  /** What acts cost; absent: nothing. */
  readonly energy?: EnergySettings | undefined;
  /** Nominal ticks per second, by which energy refills. */
  readonly tickRate?: number | undefined;
  /** Gives a patch id that no other room has. */
  readonly nextPatch: () => PatchId;
  /** Where another room stood, to go on from there: taken over. Seed and size are then its own. */
  readonly from?: RoomState | undefined;
}

/** What the engine has to do for a tick, in this order. */
export interface TickWork {
  readonly dispose: readonly PatchId[];
  readonly plant: readonly NewPatch[];
  readonly step: readonly PatchStep[];
  /** What has come from outside and acts in this tick, in this order. */
  readonly events: readonly RoomEvent[];
}

export interface TickResult {
  readonly tick: number;
  readonly answers: readonly Answer[];
  readonly life: readonly LifeEvent[];
  /** Chunks of the planes that have changed. */
  readonly changed: readonly number[];
}

export class Room {
  readonly name: string;
  readonly species: Species;
  readonly grid: GridPlanes;
  private readonly lifecycle: OrganismLifecycle;
  private readonly handlers: CommandHandlers;
  private waiting: CommandEvent[] = [];
  /** How many commands each participant has waiting. */
  private queued = new Map<ParticipantId, number>();
  /** What has come from outside since the last tick began, and acted at once. */
  private happened: OuterEvent[] = [];
  /** How many of what is done again first has acted already, before the room was put back. */
  private acted: number;
  /** In this tick that is done again, the engine had no memory for what was planted. */
  private barren = false;
  private now: number;

  constructor(options: RoomOptions) {
    const { name, species, from, nextPatch } = options;
    this.name = name;
    this.species = species;
    const { width, height } = from?.planes ?? options;
    this.grid = new GridPlanes(width, height, from?.planes);
    this.lifecycle = new OrganismLifecycle(this.grid, species);
    const tickRate = options.tickRate ?? DEFAULTS.room.tickRate;
    this.handlers = new CommandHandlers({
      ...options,
      tickRate,
      grid: this.grid,
      lifecycle: this.lifecycle,
    });
    this.now = from?.tick ?? 0;
    this.acted = from?.acted ?? 0;
    if (!from) return;
    this.handlers.restore(from);
    this.lifecycle.replaceAll(from.organisms.map((state) => importOrganism(state, nextPatch())));
  }

  /** Ticks completed. */
  get tick(): number {
    return this.now;
  }

  /** Organisms that may live at once. */
  get maxOrganisms(): number {
    return this.handlers.maxOrganisms;
  }

  /** Highest participant that has done anything here. */
  get lastParticipant(): number {
    return this.handlers.lastParticipant;
  }

  /** Participants who are here, as far as is known, or hold seeds, or have spent energy. */
  get participantsWithState(): ParticipantId[] {
    return this.handlers.participantsWithState;
  }

  /** Whether the room knows who is here, and so makes room when it is full (rule DEP-5). */
  get knowsAttendance(): boolean {
    return this.handlers.knowsAttendance;
  }

  /** The organism that a `thin` command would let go: the one unattended longest, if any. */
  get unattended(): OrganismId | undefined {
    return this.handlers.unattended(this.now)?.id;
  }

  get organisms(): OrganismView[] {
    return [...this.lifecycle.all].map(viewOf);
  }

  /** What everybody may know of one organism, while it lives. */
  viewOf(id: OrganismId): OrganismView | undefined {
    const organism = this.lifecycle.find(id);
    return organism && viewOf(organism);
  }

  /** How many organisms live here. */
  get size(): number {
    return this.lifecycle.size;
  }

  /** How many of them are stepped at each tick. */
  get awake(): number {
    return this.lifecycle.awake;
  }

  /** Patches of all organisms, by organism, for whoever wants their states from the engine. */
  patchOf(id: OrganismId): PatchId | undefined {
    return this.lifecycle.find(id)?.patch;
  }

  /**
   * Queues a command for the next tick. Its answer is in that tick's result.
   *
   * @param id what the asker calls it
   * @throws Refusal too-fast when she has too many waiting, room-busy when all together have, no-such-seed where there is no map
   */
  enqueue(id: number, command: RoomCommand): void {
    const by = command.by.id;
    const queued = this.queued.get(by) ?? 0;
    const isHouse = by === HOUSE.id;
    if (queued >= DEFAULTS.room.maxQueuedPerParticipant && !isHouse) throw new Refusal('too-fast');
    if (this.waiting.length >= DEFAULTS.room.maxQueued) throw new Refusal('room-busy');
    this.waiting.push({
      what: 'command',
      id,
      command: plainNumbers(this.handlers.resolved(command)),
    });
    this.queued.set(by, queued + 1);
  }

  /** What a participant holds, the oldest first. */
  seedsOf(participant: ParticipantId): SeedView[] {
    return this.handlers.seedsOf(participant);
  }

  /**
   * The latent that a seed would be planted with now: for a look at it. Nothing changes, no chance is drawn.
   *
   * @param participant whose hand is meant
   * @returns [Z], not to be changed
   * @throws Refusal no-such-seed (also for chance that is not thrown yet), no-such-organism, bad-latent
   */
  previewLatent(seed: PreviewSource, participant: ParticipantId): Float32Array {
    return this.handlers.previewLatent(seed, participant);
  }

  /**
   * A living organism's seed as a token.
   *
   * @throws Refusal no-such-organism
   */
  tokenOf(id: OrganismId): string {
    const { latent, kind } = this.lifecycle.require(id);
    const index = this.species.gallery.findIndex(({ name }) => name === kind);
    return encodeSeed({ kind: index < 0 ? undefined : index, latent }, this.species);
  }

  /**
   * A participant has come.
   *
   * @param granted energy that they begin with; absent: a newcomer's
   */
  enter(participant: ParticipantId, granted?: number): void {
    const begin = granted !== undefined && { granted };
    this.happen({ what: 'enter', participant, at: this.now, ...begin });
  }

  /** A participant has left: her hand is emptied; her organisms and waiting commands stay. */
  leave(participant: ParticipantId): void {
    this.happen({ what: 'leave', participant, at: this.now });
  }

  /** From now on the room knows who is here: these, and whoever enters. */
  startAttendance(present: readonly ParticipantId[]): void {
    this.happen({ what: 'attendance', present });
  }

  /** From now on, so many organisms may live at once. */
  setMaxOrganisms(maxOrganisms: number): void {
    this.happen({ what: 'limit', maxOrganisms });
  }

  /** What acts cost here. */
  get energySettings(): EnergySettings {
    return this.handlers.energySettings;
  }

  /** Energy that a participant has now. */
  energyOf(participant: ParticipantId): number {
    return this.handlers.energyOf(participant, this.now);
  }

  /** Changes what acts cost. */
  setEnergy(settings: EnergySettings): void {
    this.happen({ what: 'energy', settings, tickRate: this.handlers.tickRate, at: this.now });
  }

  /** The ticker's rate has changed: energy goes on refilling by the second. */
  setTickRate(tickRate: number): void {
    this.happen({ what: 'energy', settings: this.energySettings, tickRate, at: this.now });
  }

  /** Does again what a journal has of the next tick: what acted at once does, commands wait for the tick. */
  redo(events: readonly RoomEvent[]): void {
    for (const event of events.slice(this.acted)) {
      if (event.what === 'command') this.waiting.push(event);
      else this.happen(event);
    }
    this.acted = 0;
  }

  /** All that the room is, between two ticks. */
  export(): RoomState {
    const { width, height, rgba, owner } = this.grid.planes;
    return {
      version: ROOM_STATE_VERSION,
      tick: this.now,
      acted: this.happened.length,
      ...this.handlers.export(),
      organisms: [...this.lifecycle.all].map(exportOrganism),
      planes: { width, height, rgba: rgba.slice(), owner: owner.slice() },
    };
  }

  /**
   * Between two ticks, the room becomes another at once, of the same size and species. Numbers are never given twice; what has come
   * from outside and is not in `from` yet acts in it.
   *
   * @param from taken over
   * @param patches the engine's, of `from.organisms` in their order; those of before are given back with the next tick
   */
  replaceState(from: RoomState, patches: readonly PatchId[]): void {
    this.grid.replace(from.planes);
    this.lifecycle.replaceAll(from.organisms.map((state, i) => importOrganism(state, patches[i])));
    this.handlers.restore(from);
    this.now = from.tick;
    this.acted = Math.max(0, from.acted - this.happened.length);
    for (const event of this.happened.slice(from.acted)) this.take(event);
  }

  /** Patches that the engine was not told to give back yet. They are the caller's from now on. */
  release(): PatchId[] {
    return this.lifecycle.takeDisposed();
  }

  /** Which of the commands of this tick were refused so far, by their place among them. */
  get refused(): number[] {
    return this.handlers.refused;
  }

  /** First half of a tick: applies commands and says what the engine has to do. */
  beginTick(): TickWork {
    const { waiting: commands, barren } = this;
    const events = [...this.happened, ...commands];
    this.waiting = [];
    this.happened = [];
    this.queued = new Map();
    this.barren = false;
    this.acted = 0;
    this.handlers.apply(commands, this.now);
    const step = this.lifecycle.step();
    const dispose = this.lifecycle.takeDisposed();
    const plant = this.handlers.takePlanted(dispose);
    if (!barren) return { dispose, plant, step, events };
    const uprooted = new Set(this.handlers.refusePending(this.now));
    return { dispose, plant: [], step: step.filter(({ patch }) => !uprooted.has(patch)), events };
  }

  /**
   * Between the halves of a tick: the engine has no memory for what was planted in it. These commands are refused after all,
   * and leave nothing behind; the engine need neither step nor dispose of their patches.
   *
   * @returns whether there were any
   */
  refusePending(): boolean {
    return this.handlers.refusePending(this.now).length > 0;
  }

  /**
   * Second half of a tick: settles the ground and the lives.
   *
   * @param readouts one for each step asked for, in the same order
   */
  endTick(readouts: readonly Readout[]): TickResult {
    this.now++;
    this.lifecycle.settle(readouts);
    return {
      tick: this.now,
      answers: this.handlers.end(this.now),
      life: this.lifecycle.takeEvents(),
      changed: this.grid.takeChanged(),
    };
  }

  /** Acts at once; the journal has it with the next tick. */
  private happen(event: OuterEvent): void {
    this.happened.push(event);
    this.take(event);
  }

  private take(event: OuterEvent): void {
    if (event.what === 'no-memory') this.barren = true;
    else this.handlers.handleEvent(event);
  }
}
