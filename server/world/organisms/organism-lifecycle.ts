/**
 * The life cycle of a room's organisms: growing, awake, asleep, departing, dead (rules LIF-1 … LIF-9).
 * Collects life events, and the patches of dead organisms for the engine to dispose of.
 */
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { Cause, LifeEvent, OrganismId, ParticipantId } from '../../../shared/vocabulary.ts';
import type { PatchId, PatchStep, Readout } from '../../engine/engine.ts';
import type { GridPlanes } from '../grid-planes.ts';
import {
  blockersOf,
  keepMask,
  leaveGround,
  offerLost,
  type Stepped,
  seedPlaces,
  settle,
} from '../ownership.ts';
import type { RoomRules } from '../room-rules.ts';
import { growthStep, type Species } from '../species.ts';
import { close, heal, heldBy, hurt, openRim, releaseHit } from '../wounds.ts';
import {
  beginExpressions,
  breakOff,
  countStep,
  type Expressing,
  isDue,
  takeExpressed,
  waitAfterStep,
} from './expressions.ts';
import { type FlickerMoment, hasFlashed, remember } from './flicker.ts';
import { Lineage } from './lineage.ts';
import { keepSeen, LIFE, type Organism, type Seed, viewOf } from './organism.ts';
import { Population } from './population.ts';
import { become, countTurn } from './transformation.ts';

/** All organisms of a room. A tick calls `step`, then `settle` with the engine's read-outs. */
export class OrganismLifecycle {
  /** The dead organisms that the room remembers. */
  readonly lineage = new Lineage();
  private population: Population;
  private pendingEvents: LifeEvent[] = [];
  private readonly disposed: PatchId[] = [];
  private readonly dead: Organism[] = [];
  private stepping: Organism[] = [];
  /** Organisms that have begun to express a relative in this tick. */
  expressing: readonly Expressing[] = [];
  /** Organisms that strokes have hit in this tick. */
  private readonly hitNow = new Set<Organism>();

  constructor(
    private readonly grid: GridPlanes,
    private readonly species: Species,
    readonly rules: RoomRules,
  ) {
    this.population = new Population(grid);
  }

  /** Number of living organisms, not counting departing ones. */
  get size(): number {
    return this.population.size;
  }

  /** Number of growing or awake organisms; each steps at its own pace. */
  get awake(): number {
    return this.population.awake.length;
  }

  /** All living organisms, oldest first. */
  get all(): IterableIterator<Organism> {
    return this.population.all;
  }

  /** Departing organisms, oldest first. */
  get departing(): Organism[] {
    return this.population.departing;
  }

  find(id: OrganismId): Organism | undefined {
    return this.population.find(id);
  }

  /** @throws Refusal no-such-organism */
  require(id: OrganismId): Organism {
    const organism = this.population.find(id);
    if (!organism) throw new Refusal('no-such-organism', `organism ${id}`);
    return organism;
  }

  /** Replaces all organisms without life events; the old patches are disposed of. */
  replaceAll(organisms: Iterable<Organism>): void {
    for (const { patch } of this.population.all) this.disposed.push(patch);
    this.population = new Population(this.grid);
    for (const organism of organisms) this.population.add(organism);
  }

  add(organism: Organism): void {
    this.population.add(organism);
    this.pendingEvents.push({ what: 'born', organism: viewOf(organism) });
  }

  /**
   * Records a hit by a stroke: wakes the organism and restarts its trusted steps. An organism whose
   * cells are all hit dies.
   *
   * @param stroke.isNew whether the stroke has not wounded the organism yet
   * @param stroke.tick number of completed ticks
   */
  hit(
    organism: Organism,
    { by, isNew, tick }: { by: ParticipantId; isNew: boolean; tick: number },
  ): void {
    if (isNew) organism.wounds++;
    hurt(organism, this.grid);
    organism.stirs = 0;
    breakOff(organism);
    this.wake(organism);
    const { id, wounds } = organism;
    this.pendingEvents.push({ what: 'wounded', id, by, wounds });
    this.hitNow.add(organism);
    remember(organism, this.grid, tick + 1);
    const { killed, lives } = releaseHit(organism, this.grid, this.species);
    const { closing } = this.rules;
    if (!lives) this.die(organism, 'killed');
    else if (closing !== undefined && organism.phase !== 'growing') {
      close(organism, killed, { grid: this.grid, reach: closing });
      // No mask is needed: closed cells are zero, and ground without a living cell stays as it is.
      organism.woundMask = undefined;
    }
  }

  /** Turns a grown organism into another seed's creature. @param tick ticks completed */
  transform(organism: Organism, into: Seed, by: ParticipantId, tick: number): void {
    become(organism, into, tick);
    this.wake(organism);
    const { id, kind, origin, parents } = organism;
    this.pendingEvents.push({ what: 'transformed', id, by, kind, origin, parents });
  }

