/**
 * Energy: what planting and wounding cost, so that nobody can do more than her share (rules ENE-1 … ENE-3). Counted in
 * ticks alone: the same commands at the same ticks leave the same energy.
 */
import { type Stroke, strokeLength, sweptCells } from '../../shared/geometry.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { type EnergySettings, HOUSE, type ParticipantId } from '../../shared/vocabulary.ts';

/** A room where nothing costs anything. */
export const FREE: EnergySettings = {
  capacity: 1,
  newcomer: 1,
  refillPerSecond: 1,
  plant: 0,
  damagePerCell: 0,
};

/** Energy between two ticks, to go on from there. */
export interface EnergyState {
  readonly settings: EnergySettings;
  readonly tickRate: number;
  readonly accounts: readonly (Account & { readonly participant: ParticipantId })[];
}

interface Account {
  /** Energy at tick `at`. */
  readonly level: number;
  readonly at: number;
  /** Where her last stroke ended: one that goes on from there has swept its first disc already. */
  readonly end?: { readonly x: number; readonly y: number; readonly radius: number } | undefined;
}

/** Ticks after which accounts that are full again are closed. */
const PRUNE_EVERY = 64;

export class Energy {
  /** Of those who have spent something; all others are full. */
  private readonly accounts: Map<ParticipantId, Account>;

  /**
   * @param tickRate nominal ticks per second, for the refill
   * @param accounts to go on from
   */
  constructor(
    private settings: EnergySettings,
    private tickRate: number,
    accounts: EnergyState['accounts'] = [],
  ) {
    this.accounts = new Map(accounts.map(({ participant, ...account }) => [participant, account]));
  }

  /** Who has an account. */
  get participants(): ParticipantId[] {
    return [...this.accounts.keys()];
  }

  export(): EnergyState {
    const { settings, tickRate } = this;
    const accounts = [...this.accounts].map(([participant, { level, at, end }]) => {
      return { participant, level, at, ...(end && { end }) };
    });
    return { settings, tickRate, accounts };
  }

  /** Energy of a participant, 0 … capacity. */
  level(participant: ParticipantId, tick: number): number {
    const { capacity, refillPerSecond } = this.settings;
    const account = this.accounts.get(participant);
    if (!account) return capacity;
    const refilled = ((tick - account.at) * refillPerSecond) / this.tickRate;
    return Math.min(capacity, account.level + refilled);
  }

  get costs(): EnergySettings {
    return this.settings;
  }

  /** A participant has come. @param granted what they begin with; absent: a newcomer's */
  enter(participant: ParticipantId, tick: number, granted = this.settings.newcomer): void {
    const level = Math.min(granted, this.settings.capacity);
    this.accounts.set(participant, { level, at: tick });
  }

  leave(participant: ParticipantId): void {
    this.accounts.delete(participant);
  }

  /** @throws Refusal no-energy */
  requirePlant(participant: ParticipantId, tick: number): void {
    this.require(participant, this.settings.plant, tick);
  }

  /** @throws Refusal no-energy; nothing is spent then */
  spendPlant(participant: ParticipantId, tick: number): void {
    this.spend(participant, this.settings.plant, tick, this.accounts.get(participant)?.end);
  }

  /** What was planted could not live after all. */
  returnPlant(participant: ParticipantId, tick: number): void {
    const account = this.accounts.get(participant);
    if (!account) return;
    const price = Math.min(this.settings.plant, this.settings.capacity);
    const level = Math.min(this.settings.capacity, this.level(participant, tick) + price);
    this.accounts.set(participant, { ...account, level, at: tick });
  }

  /**
   * Pays for the cells that a stroke sweeps.
   *
   * @throws Refusal no-energy; nothing is spent then
   */
  spendStroke(participant: ParticipantId, stroke: Stroke, tick: number): void {
    const { points, radius } = stroke;
    const cost = this.sweptCells(participant, stroke) * this.settings.damagePerCell;
    const [x, y] = [points[points.length - 2], points[points.length - 1]];
    this.spend(participant, cost, tick, { x, y, radius });
  }

  /** New prices, or a new tick rate. Who was full is full; what others have stays theirs, up to the new capacity. */
  change(settings: EnergySettings, tickRate: number, tick: number): void {
    const before = this.settings.capacity;
    for (const [participant, { end }] of this.accounts) {
      const level = this.level(participant, tick);
      if (level >= before) this.accounts.delete(participant);
      else {
        this.accounts.set(participant, {
          level: Math.min(level, settings.capacity),
          at: tick,
          end,
        });
      }
    }
    this.settings = settings;
    this.tickRate = tickRate;
  }

  /** Once a tick: forgets who is full again, for those who left may have had commands waiting. */
  prune(tick: number): void {
    if (tick % PRUNE_EVERY !== 0) return;
    for (const participant of this.accounts.keys()) {
      if (this.level(participant, tick) >= this.settings.capacity)
        this.accounts.delete(participant);
    }
  }

  /** A stroke cut into messages, each going on where the last ended, has one disc that it begins with. */
  private sweptCells(participant: ParticipantId, stroke: Stroke): number {
    const { points, radius } = stroke;
    const end = this.accounts.get(participant)?.end;
    const goesOn =
      strokeLength(points) > 0 &&
      end?.x === points[0] &&
      end.y === points[1] &&
      end.radius === radius;
    return sweptCells(stroke, goesOn);
  }

  private require(participant: ParticipantId, cost: number, tick: number): number {
    const level = this.level(participant, tick);
    if (participant === HOUSE.id) return level;
    // What costs more than anybody can hold would otherwise be forbidden for good.
    const price = Math.min(cost, this.settings.capacity);
    if (price > level) throw new Refusal('no-energy', `${price.toFixed(1)} of ${level.toFixed(1)}`);
    return level - price;
  }

  private spend(participant: ParticipantId, cost: number, tick: number, end: Account['end']): void {
    const level = this.require(participant, cost, tick);
    if (participant !== HOUSE.id) this.accounts.set(participant, { level, at: tick, end });
  }
}
