/**
 * The contents of a room between two ticks: everything that commands and other events can change.
 */
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { DEFAULT_FLASH_LIMIT } from '../../shared/limits.ts';
import { createRandom, type Random, resumeRandom } from '../../shared/random.ts';
import type {
  EnergySettings,
  FlashLimit,
  LifeSettings,
  ParticipantId,
} from '../../shared/vocabulary.ts';
import type { PatchId } from '../engine/engine.ts';
import { defined } from '../platform/collections.ts';
import type { RoomTime } from './commands.ts';
import { Departures } from './departures.ts';
import { Energy, FREE } from './energy.ts';
import { GridPlanes } from './grid-planes.ts';
import type { Population } from './organisms/organism.ts';
import { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import { Planting, SeedInventory } from './planting.ts';
import { RoomRules } from './room-rules.ts';
import type { CommandState, RoomState } from './room-state.ts';
import type { Species } from './species.ts';
import { Strokes } from './strokes.ts';

export interface RoomOptions {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly maxOrganisms: number;
  /** Seed of the room's random number generator. */
  readonly seed: number;
  readonly species: Species;
  /** Prices of commands. If absent, commands are free. */
  readonly energy?: EnergySettings | undefined;
  /** Nominal ticks per second, which determine the refill of energy per tick. */
  readonly tickRate?: number | undefined;
  /**
   * Maximum number of flashes per second that an organism may show. If absent, the default limit.
   */
  readonly flashLimit?: FlashLimit | undefined;
  /** How often organisms step. If absent, every organism steps in every tick. */
  readonly life?: LifeSettings | undefined;
  /** Returns a patch id that no other room uses. */
  readonly nextPatch: () => PatchId;
  /**
   * State to restore. If present, `seed`, `width` and `height` are ignored. The room may modify
   * this state.
   */
  readonly from?: RoomState | undefined;
}

/** The parts of a room, each of which enforces its own rules. */
export class RoomContents {
  /** Highest id of all participants who have entered or sent a command. */
  lastParticipant = 0;
  /** Maximum number of flashes per second that an organism may show (rule LIF-9). */
  flashLimit: FlashLimit;
  random: Random;
  readonly species: Species;
  readonly grid: GridPlanes;
  readonly rules: RoomRules;
  readonly lifecycle: OrganismLifecycle;
  readonly strokes: Strokes;
  readonly departures: Departures;
  readonly planting: Planting;
  inventory = new SeedInventory();
  energy: Energy;

  constructor(options: RoomOptions) {
    const { species, from, seed, energy = FREE } = options;
    const { tickRate = ROOM_DEFAULTS.tickRate, flashLimit = DEFAULT_FLASH_LIMIT } = options;
    const { width, height } = from?.planes ?? options;
    this.species = species;
    this.grid = new GridPlanes(width, height, from?.planes);
    this.rules = new RoomRules(species, seed, options.life);
    this.lifecycle = new OrganismLifecycle(this.grid, species, this.rules);
    this.strokes = new Strokes(species, this.grid, this.lifecycle);
    this.planting = new Planting(species, this.grid, this.lifecycle, options.nextPatch);
    const { maxOrganisms } = options;
    this.departures = new Departures(this.grid, this.lifecycle, this.planting, maxOrganisms);
    this.flashLimit = flashLimit;
    this.energy = new Energy(energy, tickRate);
    this.random = createRandom(seed);
    if (from) this.restoreContents(from);
  }

  get population(): Population {
    return this.lifecycle.population;
  }

  get maxOrganisms(): number {
    return this.departures.maxOrganisms;
  }

  /** Participants who are present, hold seeds or have spent energy. */
  get participantsWithState(): ParticipantId[] {
    const { inventory, energy, departures } = this;
    return [...new Set([...inventory.participants, ...energy.participants, ...departures.present])];
  }

  protected timeOf(tick: number): RoomTime {
    return { tick, tickRate: this.energy.tickRate };
  }

  protected exportContents(): CommandState {
    return {
      maxOrganisms: this.maxOrganisms,
      nextOrganism: this.planting.nextOrganism,
      lastParticipant: this.lastParticipant,
      random: defined(this.random.state()),
      hands: this.inventory.export(),
      energy: this.energy.export(),
      ...this.departures.export(),
      flashLimit: this.flashLimit,
      ...this.strokes.export(),
      ...this.rules.export(),
      ...this.lifecycle.lineage.export(),
    };
  }

  /** Restores an exported state. Ids assigned since the export are not reused. */
  protected restoreContents(from: CommandState): void {
    const { settings, tickRate, accounts } = from.energy;
    const { planting } = this;
    this.departures.maxOrganisms = from.maxOrganisms;
    planting.nextOrganism = Math.max(planting.nextOrganism, from.nextOrganism);
    this.lastParticipant = Math.max(this.lastParticipant, from.lastParticipant);
    this.random = resumeRandom(from.random);
    this.inventory = new SeedInventory(from.hands);
    this.energy = new Energy(settings, tickRate, accounts);
    this.departures.restore(from);
    this.flashLimit = from.flashLimit;
    this.strokes.restore(from);
    this.rules.restore(from);
    this.lifecycle.lineage.restore(from);
  }
}
