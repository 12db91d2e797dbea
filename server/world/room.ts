/**
 * One room: a pure, synchronous state machine. A tick has two halves, with the engine's step between them:
 * `beginTick` applies the waiting commands and says what to step; `endTick` takes the read-outs and settles the world.
 * The rules are listed in shared/RULES.md.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import type {
  Cause,
  EnergySettings,
  LifeEvent,
  OrganismId,
  OrganismView,
  ParticipantId,
} from '../../shared/vocabulary.ts';
import type { NewPatch, PatchId, PatchStep, Readout } from '../engine/engine.ts';
import { bedIn, windowOn } from './bed.ts';
import type { Answer, RoomCommand } from './commands.ts';
import { crossLatents } from './cross.ts';
import { checkStroke, ownersNear, wound } from './damage.ts';
import { Energy, FREE } from './energy.ts';
import { germinate } from './germinate.ts';
import { Ground } from './ground.ts';
import { Hands } from './hand.ts';
import { newOrganism, type Organism, viewOf } from './organism.ts';
import { keepMask, type Stepped, settle } from './ownership.ts';
import { Population } from './population.ts';
import { growthStep, type Species } from './species.ts';

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
}

/** What the engine has to do for a tick, in this order. */
export interface TickWork {
  readonly dispose: readonly PatchId[];
  readonly plant: readonly NewPatch[];
  readonly step: readonly PatchStep[];
}

export interface TickResult {
  readonly tick: number;
  readonly answers: readonly Answer[];
  readonly life: readonly LifeEvent[];
  /** Chunks of the planes that have changed. */
  readonly changed: readonly number[];
}

interface Waiting {
  readonly id: number;
  readonly command: RoomCommand;
}

export class Room {
  readonly name: string;
  readonly species: Species;
  readonly maxOrganisms: number;
  readonly ground: Ground;
  private readonly random: Random;
  private readonly hands = new Hands(DEFAULTS.room.maxSeedsInHand);
  private readonly population: Population;
  private readonly nextPatch: () => PatchId;
  private readonly energy: Energy;
  private tickRate: number;
  private nextOrganism = 1;
  private waiting: Waiting[] = [];
  /** How many of them each participant has. */
  private queued = new Map<ParticipantId, number>();
  private answers: Answer[] = [];
  private life: LifeEvent[] = [];
  private planted: NewPatch[] = [];
  private disposed: PatchId[] = [];
  private stepping: Organism[] = [];
  /** What was planted in this tick, and which answer says so. */
  private sown: { readonly organism: Organism; readonly answer: number }[] = [];
  private now = 0;

  constructor(options: RoomOptions) {
    this.name = options.name;
    this.species = options.species;
    this.maxOrganisms = options.maxOrganisms;
    this.ground = new Ground(options.width, options.height);
    this.population = new Population(this.ground);
    this.random = createRandom(options.seed);
    this.nextPatch = options.nextPatch;
    this.tickRate = options.tickRate ?? DEFAULTS.room.tickRate;
    this.energy = new Energy(options.energy ?? FREE, this.tickRate);
  }

  /** Ticks completed. */
  get tick(): number {
    return this.now;
  }

  get organisms(): OrganismView[] {
    return [...this.population.all].map(viewOf);
  }

  /** How many organisms live here. */
  get size(): number {
    return this.population.size;
  }

  /** How many of them are stepped at each tick. */
  get awake(): number {
    return this.population.awake.length;
  }

  /** Patches of all organisms, by organism, for whoever wants their states from the engine. */
  patchOf(id: OrganismId): PatchId | undefined {
    return this.population.find(id)?.patch;
  }

  /**
   * Queues a command for the next tick. Its answer is in that tick's result.
   *
   * @param id what the asker calls it
   * @throws Refusal too-fast when she has too many waiting, room-busy when all together have
   */
  enqueue(id: number, command: RoomCommand): void {
    const by = command.by.id;
    const queued = this.queued.get(by) ?? 0;
    if (queued >= DEFAULTS.room.maxQueuedPerParticipant) throw new Refusal('too-fast');
    if (this.waiting.length >= DEFAULTS.room.maxQueued) throw new Refusal('room-busy');
    this.waiting.push({ id, command });
    this.queued.set(by, queued + 1);
  }

  /** A participant has come. */
  enter(participant: ParticipantId): void {
    this.energy.enter(participant, this.now);
  }

  /** A participant has left: her hand is emptied; her organisms and waiting commands stay. */
  leave(participant: ParticipantId): void {
    this.hands.empty(participant);
    this.energy.leave(participant);
  }

