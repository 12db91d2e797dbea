/**
 * What participants and the host do in a room, one command after the other, and what it takes: hands, energy, chance and numbers
 * that are never given twice.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { PreviewSource } from '../../shared/protocol/commands.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom, type Random, resumeRandom } from '../../shared/random.ts';
import type {
  EnergySettings,
  OrganismId,
  ParticipantId,
  SeedView,
} from '../../shared/vocabulary.ts';
import type { NewPatch, PatchId } from '../engine/engine.ts';
import { Attendance } from './attendance.ts';
import type { Answer, RoomCommand } from './commands.ts';
import { checkedLatent, createLatent } from './create-latent.ts';
import { crossLatents, mutate } from './cross.ts';
import { checkStroke, ownersIn, ownersNear, wound } from './damage.ts';
import { chooseDeparting, chooseUnattended, type Moment } from './departure.ts';
import { Energy, FREE } from './energy.ts';
import type { CommandEvent, OuterEvent } from './events.ts';
import type { GridPlanes } from './grid-planes.ts';
import { newOrganism, type Organism } from './organism.ts';
import type { OrganismLifecycle } from './organism-lifecycle.ts';
import { plantingSite, windowAt } from './planting-site.ts';
import { exportRandom, type RoomState } from './room-state.ts';
import { SeedInventory } from './seed-inventory.ts';
import { growthStep, type Species } from './species.ts';

export interface CommandHandlersOptions {
  readonly species: Species;
  readonly grid: GridPlanes;
  readonly lifecycle: OrganismLifecycle;
  readonly maxOrganisms: number;
  /** Of the room's chance. */
  readonly seed: number;
  /** What acts cost; absent: nothing. */
  readonly energy?: EnergySettings | undefined;
  /** Nominal ticks per second, by which energy refills. */
  readonly tickRate: number;
  /** Gives a patch id that no other room has. */
  readonly nextPatch: () => PatchId;
}

/** What of a room's state is kept here. */
type ActsState = Pick<
  RoomState,
  'maxOrganisms' | 'nextOrganism' | 'lastParticipant' | 'random' | 'hands' | 'energy' | 'attendance'
>;

const viewOfSeed = ({ id, origin, parents }: SeedView): SeedView => ({ id, origin, parents });

export class CommandHandlers {
  /** Organisms that may live at once. */
  maxOrganisms: number;
  /** Highest participant that has done anything. */
  lastParticipant = 0;
  tickRate: number;
  private readonly species: Species;
  private readonly grid: GridPlanes;
  private readonly lifecycle: OrganismLifecycle;
  private readonly nextPatch: () => PatchId;
  private nextOrganism = 1;
  private random: Random;
  private inventory = new SeedInventory(DEFAULTS.room.maxSeedsInHand);
  private energy: Energy;
  /** Undefined in a room of an earlier release, which does not make room yet. */
  private attendance: Attendance | undefined = new Attendance();
  private answers: Answer[] = [];
  private planted: NewPatch[] = [];
  /** What was planted in this tick, and which answer says so. */
  private pendingPlants: { readonly organism: Organism; readonly answer: number }[] = [];

  constructor(options: CommandHandlersOptions) {
    this.species = options.species;
    this.grid = options.grid;
    this.lifecycle = options.lifecycle;
    this.nextPatch = options.nextPatch;
    this.maxOrganisms = options.maxOrganisms;
    this.tickRate = options.tickRate;
    this.energy = new Energy(options.energy ?? FREE, options.tickRate);
    this.random = createRandom(options.seed);
  }

  /** Participants who are here, as far as is known, or hold seeds, or have spent energy. */
  get participantsWithState(): ParticipantId[] {
    const present = this.attendance?.participants ?? [];
    return [...new Set([...this.inventory.participants, ...this.energy.participants, ...present])];
  }

  /** Whether it is known who is here, so that a full room makes room. */
  get knowsAttendance(): boolean {
    return this.attendance !== undefined;
  }

