/**
 * One room, as a synchronous state machine. `beginTick` executes the queued commands and returns
 * the work for the engine. After the engine has stepped, `endTick` applies the engine's read-outs
 * (pictures and aliveness).
 */
import type { PreviewSource } from '../../shared/protocol/commands.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type {
  EnergySettings,
  LifeEvent,
  OrganismId,
  OrganismView,
  ParticipantId,
} from '../../shared/vocabulary.ts';
import type { PatchId, Readout } from '../engine/engine.ts';
import { defined } from '../platform/collections.ts';
import type { Genomes } from '../vnca/chimera.ts';
import { applyEvent, handlerOf } from './command-handlers.ts';
import {
  type Answer,
  CommandQueue,
  type ImmediateEvent,
  type Outcome,
  plainNumbers,
  type RoomCommand,
  type RoomEvent,
} from './commands.ts';
import { previewSeed } from './create-latent.ts';
import type { Renewable } from './departures.ts';
import type { Expressing } from './organisms/expressions.ts';
import type { FlickerMoment } from './organisms/flicker.ts';
import { type Genotype, genomesOf } from './organisms/grafts.ts';
import { exportOrganism, importOrganism, viewOf } from './organisms/organism.ts';
import { blockersOf } from './ownership.ts';
import { type HeldSeed, viewOfSeed } from './planting.ts';
import { RoomContents, type RoomOptions } from './room-contents.ts';
import { type LineageState, ROOM_STATE_VERSION, type RoomState } from './room-state.ts';
import { seedTokenOf } from './species.ts';

export interface TickResult {
  readonly tick: number;
  readonly answers: readonly Answer[];
  readonly life: readonly LifeEvent[];
  /** Organisms that have begun to look like a relative (a similar creature) in this tick. */
  readonly expressing?: readonly Expressing[];
  readonly died: readonly OrganismView[];
  /** Chunks of the grid whose cells have changed. */
  readonly changed: readonly number[];
}

/** A cell grid and its organisms. shared/RULES.md describes the rules. */
export class Room extends RoomContents {
  readonly name: string;
  private readonly queue = new CommandQueue();
  /** Answers to the commands of the current tick. */
  private readonly answers: Answer[] = [];
  /** Events applied since the last tick began, which the journal stores with the next tick. */
  private readonly appliedEvents: ImmediateEvent[] = [];
  /**
   * How many of the next tick's journalled events had already been applied to the restored state. A
   * replay must skip these events.
   */
  private alreadyApplied: number;
  /**
   * Whether the journal says that the engine ran out of memory for new seeds in the tick that is
   * being replayed.
   */
  private isOutOfMemory = false;
  private completedTicks: number;

  constructor(options: RoomOptions) {
    super(options);
    const { name, from, nextPatch } = options;
    this.name = name;
    this.completedTicks = from?.tick ?? 0;
    this.alreadyApplied = from?.acted ?? 0;
    if (!from) return;
    this.queue.restore(from);
    this.lifecycle.replaceAll(from.organisms.map((state) => importOrganism(state, nextPatch())));
  }

  get tick(): number {
    return this.completedTicks;
  }

  /**
   * Returns a planter's departing and recently departed organisms, which the planter can renew
   * (rule DEP-10).
   */
  renewable(planter: ParticipantId): Renewable[] {
    return this.departures.renewable(planter, this.time);
  }

  /**
   * Returns the resting organisms whose planter is absent, starting with the planter who has been
   * absent longest.
   *
   * @param seconds minimum absence of the planter; by default, ten minutes (rule DEP-4)
   */
  unattended(seconds?: number): OrganismView[] {
    return this.departures.unattended(this.time, seconds).map(viewOf);
  }

  /** Views of all living organisms, oldest first. */
  get organisms(): OrganismView[] {
    return [...this.population.all].map(viewOf);
  }

  viewOf(id: OrganismId): OrganismView | undefined {
    const organism = this.population.find(id);
    return organism && viewOf(organism);
  }

  /**
   * For each neighbour of a living organism, counts the positions at which the organism would have
   * a live cell if the neighbour did not own them.
   */
  blockersOf(id: OrganismId): Map<OrganismId, number> {
    const organism = this.population.find(id);
    return organism ? blockersOf(organism, this.grid) : new Map();
  }

  /**
   * Returns whether a sleeping organism has a live cell at any of these positions of the grid
   * without owning the position.
   */
  isPressed(places: readonly number[]): boolean {
    return this.population.pressingOn(places).length > 0;
  }

  get lineage(): LineageState {
    return this.lifecycle.lineage.state;
  }

  /** Number of living organisms that are not departing. */
  get size(): number {
    return this.population.staying.length;
  }

  /** Number of growing or awake organisms. */
  get awake(): number {
    return this.population.awake.length;
  }

  patchOf(id: OrganismId): PatchId | undefined {
    return this.population.find(id)?.patch;
  }

