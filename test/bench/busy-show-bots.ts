/**
 * The process of the bots of `busy-show.ts`, with real sockets that acknowledge every frame. Each
 * bot acts once a beat and leaves after 120 acts. Then another person joins, or the same person
 * returns. Leaving visitors must leave nothing behind.
 */
import type { Event } from '../../shared/protocol/events.ts';
import { createRandom } from '../../shared/random.ts';
import { answerParent, startArgument } from '../load/child.ts';
import { addCounts } from '../load/figures.ts';
import { LoadClient } from '../load/load-client.ts';
import { PacketCache } from '../load/packet-cache.ts';

/** The bots' one argument. */
export interface BotsPlan {
  readonly port: number;
  readonly bots: number;
  /** Time between two acts of one bot, in ms. */
  readonly beat: number;
  /** Share of leaving visitors who return as the same person, 0…1. */
  readonly returning: number;
}

/** Every third act plants and the others wound, so the room stays full. */
const PLANT_EVERY = 3;
/** Number of acts after which a bot leaves. */
const STAY = 120;
/** Largest distance of a wound from the middle of an organism, in cells. */
const REACH = 6;

const { port, bots, beat, returning } = startArgument<BotsPlan>();
const random = createRandom(50);
const packets = new PacketCache();
/**
 * Counts since the start: refusals by reason, joins including those of returning persons, and
 * connections that ended without the bot's wish.
 */
const counts = {
  accepted: 0,
  refused: {} as Record<string, number>,
  joins: 0,
  returns: 0,
  lost: 0,
};
export type BotCounts = typeof counts;

class Bot {
  private client: LoadClient;
  private acts: number;

  constructor(n: number) {
    // Spread the bots, so that they do not leave at the same time.
    this.acts = Math.floor((n * STAY) / bots);
    this.client = this.come();
    setTimeout(() => setInterval(() => this.act(), beat), (n * beat) / bots);
  }

  /** @param resume the token of a person who returns */
  private come(resume?: string): LoadClient {
    return new LoadClient({
      ...{ packets, url: `http://127.0.0.1:${port}` },
      join: { room: 'garden', ...(resume !== undefined && { resume }) },
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
      const resume = random.uniform() < returning ? this.client.welcome?.resume : undefined;
      if (resume !== undefined) counts.returns++;
      this.client = this.come(resume);
    }
    const { welcome } = this.client;
    if (!welcome) return;
    const gallery = welcome.checkpoint.gallery.length;
    const { x, y } = anywhere(welcome);
    if (act % PLANT_EVERY === 0) {
      const seed = { from: 'gallery', index: random.integer(gallery) } as const;
      this.client.command('plant', { x, y, seed });
    } else {
      const near = (middle: number) => middle + (2 * random.uniform() - 1) * REACH;
      const points = [near(x), near(y), near(x), near(y)];
      this.client.command('damage', { points, radius: 1 });
    }
  }
}

/** Returns a position at which a stroke of `REACH` stays within the grid. */
const anywhere = ({ room: { width, height } }: Event<'welcome'>) => ({
  x: REACH + random.integer(width - 2 * REACH),
  y: REACH + random.integer(height - 2 * REACH),
});

for (let n = 0; n < bots; n++) new Bot(n);
answerParent(() => counts);
