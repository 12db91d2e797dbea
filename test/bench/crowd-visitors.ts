/**
 * The process of the visitors in `crowd.ts`: real connections that acknowledge every frame; all
 * plant and wound. Only the first of them decode what they see: each has a machine of its own
 * elsewhere, and here all share the server's.
 */
import { LIFE } from '../../server/world/organisms/organism.ts';
import { createPlanes } from '../../shared/codec/chunks.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { createRandom } from '../../shared/random.ts';
import { answerParent, startArgument } from '../load/child.ts';
import { createDecoder } from '../load/decoder.ts';
import { LoadClient } from '../load/load-client.ts';
import { PacketCache } from '../load/packet-cache.ts';
import { placeOf } from './grid.ts';

/** The process's one argument, in JSON. */
export interface VisitorsPlan {
  readonly port: number;
  readonly organisms: number;
  /** Side of a grown organism. */
  readonly side: number;
  readonly visitors: number;
}

/** `ready`: answered once all organisms have grown. */
export type VisitorsQuestion = 'ready' | 'begin' | 'arrivals';

/** A tick as one visitor has received it, and decoded, if it does so. */
export interface Arrival {
  readonly tick: number;
  /** ms of `sharedNow`. */
  readonly at: number;
}

/** An organism is wounded again before it has come to rest. */
const WOUND_EVERY = LIFE.restSteps - 2;
/** How many decode all that they see. */
const WATCHERS = 2;
/** Enough for a cell or two. */
const RADIUS = 1;
/** How far from the middle of an organism a wound falls, where all have flesh. */
const REACH = 5;

const { port, organisms, side, visitors } = startArgument<VisitorsPlan>();
const random = createRandom(50);
const packets = new PacketCache();

/** By organism, its place. */
const living = new Map<number, number>();
const placeAt = new Map(
  Array.from({ length: organisms }, (_, n) => [Object.values(placeOf(n, side)).join(), n]),
);
let acts = 0;
let grown = 0;
let allGrown: () => void;
const ready = new Promise<void>((resolve) => {
  allGrown = resolve;
});

/** @param hear of the first picture, and of what happens then */
function join(n: number, hear?: (name: string, message: unknown) => void): Promise<LoadClient> {
  return new Promise((resolve) => {
    const client: LoadClient = new LoadClient({
      ...{ packets, url: `http://127.0.0.1:${port}`, join: { room: 'garden' } },
      ...(n < WATCHERS && {
        decoder: ({ width, height }) => createDecoder(createPlanes(width, height)),
      }),
      onEvent: (name, message) => {
        if (name === 'frame') resolve(client);
        hear?.(name, message);
      },
    });
  });
}

const crowd = await Promise.all(
  Array.from({ length: visitors }, (_, n) => join(n, n === 0 ? onEvent : undefined)),
);
const [watcher] = crowd;

function plant(n: number): void {
  const index = random.integer(watcher.welcome!.checkpoint.gallery.length);
  acts++;
  const seed = { from: 'gallery', index } as const;
  crowd[n % visitors].command('plant', { ...placeOf(n, side), seed });
}

function wound(n: number): void {
  const { x, y } = placeOf(n, side);
  const points = [x, y].map((middle) => middle + (2 * random.uniform() - 1) * REACH);
  crowd[(n + acts++) % visitors].command('damage', { points, radius: RADIUS });
}

function onEvent(name: string, message: unknown): void {
  if (name === 'life') for (const event of (message as Event<'life'>).events) live(event);
  if (name !== 'frame') return;
  for (const n of living.values()) if ((n + watcher.lastTick) % WOUND_EVERY === 0) wound(n);
}

function live(event: Event<'life'>['events'][number]): void {
  if (event.what === 'born') {
    const { x, y, id } = event.organism;
    living.set(id, placeAt.get(`${x},${y}`)!);
  } else if (event.what === 'grown') {
    if (++grown === organisms) allGrown();
  } else if (event.what === 'asleep') wound(living.get(event.id)!);
  else if (event.what === 'died') {
    plant(living.get(event.id)!);
    living.delete(event.id);
  }
}

answerParent((question: VisitorsQuestion): unknown => {
  switch (question) {
    case 'ready':
      return ready;
    case 'begin':
      for (const client of crowd) client.begin();
      return undefined;
    case 'arrivals':
      return crowd.flatMap(({ ticks, times }): Arrival[] =>
        ticks.map((tick, i) => ({ tick, at: times[i] })),
      );
  }
});
for (let n = 0; n < organisms; n++) plant(n);
