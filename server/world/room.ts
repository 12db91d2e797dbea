/**
 * One room: a pure, synchronous state machine. A tick has two halves, with the engine's step between them:
 * `beginTick` applies the waiting commands and says what to step; `endTick` takes the read-outs and settles the world.
 * The rules are listed in shared/RULES.md.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { PreviewSource } from '../../shared/protocol/commands.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom, type Random, resumeRandom } from '../../shared/random.ts';
import { encodeSeed } from '../../shared/seedToken.ts';
import {
  type Cause,
  type EnergySettings,
  HOUSE,
  type LifeEvent,
  type OrganismId,
  type OrganismView,
  type ParticipantId,
  type SeedView,
} from '../../shared/vocabulary.ts';
import type { NewPatch, PatchId, PatchStep, Readout } from '../engine/engine.ts';
import { bedIn, windowOn } from './bed.ts';
import type { Answer, RoomCommand } from './commands.ts';
import { crossLatents, mutate } from './cross.ts';
import { checkStroke, ownersIn, ownersNear, wound } from './damage.ts';
import { Energy, FREE } from './energy.ts';
import { plainNumbers, type RoomEvent } from './events.ts';
import { checkedLatent, germinate } from './germinate.ts';
import { Ground } from './ground.ts';
import { Hands } from './hand.ts';
import { heal, hurt } from './healing.ts';
import { newOrganism, type Organism, viewOf } from './organism.ts';
import { keepMask, type Stepped, settle } from './ownership.ts';
import { Population } from './population.ts';
import {
  exportOrganism,
  exportRandom,
  importOrganism,
  largestChange,
  ROOM_STATE_VERSION,
  type RoomState,
} from './roomState.ts';
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

type Command = RoomEvent & { readonly what: 'command' };
type Outer = Exclude<RoomEvent, Command>;

const viewOfSeed = ({ id, origin, parents }: SeedView): SeedView => ({ id, origin, parents });

export class Room {
  readonly name: string;
  readonly species: Species;
  readonly ground: Ground;
  private random: Random;
  private hands: Hands;
  private population: Population;
  private readonly nextPatch: () => PatchId;
  private energy: Energy;
  private tickRate: number;
  private limit: number;
  private nextOrganism: number;
  private latestParticipant: number;
  private waiting: Command[] = [];
  /** What has come from outside since the last tick began, and acted at once. */
  private happened: Outer[] = [];
  /** How many of what is done again first has acted already, before the room was put back. */
  private acted: number;
  /** How many commands each participant has waiting. */
  private queued = new Map<ParticipantId, number>();
  private answers: Answer[] = [];
  private life: LifeEvent[] = [];
  private planted: NewPatch[] = [];
  private disposed: PatchId[] = [];
  private stepping: Organism[] = [];
  /** In this tick that is done again, the engine had no memory for what was planted. */
  private barren = false;
  /** What was planted in this tick, and which answer says so. */
  private sown: { readonly organism: Organism; readonly answer: number }[] = [];
  private now: number;

  constructor(options: RoomOptions) {
    const { from } = options;
    this.name = options.name;
    this.species = options.species;
    this.nextPatch = options.nextPatch;
    const tickRate = options.tickRate ?? DEFAULTS.room.tickRate;
    this.energy = from
      ? new Energy(from.energy.settings, from.energy.tickRate, from.energy.accounts)
      : new Energy(options.energy ?? FREE, tickRate);
    this.tickRate = from?.energy.tickRate ?? tickRate;
    this.acted = from?.acted ?? 0;
    this.limit = from?.maxOrganisms ?? options.maxOrganisms;
    const { width, height } = from?.planes ?? options;
    this.ground = new Ground(width, height, from?.planes);
    this.population = new Population(this.ground);
    this.random = from ? resumeRandom(from.random) : createRandom(options.seed);
    this.hands = new Hands(DEFAULTS.room.maxSeedsInHand, from?.hands);
    this.now = from?.tick ?? 0;
    this.nextOrganism = from?.nextOrganism ?? 1;
    this.latestParticipant = from?.lastParticipant ?? 0;
    for (const state of from?.organisms ?? []) {
      this.population.add(importOrganism(state, this.nextPatch()));
    }
  }

  /** Ticks completed. */
  get tick(): number {
    return this.now;
  }

  /** Organisms that may live at once. */
  get maxOrganisms(): number {
    return this.limit;
  }

  /** Highest participant that has done anything here. */
  get lastParticipant(): number {
    return this.latestParticipant;
  }

  /** Participants who have something in their hands, or have spent energy. */
  get holders(): number[] {
    return [...new Set([...this.hands.participants, ...this.energy.participants])];
  }

  get organisms(): OrganismView[] {
    return [...this.population.all].map(viewOf);
  }

  /** What everybody may know of one organism, while it lives. */
  viewOf(id: OrganismId): OrganismView | undefined {
    const organism = this.population.find(id);
    return organism && viewOf(organism);
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
   * @throws Refusal too-fast when she has too many waiting, room-busy when all together have, no-such-seed where there is no map
   */
  enqueue(id: number, command: RoomCommand): void {
    const by = command.by.id;
    const queued = this.queued.get(by) ?? 0;
    const isHouse = by === HOUSE.id;
    if (queued >= DEFAULTS.room.maxQueuedPerParticipant && !isHouse) throw new Refusal('too-fast');
    if (this.waiting.length >= DEFAULTS.room.maxQueued) throw new Refusal('room-busy');
    this.waiting.push({ what: 'command', id, command: plainNumbers(this.settled(command)) });
    this.queued.set(by, queued + 1);
  }

  /** What a participant holds, the oldest first. */
  handOf(participant: ParticipantId): SeedView[] {
    return this.hands.of(participant).map(viewOfSeed);
  }

  /**
   * The latent that a seed would be planted with now: for a look at it. Nothing changes, no chance is drawn.
   *
   * @param participant whose hand is meant
   * @returns [Z], not to be changed
   * @throws Refusal no-such-seed (also for chance that is not thrown yet), no-such-organism, bad-latent
   */
  look(seed: PreviewSource, participant: ParticipantId): Float32Array {
    if (seed.from === 'organism') return this.latentOf(seed.organism);
    if (seed.from === 'cross') {
      return crossLatents(this.latentOf(seed.a), this.latentOf(seed.b), seed.mix);
    }
    if (seed.from === 'prior' && seed.throw === undefined) {
      throw new Refusal('no-such-seed', 'not thrown yet');
    }
    return germinate(seed, participant, this.soil).latent;
  }

  /**
   * A living organism's seed as a token.
   *
   * @throws Refusal no-such-organism
   */
  tokenOf(id: OrganismId): string {
    const latent = this.latentOf(id);
    const kind = this.species.gallery.findIndex(({ name }) => name === this.viewOf(id)?.kind);
    return encodeSeed({ kind: kind < 0 ? undefined : kind, latent }, this.species);
  }

  /** A participant has come. */
  enter(participant: ParticipantId): void {
    this.happen({ what: 'enter', participant, at: this.now });
  }

  /** A participant has left: her hand is emptied; her organisms and waiting commands stay. */
  leave(participant: ParticipantId): void {
    this.happen({ what: 'leave', participant });
  }

  /** From now on, so many organisms may live at once. */
  setMaxOrganisms(maxOrganisms: number): void {
    this.happen({ what: 'limit', maxOrganisms });
  }

  /** What acts cost here. */
  get energySettings(): EnergySettings {
    return this.energy.costs;
  }

  /** Energy that a participant has now. */
  energyOf(participant: ParticipantId): number {
    return this.energy.level(participant, this.now);
  }

  /** Changes what acts cost. */
  setEnergy(settings: EnergySettings): void {
    this.happen({ what: 'energy', settings, tickRate: this.tickRate, at: this.now });
  }

  /** The ticker's rate has changed: energy goes on refilling by the second. */
  setTickRate(tickRate: number): void {
    this.happen({ what: 'energy', settings: this.energy.costs, tickRate, at: this.now });
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
    const { width, height, rgba, owner } = this.ground.planes;
    return {
      version: ROOM_STATE_VERSION,
      tick: this.now,
      maxOrganisms: this.limit,
      nextOrganism: this.nextOrganism,
      lastParticipant: this.latestParticipant,
      acted: this.happened.length,
      random: exportRandom(this.random),
      hands: this.hands.export() as RoomState['hands'],
      energy: this.energy.export() as RoomState['energy'],
      organisms: [...this.population.all].map(exportOrganism),
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
  become(from: RoomState, patches: readonly PatchId[]): void {
    for (const { patch } of this.population.all) this.disposed.push(patch);
    this.ground.become(from.planes);
    this.population = new Population(this.ground);
    for (const [i, state] of from.organisms.entries()) {
      this.population.add(importOrganism(state, patches[i]));
    }
    this.random = resumeRandom(from.random);
    this.hands = new Hands(DEFAULTS.room.maxSeedsInHand, from.hands);
    this.energy = new Energy(from.energy.settings, from.energy.tickRate, from.energy.accounts);
    this.tickRate = from.energy.tickRate;
    this.limit = from.maxOrganisms;
    this.now = from.tick;
    this.nextOrganism = Math.max(this.nextOrganism, from.nextOrganism);
    this.latestParticipant = Math.max(this.latestParticipant, from.lastParticipant);
    this.acted = Math.max(0, from.acted - this.happened.length);
    for (const event of this.happened.slice(from.acted)) this.take(event);
  }

  /** Patches that the engine was not told to give back yet. They are the caller's from now on. */
  release(): PatchId[] {
    const { disposed } = this;
    this.disposed = [];
    return disposed;
  }

  /** Which of the commands of this tick were refused so far, by their place among them. */
  get refused(): number[] {
    return this.answers.flatMap(({ refused }, i) => (refused ? [i] : []));
  }

  /** First half of a tick: applies commands and says what the engine has to do. */
  beginTick(): TickWork {
    const commands = this.waiting;
    const events = [...this.happened, ...commands];
    this.waiting = [];
    this.happened = [];
    this.sown = [];
    this.queued = new Map();
    const { barren } = this;
    this.barren = false;
    this.acted = 0;
    for (const command of commands) this.apply(command);

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
      events,
    };
    this.planted = [];
    this.disposed = [];
    if (!barren) return work;
    const refused = new Set(this.sown.map(({ organism }) => organism.patch));
    this.uproot();
    return { ...work, plant: [], step: step.filter(({ patch }) => !refused.has(patch)) };
  }

  /**
   * Between the halves of a tick: the engine has no memory for what was planted in it. These commands are refused after all,
   * and leave nothing behind; the engine need neither step nor dispose of their patches.
   *
   * @returns whether there were any
   */
  uproot(): boolean {
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
    return gone.size > 0;
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

  /** Acts at once; the journal has it with the next tick. */
  private happen(event: Outer): void {
    this.happened.push(event);
    this.take(event);
  }

  private take(event: Outer): void {
    switch (event.what) {
      case 'enter':
        this.latestParticipant = Math.max(this.latestParticipant, event.participant);
        this.energy.enter(event.participant, event.at);
        break;
      case 'leave':
        this.hands.empty(event.participant);
        this.energy.leave(event.participant);
        break;
      case 'limit':
        this.limit = event.maxOrganisms;
        break;
      case 'energy':
        this.tickRate = event.tickRate;
        this.energy.change(event.settings, event.tickRate, event.at);
        break;
      case 'no-memory':
        this.barren = true;
    }
  }

  private apply({ id, command, past }: Command): void {
    const by = command.by.id;
    this.latestParticipant = Math.max(this.latestParticipant, by);
    if (past === 'withdrawn') {
      this.pass(command);
      return;
    }
    try {
      const outcome = this.act(command);
      this.answers.push({ by, id, energy: this.energyOf(by), ...outcome });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (past === 'accepted') this.pass(command);
      const refused = { reason: error.reason, detail: error.detail };
      this.answers.push({ by, id, energy: this.energyOf(by), refused });
    }
  }

  /**
   * What a command used up besides energy is used up though it does nothing: numbers and chance, so that all who are born later
   * are who they were.
   */
  private pass(command: RoomCommand): void {
    const { latentSize } = this.species;
    if (command.what === 'plant') {
      this.nextOrganism++;
      const { seed } = command;
      if (seed.from === 'prior' && seed.throw === undefined) this.random.latent(latentSize);
    } else if (command.what === 'cross') {
      const { mutation = 0 } = command;
      if (mutation > 0) mutate(new Float32Array(latentSize), mutation, this.random);
      this.hands.skip();
    } else if (command.what === 'hold') this.hands.skip();
  }

  private act(command: RoomCommand): Pick<Answer, 'seed' | 'removed'> {
    switch (command.what) {
      case 'plant':
        this.plant(command);
        return {};
      case 'damage':
        this.damage(command);
        return {};
      case 'cross':
        return { seed: viewOfSeed(this.cross(command)) };
      case 'hold': {
        const latent = checkedLatent(command.latent, this.species);
        const { origin } = command;
        const seed = this.hands.give(command.by.id, { latent, origin, parents: [] });
        return { seed: viewOfSeed(seed) };
      }
      case 'remove':
        return this.clear([command.organism]);
      case 'clear':
        return this.clear(ownersIn(command.area, this.ground));
    }
  }

  /** @throws Refusal no-such-organism */
  private clear(ids: readonly OrganismId[]): Pick<Answer, 'removed'> {
    for (const organism of ids.map((id) => this.living(id))) this.die(organism, 'removed');
    return { removed: ids.length };
  }

  private plant({ by, x, y, seed }: RoomCommand & { what: 'plant' }): void {
    const window = windowOn(this.ground, x, y, this.species.side);
    if (this.population.size >= this.limit) throw new Refusal('garden-full');
    const places = bedIn(window, this.ground);
    // Before chance is drawn from: what is refused changes nothing.
    this.energy.requirePlant(by.id, this.now);
    const { latent, origin, kind, parents } = germinate(seed, by.id, this.soil);
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
      hurt(organism, this.ground);
      this.wake(organism);
      this.life.push({ what: 'wounded', id, by: by.id, wounds: organism.wounds });
    }
  }

  private cross({ by, a, b, mix, mutation = 0 }: RoomCommand & { what: 'cross' }) {
    const mixed = crossLatents(this.latentOf(a), this.latentOf(b), mix);
    const latent = mutation > 0 ? mutate(mixed, mutation, this.random) : mixed;
    return this.hands.give(by.id, { latent, origin: 'cross', parents: [a, b] });
  }

  /** @throws Refusal no-such-organism */
  private latentOf(id: OrganismId): Float32Array {
    return this.living(id).latent;
  }

  /** @throws Refusal no-such-organism */
  private living(id: OrganismId): Organism {
    const organism = this.population.find(id);
    if (!organism) throw new Refusal('no-such-organism', `organism ${id}`);
    return organism;
  }

  private get soil() {
    return { species: this.species, hands: this.hands, random: this.random };
  }

  /** A command as it is kept: it means the same whatever becomes of the map. */
  private settled(command: RoomCommand): RoomCommand {
    if (command.what !== 'plant' || command.seed.from !== 'map') return command;
    const { latent } = germinate(command.seed, command.by.id, this.soil);
    return { ...command, seed: { from: 'spot', latent: [...latent] } };
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
    const change = organism.putBack ? largestChange(organism.seen, readout.rgba) : readout.change;
    organism.putBack = false;
    organism.seen = readout.rgba;
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
      organism.restTicks = change <= DEFAULTS.life.restLevel ? organism.restTicks + 1 : 0;
    }
    if (held === 0) {
      this.die(organism, 'no-cell-left');
      return;
    }
    const trusted = this.trustIn(organism);
    if (organism.restTicks < DEFAULTS.life.restTicks && organism.awakeSteps < trusted) return;
    if (heal(organism, held)) {
      this.life.push({ what: 'healed', id: organism.id, healed: organism.healed });
    }
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