  /** Lets an organism depart: it takes no further steps. */
  depart(organism: Organism): void {
    keepSeen(organism);
    this.population.depart(organism);
    this.pendingEvents.push({ what: 'departing', id: organism.id });
  }

  /**
   * Brings a departing organism back. It reclaims the cells that are still bare.
   *
   * @throws Refusal occupied if it is growing and others own all cells of its seed
   */
  bringBack(organism: Organism): void {
    const isGrown = organism.age >= this.species.schedule.length;
    const phase = isGrown ? 'awake' : 'growing';
    if (!isGrown) this.claimSeedPlaces(organism);
    organism.dissolving = undefined;
    organism.stirs = 0;
    organism.awakeSteps = 0;
    organism.restTicks = 0;
    this.population.bringBack(organism, phase);
    offerLost(organism, this.grid, this.population);
    this.pendingEvents.push({ what: 'renewed', id: organism.id, phase });
  }

  /** Removes an organism and frees its cells. */
  die(organism: Organism, cause: Cause): void {
    this.population.remove(organism);
    this.disposed.push(organism.patch);
    this.dead.push(organism);
    this.lineage.add(organism, cause);
    leaveGround(organism, this.grid, this.population);
    this.pendingEvents.push({ what: 'died', id: organism.id, cause });
  }

  /** Starts the expressions that are due. Call before `step`. @param tick ticks completed */
  express(tick: number): void {
    const begun = beginExpressions(this.population, this.species, this.rules, tick);
    for (const { organism } of begun) {
      organism.expression!.held = heldBy(organism, this.grid);
      this.wake(organism);
    }
    this.expressing = begun.map(({ event }) => event);
  }

  /**
   * First half of a tick. Organisms without a cell left die.
   *
   * @param moment end of the tick
   * @returns a step for each growing or awake organism that is due, oldest first
   */
  step(moment: FlickerMoment): PatchStep[] {
    const steps: PatchStep[] = [];
    this.stepping = [];
    for (const organism of this.population.awake) {
      if (!isDue(organism)) continue;
      const { divide, stage } = growthStep(this.species, organism.age);
      const { keep, alive } = keepMask(this.grid, organism, stage);
      organism.woundMask = undefined;
      if (!alive) {
        this.die(organism, 'no-cell-left');
        continue;
      }
      remember(organism, this.grid, moment.tick);
      this.stepping.push(organism);
      const { patch, closed } = organism;
      const express = takeExpressed(organism);
      steps.push({
        ...{ patch, divide },
        ...(keep && { keep }),
        ...(closed && { closed }),
        ...(express && { express }),
      });
    }
    return steps;
  }

  /**
   * Second half of a tick: updates ownership, then ages each stepped organism.
   *
   * @param readouts one per step, in the same order
   * @param moment end of the tick
   */
  settle(readouts: readonly Readout[], moment: FlickerMoment): void {
    const stepped = this.stepping.map((organism, i) => ({ organism, readout: readouts[i] }));
    const held = settle(this.grid, stepped, this.species.threshold);
    for (const [i, one] of stepped.entries()) this.advance(one, held[i]);
    for (const { organism } of stepped) {
      organism.wait = waitAfterStep(organism, this.rules);
      this.slow(organism, moment);
    }
    // Strokes can make organisms flash even between their steps.
    for (const organism of this.hitNow) {
      if (organism.phase === 'dead' || this.stepping.includes(organism)) continue;
      if (hasFlashed(organism, this.grid, moment)) organism.pause = moment.tickRate - 1;
    }
    for (const organism of this.population.pressingOn(this.grid.takeFreed())) {
      // Limit the wakings; otherwise neighbours would wake each other forever.
      if (organism.stirs >= LIFE.maxWakings) continue;
      organism.stirs++;
      this.wake(organism);
    }
    this.stepping = [];
    this.hitNow.clear();
  }

  /**
   * Makes an organism pause for a second once it has flashed as often as it may. From then until it
   * sleeps, it steps rarely enough to stay within the limit.
   */
  private slow(organism: Organism, moment: FlickerMoment): void {
    if (organism.phase === 'dead') return;
    const { tickRate, limit } = moment;
    // Pause even a sleeping organism: a stroke may wake it immediately.
    if (hasFlashed(organism, this.grid, moment)) organism.pause = tickRate - 1;
    else if (organism.phase === 'asleep') organism.pause = undefined;
    else if (organism.pause !== undefined) organism.pause = Math.ceil(tickRate / (2 * limit)) - 1;
  }

  /** Removes organisms planted in this tick, with their life events and steps. */
  retract(organisms: readonly Organism[]): void {
    const retracted = new Set(organisms.map(({ id }) => id));
    for (const organism of organisms) {
      if (organism.phase !== 'dead') this.die(organism, 'no-cell-left');
    }
    this.pendingEvents = this.pendingEvents.filter((event) =>
      event.what === 'born' ? !retracted.has(event.organism.id) : !retracted.has(event.id),
    );
    this.stepping = this.stepping.filter(({ id }) => !retracted.has(id));
    this.lineage.retract(retracted);
  }

