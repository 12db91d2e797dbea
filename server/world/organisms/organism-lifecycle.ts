/**
 * The life cycle of a room's organisms: growing, awake, asleep, departing, dead (rules LIF-1 …
 * LIF-9). Also collects life events for web pages, and the patches of dead organisms for the engine
 * to dispose of.
 */
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { Cause, LifeEvent, ParticipantId } from '../../../shared/vocabulary.ts';
import type { PatchId, PatchStep, Readout } from '../../engine/engine.ts';
import { defined } from '../../platform/collections.ts';
import type { GridPlanes } from '../grid-planes.ts';
import { close, heal, heldBy, hurt, openRim, releaseHit } from '../healing.ts';
import {
  keepMask,
  leaveGround,
  offerLost,
  type Stepped,
  seedPlaces,
  settle,
} from '../ownership.ts';
import type { RoomRules } from '../room-rules.ts';
import { growthStep, type Species } from '../species.ts';
import { Lineage } from './dead-organisms.ts';
import {
  beginExpressions,
  breakOff,
  countStep,
  type Expressing,
  isDue,
  waitAfterStep,
} from './expressions.ts';
import { type FlickerMoment, hasFlashed, remember } from './flicker.ts';
import { partsOf, rememberBody, type Seed } from './grafts.ts';
import { LIFE, type Organism, Population, viewOf } from './organism.ts';
import { become, countTurn, followGrafts, MAX_FORMER, takeExpressed } from './transformation.ts';

/**
 * All organisms of a room. In each tick, call `step`, let the engine execute the returned steps,
 * and pass the engine's read-outs (pictures and aliveness) to `settle`.
 */
export class OrganismLifecycle {
  readonly lineage: Lineage;
  population: Population;
  private pendingEvents: LifeEvent[] = [];
  private readonly disposed: PatchId[] = [];
  /**
   * Organisms that have died since the last tick, each with the cause. Organisms removed by
   * `retract` have no cause.
   */
  private readonly dead = new Map<Organism, Cause | undefined>();
  private stepping: Organism[] = [];
  /** The organisms that have begun to look like a relative (a similar creature) in this tick. */
  expressing: readonly Expressing[] = [];
  /** Organisms near which a sensor has detected somebody in this tick. */
  private readonly sensed = new Set<Organism>();
  /** Organisms that strokes have hit in this tick. */
  private readonly hitNow = new Set<Organism>();

  constructor(
    private readonly grid: GridPlanes,
    private readonly species: Species,
    readonly rules: RoomRules,
  ) {
    this.lineage = new Lineage(species);
    this.population = new Population(grid);
  }