  /** The organism that is unattended longest, where one is for long; see `departure.ts`. */
  unattended(tick: number): Organism | undefined {
    return (
      this.attendance &&
      chooseUnattended([...this.lifecycle.all], this.moment(this.attendance, tick))
    );
  }

  /** What acts cost here. */
  get energySettings(): EnergySettings {
    return this.energy.costs;
  }

  /** Energy that a participant has at a tick. */
  energyOf(participant: ParticipantId, tick: number): number {
    return this.energy.level(participant, tick);
  }

  /** What a participant holds, the oldest first. */
  seedsOf(participant: ParticipantId): SeedView[] {
    return this.inventory.of(participant).map(viewOfSeed);
  }

  /** Which of the commands of this tick were refused so far, by their place among them. */
  get refused(): number[] {
    return this.answers.flatMap(({ refused }, i) => (refused ? [i] : []));
  }

  export(): ActsState {
    return {
      maxOrganisms: this.maxOrganisms,
      nextOrganism: this.nextOrganism,
      lastParticipant: this.lastParticipant,
      random: exportRandom(this.random),
      hands: this.inventory.export() as RoomState['hands'],
      energy: this.energy.export() as RoomState['energy'],
      ...(this.attendance && { attendance: this.attendance.export() as RoomState['attendance'] }),
    };
  }

  /** Goes on from where a room stood; numbers that were given since are not given again. */
  restore(from: ActsState): void {
    const { settings, tickRate, accounts } = from.energy;
    this.maxOrganisms = from.maxOrganisms;
    this.nextOrganism = Math.max(this.nextOrganism, from.nextOrganism);
    this.lastParticipant = Math.max(this.lastParticipant, from.lastParticipant);
    this.random = resumeRandom(from.random);
    this.inventory = new SeedInventory(DEFAULTS.room.maxSeedsInHand, from.hands);
    this.energy = new Energy(settings, tickRate, accounts);
    this.tickRate = tickRate;
    this.attendance = from.attendance && new Attendance(from.attendance);
  }

  /**
   * The latent that a seed would be planted with now: for a look at it. Nothing changes, no chance is drawn.
   *
   * @param participant whose hand is meant
   * @returns [Z], not to be changed
   * @throws Refusal no-such-seed (also for chance that is not thrown yet), no-such-organism, bad-latent
   */
  previewLatent(seed: PreviewSource, participant: ParticipantId): Float32Array {
    if (seed.from === 'organism') return this.latentOf(seed.organism);
    if (seed.from === 'cross') {
      return crossLatents(this.latentOf(seed.a), this.latentOf(seed.b), seed.mix);
    }
    if (seed.from === 'prior' && seed.throw === undefined) {
      throw new Refusal('no-such-seed', 'not thrown yet');
    }
    return createLatent(seed, participant, this.context).latent;
  }

  /**
   * A command as it is kept: it means the same whatever becomes of the map.
   *
   * @throws Refusal no-such-seed where there is no map
   */
  resolved(command: RoomCommand): RoomCommand {
    if (command.what !== 'plant') return command;
    // What can never grow is not worth a place in the journal.
    if (command.seed.from === 'latent') checkedLatent(command.seed.latent, this.species);
    if (command.seed.from !== 'map') return command;
    const { latent } = createLatent(command.seed, command.by.id, this.context);
    return { ...command, seed: { from: 'spot', latent: [...latent] } };
  }