  /** What acts cost here. */
  get energySettings(): EnergySettings {
    return this.energy.costs;
  }

  /** Energy that a participant has now. */
  energyOf(participant: ParticipantId): number {
    return this.energy.level(participant, this.now);
  }

  /** Changes what acts cost from the next tick on. */
  setEnergy(settings: EnergySettings): void {
    this.energy.change(settings, this.tickRate, this.now);
  }

  /** The ticker's rate has changed: energy goes on refilling by the second. */
  setTickRate(tickRate: number): void {
    this.tickRate = tickRate;
    this.energy.change(this.energy.costs, tickRate, this.now);
  }

  /** First half of a tick: applies commands and says what the engine has to do. */
  beginTick(): TickWork {
    const commands = this.waiting;
    this.waiting = [];
    this.sown = [];
    this.queued = new Map();
    for (const { id, command } of commands) this.apply(id, command);

    const step: PatchStep[] = [];
    this.stepping = [];
    for (const organism of this.population.awake) {
      const { divide, stage } = growthStep(this.species, organism.age);
      const { keep, alive } = keepMask(this.ground, organism, stage);
      organism.cover = undefined;
      if (!alive) {
        this.die(organism, 'no-cell-left');
        continue;
      }
      this.stepping.push(organism);
      step.push({ patch: organism.patch, divide, ...(keep && { keep }) });
    }
    const gone = new Set(this.disposed);
    const work = {
      dispose: this.disposed,
      plant: this.planted.filter(({ patch }) => !gone.has(patch)),
      step,
    };
    this.planted = [];
    this.disposed = [];
    return work;
  }

  /**
   * Between the halves of a tick: the engine has no memory for what was planted in it. These commands are refused after all,
   * and leave nothing behind; the engine need neither step nor dispose of their patches.
   */
  uproot(): void {
    const gone = new Set<OrganismId>();
    for (const { organism, answer } of this.sown) {
      const { by, id } = this.answers[answer];
      const refused = { reason: 'garden-full', detail: 'no memory is left for one more' } as const;
      this.energy.returnPlant(by, this.now);
      this.answers[answer] = { by, id, energy: this.energy.level(by, this.now), refused };
      if (organism.phase !== 'dead') this.die(organism, 'no-cell-left');
      gone.add(organism.id);
    }
    this.life = this.life.filter((event) =>
      event.what === 'born' ? !gone.has(event.organism.id) : !gone.has(event.id),
    );
    this.stepping = this.stepping.filter(({ id }) => !gone.has(id));
  }

  /**
   * Second half of a tick: settles the ground and the lives.
   *
   * @param readouts one for each step asked for, in the same order
   */
  endTick(readouts: readonly Readout[]): TickResult {
    this.now++;
    this.energy.prune(this.now);
    const stepped: Stepped[] = this.stepping.map((organism, i) => ({
      organism,
      readout: readouts[i],
    }));
    const held = settle(this.ground, stepped, this.species.threshold);
    stepped.forEach((one, i) => {
      this.grow(one, held[i]);
    });
    for (const organism of this.population.pressersOf(this.ground.takeFreed())) {
      this.stir(organism);
    }
    const result = {
      tick: this.now,
      answers: this.answers,
      life: this.life,
      changed: this.ground.takeChanged(),
    };
    this.stepping = [];
    this.answers = [];
    this.life = [];
    return result;
  }

