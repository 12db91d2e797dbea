/**
 * The lives of a room's organisms: they age with each step, come of age, fall asleep, get up and die (rules LIF-1 … LIF-7). What
 * happens to them is told as events, and their patches are given back when they are gone.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { Cause, LifeEvent, OrganismId, ParticipantId } from '../../shared/vocabulary.ts';
import type { PatchId, PatchStep, Readout } from '../engine/engine.ts';
import type { GridPlanes } from './grid-planes.ts';
import { heal, hurt } from './healing.ts';
import { type Organism, viewOf } from './organism.ts';
import { keepMask, type Stepped, settle } from './ownership.ts';
import { Population } from './population.ts';
import { largestChange } from './room-state.ts';
import { growthStep, type Species } from './species.ts';

export class OrganismLifecycle {
  private population: Population;
  private pendingEvents: LifeEvent[] = [];
  private disposed: PatchId[] = [];
  private stepping: Organism[] = [];

  constructor(
    private readonly grid: GridPlanes,
    private readonly species: Species,
  ) {
    this.population = new Population(grid);
  }

  /** How many there are. */
  get size(): number {
    return this.population.size;
  }

  /** How many of them are stepped at each tick. */
  get awake(): number {
    return this.population.awake.length;
  }

  /** All, in order of age, oldest first. */
  get all(): IterableIterator<Organism> {
    return this.population.all;
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

  /** Others take the place of all who live, without a word; the patches of those before are given back. */
  replaceAll(organisms: Iterable<Organism>): void {
    for (const { patch } of this.population.all) this.disposed.push(patch);
    this.population = new Population(this.grid);
    for (const organism of organisms) this.population.add(organism);
  }

  /** One more, the youngest. */
  add(organism: Organism): void {
    this.population.add(organism);
    this.pendingEvents.push({ what: 'born', organism: viewOf(organism) });
  }

  /** A stroke has hit it: it gets up, if it slept, and may be trusted anew. */
  hit(organism: Organism, by: ParticipantId): void {
    organism.wounds++;
    hurt(organism, this.grid);
    organism.stirs = 0;
    this.wake(organism);
    const { id, wounds } = organism;
    this.pendingEvents.push({ what: 'wounded', id, by, wounds });
  }

  die(organism: Organism, cause: Cause): void {
    this.population.remove(organism);
    this.disposed.push(organism.patch);
    const left: number[] = [];
    this.grid.each(organism.window, (place) => {
      if (this.grid.ownerAt(place) !== organism.id) return;
      this.grid.release(place);
      left.push(place);
    });
    // What has long given up on this ground may try anew.
    for (const neighbour of this.population.pressingOn(left)) neighbour.stirs = 0;
    this.pendingEvents.push({ what: 'died', id: organism.id, cause });
  }

  /** First half of a tick. @returns the step of each who is awake, in order of age; who has no cell left dies first */
  step(): PatchStep[] {
    const steps: PatchStep[] = [];
    this.stepping = [];
    for (const organism of this.population.awake) {
      const { divide, stage } = growthStep(this.species, organism.age);
      const { keep, alive } = keepMask(this.grid, organism, stage);
      organism.woundMask = undefined;
      if (!alive) {
        this.die(organism, 'no-cell-left');
        continue;
      }
      this.stepping.push(organism);
      steps.push({ patch: organism.patch, divide, ...(keep && { keep }) });
    }
    return steps;
  }

  /**
   * Second half of a tick: settles the ground and the lives.
   *
   * @param readouts one for each step, in the same order
   */
  settle(readouts: readonly Readout[]): void {
    const { stepping, grid: ground, species } = this;
    const stepped = stepping.map((organism, i) => ({ organism, readout: readouts[i] }));
    const held = settle(ground, stepped, species.threshold);
    stepped.forEach((one, i) => {
      this.advance(one, held[i]);
    });
    for (const organism of this.population.pressingOn(ground.takeFreed()))
      this.wakeByGround(organism);
    this.stepping = [];
  }

  /** These were planted in this tick and never lived: they are gone without a word, and are not stepped. */
  retract(organisms: readonly Organism[]): void {
    const gone = new Set(organisms.map(({ id }) => id));
    for (const organism of organisms) {
      if (organism.phase !== 'dead') this.die(organism, 'no-cell-left');
    }
    this.pendingEvents = this.pendingEvents.filter((event) =>
      event.what === 'born' ? !gone.has(event.organism.id) : !gone.has(event.id),
    );
    this.stepping = this.stepping.filter(({ id }) => !gone.has(id));
  }

  /** What has happened since this was last asked. */
  takeEvents(): LifeEvent[] {
    const { pendingEvents: told } = this;
    this.pendingEvents = [];
    return told;
  }

  /** Patches of those who have gone since this was last asked. They are the caller's from now on. */
  takeDisposed(): PatchId[] {
    const { disposed } = this;
    this.disposed = [];
    return disposed;
  }

  /**
   * Ages an organism by the step it has just taken, and lets it come of age, fall asleep or die.
   *
   * @param settled places that it holds
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
      // The ground that it held as a seed is now held, like any other, by live cells alone.
      [held] = settle(this.grid, [{ organism, readout }], this.species.threshold);
    } else {
      organism.awakeSteps++;
      organism.restTicks = change <= DEFAULTS.life.restLevel ? organism.restTicks + 1 : 0;
    }
    if (held === 0) {
      this.die(organism, 'no-cell-left');
      return;
    }
    const trusted = this.trustedStepsOf(organism);
    if (organism.restTicks < DEFAULTS.life.restTicks && organism.awakeSteps < trusted) return;
    if (heal(organism, held)) {
      this.pendingEvents.push({ what: 'healed', id: organism.id, healed: organism.healed });
    }
    this.population.sleep(organism);
    this.pendingEvents.push({ what: 'asleep', id: organism.id });
  }

  /** Ground that a sleeper pressed against has fallen free. Neighbours would wake each other so for ever: each time for less. */
  private wakeByGround(organism: Organism): void {
    if (organism.stirs >= DEFAULTS.life.maxStirs) return;
    organism.stirs++;
    this.wake(organism);
  }

  private wake(organism: Organism): void {
    organism.awakeSteps = 0;
    organism.restTicks = 0;
    if (organism.phase !== 'asleep') return;
    this.population.wake(organism);
    this.pendingEvents.push({ what: 'awake', id: organism.id });
  }

  /** Steps after which it sleeps, rest or no rest. */
  private trustedStepsOf({ stirs }: Organism): number {
    const { trustedSteps = Infinity } = this.species;
    return stirs === 0
      ? trustedSteps
      : Math.min(trustedSteps, DEFAULTS.life.stirSteps / 2 ** (stirs - 1));
  }
}
