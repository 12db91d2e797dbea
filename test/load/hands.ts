/** What active visitors do: they move their cursors in spells, plant and cut now and then, politely. */
import type { Random } from '../../shared/random.ts';
import type { Guest } from './guest.ts';

/** ms between looks; also between moves of a cursor that moves. */
const BEAT = 100;
/** All together, whatever their number; what the measured garden's second lacks then, its gardener does. */
const PLANTS_PER_SECOND = 0.25;
const CUTS_PER_SECOND = 0.5;
/** Share of the active that move their cursors at a time. */
const MOVING = 0.2;
const CELL_STEP = 4;

export class Hands {
  private readonly places = new Map<Guest, { x: number; y: number }>();
  private readonly timer: NodeJS.Timeout;

  /** @param share what part of all plantings and cuts is done by these */
  constructor(
    private readonly guests: readonly Guest[],
    private readonly share: number,
    private readonly random: Random,
  ) {
    this.timer = setInterval(() => this.beat(), BEAT);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private beat(): void {
    const { random } = this;
    const here = this.guests.filter(({ plan, joined }) => plan.active && joined);
    if (here.length === 0) return;
    const anyone = (): Guest => here[random.integer(here.length)];
    const happens = (perSecond: number): boolean =>
      random.uniform() < (perSecond * this.share * BEAT) / 1000;
    for (let i = Math.ceil(here.length * MOVING); i > 0; i--) {
      const guest = anyone();
      const { x, y } = this.move(guest);
      guest.cursor(x, y);
    }
    if (happens(PLANTS_PER_SECOND)) {
      const guest = anyone();
      const { width, height } = guest.room!;
      guest.plant(random.integer(width), random.integer(height));
    }
    if (happens(CUTS_PER_SECOND)) {
      const guest = anyone();
      const from = this.move(guest);
      const to = this.move(guest);
      guest.cut([from.x, from.y, to.x, to.y]);
    }
  }

  /** A step from where the guest's finger was. */
  private move(guest: Guest): { x: number; y: number } {
    const { width, height } = guest.room!;
    const { random } = this;
    const last = this.places.get(guest) ?? {
      x: random.integer(width),
      y: random.integer(height),
    };
    const step = (v: number, size: number): number =>
      Math.max(0, Math.min(size, v + CELL_STEP * (2 * random.uniform() - 1)));
    const place = { x: step(last.x, width), y: step(last.y, height) };
    this.places.set(guest, place);
    return place;
  }
}
