/**
 * Energy limits how much each participant can plant and wound (rules ENE-1 … ENE-3 and ENE-6).
 * Energy depends on ticks, not on wall time: the same commands at the same ticks leave the same
 * energy.
 */
import { type Stroke, sweptCells } from '../../shared/geometry.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { type EnergySettings, HOUSE, type ParticipantId } from '../../shared/vocabulary.ts';
import type { RoomState } from './room-state.ts';

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
/** Energy `level` as of tick `at`; the account has refilled since. */
type Account = Readonly<Omit<StoredAccount, 'participant'>>;

/** Interval between removals of full accounts, in ticks. */
const PRUNE_EVERY = 64;

/** The energy accounts of a room's participants. */
export class Energy {
  /** Accounts below capacity. A participant without an account has full energy. */
  private readonly accounts: Map<ParticipantId, Account>;

  /**
   * @param tickRate nominal ticks per second, for the refill
   * @param accounts restored accounts
   */
  constructor(
    public costs: EnergySettings,
    public tickRate: number,
    accounts: readonly StoredAccount[] = [],
  ) {
    this.accounts = new Map(accounts.map(({ participant, ...account }) => [participant, account]));
  }

  /** Participants whose energy may be below capacity. */
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

  /** Opens a participant's account. @param granted initial energy; default: a newcomer's */
  enter(participant: ParticipantId, tick: number, granted = this.costs.newcomer): void {
    const level = Math.min(granted, this.costs.capacity);
    this.accounts.set(participant, { level, at: tick });
  }

  /** Closes a participant's account. */
  leave(participant: ParticipantId): void {
    this.accounts.delete(participant);
  }

  /** Charges a participant for a seed. @throws Refusal no-energy, without spending anything */
  spendPlant(participant: ParticipantId, tick: number): void {
    this.spend(participant, this.costs.plant, tick);
  }

  /** Makes a seed with `make` and charges for it. @throws Refusal no-energy; errors of `make` */
  buy<S>(participant: ParticipantId, tick: number, make: () => S): S {
    // Check the price before `make` draws random numbers: a refused command must change nothing.
    this.require(participant, this.costs.plant, tick);
    const seed = make();
    this.spendPlant(participant, tick);
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
   * Checks that a participant can pay for a stroke's cells.
   *
   * @param isContinued whether the stroke continues the participant's previous stroke
   * @throws Refusal no-energy
   */
  requireStroke(
    participant: ParticipantId,
    stroke: Stroke,
    tick: number,
    isContinued: boolean,
  ): void {
    this.require(participant, this.priceOfCells(stroke, isContinued), tick);
  }

  /**
   * Charges a participant for the cells that a stroke covers and for the organisms woken by it.
   *
   * @param how.woken number of woken organisms; an organism that is already awake counts as a
   *   fraction
   * @param how.isContinued whether the stroke continues the participant's previous stroke
   * @throws Refusal no-energy, without spending anything
   */
  spendStroke(
    participant: ParticipantId,
    stroke: Stroke,
    tick: number,
    {
      woken = 0,
      isContinued = false,
    }: { readonly woken?: number; readonly isContinued?: boolean } = {},
  ): void {
    const cost = this.priceOfCells(stroke, isContinued) + woken * this.costs.wake;
    this.spend(participant, cost, tick);
  }

  /** Changes settings and tick rate. Full accounts stay full; others are capped at the capacity. */
  change(settings: EnergySettings, tickRate: number, tick: number): void {
    this.dropFull(tick);
    for (const participant of this.accounts.keys()) {
      const level = Math.min(this.level(participant, tick), settings.capacity);
      this.accounts.set(participant, { level, at: tick });
    }
    this.costs = settings;
    this.tickRate = tickRate;
  }

  /**
   * Removes full accounts, including accounts opened by commands that ran after their sender left.
   * Call once a tick.
   */
  prune(tick: number): void {
    if (tick % PRUNE_EVERY === 0) this.dropFull(tick);
  }

  private dropFull(tick: number): void {
    for (const participant of this.accounts.keys()) {
      if (this.level(participant, tick) >= this.costs.capacity) this.accounts.delete(participant);
    }
  }

  /** Returns the price of a stroke. A stroke split into messages pays for one first disc only. */
  private priceOfCells(stroke: Stroke, isContinued: boolean): number {
    return sweptCells(stroke, isContinued) * this.costs.damagePerCell;
  }

  private require(participant: ParticipantId, cost: number, tick: number): number {
    const level = this.level(participant, tick);
    if (participant === HOUSE.id) return level;
    // A price above the capacity could never be paid, so the capacity is the maximum price.
    const price = Math.min(cost, this.costs.capacity);
    if (price > level) throw new Refusal('no-energy', `${price.toFixed(1)} of ${level.toFixed(1)}`);
    return level - price;
  }

  private spend(participant: ParticipantId, cost: number, tick: number): void {
    const level = this.require(participant, cost, tick);
    if (participant !== HOUSE.id) this.accounts.set(participant, { level, at: tick });
  }
}
