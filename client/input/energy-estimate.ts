/** Estimates a visitor's current energy between the server's answers. */
import { type Stroke, sweptCells } from '../../shared/geometry.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { Point } from '../render/camera.ts';
import type { RoomModel } from '../room/room-model.ts';

/** Maximum number of strokes that await an answer. If there are more, the oldest counts as lost. */
const MAX_UNANSWERED = 64;

/** Estimates a visitor's energy from the server's answers and the commands sent since then. */
export class EnergyEstimate {
  /** The server's latest energy message, and its time of arrival, in ms. */
  private said: Event<'energy'> | undefined;
  private saidAt = 0;
  /** Prices of sent strokes that have no answer yet, oldest first. */
  private unanswered: { readonly price: number }[] = [];
  /** Price of the segments that are drawn but not yet sent. */
  private drawn = 0;
  /**
   * The energy when it last changed for a reason other than refilling; undefined before the first
   * message.
   */
  energy: Event<'energy'> | undefined;
  /** End of the last stroke sent; undefined if the stroke was refused. */
  private end: (Point & { readonly radius: number }) | undefined;

  /** @param clock returns the time, ms */
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

  /** Remaining share of the capacity, 0…1. */
  get share(): number {
    return this.said ? Math.max(0, this.left) / this.said.capacity : 1;
  }

  /** Whether the energy covers everything drawn so far. */
  get isEnough(): boolean {
    return this.left >= 0;
  }

  /**
   * Adds a segment of a stroke that is drawn but not sent yet.
   *
   * @param length cells
   * @param radius cells
   */
  draw(length: number, radius: number): void {
    this.drawn += length * 2 * radius * (this.said?.damagePerCell ?? 0);
    this.changed();
  }

  /**
   * Records that a segment of a stroke was sent.
   *
   * @returns callbacks for the server's answer
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
    this.energy = said && { ...said, level: Math.max(0, this.left) };
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