  /** Takes the life events since the last call. */
  takeEvents(): LifeEvent[] {
    return this.pendingEvents.splice(0);
  }

  /** Takes the newly dead and adds them to the family tree. @param tick ticks completed */
  takeDead(tick: number): Organism[] {
    this.lineage.settle(tick, this.population.all);
    return this.dead.splice(0);
  }

  /** Returns how many live cells of an organism each neighbour blocks; empty if it is dead. */
  blockersOf(id: OrganismId): Map<OrganismId, number> {
    const organism = this.population.find(id);
    return organism ? blockersOf(organism, this.grid) : new Map();
  }

  /** Takes the patches of organisms removed since the last call; the caller disposes of them. */
  takeDisposed(): PatchId[] {
    return this.disposed.splice(0);
  }

  /**
   * Ages an organism by the step it has just taken; it may become grown, fall asleep or die.
   *
   * @param settled number of cells that the organism owns
   */
  private advance({ organism, readout }: Stepped, settled: number): void {
    let held = settled;
    if (readout.broken) {
      this.die(organism, 'broken');
      return;
    }
    const change = organism.isRestored
      ? largestChange(organism.seen, readout.rgba)
      : readout.change;
    organism.isRestored = false;
    organism.seen = readout.rgba;
    if (readout.stage !== organism.stage) {
      organism.stage = readout.stage;
      this.pendingEvents.push({ what: 'divided', id: organism.id, stage: readout.stage });
    }
    organism.age++;
    if (organism.phase === 'growing') {
      if (organism.age < this.species.schedule.length) return;
      organism.phase = 'awake';
      this.pendingEvents.push({ what: 'grown', id: organism.id });
      // The cells of its seed are no longer reserved: from now on, only live cells stay owned.
      [held] = settle(this.grid, [{ organism, readout }], this.species.threshold);
    } else {
      // An organism with a closing wound does not rest; its awake steps count once the wound is
      // closed.
      const closes = organism.closed !== undefined;
      if (closes) openRim(organism);
      const isOnItsWay = countTurn(organism) || closes;
      if (!isOnItsWay) organism.awakeSteps++;
      const rests = !isOnItsWay && change <= LIFE.restLevel;
      organism.restTicks = rests ? organism.restTicks + 1 : 0;
    }
    if (held === 0) {
      this.die(organism, 'no-cell-left');
      return;
    }
    if (organism.closed || !countStep(organism)) return;
    const trusted = this.trustedStepsOf(organism);
    if (organism.restTicks < LIFE.restSteps && organism.awakeSteps < trusted) return;
    if (organism.expression) {
      organism.expression = undefined;
      // Release the ground that the relative has taken beyond the organism's own.
      [held] = settle(this.grid, [{ organism, readout }], this.species.threshold);
      if (held === 0) {
        this.die(organism, 'no-cell-left');
        return;
      }
    }
    organism.transforming = undefined;
    if (heal(organism, held)) {
      this.pendingEvents.push({ what: 'healed', id: organism.id, healed: organism.healed });
    }
    keepSeen(organism);
    this.population.sleep(organism);
    this.pendingEvents.push({ what: 'asleep', id: organism.id });
  }

  /** Claims the bare cells for a seed. @throws Refusal occupied if others own all of them */
  private claimSeedPlaces({ id, window }: Organism): void {
    const { grid } = this;
    const places = seedPlaces(window, grid);
    for (const place of places) if (grid.ownerAt(place) === 0) grid.claim(place, id);
    if (places.every((place) => grid.ownerAt(place) !== id)) throw new Refusal('occupied');
  }

  private wake(organism: Organism): void {
    organism.awakeSteps = 0;
    organism.restTicks = 0;
    if (organism.phase !== 'asleep') return;
    this.population.wake(organism);
    this.pendingEvents.push({ what: 'awake', id: organism.id });
  }

  /** Returns the number of awake steps after which an organism sleeps even if it still changes. */
  private trustedStepsOf({ stirs, expression }: Organism): number {
    const { trustedSteps = Infinity } = this.species;
    if (expression) return Math.min(trustedSteps, this.rules.relatives?.homeSteps ?? 0);
    return stirs === 0 ? trustedSteps : Math.min(trustedSteps, LIFE.wakingSteps / 2 ** (stirs - 1));
  }
}

/** Returns the largest difference between two read-outs, 0…255; 255 if their sizes differ. */
function largestChange(before: Uint8Array | undefined, after: Uint8Array): number {
  if (before?.length !== after.length) return 255;
  return after.reduce((most, value, i) => Math.max(most, Math.abs(value - before[i])), 0);
}
