/**
 * The process of the bots in `soak.ts`: real sockets that acknowledge every frame. Each does
 * something once a second, and goes after two minutes, for another to come: who leaves must leave
 * nothing behind.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { createRandom } from '../../shared/random.ts';
import { answerParent, startArgument } from '../load/child.ts';
import { addCounts } from '../load/figures.ts';
import { LoadClient } from '../load/load-client.ts';
import { PacketCache } from '../load/packet-cache.ts';
import { placeOf } from './grid.ts';

/** The bots' one argument. */
export interface BotsPlan {
  readonly port: number;
  readonly bots: number;
  readonly side: number;
  /** Of organisms, in the room's grid. */
  readonly columns: number;
}

/** Since the start. */
export interface BotCounts {
  readonly accepted: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly joins: number;
  /** Connections that ended otherwise than by a bot's own will. */
  readonly lost: number;
}

/** ms between two acts of one bot. */
const BEAT = 1_000;
/**
 * Acts of a bot, of which the first plants and the last wipes all away; between them are wounds.
 */
const ROUND = 12;
/** Acts after which a bot goes. */
const STAY = 120;
/** How far from the middle of an organism a wound falls. */
const REACH = 6;

const { port, bots, side, columns } = startArgument<BotsPlan>();
const random = createRandom(50);
const packets = new PacketCache();
const counts = { accepted: 0, refused: {} as Record<string, number>, joins: 0, lost: 0 };

class Bot {
  private client: LoadClient;
  private acts: number;

  constructor(private readonly n: number) {
    // Not all go at once.
    this.acts = Math.floor((n * STAY) / bots);
    this.client = this.come();
    setTimeout(() => setInterval(() => this.act(), BEAT), (n * BEAT) / bots);
  }

  private come(): LoadClient {
    return new LoadClient({
      ...{ packets, url: `http://127.0.0.1:${port}`, join: { room: 'garden' } },
      onLost: () => counts.lost++,
      onEvent: (name, message) => {
        if (name === 'welcome') counts.joins++;
        else if (name === 'accepted') counts.accepted++;
        else if (name === 'rejected') {
          addCounts(counts.refused, { [(message as Event<'rejected'>).reason]: 1 });
        }
      },
    });
  }

  private act(): void {
    const act = this.acts++;
    if (act % STAY === STAY - 1 || !this.client.connected) {
      this.client.close();
      this.client = this.come();
    }
    const gallery = this.client.welcome?.checkpoint.gallery.length;
    if (gallery === undefined) return;
    // Each two bots have ground of their own, of one organism's size.
    const { x, y } = placeOf(this.n >> 1, side, columns);
    const isGardener = this.n % 2 === 0;
    if (isGardener && act % ROUND === 0) {
      const seed = { from: 'gallery', index: random.integer(gallery) } as const;
      this.client.command('plant', { x, y, seed });
    } else if (isGardener && act % ROUND === ROUND - 1) {
      this.client.command('damage', { points: [x, y], radius: DEFAULTS.stroke.maxRadius });
    } else {
      const near = (middle: number) => middle + (2 * random.uniform() - 1) * REACH;
      const points = [near(x), near(y), near(x), near(y)];
      this.client.command('damage', { points, radius: 1 });
    }
  }
}

for (let n = 0; n < bots; n++) new Bot(n);
answerParent((): BotCounts => counts);
