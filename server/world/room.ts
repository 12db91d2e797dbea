/**
 * One room: a pure, synchronous state machine. Before the engine's step, `beginTick` applies queued
 * commands and returns the engine's work; after it, `endTick` takes the read-outs.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { PreviewSource } from '../../shared/protocol/commands.ts';
import type {
  EnergySettings,
  FlashLimit,
  LifeSettings,
  OrganismId,
  OrganismView,
  ParticipantId,
} from '../../shared/vocabulary.ts';
import type { PatchId, Readout } from '../engine/engine.ts';
import { CommandHandlers } from './command-handlers.ts';
import {
  type Answer,
  CommandQueue,
  type OuterEvent,
  plainNumbers,
  type RoomCommand,
  type RoomEvent,
} from './commands.ts';
import type { Renewable } from './dissolving.ts';
import { GridPlanes } from './grid-planes.ts';
import type { FlickerMoment } from './organisms/flicker.ts';
import { viewOf } from './organisms/organism.ts';
import { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import { type HeldSeed, viewOfSeed } from './planting.ts';
import { RoomRules } from './room-rules.ts';
import {
  exportOrganism,
  importOrganism,
  type LineageState,
  ROOM_STATE_VERSION,
  type RoomState,
} from './room-state.ts';
import type { RoomOptions, TickResult, TickWork } from './room-types.ts';
import { type Species, seedTokenOf } from './species.ts';

/** A cell grid with its organisms, and what changes it by the rules of shared/RULES.md. */
export class Room {
  readonly name: string;
  readonly species: Species;
  readonly grid: GridPlanes;
  private readonly rules: RoomRules;
  private readonly lifecycle: OrganismLifecycle;
  private readonly handlers: CommandHandlers;
  private readonly queue = new CommandQueue();
  /** Events applied since the last tick began, to be journalled with the next. */
  private readonly appliedEvents: OuterEvent[] = [];
  /** Number of the next tick's journalled events that the restored state already contains. */
  private alreadyApplied: number;
  /** The tick being replayed ran out of engine memory for its plants. */
  private isOutOfMemory = false;
  private completedTicks: number;

  constructor(options: RoomOptions) {
    const { name, species, from, nextPatch } = options;
    this.name = name;
    this.species = species;
    const { width, height } = from?.planes ?? options;
    this.grid = new GridPlanes(width, height, from?.planes);
    this.rules = new RoomRules(species, options.seed, options.life);
    this.lifecycle = new OrganismLifecycle(this.grid, species, this.rules);
    const tickRate = options.tickRate ?? DEFAULTS.room.tickRate;
    const { grid, lifecycle } = this;
    this.handlers = new CommandHandlers(species, grid, lifecycle, { ...options, tickRate });
    this.completedTicks = from?.tick ?? 0;
    this.alreadyApplied = from?.acted ?? 0;
    if (!from) return;
    this.handlers.restore(from);
    this.queue.restore(from);
    this.lifecycle.replaceAll(from.organisms.map((state) => importOrganism(state, nextPatch())));
  }

  /** Ticks completed. */
  get tick(): number {
    return this.completedTicks;
  }

  /** Most organisms alive at once. */
  get maxOrganisms(): number {
    return this.handlers.maxOrganisms;
  }

  /** Highest participant id that has entered or sent a command. */
  get lastParticipant(): number {
    return this.handlers.lastParticipant;
  }

  /** Participants who are present, hold seeds or have spent energy. */
  get participantsWithState(): ParticipantId[] {
    return this.handlers.participantsWithState;
  }

  /** The organisms of a planter that depart, or can be planted again (rule DEP-10). */
  renewable(planter: ParticipantId): Renewable[] {
    return this.handlers.renewable(planter, this.completedTicks);
  }

  /**
   * Resting organisms whose planter has been absent, the longest first: the first departs by `thin`.
   *
   * @param seconds for how long, default: ten minutes (rule DEP-4)
   */
  unattended(seconds?: number): OrganismView[] {
    return this.handlers.unattended(this.completedTicks, seconds).map(viewOf);
  }

  /** Views of all living organisms, oldest first. */
  get organisms(): OrganismView[] {
    return [...this.lifecycle.all].map(viewOf);
  }

  /** The view of one living organism. */
  viewOf(id: OrganismId): OrganismView | undefined {
    const organism = this.lifecycle.find(id);
    return organism && viewOf(organism);
  }

  /** How many live cells of an organism each neighbour blocks. */
  blockersOf(id: OrganismId): Map<OrganismId, number> {
    return this.lifecycle.blockersOf(id);
  }

  /** The dead that the room remembers. */
  get lineage(): LineageState {
    return this.lifecycle.lineage.state;
  }

