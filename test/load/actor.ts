/**
 * What active clients do: they move their cursors in spells, plant and cut now and then, politely.
 */
import type { Random } from '../../shared/random.ts';
import type { LoadClient } from './load-client.ts';

/** ms between looks; also between moves of a cursor that moves. */
const BEAT = 100;
/**
 * All together, whatever their number; what the measured garden's second lacks then, its gardener
 * does.
 */
const PLANTS_PER_SECOND = 0.25;
const CUTS_PER_SECOND = 0.5;
/** Share of the active that move their cursors at a time. */
const MOVING = 0.2;
const CELL_STEP = 4;

export class Actor {
  private readonly places = new Map<LoadClient, { x: number; y: number }>();

  /** @param share what part of all plantings and cuts is done by these */
  constructor(
    private readonly clients: ReadonlySet<LoadClient>,
    private readonly share: number,
    private readonly random: Random,
  ) {
    setInterval(() => this.beat(), BEAT);
  }

  private beat(): void {
    const { random } = this;
    const here = [...this.clients].filter(({ joined }) => joined);
    if (here.length === 0) return;
    const anyone = (): LoadClient => here[random.integer(here.length)];
    const happens = (perSecond: number): boolean =>
      random.uniform() < (perSecond * this.share * BEAT) / 1000;
    for (let i = Math.ceil(here.length * MOVING); i > 0; i--) {
      const client = anyone();
      client.send('cursor', { ...this.move(client), tool: 'plant' });
    }
    if (happens(PLANTS_PER_SECOND)) {
      const client = anyone();
      const { width, height } = client.welcome!.room;
      const [x, y] = [random.integer(width), random.integer(height)];
      client.command('plant', { x, y, seed: { from: 'prior' } });
    }
    if (happens(CUTS_PER_SECOND)) {
      const client = anyone();
      const [from, to] = [this.move(client), this.move(client)];
      client.command('damage', { radius: 2, points: [from.x, from.y, to.x, to.y] });
    }
  }

  /** A step from where the client's finger was. */
  private move(client: LoadClient): { x: number; y: number } {
    const { width, height } = client.welcome!.room;
    const { random } = this;
    const last = this.places.get(client) ?? {
      x: random.integer(width),
      y: random.integer(height),
    };
    const step = (v: number, size: number): number =>
      Math.max(0, Math.min(size, v + CELL_STEP * (2 * random.uniform() - 1)));
    const place = { x: step(last.x, width), y: step(last.y, height) };
    this.places.set(client, place);
    return place;
  }
}
