/** Executes commands, in order, and owns held seeds, energy, random numbers and organism ids. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { PreviewSource } from '../../shared/protocol/commands.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom, type Random, resumeRandom } from '../../shared/random.ts';
import type {
  EnergySettings,
  FlashLimit,
  OrganismId,
  ParticipantId,
} from '../../shared/vocabulary.ts';
import type { NewPatch, PatchId } from '../engine/engine.ts';
import { bounded } from '../vnca/genome.ts';
import type { Answer, CommandEvent, Outcome, OuterEvent, RoomCommand } from './commands.ts';
import {
  checkedLatent,
  createLatent,
  crossLatents,
  mutate,
  requireWithin,
  resolvedCommand,
} from './create-latent.ts';
import { ownersIn, Wounding } from './damage.ts';
import { Departures, type DepartureTime } from './departures.ts';
import { Dissolving, type Renewable } from './dissolving.ts';
import { Energy, FREE } from './energy.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organisms/organism.ts';
import type { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import { transform } from './organisms/transforming.ts';
import {
  type HeldSeed,
  Planting,
  requireBare,
  SeedInventory,
  viewOfSeed,
  windowAt,
} from './planting.ts';
import { type CommandState, exportRandom } from './room-state.ts';
import { type Species, thrownLatent } from './species.ts';

export interface CommandHandlersOptions {
  readonly maxOrganisms: number;
  /** Seed of the room's random numbers. */
  readonly seed: number;
  /** What commands cost; absent: nothing. */
  readonly energy?: EnergySettings | undefined;
  /** Nominal ticks per second; sets how fast energy refills. */
  readonly tickRate: number;
  readonly flashLimit?: FlashLimit | undefined;
  /** Returns a patch id that no other room uses. */
  readonly nextPatch: () => PatchId;
}

/** Applies a room's commands and other events. */
export class CommandHandlers {
  /** Most organisms alive at once. */
  maxOrganisms: number;
  /** Highest participant id that has entered or sent a command. */
  lastParticipant = 0;
  tickRate: number;
  flashLimit: FlashLimit;
  readonly wounding: Wounding;
  private random: Random;
  private inventory = new SeedInventory(DEFAULTS.room.maxSeedsInHand);
  private energy: Energy;
  private readonly departures: Departures;
  private readonly dissolving: Dissolving;
  private readonly planting: Planting;
  private readonly answers: Answer[] = [];

  constructor(
    private readonly species: Species,
    private readonly grid: GridPlanes,
    private readonly lifecycle: OrganismLifecycle,
    options: CommandHandlersOptions,
  ) {
    this.wounding = new Wounding(species, grid, lifecycle);
    this.departures = new Departures(lifecycle);
    this.dissolving = new Dissolving(grid, lifecycle, this.departures);
    this.planting = new Planting(species, grid, lifecycle, options.nextPatch);
    this.maxOrganisms = options.maxOrganisms;
    this.tickRate = options.tickRate;
    this.flashLimit = options.flashLimit ?? DEFAULTS.room.flashLimit;
    this.energy = new Energy(options.energy ?? FREE, options.tickRate);
    this.random = createRandom(options.seed);
  }

  /** Participants who are present, hold seeds or have spent energy. */
  get participantsWithState(): ParticipantId[] {
    const { inventory, energy, departures } = this;
    return [...new Set([...inventory.participants, ...energy.participants, ...departures.present])];
  }

  /** Whether a participant is here. */
  readonly isPresent = (by: ParticipantId): boolean => this.departures.isPresent(by);

  /** The unattended organisms, the longest first; see `unattendedOf`. */
  unattended(tick: number, seconds?: number): Organism[] {
    return this.departures.unattended(this.time(tick), seconds);
  }

  /** The organisms of a planter that depart, or can be planted again. */
  renewable(planter: ParticipantId, tick: number): Renewable[] {
    return this.dissolving.renewable(planter, this.time(tick));
  }

  get energySettings(): EnergySettings {
    return this.energy.costs;
  }

  /** A participant's energy at a tick. */
  energyOf(participant: ParticipantId, tick: number): number {
    return this.energy.level(participant, tick);
  }

  /** The seeds that a participant holds, oldest first. */
  seedsOf(participant: ParticipantId): readonly HeldSeed[] {
    return this.inventory.of(participant);
  }

  /** Indices of this tick's commands that have been refused so far. */
  get refused(): number[] {
    return this.answers.flatMap(({ refused }, i) => (refused ? [i] : []));
  }

  export(): CommandState {
    return {
      maxOrganisms: this.maxOrganisms,
      nextOrganism: this.planting.nextOrganism,
      lastParticipant: this.lastParticipant,
      random: exportRandom(this.random),
      hands: this.inventory.export(),
      energy: this.energy.export(),
      ...this.departures.export(),
      ...this.dissolving.export(),
      flashLimit: this.flashLimit,
      ...this.wounding.export(),
      ...this.lifecycle.rules.export(),
      ...this.lifecycle.lineage.export(),
    };
  }