  /** Number of living organisms. */
  get size(): number {
    return this.lifecycle.size;
  }

  /** Number of organisms that grow or are awake. */
  get awake(): number {
    return this.lifecycle.awake;
  }

  /** A living organism's patch in the engine. */
  patchOf(id: OrganismId): PatchId | undefined {
    return this.lifecycle.find(id)?.patch;
  }

  /**
   * Queues a command for the next tick. Its answer is in that tick's result.
   *
   * @param id the sender's id of the command
   * @param session if it may arrive twice: what the id is unique in, uint32; ask `doneBefore` first
   * @throws Refusal too-fast (the sender has too many queued commands), room-busy (the room has),
   *   no-such-seed (there is no map), bad-latent
   */
  enqueue(id: number, command: RoomCommand, session?: number): void {
    if (!this.queue.admits(id, command.by.id, session)) return;
    this.queue.add(id, plainNumbers(this.handlers.resolved(command)), session);
  }

  /** The answer to a command that has been done already; undefined if it has not. */
  doneBefore(id: number, { by, what }: RoomCommand, session: number): Answer | undefined {
    const done = this.queue.find(by.id, session, id);
    const held = this.seedsOf(by.id).find((one) => one.id === done?.seed);
    const given = held && { seed: viewOfSeed(held) };
    return done && { by: by.id, id, what, energy: this.energyOf(by.id), ...given };
  }

  /** The seeds that a participant holds, oldest first. */
  seedsOf(participant: ParticipantId): readonly HeldSeed[] {
    return this.handlers.seedsOf(participant);
  }

  /**
   * The latent that would be planted for a seed now, for its preview; see `CommandHandlers`.
   *
   * @throws Refusal no-such-seed, no-such-organism, bad-latent
   */
  previewLatent(seed: PreviewSource, participant: ParticipantId): Float32Array {
    return this.handlers.previewLatent(seed, participant);
  }

  /** A living organism's seed as a token. @throws Refusal no-such-organism */
  tokenOf(id: OrganismId): string {
    return seedTokenOf(this.species, this.lifecycle.require(id));
  }

  /** @param granted initial energy @param source same for all of one network address */
  enter(participant: ParticipantId, granted?: number, source?: number): void {
    const facts = {
      ...(granted !== undefined && { granted }),
      ...(source !== undefined && { source }),
    };
    this.applyNow({ what: 'enter', participant, at: this.completedTicks, ...facts });
  }

  /** Drops a participant's held seeds; their organisms and queued commands stay. */
  leave(participant: ParticipantId): void {
    this.applyNow({ what: 'leave', participant, at: this.completedTicks });
  }

  /** Changes how many organisms may live at once. */
  setMaxOrganisms(maxOrganisms: number): void {
    this.applyNow({ what: 'limit', maxOrganisms });
  }

  /** Most flashes a second (rule LIF-9). */
  get flashLimit(): FlashLimit {
    return this.handlers.flashLimit;
  }

  /** Changes how many flashes a second organisms may show. */
  setFlashLimit(limit: FlashLimit): void {
    this.applyNow({ what: 'flashes', limit });
  }

  /** Seconds for which a wounded organism cannot be wounded again (rule DMG-3). */
  get protectSeconds(): number {
    return this.handlers.wounding.protect;
  }

  /** Changes how long a wounded organism cannot be wounded again; 0: not at all. */
  setProtect(seconds: number): void {
    this.applyNow({ what: 'protect', seconds });
  }

  /** How often organisms step. */
  get life(): LifeSettings {
    return this.rules.life;
  }

  /** Changes how often organisms step. */
  setLife(settings: LifeSettings): void {
    this.applyNow({ what: 'life', settings });
  }

  /** Share of the organisms that may express at once, 0…1. */
  get liveliness(): number {
    return this.rules.liveliness;
  }

  /** Changes which share of the organisms may express at once. */
  setLiveliness(share: number): void {
    this.applyNow({ what: 'liveliness', share });
  }

  /** Brings the room to the numbers that its checkpoint's card has now. */
  updateRules(): void {
    const event = this.rules.update(this.species);
    if (event) this.applyNow(event);
  }

  get energySettings(): EnergySettings {
    return this.handlers.energySettings;
  }

  /** A participant's present energy. */
  energyOf(participant: ParticipantId): number {
    return this.handlers.energyOf(participant, this.completedTicks);
  }

  /** Changes what commands cost. */
  setEnergy(settings: EnergySettings): void {
    this.changeEnergy(settings, this.handlers.tickRate);
  }

  /** Adapts the refill per tick to a new tick rate, so that it stays the same per second. */
  setTickRate(tickRate: number): void {
    this.changeEnergy(this.energySettings, tickRate);
  }