  /**
   * Queues a command for the next tick. That tick's result contains the answer.
   *
   * @param id id of the command, chosen by its sender
   * @param session session within which the id is unique, uint32. If the command may arrive twice,
   *   pass a session, and call `doneBefore` first
   * @throws Refusal 'too-fast' if the sender has too many queued commands; 'room-busy' if the room
   *   has too many; 'no-such-seed' if the seed is a point of the latent map but there is no latent
   *   map; 'bad-latent', 'bad-token'
   */
  enqueue(id: number, command: RoomCommand, session?: number): void {
    if (!this.queue.admits(id, command.by.id, session)) return;
    const resolved = handlerOf(command).resolve?.(command, this) ?? command;
    this.queue.add(
      defined({ what: 'command' as const, id, session, command: plainNumbers(resolved) }),
    );
  }

  /** Returns the answer to a command if the room has already executed it, otherwise undefined. */
  doneBefore(id: number, { by, what }: RoomCommand, session: number): Answer | undefined {
    const done = this.queue.find(by.id, session, id);
    const held = this.seedsOf(by.id).find((one) => one.id === done?.seed);
    const seed = held && viewOfSeed(held);
    return done && defined({ by: by.id, id, what, energy: this.energyOf(by.id), seed });
  }

  seedsOf(participant: ParticipantId): readonly HeldSeed[] {
    return this.inventory.of(participant);
  }

  /**
   * Returns the genotype that this seed would give if it were planted now.
   *
   * @throws Refusal 'no-such-seed', 'no-such-organism', 'bad-latent', 'bad-token'
   */
  previewSeed(seed: PreviewSource, participant: ParticipantId): Genotype {
    return previewSeed(seed, participant, this);
  }

  /** Returns a living organism's seed as a token. @throws Refusal 'no-such-organism' */
  tokenOf(id: OrganismId): string {
    return seedTokenOf(this.species, this.population.require(id));
  }

  /** Returns the genomes that an organism's cells read; undefined if the organism is not alive. */
  genomesOf(id: OrganismId): Genomes | undefined {
    const organism = this.population.find(id);
    return organism && genomesOf(organism);
  }

  /**
   * Lets a participant enter the room.
   *
   * @param granted initial energy; by default, a newcomer's energy
   * @param source a number that all participants with the same network address share
   */
  enter(participant: ParticipantId, granted?: number, source?: number): void {
    const at = this.completedTicks;
    this.change(defined({ what: 'enter' as const, participant, at, granted, source }));
  }

  /**
   * Lets a participant leave the room, and drops the seeds that the participant holds. The
   * participant's organisms and queued commands stay.
   */
  leave(participant: ParticipantId): void {
    this.change({ what: 'leave', participant, at: this.completedTicks });
  }

  /** Applies an event immediately, and journals it with the next tick. */
  change(event: ImmediateEvent): void {
    this.appliedEvents.push(event);
    this.apply(event);
  }

  /** Updates the rule parameters that come from the checkpoint's card. */
  updateRules(): void {
    const event = this.rules.update(this.species);
    if (event) this.change(event);
  }

  get tickRate(): number {
    return this.energy.tickRate;
  }

  get energySettings(): EnergySettings {
    return this.energy.costs;
  }

  energyOf(participant: ParticipantId): number {
    return this.energy.level(participant, this.completedTicks);
  }

  setEnergy(settings: EnergySettings, tickRate = this.energy.tickRate): void {
    this.change({ what: 'energy', settings, tickRate, at: this.completedTicks });
  }

  /** Changes the tick rate. The energy refill per second stays the same. */
  setTickRate(tickRate: number): void {
    this.setEnergy(this.energySettings, tickRate);
  }

  /**
   * Replays the next tick's journal entry: queues its commands, and applies its other events
   * immediately.
   */
  redo(events: readonly RoomEvent[]): void {
    for (const event of events.slice(this.alreadyApplied)) {
      if (event.what === 'command') this.queue.add(event);
      else this.change(event);
    }
    this.alreadyApplied = 0;
  }

  /** Returns the room's complete state. Call between two ticks. */
  export(): RoomState {
    const { width, height, rgba, owner } = this.grid.planes;
    return {
      version: ROOM_STATE_VERSION,
      tick: this.completedTicks,
      acted: this.appliedEvents.length,
      ...this.exportContents(),
      ...this.queue.export(),
      organisms: [...this.population.all].map((one) => exportOrganism(one, this.completedTicks)),
      planes: { width, height, rgba: rgba.slice(), owner: owner.slice() },
    };
  }