  /** Restores an exported state. Ids assigned since the export are not reused. */
  restore(from: CommandState): void {
    const { settings, tickRate, accounts } = from.energy;
    this.maxOrganisms = from.maxOrganisms;
    const { planting } = this;
    planting.nextOrganism = Math.max(planting.nextOrganism, from.nextOrganism);
    this.lastParticipant = Math.max(this.lastParticipant, from.lastParticipant);
    this.random = resumeRandom(from.random);
    this.inventory = new SeedInventory(DEFAULTS.room.maxSeedsInHand, from.hands);
    this.energy = new Energy(settings, tickRate, accounts);
    this.tickRate = tickRate;
    this.departures.restore(from);
    this.dissolving.restore(from);
    this.flashLimit = from.flashLimit;
    this.wounding.restore(from);
    this.lifecycle.rules.restore(from);
    this.lifecycle.lineage.restore(from);
  }

  /**
   * The latent that would be planted for a seed now, for its preview. Changes nothing and draws no
   * random numbers.
   *
   * @param participant owner of the held seed, if it is one
   * @returns [Z], not to be changed
   * @throws Refusal no-such-seed (also for a prior seed without `throw`), no-such-organism,
   *   bad-latent
   */
  previewLatent(seed: PreviewSource, participant: ParticipantId): Float32Array {
    const latent = this.sourceLatent(seed, participant);
    if (seed.from === 'token') return bounded(latent, this.species.latentBounds);
    requireWithin(latent, this.species.latentBounds);
    return latent;
  }

  private sourceLatent(seed: PreviewSource, participant: ParticipantId): Float32Array {
    if (seed.from === 'organism') return this.latentOf(seed.organism);
    if (seed.from === 'cross') {
      return crossLatents(this.latentOf(seed.a), this.latentOf(seed.b), seed.mix);
    }
    if (seed.from === 'prior') {
      if (seed.throw === undefined) throw new Refusal('no-such-seed', 'not thrown yet');
      return thrownLatent(this.species, seed.throw);
    }
    return createLatent(seed, participant, this.context).latent;
  }

  /** The command as the journal stores it. @throws Refusal no-such-seed, bad-latent */
  resolved(command: RoomCommand): RoomCommand {
    const latentOf = (id: OrganismId) => this.lifecycle.find(id)?.latent;
    return resolvedCommand(command, { ...this.context, latentOf });
  }

  /** Applies an event that is not a command; it takes effect immediately. */
  handleEvent(event: Exclude<OuterEvent, { what: 'no-memory' }>): void {
    switch (event.what) {
      case 'enter':
        this.lastParticipant = Math.max(this.lastParticipant, event.participant);
        this.energy.enter(event.participant, event.at, event.granted);
        this.departures.enter(event.participant, event.source);
        break;
      case 'leave':
        this.inventory.clear(event.participant);
        this.energy.leave(event.participant);
        this.wounding.leave(event.participant);
        this.departures.leave(event.participant, event.at);
        break;
      case 'limit':
        this.maxOrganisms = event.maxOrganisms;
        break;
      case 'flashes':
        this.flashLimit = event.limit;
        break;
      case 'protect':
        this.wounding.protect = event.seconds;
        break;
      case 'rules':
        this.lifecycle.rules.apply(event);
        break;
      case 'life':
        this.lifecycle.rules.life = event.settings;
        break;
      case 'liveliness':
        this.lifecycle.rules.liveliness = event.share;
        break;
      case 'energy':
        this.tickRate = event.tickRate;
        this.energy.change(event.settings, event.tickRate, event.at);
    }
  }

  /** Executes a tick's commands in order. @param tick ticks completed */
  apply(commands: readonly CommandEvent[], tick: number): void {
    this.planting.pending = [];
    for (const command of commands) this.run(command, tick);
    this.dissolving.step(this.maxOrganisms, this.time(tick));
  }

  /** See `Planting.takePlanted`. */
  takePlanted(disposed: readonly PatchId[]): NewPatch[] {
    return this.planting.takePlanted(disposed);
  }

  /**
   * Reverts this tick's plant commands because the engine is out of memory: refuses them, returns
   * their energy and removes their organisms. Without any, nothing changes: the memory was not
   * missing for this room.
   *
   * @returns the patches of the removed organisms
   */
  refusePending(tick: number): PatchId[] {
    if (this.planting.pending.length === 0) return [];
    for (const { answer, departed } of this.planting.pending) {
      const { by, id, session, what } = this.answers[answer];
      const refused = { reason: 'garden-full', detail: 'no memory is left for one more' } as const;
      if (departed) this.dissolving.remember(departed);
      else this.energy.returnPlant(by, tick);
      const energy = this.energy.level(by, tick);
      this.answers[answer] = { by, id, session, what, energy, refused };
    }
    // What was never grown cannot be renewed, even if it began to dissolve in this tick.
    const retracted = this.planting.retract();
    this.dissolving.endAll(tick);
    return retracted;
  }