  /** What comes from outside and is no command acts at once. */
  handleEvent(event: Exclude<OuterEvent, { what: 'no-memory' }>): void {
    switch (event.what) {
      case 'enter':
        this.lastParticipant = Math.max(this.lastParticipant, event.participant);
        this.energy.enter(event.participant, event.at, event.granted);
        this.attendance?.enter(event.participant);
        break;
      case 'leave':
        this.inventory.clear(event.participant);
        this.energy.leave(event.participant);
        this.attendance?.leave(event.participant, event.at ?? 0);
        break;
      case 'attendance':
        this.attendance = new Attendance({ present: event.present, absent: [] });
        break;
      case 'limit':
        this.maxOrganisms = event.maxOrganisms;
        break;
      case 'energy':
        this.tickRate = event.tickRate;
        this.energy.change(event.settings, event.tickRate, event.at);
    }
  }

  /** A tick's commands, in their order. @param tick those completed */
  apply(commands: readonly CommandEvent[], tick: number): void {
    this.pendingPlants = [];
    for (const command of commands) this.run(command, tick);
  }

  /**
   * What was planted since this was last asked, for the engine.
   *
   * @param disposed patches of those who have died since
   */
  takePlanted(disposed: readonly PatchId[]): NewPatch[] {
    const gone = new Set(disposed);
    const planted = this.planted.filter(({ patch }) => !gone.has(patch));
    this.planted = [];
    return planted;
  }

  /**
   * The engine has no memory for what was planted in this tick: these commands are refused after all, and leave nothing behind.
   *
   * @returns patches that there will not be
   */
  refusePending(tick: number): PatchId[] {
    for (const { answer } of this.pendingPlants) {
      const { by, id } = this.answers[answer];
      const refused = { reason: 'garden-full', detail: 'no memory is left for one more' } as const;
      this.energy.returnPlant(by, tick);
      const energy = this.energy.level(by, tick);
      this.answers[answer] = { by, id, what: 'plant', energy, refused };
    }
    const organisms = this.pendingPlants.map(({ organism }) => organism);
    this.lifecycle.retract(organisms);
    return organisms.map(({ patch }) => patch);
  }

  /** A tick has ended. @returns what became of its commands */
  end(tick: number): Answer[] {
    this.energy.prune(tick);
    this.attendance?.prune(
      tick,
      () => new Set([...this.lifecycle.all].map(({ planter }) => planter.id)),
    );
    const { answers } = this;
    this.answers = [];
    return answers;
  }

  private run({ id, command, past }: CommandEvent, tick: number): void {
    const { what } = command;
    const by = command.by.id;
    this.lastParticipant = Math.max(this.lastParticipant, by);
    if (past === 'withdrawn') {
      this.consumeOnly(command);
      return;
    }
    try {
      const outcome = this.execute(command, tick);
      this.answers.push({ by, id, what, energy: this.energyOf(by, tick), ...outcome });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (past === 'accepted') this.consumeOnly(command);
      const refused = { reason: error.reason, detail: error.detail };
      this.answers.push({ by, id, what, energy: this.energyOf(by, tick), refused });
    }
  }

  /**
   * What a command used up besides energy is used up though it does nothing: numbers and chance, so that all who are born later
   * are who they were.
   */
  private consumeOnly(command: RoomCommand): void {
    const { latentSize } = this.species;
    if (command.what === 'plant') {
      this.nextOrganism++;
      const { seed } = command;
      if (seed.from === 'prior' && seed.throw === undefined) this.random.latent(latentSize);
    } else if (command.what === 'cross') {
      const { mutation = 0 } = command;
      if (mutation > 0) mutate(new Float32Array(latentSize), mutation, this.random);
      this.inventory.skipId();
    } else if (command.what === 'hold') this.inventory.skipId();
  }

  private execute(command: RoomCommand, tick: number): Pick<Answer, 'seed' | 'removed'> {
    switch (command.what) {
      case 'plant':
        this.plant(command, tick);
        return {};
      case 'damage':
        this.damage(command, tick);
        return {};
      case 'cross':
        return { seed: viewOfSeed(this.cross(command)) };
      case 'hold': {
        const latent = checkedLatent(command.latent, this.species);
        const { origin } = command;
        const seed = this.inventory.add(command.by.id, { latent, origin, parents: [] });
        return { seed: viewOfSeed(seed) };
      }
      case 'remove':
        return this.clear([command.organism]);
      case 'clear':
        return this.clear(ownersIn(command.area, this.grid));
      case 'thin':
        return this.thin(tick);
    }
  }