  /**
   * Replaces the room's state with another state of the same size and species. Call between two
   * ticks. Ids that were used before are not assigned again. If `from` lacks events that were
   * applied since the last tick, these events are applied again.
   *
   * @param from state that the room may modify
   * @param patches new patches for `from.organisms`, in the same order. The next tick disposes of
   *   the old patches
   */
  replaceState(from: RoomState, patches: readonly PatchId[]): void {
    this.grid.replace(from.planes);
    this.lifecycle.replaceAll(from.organisms.map((state, i) => importOrganism(state, patches[i])));
    this.restoreContents(from);
    this.queue.restore(from);
    this.completedTicks = from.tick;
    this.alreadyApplied = Math.max(0, from.acted - this.appliedEvents.length);
    for (const event of this.appliedEvents.slice(from.acted)) this.apply(event);
  }

  /** Indices of the current tick's commands that have been refused so far. */
  get refused(): number[] {
    return this.answers.flatMap(({ refused }, i) => (refused ? [i] : []));
  }

  /**
   * Begins a tick: executes the queued commands.
   *
   * @returns the patches that the engine must dispose of, plant and step, in this order; and the
   *   events that the journal must store
   */
  beginTick() {
    const { planting, lifecycle, isOutOfMemory } = this;
    const commands = this.queue.take();
    const events: readonly RoomEvent[] = [...this.appliedEvents.splice(0), ...commands];
    this.isOutOfMemory = false;
    this.alreadyApplied = 0;
    planting.pending = [];
    for (const command of commands) this.run(command);
    this.departures.step(this.time);
    lifecycle.express(this.completedTicks);
    const step = lifecycle.step(this.flickerMoment(this.completedTicks + 1));
    const dispose = lifecycle.takeDisposed();
    if (!isOutOfMemory) return { dispose, plant: planting.patches, step, events };
    const refused = new Set(this.retractPending());
    return { dispose, plant: [], step: step.filter(({ patch }) => !refused.has(patch)), events };
  }

  /**
   * Reverts the current tick's plant commands, because the engine has no memory for their patches.
   * Call between `beginTick` and `endTick`. The engine must neither step nor dispose of these
   * patches.
   *
   * @returns false if there were no plant commands, so that nothing has changed
   */
  refusePending(): boolean {
    return this.retractPending().length > 0;
  }

  /**
   * Completes a tick: updates the owners of cells and the organisms.
   *
   * @param readouts one for each step returned by `beginTick`, in the same order
   */
  endTick(readouts: readonly Readout[]): TickResult {
    const { departures, lifecycle } = this;
    const tick = ++this.completedTicks;
    lifecycle.settle(readouts, this.flickerMoment(tick));
    this.energy.prune(tick);
    this.strokes.prune(this.time);
    departures.prune(tick);
    const answers = this.answers.splice(0);
    this.queue.answered(answers, departures.present);
    return {
      tick,
      answers,
      life: lifecycle.takeEvents(),
      expressing: lifecycle.expressing,
      died: lifecycle.takeDead(tick).map(viewOf),
      changed: this.grid.takeChanged(),
    };
  }

  private get time() {
    return this.timeOf(this.completedTicks);
  }

  private flickerMoment(tick: number): FlickerMoment {
    return { ...this.timeOf(tick), limit: this.flashLimit };
  }

  private run({ id, session, command, past }: RoomEvent<'command'>): void {
    const { answers, time } = this;
    const { what } = command;
    const by = command.by.id;
    const { run, skip } = handlerOf(command);
    this.lastParticipant = Math.max(this.lastParticipant, by);
    if (past === 'undone') {
      skip?.(command, this);
      return;
    }
    let outcome: Outcome | undefined;
    try {
      outcome = run(command, this, { ...time, answer: answers.length });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (past === 'accepted') skip?.(command, this);
      outcome = { refused: { reason: error.reason, detail: error.detail } };
    }
    answers.push({ by, id, session, what, energy: this.energyOf(by), ...outcome });
  }

  /**
   * Refuses the current tick's plant commands, refunds their energy and removes their organisms.
   * Changes nothing if the room has no plant commands in this tick.
   *
   * @returns the patches of the removed organisms
   */
  private retractPending(): PatchId[] {
    const { energy, departures, planting } = this;
    if (planting.pending.length === 0) return [];
    for (const { answer, departed } of planting.pending) {
      const { by, id, session, what } = this.answers[answer];
      const refused = {
        reason: 'garden-full',
        detail: 'no memory is left for another organism',
      } as const;
      if (departed) departures.remember(departed);
      else energy.returnPlant(by, this.completedTicks);
      this.answers[answer] = { by, id, session, what, energy: this.energyOf(by), refused };
    }
    // Retract the new organisms before `endAll`. If another command of this tick has made one of
    // them depart, `endAll` would remember it for replanting, although it never grew.
    const retracted = planting.retract();
    departures.endAll(this.completedTicks);
    return retracted;
  }

  private apply(event: ImmediateEvent): void {
    if (event.what === 'leave') this.queue.leave(event.participant);
    if (event.what === 'no-memory') this.isOutOfMemory = true;
    else applyEvent(event, this);
  }
}