  /** Ends a tick. @returns the answers to its commands */
  end(tick: number): Answer[] {
    this.energy.prune(tick);
    this.wounding.prune(tick, this.tickRate);
    this.departures.prune(tick);
    return this.answers.splice(0);
  }

  private run({ id, session, command, past }: CommandEvent, tick: number): void {
    const { what } = command;
    const by = command.by.id;
    this.lastParticipant = Math.max(this.lastParticipant, by);
    if (past === 'withdrawn') {
      this.consumeOnly(command);
      return;
    }
    let outcome: Outcome;
    try {
      outcome = this.execute(command, tick);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (past === 'accepted') this.consumeOnly(command);
      outcome = { refused: { reason: error.reason, detail: error.detail } };
    }
    this.answers.push({ by, id, session, what, energy: this.energyOf(by, tick), ...outcome });
  }

  /**
   * Consumes the ids and random numbers of a command without executing it, so that later organisms
   * get the ids and latents they had before.
   */
  private consumeOnly(command: RoomCommand): void {
    const { latentSize } = this.species;
    if (command.what === 'plant') {
      this.planting.nextOrganism++;
      const { seed } = command;
      if (seed.from === 'prior' && seed.throw === undefined) this.random.latent(latentSize);
    } else if (command.what === 'cross') {
      const { mutation = 0 } = command;
      if (mutation > 0) mutate(new Float32Array(latentSize), mutation, this.random);
      this.inventory.skipId();
    } else if (command.what === 'hold') this.inventory.skipId();
    else if (command.what === 'renew') this.planting.nextOrganism++;
  }

  private execute(command: RoomCommand, tick: number): Outcome {
    switch (command.what) {
      case 'plant':
        this.plant(command, tick);
        return {};
      case 'damage':
        return this.wounding.wound(command, this.energy, { tick, tickRate: this.tickRate });
      case 'cross':
        return { seed: viewOfSeed(this.cross(command)) };
      case 'hold': {
        const latent = checkedLatent(command.latent, this.species);
        const { origin, approved } = command;
        const drawn = { latent, origin, parents: [], ...(approved && { approved }) };
        const seed = this.inventory.add(command.by.id, drawn);
        return { seed: viewOfSeed(seed) };
      }
      case 'remove':
        return this.clear([command.organism]);
      case 'clear':
        return this.clear(ownersIn(command.area, this.grid));
      case 'depart':
        this.dissolving.dismiss(command, this.time(tick));
        return {};
      case 'thin':
        return this.dissolving.thin(command, this.time(tick));
      case 'renew':
        this.dissolving.renew(command, this.planting, {
          ...this.time(tick),
          maxOrganisms: this.maxOrganisms,
          answer: this.answers.length,
        });
        return {};
      case 'transform':
        transform(command, this.lifecycle, this.energy, { ...this.context, tick });
        return {};
    }
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
    const time = this.time(tick);
    const departing = this.departures.departing(by.id, this.maxOrganisms, time);
    requireBare(window, this.grid);
    // Check before drawing random numbers: a refused command must change nothing.
    this.energy.requirePlant(by.id, tick);
    const { latent, origin, kind, parents } = createLatent(seed, by.id, this.context);
    this.energy.spendPlant(by.id, tick);
    if (departing) this.dissolving.begin(departing, time);
    const answer = this.answers.length;
    this.planting.plant({ window, latent, origin, kind, parents, by, answer }, tick);
  }

  private time(tick: number): DepartureTime {
    return { tick, tickRate: this.tickRate };
  }

  private cross({ by, a, b, mix, mutation = 0 }: RoomCommand & { what: 'cross' }) {
    const mixed = crossLatents(this.latentOf(a), this.latentOf(b), mix);
    // Check before drawing random numbers. A latent that is not finite would stop the engine.
    if (!mixed.every(Number.isFinite)) throw new Refusal('bad-latent');
    const latent = mutation > 0 ? mutate(mixed, mutation, this.random) : mixed;
    return this.inventory.add(by.id, { latent, origin: 'cross', parents: [a, b] });
  }

  /** @throws Refusal no-such-organism */
  private latentOf(id: OrganismId): Float32Array {
    return this.lifecycle.require(id).latent;
  }

  private get context() {
    const { species, inventory, random, lifecycle } = this;
    return { species, inventory, random, sampler: lifecycle.rules.sampler };
  }
}
