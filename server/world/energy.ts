/**
 * Energy limits how much each participant can plant and wound (rules ENE-1 … ENE-3 and ENE-6). It
 * depends on ticks only, not on wall time: the same commands at the same ticks leave the same energy.
 */
import { type Stroke, sweptCells } from '../../shared/geometry.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { type EnergySettings, HOUSE, type ParticipantId } from '../../shared/vocabulary.ts';
import type { RoomState } from './room-state.ts';

/** Settings under which nothing costs energy. */
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
/** The energy `level` at tick `at`. */
type Account = Readonly<Omit<StoredAccount, 'participant'>>;

/** Ticks between two removals of full accounts. */
const PRUNE_EVERY = 64;

/** The energy accounts of a room's participants. */
export class Energy {
  /** Only participants below capacity; all others are full. */
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

  /** Participants with an account. */
  get participants(): ParticipantId[] {
    return [...this.accounts.keys()];
  }

  export(): EnergyState {
    const { costs: settings, tickRate } = this;
    const accounts = [...this.accounts].map(([participant, one]) => ({ participant, ...one }));
    return { settings, tickRate, accounts };
  }

  /** Energy of a participant, 0 … capacity. */
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

  /** Pays for a seed. @throws Refusal no-energy; nothing is spent then */
  spendPlant(participant: ParticipantId, tick: number): void {
    this.spend(participant, this.costs.plant, tick);
  }

  /** Pays for a seed that `make` makes. @throws Refusal no-energy, and as `make` */
  buy<S>(participant: ParticipantId, tick: number, make: () => S): S {
    // Check before random numbers are drawn: a refused command must change nothing.
    this.require(participant, this.costs.plant, tick);
    const seed = make();
    this.spendPlant(participant, tick);
    return seed;
  }

  /** Returns the price of a seed that could not be planted. */
  returnPlant(participant: ParticipantId, tick: number): void {
    if (!this.accounts.has(participant)) return;
    const price = Math.min(this.costs.plant, this.costs.capacity);
    const level = Math.min(this.costs.capacity, this.level(participant, tick) + price);
    this.accounts.set(participant, { level, at: tick });
  }

  /**
   * Checks that a participant can pay for a stroke's cells.
   *
   * @param isContinued whether it continues the participant's last one
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
   * Pays for the cells that a stroke covers, and for the organisms that it wakes.
   *
   * @param how.woken organisms; those that are awake count in part
   * @param how.isContinued as for `requireStroke`
   * @throws Refusal no-energy; nothing is spent then
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

  /** Call once a tick: removes full accounts, also those of commands that outlived a `leave`. */
  prune(tick: number): void {
    if (tick % PRUNE_EVERY === 0) this.dropFull(tick);
  }

  private dropFull(tick: number): void {
    for (const participant of this.accounts.keys()) {
      if (this.level(participant, tick) >= this.costs.capacity) this.accounts.delete(participant);
    }
  }

  /** A stroke split into messages, each continuing the one before, pays for one first disc. */
  private priceOfCells(stroke: Stroke, isContinued: boolean): number {
    return sweptCells(stroke, isContinued) * this.costs.damagePerCell;
  }

  private require(participant: ParticipantId, cost: number, tick: number): number {
    const level = this.level(participant, tick);
    if (participant === HOUSE.id) return level;
    // A price above the capacity could otherwise never be paid.
    const price = Math.min(cost, this.costs.capacity);
    if (price > level) throw new Refusal('no-energy', `${price.toFixed(1)} of ${level.toFixed(1)}`);
    return level - price;
  }

  private spend(participant: ParticipantId, cost: number, tick: number): void {
    const level = this.require(participant, cost, tick);
    if (participant !== HOUSE.id) this.accounts.set(participant, { level, at: tick });
  }
}
