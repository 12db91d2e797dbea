/** The rules of a room: their version, and their current parameters. */
import { isDeepStrictEqual } from 'node:util';
import { mixBits } from '../../shared/random.ts';
import type { LifeSettings, OrganismId } from '../../shared/vocabulary.ts';
import { defined } from '../platform/collections.ts';
import type { SamplerVersion } from '../vnca/card.ts';
import type { Relatives } from '../vnca/relatives.ts';
import type { RoomEvent } from './commands.ts';
import { type CommandState, RULES_VERSION } from './room-state.ts';
import type { Species } from './species.ts';

/** Life settings with which every organism steps in every tick. */
const EVERY_TICK: LifeSettings = { birth: 1, healing: 1, expressing: 1 };

type RulesState = Pick<
  CommandState,
  'rules' | 'seed' | 'closing' | 'relatives' | 'sampler' | 'life' | 'liveliness'
>;

export class RoomRules {
  /** Seed for the room's random decisions (see `chance`), uint32. */
  seed: number;
  /**
   * Speed at which wounds close from their rim, in cells per step. If undefined, wounds close
   * immediately.
   */
  closing: number | undefined;
  /**
   * For each gallery creature, the similar creatures (relatives) that it can look like for a
   * moment. If undefined, no creature has relatives.
   */
  relatives: Relatives | undefined;
  /**
   * Version of the algorithm that draws the latents of random seeds. Not used for seeds with a
   * number from a visitor's dice (`throw`). If undefined, latents are drawn from N(0, I).
   */
  sampler: SamplerVersion | undefined;
  life: LifeSettings;
  /**
   * Maximum share of the organisms that may look like a relative (a similar creature) at the same
   * time, 0…1.
   */
  liveliness = 0;

  /** Creates the rules of a new room. @param life if absent, each organism steps in every tick */
  constructor(species: Species, seed: number, life: LifeSettings = EVERY_TICK) {
    this.apply(species);
    this.seed = seed >>> 0;
    this.life = life;
  }

  /**
   * Returns the event that sets the rules to the values in the checkpoint's card; undefined if they
   * already have these values.
   */
  update({ closing, relatives, sampler }: Species): RoomEvent<'rules'> | undefined {
    const isSame =
      this.closing === closing &&
      this.sampler === sampler &&
      isDeepStrictEqual(this.relatives, relatives);
    if (isSame) return undefined;
    return { what: 'rules', ...defined({ rules: RULES_VERSION, closing, relatives, sampler }) };
  }

  apply({ closing, relatives, sampler }: Pick<Species, 'closing' | 'relatives' | 'sampler'>): void {
    this.closing = closing;
    this.relatives = relatives;
    this.sampler = sampler;
  }

  export(): RulesState {
    const { seed, closing, relatives, sampler, life, liveliness } = this;
    return defined({
      ...{ rules: RULES_VERSION, seed, life: { ...life }, closing, relatives, sampler },
      liveliness: liveliness || undefined,
    });
  }

  restore(from: RulesState): void {
    this.apply(from);
    this.seed = from.seed;
    this.life = from.life;
    this.liveliness = from.liveliness ?? 0;
  }
}

/**
 * Returns a pseudorandom number that depends only on its arguments. Undoing one planting therefore
 * does not change the random events of other organisms.
 *
 * @param seed seed for the room's random decisions, uint32
 * @param organism id of the organism concerned, or another integer
 * @param tick a tick, or another integer that distinguishes two decisions about one organism
 * @returns uniform in [0, 1), with 32 random bits
 */
export function chance(seed: number, organism: OrganismId, tick: number): number {
  const word = mixed(mixed(mixed(seed) ^ organism) ^ tick);
  return word / 4294967296;
}

/**
 * Mixes the bits of a number, so that even 0 becomes another number.
 *
 * @returns uint32
 */
const mixed = (value: number): number => mixBits(value + 0x9e3779b9);