  /**
   * Replaces all organisms without life events. The patches of the old organisms are disposed of.
   */
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
   * Records that a stroke has hit an organism: wakes the organism and restarts the count of its
   * awake steps. The organism dies if the stroke has hit all its cells.
   *
   * @param by participant who sent the stroke
   * @param isNew whether this is the stroke's first hit on the organism
   * @param tick number of completed ticks
   */
  hit(organism: Organism, by: ParticipantId, isNew: boolean, tick: number): void {
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
      close(organism, killed, this.grid, closing);
      // The mask of hit cells is no longer needed: the killed cells are now in `closed`, and the
      // engine sets all cells in `closed` to zero.
      organism.woundMask = undefined;
    }
  }

  /**
   * Turns a grown organism into the creature of another seed.
   *
   * @param at position from which the new genome spreads, in cells; if absent, the organism's
   *   centre
   * @param tick number of completed ticks
   */
  transform(
    organism: Organism,
    into: Seed,
    by: ParticipantId,
    tick: number,
    at?: { readonly x: number; readonly y: number },
  ): void {
    become(organism, into, tick, at);
    this.wake(organism);
    this.announceKind(organism, by);
  }

  /**
   * Changes the grafts of a grown organism, and wakes the organism.
   *
   * @param change changes the grafts; returns false if nothing has changed
   * @param by.kind kind of the grafted genome; absent if grafts are removed
   * @param by.tick number of completed ticks
   */
  graft(
    organism: Organism,
    change: () => boolean,
    by: { readonly id: ParticipantId; readonly kind?: string; readonly tick: number },
  ): boolean {
    const { id, latent, kind, origin, was = [] } = organism;
    if (!change()) return false;
    breakOff(organism);
    followGrafts(organism);
    this.wake(organism);
    if (organism.latent !== latent) {
      organism.was = [...was, { kind, origin, until: by.tick }].slice(-MAX_FORMER);
      this.announceKind(organism, by.id);
    }
    const event = { what: 'grafted' as const, id, by: by.id, kind: by.kind };
    this.pendingEvents.push(defined({ ...event, parts: partsOf(organism) }));
    return true;
  }

  private announceKind({ id, kind, origin, parents }: Organism, by: ParticipantId): void {
    this.pendingEvents.push({ what: 'transformed', id, by, kind, origin, parents });
  }

  /** Makes an organism depart. A departing organism takes no steps. */
  depart(organism: Organism): void {
    this.population.setPhase(organism, 'departing');
    this.pendingEvents.push({ what: 'departing', id: organism.id });
  }

  /**
   * Brings back a departing organism, which reclaims those of its former cells that are still bare.
   *
   * @throws Refusal 'occupied' if the organism is growing and other organisms own all cells of its
   *   seed
   */
  bringBack(organism: Organism): void {
    const isGrown = organism.age >= this.species.schedule.length;
    const phase = isGrown ? 'awake' : 'growing';
    if (!isGrown) this.claimSeedPlaces(organism);
    organism.dissolving = undefined;
    organism.stirs = 0;
    organism.awakeSteps = 0;
    organism.restTicks = 0;
    this.population.setPhase(organism, phase);
    offerLost(organism, this.grid, this.population);
    this.pendingEvents.push({ what: 'renewed', id: organism.id, phase });
  }

  die(organism: Organism, cause: Cause): void {
    this.population.setPhase(organism, 'dead');
    this.disposed.push(organism.patch);
    this.dead.set(organism, cause);
    leaveGround(organism, this.grid, this.population);
    this.pendingEvents.push({ what: 'died', id: organism.id, cause });
  }

  /**
   * Records that somebody in the hall is near a position on the grid (rule IDL-7).
   *
   * @param at position and radius, in cells
   */
  sense(at: { readonly x: number; readonly y: number; readonly radius: number }): void {
    const distance = ({ window: { x, y, width, height } }: Organism): number =>
      Math.hypot(x + width / 2 - at.x, y + height / 2 - at.y);
    const near = this.population.staying
      .filter((one) => distance(one) <= at.radius)
      .sort((a, b) => distance(a) - distance(b) || a.id - b.id);
    for (const organism of near.slice(0, LIFE.maxSensed)) {
      this.sensed.add(organism);
      this.pendingEvents.push({ what: 'sensed', id: organism.id });
    }
  }

  /**
   * Makes each organism whose turn it is look like a relative (a similar creature), and wakes
   * sleeping organisms near which a sensor has detected somebody. Call before `step`.
   *
   * @param tick number of completed ticks
   */
  express(tick: number): void {
    const { population, species, rules, sensed } = this;
    const begun = beginExpressions(population, species, rules, { tick, sensed });
    for (const { organism } of begun) {
      organism.expression!.held = heldBy(organism, this.grid);
      this.wake(organism);
    }
    for (const organism of sensed) if (organism.phase === 'asleep') this.wake(organism);
    sensed.clear();
    this.expressing = begun.map(({ event }) => event);
  }

  /**
   * Begins a tick: chooses the organisms that step, and lets organisms without a cell die.
   *
   * @param moment the tick that the steps complete, and the limit on flashes
   * @returns one step for each growing or awake organism that is due, oldest first
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
      steps.push(defined({ patch, divide, keep, closed, express: takeExpressed(organism) }));
    }
    return steps;
  }

  /**
   * Completes a tick: updates the owners of cells, and then ages each organism that has stepped.
   *
   * @param readouts one for each step that `step` returned, in the same order
   * @param moment the tick that the steps complete, and the limit on flashes
   */
  settle(readouts: readonly Readout[], moment: FlickerMoment): void {
    const stepped = this.stepping.map((organism, i) => ({ organism, readout: readouts[i] }));
    const held = settle(this.grid, stepped, this.species.threshold);
    for (const [i, one] of stepped.entries()) this.advance(one, held[i]);
    for (const { organism } of stepped) {
      organism.wait = waitAfterStep(organism, this.rules);
      this.slow(organism, moment);
    }
    // A stroke changes colours too and can make an organism flash, so also check the organisms that
    // were hit in this tick but did not step.
    for (const organism of this.hitNow) {
      if (organism.phase === 'dead' || this.stepping.includes(organism)) continue;
      if (hasFlashed(organism, this.grid, moment)) organism.pause = moment.tickRate - 1;
    }
    for (const organism of this.population.pressingOn(this.grid.takeFreed())) {
      // Two neighbours could wake each other forever by freeing cells, so limit how often freed
      // cells can wake an organism.
      if (organism.stirs >= LIFE.maxWakings) continue;
      organism.stirs++;
      this.wake(organism);
    }
    this.stepping = [];
    this.hitNow.clear();
  }

  /**
   * If an organism has reached the limit on flashes, makes it pause for a second. Afterwards, until
   * it sleeps, the organism steps slowly enough to stay within the limit.
   */
  private slow(organism: Organism, moment: FlickerMoment): void {
    if (organism.phase === 'dead') return;
    const { tickRate, limit } = moment;
    // Set the pause even if the organism has just fallen asleep, because a stroke may wake it at
    // any time.
    if (hasFlashed(organism, this.grid, moment)) organism.pause = tickRate - 1;
    else if (organism.phase === 'asleep') organism.pause = undefined;
    else if (organism.pause !== undefined) organism.pause = Math.ceil(tickRate / (2 * limit)) - 1;
  }

  /**
   * Removes organisms planted in this tick, with their life events and steps, as if they had never
   * been planted.
   */
  retract(organisms: readonly Organism[]): void {
    const retracted = new Set(organisms.map(({ id }) => id));
    for (const organism of organisms) {
      if (organism.phase !== 'dead') this.die(organism, 'no-cell-left');
      this.dead.set(organism, undefined);
    }
    this.pendingEvents = this.pendingEvents.filter((event) =>
      event.what === 'born' ? !retracted.has(event.organism.id) : !retracted.has(event.id),
    );
    this.stepping = this.stepping.filter(({ id }) => !retracted.has(id));
  }

  /** Returns the life events since the last call, and clears them. */
  takeEvents(): LifeEvent[] {
    return this.pendingEvents.splice(0);
  }

  /**
   * Returns the organisms that have died since the last call. Adds all of them to the family tree,
   * except organisms that `retract` has removed.
   *
   * @param tick number of completed ticks
   */
  takeDead(tick: number): Organism[] {
    for (const [organism, cause] of this.dead) if (cause) this.lineage.add(organism, cause, tick);
    this.lineage.prune(this.population.all);
    const organisms = [...this.dead.keys()];
    this.dead.clear();
    return organisms;
  }

  /**
   * Returns the patches of organisms removed since the last call, which the caller must dispose of.
   */
  takeDisposed(): PatchId[] {
    return this.disposed.splice(0);
  }

  /**
   * Updates an organism's age, stage and counts after a step. The organism may become grown, fall
   * asleep or die.
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
      // The cells of an organism's seed are reserved only while the organism grows. Release those
      // that are not live.
      [held] = settle(this.grid, [{ organism, readout }], this.species.threshold);
    } else {
      // While an organism's wound closes or its genome changes, the organism does not rest, and its
      // steps do not count as awake steps.
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
      // The organism no longer looks like a relative (a similar creature). Release its faint cells,
      // which it kept until now.
      [held] = settle(this.grid, [{ organism, readout }], this.species.threshold);
      if (held === 0) {
        this.die(organism, 'no-cell-left');
        return;
      }
    }
    organism.transforming = undefined;
    rememberBody(organism, this.grid);
    if (heal(organism, held)) {
      this.pendingEvents.push({ what: 'healed', id: organism.id, healed: organism.healed });
    }
    this.population.setPhase(organism, 'asleep');
    const { id } = organism;
    this.pendingEvents.push(defined({ what: 'asleep' as const, id, parts: partsOf(organism) }));
  }

  /**
   * Claims the bare cells of a seed.
   *
   * @throws Refusal 'occupied' if other organisms own all cells of the seed
   */
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
    this.population.setPhase(organism, 'awake');
    this.pendingEvents.push({ what: 'awake', id: organism.id });
  }

  /**
   * Returns the number of awake steps after which an organism sleeps, even if it is still changing.
   */
  private trustedStepsOf({ stirs, expression }: Organism): number {
    const { trustedSteps = Infinity } = this.species;
    if (expression) return Math.min(trustedSteps, this.rules.relatives?.homeSteps ?? 0);
    return stirs === 0 ? trustedSteps : Math.min(trustedSteps, LIFE.wakingSteps / 2 ** (stirs - 1));
  }
}

/**
 * Returns the largest difference between corresponding values of two pictures, 0…255; 255 if the
 * pictures differ in size.
 */
function largestChange(before: Uint8Array | undefined, after: Uint8Array): number {
  if (before?.length !== after.length) return 255;
  return after.reduce((most, value, i) => Math.max(most, Math.abs(value - before[i])), 0);
}