  private apply(id: number, command: RoomCommand): void {
    const by = command.by.id;
    try {
      const seed = this.act(command);
      this.answers.push({ by, id, energy: this.energyOf(by), ...(seed && { seed }) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const refused = { reason: error.reason, detail: error.detail };
      this.answers.push({ by, id, energy: this.energyOf(by), refused });
    }
  }

  private act(command: RoomCommand): Answer['seed'] {
    switch (command.what) {
      case 'plant':
        this.plant(command);
        return undefined;
      case 'damage':
        this.damage(command);
        return undefined;
      case 'cross': {
        const { id, origin, parents } = this.cross(command);
        return { id, origin, parents };
      }
    }
  }

  private plant({ by, x, y, seed }: RoomCommand & { what: 'plant' }): void {
    const window = windowOn(this.ground, x, y, this.species.side);
    if (this.population.size >= this.maxOrganisms) throw new Refusal('garden-full');
    const places = bedIn(window, this.ground);
    // Before chance is drawn from: what is refused changes nothing.
    this.energy.requirePlant(by.id, this.now);
    const { latent, origin, kind, parents } = germinate(seed, by.id, {
      species: this.species,
      hands: this.hands,
      random: this.random,
    });
    this.energy.spendPlant(by.id, this.now);
    const organism = newOrganism({
      id: this.nextOrganism++,
      patch: this.nextPatch(),
      window,
      latent,
      origin,
      kind,
      parents,
      planter: { id: by.id, name: by.name, hue: by.hue },
      born: this.now,
      stage: growthStep(this.species, 0).stage,
    });
    for (const place of places) this.ground.claim(place, organism.id);
    this.population.add(organism);
    this.sown.push({ organism, answer: this.answers.length });
    this.planted.push({ patch: organism.patch, checkpoint: this.species.checkpoint, latent });
    this.life.push({ what: 'born', organism: viewOf(organism) });
  }

  private damage({ by, points, radius }: RoomCommand & { what: 'damage' }): void {
    const stroke = { points, radius };
    checkStroke(stroke, this.ground);
    this.energy.spendStroke(by.id, stroke, this.now);
    for (const id of ownersNear(stroke, this.ground)) {
      const organism = this.population.find(id)!;
      const { stage } = growthStep(this.species, organism.age);
      if (!wound(organism, stage, stroke, this.ground)) continue;
      organism.wounds++;
      this.wake(organism);
      this.life.push({ what: 'wounded', id, by: by.id, wounds: organism.wounds });
    }
  }

  private cross({ by, a, b, mix }: RoomCommand & { what: 'cross' }) {
    const [first, second] = [a, b].map((id) => {
      const parent = this.population.find(id);
      if (!parent) throw new Refusal('no-such-organism', `organism ${id}`);
      return parent;
    });
    const latent = crossLatents(first.latent, second.latent, mix);
    return this.hands.give(by.id, { latent, origin: 'cross', parents: [a, b] });
  }

  /**
   * Ages an organism by the step it has just taken, and lets it come of age, fall asleep or die.
   *
   * @param settled places that it holds
   */
  private grow({ organism, readout }: Stepped, settled: number): void {
    let held = settled;
    if (readout.broken) {
      this.die(organism, 'broken');
      return;
    }
    if (readout.stage !== organism.stage) {
      organism.stage = readout.stage;
      this.life.push({ what: 'divided', id: organism.id, stage: readout.stage });
    }
    organism.age++;
    if (organism.phase === 'growing') {
      if (organism.age < this.species.schedule.length) return;
      organism.phase = 'awake';
      this.life.push({ what: 'grown', id: organism.id });
      // The ground that it held as a seed is now held, like any other, by live cells alone.
      [held] = settle(this.ground, [{ organism, readout }], this.species.threshold);
    } else {
      organism.awakeSteps++;
      organism.restTicks = readout.change <= DEFAULTS.life.restLevel ? organism.restTicks + 1 : 0;
    }
    if (held === 0) {
      this.die(organism, 'no-cell-left');
      return;
    }
    const trusted = this.trustIn(organism);
    if (organism.restTicks < DEFAULTS.life.restTicks && organism.awakeSteps < trusted) return;
    this.population.sleep(organism);
    this.life.push({ what: 'asleep', id: organism.id });
  }

  /** Something has touched an organism: it gets up, if it slept, and may be trusted anew. */
  private wake(organism: Organism): void {
    organism.stirs = 0;
    this.rouse(organism);
  }

  /** Ground that a sleeper pressed against has fallen free. Neighbours would wake each other so for ever: each time for less. */
  private stir(organism: Organism): void {
    if (organism.stirs >= DEFAULTS.life.maxStirs) return;
    organism.stirs++;
    this.rouse(organism);
  }

  private rouse(organism: Organism): void {
    organism.awakeSteps = 0;
    organism.restTicks = 0;
    if (organism.phase !== 'asleep') return;
    this.population.wake(organism);
    this.life.push({ what: 'awake', id: organism.id });
  }

  /** Steps after which it sleeps, rest or no rest. */
  private trustIn({ stirs }: Organism): number {
    const { trustedSteps = Infinity } = this.species;
    return stirs === 0
      ? trustedSteps
      : Math.min(trustedSteps, DEFAULTS.life.stirSteps / 2 ** (stirs - 1));
  }

  private die(organism: Organism, cause: Cause): void {
    this.population.remove(organism);
    this.disposed.push(organism.patch);
    const left: number[] = [];
    this.ground.each(organism.window, (place) => {
      if (this.ground.ownerAt(place) !== organism.id) return;
      this.ground.release(place);
      left.push(place);
    });
    // What has long given up on this ground may try anew.
    for (const neighbour of this.population.pressersOf(left)) neighbour.stirs = 0;
    this.life.push({ what: 'died', id: organism.id, cause });
  }
}
