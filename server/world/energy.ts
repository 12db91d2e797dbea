/**
 * Each participant's energy, which limits planting and wounding (rules ENE-1 … ENE-3 and ENE-6).
 * Energy refills per tick, not by the wall clock, so that a replay gives the same energy.
 */
import { type Stroke, sweptCells } from '../../shared/geometry.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { type EnergySettings, HOUSE, type ParticipantId } from '../../shared/vocabulary.ts';
import { type NumberTable, numbersOf } from '../platform/collections.ts';
import type { RoomState } from './room-state.ts';

/** The default energy and costs, each with a description. */
export const ENERGY = {
  capacity: [100, 'maximum energy of a participant'],
  newcomer: [
    64,
    'energy with which a new participant starts; a participant who returns with the same device keeps the remaining energy',
  ],
  refillPerSecond: [
    8,
    'energy that a participant regains per second; if the room cannot keep its tick rate, participants regain less',
  ],
  plant: [8, 'cost of planting one organism'],
  damagePerCell: [
    0.005,
    'cost of a stroke for each cell of its area (length × twice the radius, plus the disc at the start of the stroke)',
  ],
  wake: [
    1,
    'cost of waking one resting organism with a stroke; an organism that is already awake costs less',
  ],
} as const satisfies NumberTable<keyof EnergySettings>;

export const DEFAULT_ENERGY: EnergySettings = numbersOf(ENERGY);

/** Energy settings under which all commands are free. */
export const FREE = {
  capacity: 1,
  newcomer: 1,
  refillPerSecond: 1,
  plant: 0,
  damagePerCell: 0,
  wake: 0,
} as const satisfies EnergySettings;

type EnergyState = RoomState['energy'];
type StoredAccount = EnergyState['accounts'][number];
/**
 * A participant's account. The energy was `level` at the tick `at`, and has refilled since then.
 */
type Account = Readonly<Omit<StoredAccount, 'participant'>>;

/** Interval between removals of full accounts, in ticks. */
const PRUNE_EVERY = 64;

export class Energy {
  /**
   * Accounts of participants whose energy may be below capacity. A participant without an account
   * has full energy.
   */
  private readonly accounts: Map<ParticipantId, Account>;

  /**
   * @param tickRate nominal ticks per second, from which the refill per tick is computed
   * @param accounts accounts restored from a snapshot
   */
  constructor(
    public costs: EnergySettings,
    public tickRate: number,
    accounts: readonly StoredAccount[] = [],
  ) {
    this.accounts = new Map(accounts.map(({ participant, ...account }) => [participant, account]));
  }

  get participants(): ParticipantId[] {
    return [...this.accounts.keys()];
  }

  export(): EnergyState {
    const { costs: settings, tickRate } = this;
    const accounts = [...this.accounts].map(([participant, one]) => ({ participant, ...one }));
    return { settings, tickRate, accounts };
  }

  /** Returns a participant's energy at a tick, 0…capacity. */
  level(participant: ParticipantId, tick: number): number {
    const { capacity, refillPerSecond } = this.costs;
    const account = this.accounts.get(participant);
    if (!account) return capacity;
    const refilled = ((tick - account.at) * refillPerSecond) / this.tickRate;
    return Math.min(capacity, account.level + refilled);
  }

  /**
   * Opens a participant's account.
   *
   * @param granted initial energy; if absent, the energy of a newcomer
   */
  enter(participant: ParticipantId, tick: number, granted = this.costs.newcomer): void {
    const level = Math.min(granted, this.costs.capacity);
    this.accounts.set(participant, { level, at: tick });
  }

  leave(participant: ParticipantId): void {
    this.accounts.delete(participant);
  }

  /**
   * Charges a participant for the seed that `make` creates. If the participant cannot pay, `make`
   * is not called.
   *
   * @throws Refusal 'no-energy' if the participant cannot pay; any error thrown by `make`
   */
  buy<S>(participant: ParticipantId, tick: number, make: () => S): S {
    // Check first whether the participant can pay: `make` may draw random numbers, and a refused
    // command must change nothing.
    this.require(participant, this.costs.plant, tick);
    const seed = make();
    this.spend(participant, this.costs.plant, tick);
    return seed;
  }

  /** Refunds the price of a seed that could not be planted. */
  returnPlant(participant: ParticipantId, tick: number): void {
    if (!this.accounts.has(participant)) return;
    const price = Math.min(this.costs.plant, this.costs.capacity);
    const level = Math.min(this.costs.capacity, this.level(participant, tick) + price);
    this.accounts.set(participant, { level, at: tick });
  }

  /**
   * Returns the price of a stroke, which grows with the number of covered cells and of woken
   * organisms. If a stroke is split into several messages, only the first message pays for the disc
   * at the stroke's start.
   *
   * @param isContinued whether this is a later message of a stroke
   * @param woken number of organisms that the stroke wakes. An organism that is already awake
   *   counts as a fraction, 0…1
   */
  priceOf(stroke: Stroke, isContinued = false, woken = 0): number {
    return sweptCells(stroke, isContinued) * this.costs.damagePerCell + woken * this.costs.wake;
  }

  /**
   * Checks whether a participant can pay a price, without charging it.
   *
   * @returns the energy that would be left after paying
   * @throws Refusal 'no-energy' if the participant cannot pay
   */
  require(participant: ParticipantId, cost: number, tick: number): number {
    const level = this.level(participant, tick);
    if (participant === HOUSE.id) return level;
    // Limit the price to the capacity, because a higher price could never be paid.
    const price = Math.min(cost, this.costs.capacity);
    if (price > level) throw new Refusal('no-energy', `${price.toFixed(1)} of ${level.toFixed(1)}`);
    return level - price;
  }

  /** Charges a participant. @throws Refusal 'no-energy'; then nothing has been charged */
  spend(participant: ParticipantId, cost: number, tick: number): void {
    const level = this.require(participant, cost, tick);
    if (participant !== HOUSE.id) this.accounts.set(participant, { level, at: tick });
  }

  /**
   * Changes the energy settings and the tick rate. A participant with full energy keeps full
   * energy, even if the capacity rises. Everybody else keeps the same energy, up to the new
   * capacity.
   */
  change(settings: EnergySettings, tickRate: number, tick: number): void {
    this.dropFull(tick);
    for (const participant of this.accounts.keys()) {
      const level = Math.min(this.level(participant, tick), settings.capacity);
      this.accounts.set(participant, { level, at: tick });
    }
    this.costs = settings;
    this.tickRate = tickRate;
  }

  /** Removes accounts with full energy. Call once per tick. */
  prune(tick: number): void {
    if (tick % PRUNE_EVERY === 0) this.dropFull(tick);
  }

  private dropFull(tick: number): void {
    for (const participant of this.accounts.keys()) {
      if (this.level(participant, tick) >= this.costs.capacity) this.accounts.delete(participant);
    }
  }
}
