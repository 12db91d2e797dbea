/** What a visitor's energy is now, as far as the page can know before the server has answered. */
import { type Stroke, sweptCells } from '../../shared/geometry.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { RoomModel } from '../net/room-model.ts';

/** Answers that are still missing when so many newer strokes have gone out will not come. */
const MAX_UNANSWERED = 64;

interface End {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export class EnergyEstimate {
  /** What the server last said, and when, ms. */
  private said: Event<'energy'> | undefined;
  private saidAt = 0;
  /** Prices of strokes that have been sent, oldest first. */
  private unanswered: { readonly price: number }[] = [];
  /** Price of what has been drawn and not been sent. */
  private drawn = 0;
  private current: Event<'energy'> | undefined;
  /** Where the last stroke ended, if the server took it. */
  private end: End | undefined;

  /** @param clock ms */
  constructor(
    model: Pick<RoomModel, 'on'>,
    private readonly clock: () => number,
  ) {
    model.on('energy', (energy) => {
      this.said = energy;
      this.saidAt = this.clock();
      this.changed();
    });
    model.on('welcome', () => {
      this.unanswered = [];
      this.drawn = 0;
      this.end = undefined;
    });
  }

  /** What she had when that last changed by more than refilling; undefined before the server has said anything. */
  get energy(): Event<'energy'> | undefined {
    return this.current;
  }

  /** Share of what one can hold, 0…1. */
  get share(): number {
    return this.said ? Math.max(0, this.left) / this.said.capacity : 1;
  }

  /** Whether the server will take what has been drawn so far. */
  get isEnough(): boolean {
    return this.left >= 0;
  }

  /** A stroke goes on to a place; it has not been sent yet. @param length cells */
  draw(length: number, radius: number): void {
    this.drawn += length * 2 * radius * (this.said?.damagePerCell ?? 0);
    this.changed();
  }

  /**
   * A piece of a stroke has been sent.
   *
   * @returns to be called when it is answered
   */
  send(stroke: Stroke): { accepted(): void; rejected(): void } {
    const { points, radius } = stroke;
    const [x, y] = [points[points.length - 2], points[points.length - 1]];
    const { end } = this;
    const goesOn = points.length > 2 && end?.x === points[0] && end.y === points[1];
    const cells = sweptCells(stroke, goesOn && end?.radius === radius);
    const sent = { price: cells * (this.said?.damagePerCell ?? 0) };
    this.drawn = 0;
    this.end = { x, y, radius };
    this.unanswered = [...this.unanswered, sent].slice(-MAX_UNANSWERED);
    this.changed();
    const answered = (): void => {
      this.unanswered = this.unanswered.filter((other) => other !== sent);
      this.changed();
    };
    return {
      accepted: answered,
      rejected: () => {
        answered();
        this.end = undefined;
      },
    };
  }

  private changed(): void {
    const { said } = this;
    this.current = said && { ...said, level: Math.max(0, this.left) };
  }

  private get left(): number {
    const { said } = this;
    if (!said) return 0;
    const { level, capacity, refillPerSecond } = said;
    const refilled = ((this.clock() - this.saidAt) / 1000) * refillPerSecond;
    const spent = this.unanswered.reduce((sum, { price }) => sum + price, this.drawn);
    return Math.min(capacity, level + refilled) - spent;
  }
}
