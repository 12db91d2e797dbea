/**
 * The process of the visitors in `crowd.ts`: real sockets that acknowledge every frame; all plant and wound. Only the first of
 * them decode what they see: each has a machine of its own elsewhere, and here all share the server's.
 */
import { performance } from 'node:perf_hooks';
import { io } from 'socket.io-client';
import { readHeader } from '../../shared/codec/frame.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { parser } from '../../shared/protocol/parser.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { createRandom } from '../../shared/random.ts';
import { Visitor } from '../support/visitor.ts';
import { placeOf } from './crowd-grid.ts';

/** The process's one argument, in JSON. */
export interface VisitorsStart {
  readonly port: number;
  readonly organisms: number;
  /** Side of a grown organism. */
  readonly side: number;
  readonly visitors: number;
}

/** A tick as one visitor has received it, and decoded, if it does so. */
export interface Arrival {
  readonly tick: number;
  /** ms since the epoch. */
  readonly at: number;
}

export type VisitorsMessage =
  | { readonly what: 'ready' }
  | { readonly what: 'arrivals'; readonly arrivals: readonly Arrival[] };

/** An organism is wounded again before it has come to rest. */
const WOUND_EVERY = DEFAULTS.life.restTicks - 2;
/** How many decode all that they see. */
const WATCHERS = 2;
/** Enough for a cell or two. */
const RADIUS = 1;
/** How far from the middle of an organism a wound falls, where all have flesh. */
const REACH = 5;

const { port, organisms, side, visitors } = JSON.parse(process.argv[2]) as VisitorsStart;
const random = createRandom(50);
let arrivals: Arrival[] = [];
const arrive = (tick: number): void => {
  arrivals.push({ tick, at: performance.timeOrigin + performance.now() });
};

/** One who sends and acknowledges, and never looks. */
interface Guest {
  send(name: string, message: object): void;
}

function follow(): Promise<Guest> {
  const url = `http://127.0.0.1:${port}`;
  const socket = io(url, {
    parser,
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
  });
  socket.emit('join', { protocol: PROTOCOL_VERSION, room: 'garden' });
  socket.on('frame', (frame: Uint8Array) => {
    const { tick } = readHeader(frame);
    arrive(tick);
    socket.emit('received', { tick });
  });
  const guest: Guest = { send: (name, message) => void socket.emit(name, message) };
  return new Promise((resolve) => socket.once('frame', () => resolve(guest)));
}

const watchers = await Promise.all(
  Array.from({ length: Math.min(WATCHERS, visitors) }, () => Visitor.join(port)),
);
const followers = Array.from({ length: visitors - watchers.length }, follow);
const crowd = [...watchers.map(guestOf), ...(await Promise.all(followers))];

function guestOf(visitor: Visitor): Guest {
  return { send: (name, message) => visitor.say(name, message) };
}

/** By place, the organism that lives there. */
const living = new Map<number, number>();
const placeAt = new Map(
  Array.from({ length: organisms }, (_, n) => [Object.values(placeOf(n, side)).join(), n]),
);
const [watcher] = watchers;
const by = (n: number): Guest => crowd[n % visitors];
let id = 0;
let grown = 0;

const plant = (n: number): void => {
  const index = random.integer(watcher.welcome!.checkpoint.gallery.length);
  by(n).send('plant', { id: id++, ...placeOf(n, side), seed: { from: 'gallery', index } });
};
const wound = (n: number): void => {
  const { x, y } = placeOf(n, side);
  const points = [x, y].map((middle) => middle + (2 * random.uniform() - 1) * REACH);
  by(n + id).send('damage', { id: id++, points, radius: RADIUS });
};

watchers.forEach((visitor, i) => {
  let seen = visitor.tick;
  visitor.socket.onAny((name: string) => {
    // Nobody looks back here, and half a minute of frames would fill the memory.
    visitor.heard.length = 0;
    if (name !== 'frame' || visitor.tick === seen) return;
    seen = visitor.tick;
    arrive(seen!);
    if (i === 0) onTick(seen!);
  });
});

function onTick(tick: number): void {
  for (const event of watcher.life.splice(0)) {
    if (event.what === 'born') {
      const { x, y, id: organism } = event.organism;
      living.set(organism, placeAt.get(`${x},${y}`)!);
    } else if (event.what === 'grown') {
      if (++grown === organisms) process.send!({ what: 'ready' } satisfies VisitorsMessage);
    } else if (event.what === 'asleep') wound(living.get(event.id)!);
    else if (event.what === 'died') {
      plant(living.get(event.id)!);
      living.delete(event.id);
    }
  }
  for (const n of living.values()) if ((n + tick) % WOUND_EVERY === 0) wound(n);
}

process.on('message', (word) => {
  if (word === 'begin') arrivals = [];
  else process.send!({ what: 'arrivals', arrivals } satisfies VisitorsMessage);
});
for (let n = 0; n < organisms; n++) plant(n);