  private changeEnergy(settings: EnergySettings, tickRate: number): void {
    this.applyNow({ what: 'energy', settings, tickRate, at: this.completedTicks });
  }

  /** Replays the next tick's journal entry: events apply now, commands are queued. */
  redo(events: readonly RoomEvent[]): void {
    for (const event of events.slice(this.alreadyApplied)) {
      if (event.what === 'command') this.queue.redo(event);
      else this.applyNow(event);
    }
    this.alreadyApplied = 0;
  }

  /** The room's complete state. Call between two ticks. */
  export(): RoomState {
    const { width, height, rgba, owner } = this.grid.planes;
    return {
      version: ROOM_STATE_VERSION,
      tick: this.completedTicks,
      acted: this.appliedEvents.length,
      ...this.handlers.export(),
      ...this.queue.export(),
      organisms: [...this.lifecycle.all].map((one) => exportOrganism(one, this.completedTicks)),
      planes: { width, height, rgba: rgba.slice(), owner: owner.slice() },
    };
  }

  /**
   * Replaces the room's state by another of the same size and species. Call between two ticks. Ids
   * are not reused; events applied since that `from` does not contain are applied to it.
   *
   * @param from the room takes ownership of it
   * @param patches of `from.organisms`, in order; the next tick disposes of the old ones
   */
  replaceState(from: RoomState, patches: readonly PatchId[]): void {
    this.grid.replace(from.planes);
    this.lifecycle.replaceAll(from.organisms.map((state, i) => importOrganism(state, patches[i])));
    this.handlers.restore(from);
    this.queue.restore(from);
    this.completedTicks = from.tick;
    this.alreadyApplied = Math.max(0, from.acted - this.appliedEvents.length);
    for (const event of this.appliedEvents.slice(from.acted)) this.apply(event);
  }

  /** Takes the patches that are to be disposed of with the next tick, for the caller to do it. */
  release(): PatchId[] {
    return this.lifecycle.takeDisposed();
  }

  /** Indices of this tick's commands that have been refused so far. */
  get refused(): number[] {
    return this.handlers.refused;
  }

  /** First half of a tick: applies the queued commands and returns the engine's work. */
  beginTick(): TickWork {
    const { isOutOfMemory } = this;
    const commands = this.queue.take();
    const events = [...this.appliedEvents.splice(0), ...commands];
    this.isOutOfMemory = false;
    this.alreadyApplied = 0;
    this.handlers.apply(commands, this.completedTicks);
    this.lifecycle.express(this.completedTicks);
    const step = this.lifecycle.step(this.flickerMoment(this.completedTicks + 1));
    const dispose = this.lifecycle.takeDisposed();
    const plant = this.handlers.takePlanted(dispose);
    if (!isOutOfMemory) return { dispose, plant, step, events };
    const refused = new Set(this.handlers.refusePending(this.completedTicks));
    return { dispose, plant: [], step: step.filter(({ patch }) => !refused.has(patch)), events };
  }

  /**
   * Reverts this tick's plant commands because the engine is out of memory. Call between the halves
   * of a tick; the engine must neither step nor dispose of their patches.
   *
   * @returns whether there were any; otherwise nothing has changed
   */
  refusePending(): boolean {
    return this.handlers.refusePending(this.completedTicks).length > 0;
  }

  /**
   * Second half of a tick: updates ownership and ages the organisms.
   *
   * @param readouts one per step of `beginTick`, in the same order
   */
  endTick(readouts: readonly Readout[]): TickResult {
    this.completedTicks++;
    this.lifecycle.settle(readouts, this.flickerMoment(this.completedTicks));
    const answers = this.handlers.end(this.completedTicks);
    this.queue.answered(answers, this.handlers.isPresent);
    return {
      tick: this.completedTicks,
      answers,
      life: this.lifecycle.takeEvents(),
      expressing: this.lifecycle.expressing,
      died: this.lifecycle.takeDead(this.completedTicks).map(viewOf),
      changed: this.grid.takeChanged(),
    };
  }

  /** @param tick the number of the tick in progress */
  private flickerMoment(tick: number): FlickerMoment {
    const { tickRate, flashLimit: limit } = this.handlers;
    return { tick, tickRate, limit };
  }

  /** Applies an event now and journals it with the next tick. */
  private applyNow(event: OuterEvent): void {
    this.appliedEvents.push(event);
    this.apply(event);
  }

  private apply(event: OuterEvent): void {
    if (event.what === 'leave') this.queue.leave(event.participant);
    if (event.what === 'no-memory') this.isOutOfMemory = true;
    else this.handlers.handleEvent(event);
  }
}
