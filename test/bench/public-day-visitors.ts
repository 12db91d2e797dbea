/**
 * The process of the honest visitors of `public-day.ts`: phones that plant and cut, a newcomer
 * every ten seconds, and a wall that reloads its page. Each has an address of its own.
 */
import { createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { createRandom } from '../../shared/random.ts';
import { answerParent, startArgument } from '../load/child.ts';
import { createDecoder } from '../load/decoder.ts';
import { addCounts, spreadOf } from '../load/figures.ts';
import { LoadClient, type LoadClientOptions } from '../load/load-client.ts';
import { PacketCache } from '../load/packet-cache.ts';

export interface VisitorsPlan {
  readonly port: number;
  readonly visitors: number;
  readonly seed: number;
}

export type VisitorsFigures = ReturnType<typeof figuresOf>;

/** ms between two commands of one visitor, two newcomers, and two reloads of the wall. */
const [BEAT, NEWCOMERS, RELOAD] = [2_000, 10_000, 30_000];
/** ms in which a newcomer must have an organism, and after which one gives up. */
const [PROMISED, PATIENCE] = [10_000, 60_000];
/** ms between the tries of a newcomer. */
const RETRY = 500;
/** ms that a newcomer stays. */
const STAY = 30_000;

const { port, visitors, seed } = startArgument<VisitorsPlan>();
const random = createRandom(seed);
const packets = new PacketCache();
/** ms from a command to its answer, since `begin`. */
let answers: number[] = [];
/** ms from the first attempt to connect to an accepted seed, of each newcomer. */
const waits: number[] = [];
const refused: Record<string, number> = {};
let wallsRefused = 0;
let lost = 0;
/** Organisms that visitors were told of and that have not died since. */
const living = new Set<number>();
let missing = 0;

function dial(localAddress: string, more: Partial<LoadClientOptions>): LoadClient {
  return new LoadClient({
    ...{ packets, url: `http://127.0.0.1:${port}`, localAddress, join: { room: 'garden' } },
    ...more,
  });
}

const anywhere = ({ width, height }: Event<'welcome'>['room']) => ({
  x: random.integer(width),
  y: random.integer(height),
});

/** As a visitor sees it: one of the places whose middle is bare; undefined when there is none. */
function free({ room, checkpoint: { side } }: Event<'welcome'>, { owner }: Planes) {
  const { width, height } = room;
  const isBare = (x: number, y: number): boolean =>
    [0, 1].every((dy) => [0, 1].every((dx) => !owner[(y - dy) * width + x - dx]));
  const places: { x: number; y: number }[] = [];
  for (let y = side / 2; y <= height - side / 2; y++) {
    for (let x = side / 2; x <= width - side / 2; x++) if (isBare(x, y)) places.push({ x, y });
  }
  return places[random.integer(places.length)];
}

function follow({ events }: Event<'life'>): void {
  for (const event of events) {
    if (event.what === 'born') living.add(event.organism.id);
    else if (event.what === 'died') living.delete(event.id);
  }
}

/** A phone that stays, and comes back when its connection is lost. */
class Visitor {
  private readonly client: LoadClient;
  private readonly sent = new Map<number, number>();
  private id = 0;

  constructor(private readonly n: number) {
    this.client = dial(`127.0.1.${n + 1}`, {
      redial: 500,
      best: 'phone',
      onLost: () => lost++,
      onEvent: (name, message) => {
        // One of them sees all that happens.
        if (n === 0 && name === 'life') follow(message as Event<'life'>);
        if (n === 0 && name === 'welcome') this.compare(message as Event<'welcome'>);
        if (name !== 'accepted' && name !== 'rejected') return;
        const { id, reason } = message as { id?: number; reason?: string };
        if (reason) addCounts(refused, { [reason]: 1 });
        const at = this.sent.get(id ?? -1);
        if (at !== undefined) answers.push(performance.now() - at);
        this.sent.delete(id ?? -1);
      },
    });
    setTimeout(() => setInterval(() => this.act(), BEAT), (n * BEAT) / visitors);
  }

  /** After a restart, what was told before it must be there. */
  private compare({ organisms }: Event<'welcome'>): void {
    const there = new Set(organisms.map(({ id }) => id));
    missing += [...living].filter((id) => !there.has(id)).length;
    living.clear();
    for (const id of there) living.add(id);
  }

  private act(): void {
    const { welcome, connected } = this.client;
    if (!welcome || !connected) return;
    const id = ++this.id;
    this.sent.set(id, performance.now());
    const { x, y } = anywhere(welcome.room);
    if ((id + this.n) % 5 === 0) {
      this.client.say('plant', { id, x, y, seed: { from: 'prior' } });
    } else {
      this.client.say('damage', { id, radius: 2, points: [x, y, x + 8, y + 8] });
    }
  }
}

/** Comes, plants as soon as it can, and goes. */
function newcomer(n: number): void {
  const begun = performance.now();
  let done = false;
  let planes: Planes | undefined;
  const client = dial(`127.0.2.${1 + (n % 250)}`, {
    redial: 500,
    best: 'phone',
    decoder: ({ width, height }) => {
      planes = createPlanes(width, height);
      return createDecoder(planes);
    },
    onEvent: (name, message) => {
      if (name === 'accepted' && !done) finish();
      if (name === 'rejected') addCounts(refused, { [(message as Event<'rejected'>).reason]: 1 });
    },
  });
  const trying = setInterval(() => {
    if (performance.now() - begun > PATIENCE) return finish();
    const { welcome, joined } = client;
    if (!welcome || !planes || !joined) return;
    const place = free(welcome, planes);
    if (place) client.command('plant', { ...place, seed: { from: 'gallery', index: 0 } });
    else addCounts(refused, { covered: 1 });
  }, RETRY);
  function finish(): void {
    done = true;
    clearInterval(trying);
    waits.push(performance.now() - begun);
    setTimeout(() => client.close(), STAY);
  }
}

/** Opens the wall's page, and again some time later. */
function wall(): void {
  let isShown = false;
  const client = dial('127.0.3.1', {
    join: { room: 'garden', as: 'wall' },
    redial: 500,
    onEvent: (name) => {
      if (name === 'wall') isShown = true;
      if (name === 'rejected') wallsRefused++;
    },
  });
  setTimeout(() => {
    if (!isShown) wallsRefused++;
    client.close();
    wall();
  }, RELOAD);
}

function figuresOf() {
  return {
    answers: spreadOf(answers),
    answered: answers.length,
    newcomers: {
      count: waits.length,
      wait: spreadOf(waits),
      late: waits.filter((wait) => wait > PROMISED).length,
    },
    ...{ wallsRefused, lost, missing, refused },
  };
}

for (let n = 0; n < visitors; n++) new Visitor(n);
wall();
let newcomers = 0;
setInterval(() => newcomer(newcomers++), NEWCOMERS);
answerParent((question: 'begin' | 'figures') => {
  if (question === 'figures') return figuresOf();
  answers = [];
});
