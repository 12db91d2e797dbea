/** The version of the rules that a room lives by, and the numbers in force. */
import { isDeepStrictEqual } from 'node:util';
import { mixBits } from '../../shared/random.ts';
import type { LifeSettings, OrganismId } from '../../shared/vocabulary.ts';
import { defined } from '../platform/collections.ts';
import type { SamplerVersion } from '../vnca/card.ts';
import type { Relatives } from '../vnca/relatives.ts';
import type { RoomEvent } from './commands.ts';
import { type CommandState, RULES_VERSION } from './room-state.ts';
import type { Species } from './species.ts';

/** Every organism steps each tick. */
const EVERY_TICK: LifeSettings = { birth: 1, healing: 1, expressing: 1 };

type RulesState = Pick<
  CommandState,
  'rules' | 'seed' | 'closing' | 'relatives' | 'sampler' | 'life' | 'liveliness'
>;

/** The rules of one room. */
export class RoomRules {
  /** Random seed of the room's chances (see `chance`), uint32. */
  seed: number;
  /** Places a step by which wounds close from their rim; undefined: at once. */
  closing: number | undefined;
  /** Whom gallery creatures can express; undefined: nobody. */
  relatives: Relatives | undefined;
  /** What throws without a number are drawn with; undefined: N(0, I). */
  sampler: SamplerVersion | undefined;
  life: LifeSettings;
  /** Share of the organisms that may express at once, 0…1: the one in force now. */
  liveliness = 0;

  /** The rules of a new room. @param life absent: a step each tick */
  constructor(species: Species, seed: number, life: LifeSettings = EVERY_TICK) {
    this.apply(species);
    this.seed = seed >>> 0;
    this.life = life;
  }

  /**
   * The event that brings a room to the numbers of its checkpoint's card.
   *
   * @returns undefined if it has them already
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
 * A number that is the same for the same room, organism and tick, and as good as random otherwise.
 * Unlike a draw it does not use up the room's random numbers: undoing one planting changes nobody
 * else's chances.
 *
 * @param seed of the room's chances, uint32
 * @param organism whose chance it is
 * @param tick when; or any other whole number that tells two chances of one organism apart
 * @returns uniform in [0, 1), 32 bits of it
 */
export function chance(seed: number, organism: OrganismId, tick: number): number {
  const word = mixed(mixed(mixed(seed) ^ organism) ^ tick);
  return word / 4294967296;
}

/** Mixes so that 0 does not stay 0. @returns uint32 */
const mixed = (value: number): number => mixBits(value + 0x9e3779b9);