  /** @throws Refusal no-such-organism */
  private thin(tick: number): Pick<Answer, 'removed'> {
    const organism = this.unattended(tick);
    if (!organism) throw new Refusal('no-such-organism', 'none is long unattended');
    this.lifecycle.die(organism, 'departed');
    return { removed: 1 };
  }

  /**
   * @returns who goes for one more; undefined while there is room
   * @throws Refusal garden-full
   */
  private departing(tick: number): Organism | undefined {
    if (this.lifecycle.size < this.maxOrganisms) return undefined;
    const { attendance } = this;
    const departing =
      attendance && chooseDeparting([...this.lifecycle.all], this.moment(attendance, tick));
    if (!departing) throw new Refusal('garden-full');
    return departing;
  }

  private moment({ absentSince }: Attendance, tick: number): Moment {
    return { tick, tickRate: this.tickRate, absentSince };
  }

  /** @throws Refusal no-such-organism */
  private clear(ids: readonly OrganismId[]): Pick<Answer, 'removed'> {
    for (const organism of ids.map((id) => this.lifecycle.require(id))) {
      this.lifecycle.die(organism, 'removed');
    }
    return { removed: ids.length };
  }

  private plant({ by, x, y, seed }: RoomCommand & { what: 'plant' }, tick: number): void {
    const window = windowAt(this.grid, x, y, this.species.side);
    const departing = this.departing(tick);
    const places = plantingSite(window, this.grid);
    // Before chance is drawn from: what is refused changes nothing.
    this.energy.requirePlant(by.id, tick);
    const { latent, origin, kind, parents } = createLatent(seed, by.id, this.context);
    this.energy.spendPlant(by.id, tick);
    if (departing) this.lifecycle.die(departing, 'departed');
    const organism = newOrganism({
      id: this.nextOrganism++,
      patch: this.nextPatch(),
      window,
      latent,
      origin,
      kind,
      parents,
      planter: { id: by.id, name: by.name, hue: by.hue },
      born: tick,
      stage: growthStep(this.species, 0).stage,
    });
    for (const place of places) this.grid.claim(place, organism.id);
    this.lifecycle.add(organism);
    this.pendingPlants.push({ organism, answer: this.answers.length });
    this.planted.push({ patch: organism.patch, checkpoint: this.species.checkpoint, latent });
  }

  private damage({ by, points, radius }: RoomCommand & { what: 'damage' }, tick: number): void {
    const stroke = { points, radius };
    checkStroke(stroke, this.grid);
    this.energy.spendStroke(by.id, stroke, tick);
    for (const id of ownersNear(stroke, this.grid)) {
      const organism = this.lifecycle.find(id)!;
      const { stage } = growthStep(this.species, organism.age);
      if (wound(organism, stage, stroke, this.grid)) this.lifecycle.hit(organism, by.id);
    }
  }

  private cross({ by, a, b, mix, mutation = 0 }: RoomCommand & { what: 'cross' }) {
    const mixed = crossLatents(this.latentOf(a), this.latentOf(b), mix);
    // Before chance is drawn from. The engine would not take it, and no visitor may end that.
    if (!mixed.every(Number.isFinite)) throw new Refusal('bad-latent');
    const latent = mutation > 0 ? mutate(mixed, mutation, this.random) : mixed;
    return this.inventory.add(by.id, { latent, origin: 'cross', parents: [a, b] });
  }

  /** @throws Refusal no-such-organism */
  private latentOf(id: OrganismId): Float32Array {
    return this.lifecycle.require(id).latent;
  }

  private get context() {
    return { species: this.species, inventory: this.inventory, random: this.random };
  }
}
