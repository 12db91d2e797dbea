/**
 * The rules that a room lives by. Rooms of earlier releases live by the rules of that time until a
 * `rules` event in their journal, so that what they have recorded replays as it ran.
 */
import { isDeepStrictEqual } from 'node:util';
import type { LifeSettings } from '../../shared/vocabulary.ts';
import type { SamplerVersion } from '../vnca/card.ts';
import type { Relatives } from '../vnca/relatives.ts';
import type { OuterEvent } from './events.ts';
import { type CommandState, RULES_VERSION, type RulesVersion } from './room-state.ts';
import type { Species } from './species.ts';

/** Every organism steps each tick. */
const EVERY_TICK: LifeSettings = { birth: 1, healing: 1 };

type RulesState = Pick<
  CommandState,
  'rules' | 'seed' | 'closing' | 'relatives' | 'sampler' | 'life' | 'liveliness'
>;
export type RulesEvent = Extract<OuterEvent, { what: 'rules' }>;

/** Which version of the rules, and the numbers in force. */
export class RoomRules {
  version: RulesVersion = RULES_VERSION;
  /** Of chances (`chance.ts`), uint32. */
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
    const { closing, relatives, sampler } = species;
    this.seed = seed >>> 0;
    this.closing = closing;
    this.relatives = relatives;
    this.sampler = sampler;
    this.life = life;
  }

  /** Whether organisms have a pace and wounds a rim. */
  get areLiving(): boolean {
    return this.version >= 2;
  }

  /** Whether what departs wakes its neighbours once, when it is gone, not with each place. */
  get wakeOnceGone(): boolean {
    return this.version >= 3;
  }

  /** Whether a stroke goes on by its own end, not by that in an account, which goes when it is full. */
  get usesStrokeEnds(): boolean {
    return this.version >= 4;
  }

  /**
   * The event that brings a room to the present rules, with the numbers of its checkpoint's card.
   *
   * @param seed of chances, for a room that has none
   * @returns undefined if it lives by them already
   */
  update({ closing, relatives, sampler }: Species, seed: number): RulesEvent | undefined {
    const isPresent = this.version === RULES_VERSION;
    const isSame =
      this.closing === closing &&
      this.sampler === sampler &&
      isDeepStrictEqual(this.relatives, relatives);
    if (isPresent && isSame) return undefined;
    return {
      what: 'rules',
      rules: RULES_VERSION,
      seed: this.areLiving ? this.seed : seed >>> 0,
      ...(closing !== undefined && { closing }),
      ...(relatives && { relatives }),
      ...(sampler && { sampler }),
    };
  }

  apply({ rules, seed, closing, relatives, sampler }: Omit<RulesEvent, 'what'>): void {
    this.version = rules;
    this.seed = seed;
    this.closing = closing;
    this.relatives = relatives;
    this.sampler = sampler;
  }

  export(): RulesState {
    const { version: rules, seed, closing, relatives, sampler, life, liveliness } = this;
    return {
      ...{ rules, seed, life: { ...life } },
      ...(closing !== undefined && { closing }),
      ...(relatives && { relatives }),
      ...(sampler && { sampler }),
      ...(liveliness > 0 && { liveliness }),
    };
  }

  restore(from: RulesState): void {
    const { rules = 1, seed = 0, life = EVERY_TICK, liveliness = 0 } = from;
    const { closing, relatives, sampler } = from;
    this.apply({ rules, seed, closing, relatives, sampler });
    this.life = life;
    this.liveliness = liveliness;
  }
}
