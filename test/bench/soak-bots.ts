/**
 * The process of the bots in `soak.ts`: real sockets that acknowledge every frame. Each does something once a second, and goes
 * after two minutes, for another to come: who leaves must leave nothing behind.
 */
import { io, type Socket } from 'socket.io-client';
import { readHeader } from '../../shared/codec/frame.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { parser } from '../../shared/protocol/parser.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { createRandom } from '../../shared/random.ts';
import { answerParent } from '../load/child.ts';
import { spotOf } from './soak-ground.ts';
import type { BotCounts, BotsPlan } from './soak-messages.ts';

/** ms between two acts of one bot. */
const BEAT = 1_000;
/** Acts of a bot, of which the first plants and the last wipes all away; between them are wounds. */
const ROUND = 12;
/** Acts after which a bot goes. */
const STAY = 120;
/** How far from the middle of an organism a wound falls. */
const REACH = 6;

const { port, bots, side } = JSON.parse(process.argv[2]) as BotsPlan;
const random = createRandom(50);
const refused: Record<string, number> = {};
let [accepted, joins, lost, frames] = [0, 0, 0, 0];

class Bot {
  private socket: Socket;
  private gallery = 0;
  private acts: number;
  private nextId = 1;

  constructor(private readonly n: number) {
    // Not all go at once.
    this.acts = Math.floor((n * STAY) / bots);
    this.socket = this.come();
    setTimeout(() => setInterval(() => this.act(), BEAT), (n * BEAT) / bots);
  }

  private come(): Socket {
    const socket = io(`http://127.0.0.1:${port}`, {
      parser,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    socket.on('welcome', ({ checkpoint }: Event<'welcome'>) => {
      joins++;
      this.gallery = checkpoint.gallery.length;
    });
    socket.on('frame', (frame: Uint8Array) => {
      frames++;
      socket.emit('received', { tick: readHeader(frame).tick });
    });
    socket.on('accepted', () => {
      accepted++;
    });
    socket.on('rejected', ({ reason }: Event<'rejected'>) => {
      refused[reason] = (refused[reason] ?? 0) + 1;
    });
    socket.on('disconnect', (reason) => {
      if (reason !== 'io client disconnect') lost++;
    });
    socket.emit('join', { protocol: PROTOCOL_VERSION, room: 'garden' });
    return socket;
  }

  private act(): void {
    const act = this.acts++;
    if (act % STAY === STAY - 1 || !this.socket.connected) {
      this.gallery = 0;
      this.socket.close();
      this.socket = this.come();
    }
    if (this.gallery === 0) return;
    const { x, y } = spotOf(this.n, side);
    const isGardener = this.n % 2 === 0;
    const id = this.nextId++;
    if (isGardener && act % ROUND === 0) {
      const index = random.integer(this.gallery);
      this.send('plant', { id, x, y, seed: { from: 'gallery', index } });
    } else if (isGardener && act % ROUND === ROUND - 1) {
      this.send('damage', { id, points: [x, y], radius: DEFAULTS.stroke.maxRadius });
    } else {
      const near = (middle: number) => middle + (2 * random.uniform() - 1) * REACH;
      this.send('damage', { id, points: [near(x), near(y), near(x), near(y)], radius: 1 });
    }
  }

  private send<N extends CommandName>(name: N, message: Command<N>): void {
    this.socket.emit(name, message);
  }
}

for (let n = 0; n < bots; n++) new Bot(n);
answerParent((): BotCounts => ({ accepted, refused, joins, lost, frames }));
