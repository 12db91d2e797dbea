/**
 * Whatever visitors and networks do, every page ends up with the server's state. Seeded random
 * actions drive a real server, real connections through bad networks, and the page's own room
 * model.
 */

import { io } from 'socket.io-client';
import { BROWSER, Connection } from '../../client/room/connection.ts';
import { shortMemory } from '../../client/room/join.ts';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { STREAM } from '../../server/realtime/streaming/viewer-stream.ts';
import type { Room } from '../../server/world/room.ts';
import type { CommandName } from '../../shared/protocol/commands.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import { equalPlanes } from '../support/compare.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FaultProxy, NO_FAULTS } from '../support/fault-proxy.ts';
import { isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { startServer, UNLIMITED } from '../support/server.ts';

/**
 * Failed once: a visitor joined while another was away for less than a tick, and was never told of
 * their return.
 */
const FAILED = [77, 181];
const SEEDS = isFull ? Array.from({ length: 200 }, (_, i) => i + 1) : [1, 2, ...FAILED];
const [WIDTH, HEIGHT] = [128, 96];
const TICK_RATE = 60;
const PERIOD = 1000 / TICK_RATE;
const actsOf = (seed: number): number => (isFull || FAILED.includes(seed) ? 120 : 80);
/** Ticks within which a room comes to rest, if it does. */
const REST_TICKS = 200;
/** ms; at rest, ticks may be so far apart that each is told. */
const LONG_TICK = STREAM.heartbeat;
/** Turns of all sockets that are waited for a tick to be told. */
const MOST_TURNS = 200;
/**
 * Long ticks in which everybody then sees all of it: who was slow is tried with more after a while.
 */
const MOST_TICKS = 600;

/** Participants that no visitor can be. */
const STRANGER = 1_000_000;

let server: VivariumServer;
const clock = new FakeClock();

/** ms until a broken connection is dialled again: a page waits longer, but no test needs to. */
const REDIAL = 5;

class Peer extends Connection {
  private nextId = 1;

  /** @param port where the room's server listens, or a bad network before it */
  constructor(port: number, room: string) {
    const quick = { forceNew: true, reconnectionDelay: REDIAL, reconnectionDelayMax: 4 * REDIAL };
    super(
      room,
      { name: null, watches: false },
      { seat: shortMemory(), mark: shortMemory() },
      { ...BROWSER, dial: (how) => io(`http://127.0.0.1:${port}`, { ...how, ...quick }) },
    );
    this.open();
  }

  protected override get retryDelay(): number {
    return REDIAL;
  }

  /** Sends a command; nobody waits for the answer. */
  wish(name: 'plant' | 'damage' | 'cross', message: Record<string, unknown>): void {
    this.say(name, { id: this.nextId++, ...message });
  }

  say(name: CommandName, message: unknown): void {
    this.send(name, message as never);
  }

  /** Goes away, as a page that is closed. */
  leave(): void {
    this.socket.disconnect();
  }

  /** Comes back; nothing happens when it has not gone. */
  comeBack(): void {
    this.socket.connect();
  }
}

/** One seed's room, its visitors and their networks. */
class Play {
  readonly random: Random;
  readonly room: Room;
  private readonly crowded: boolean;
  readonly log: string[] = [];
  private strangers = 0;
  private readonly proxies: FaultProxy[] = [];
  private readonly peers: Peer[] = [];

  constructor(seed: number) {
    this.random = createRandom(seed);
    this.crowded = seed % 2 === 0;
    this.room = server.world.rooms.get(roomOf(seed))!;
  }

  async open(): Promise<void> {
    const count = 2 + this.random.integer(5);
    for (let i = 0; i < count; i++) {
      const random = createRandom(this.random.integer(2 ** 32));
      const proxy = await FaultProxy.open({ port: server.port, random });
      this.proxies.push(proxy);
      this.peers.push(new Peer(proxy.port, this.room.name));
    }
    while (this.peers.some(({ model }) => model.connection !== 'live')) await this.tick();
    // Something is to be seen, whatever chance will do.
    this.plant(this.peers[0], { x: WIDTH / 2, y: HEIGHT / 2 });
  }

  /**
   * Everybody goes, and all that lives dies, or it would be stepped along with the rooms of the
   * next seeds.
   */
  async close(): Promise<void> {
    this.endLife();
    for (const peer of this.peers) peer.leave();
    for (const proxy of this.proxies) await proxy.close();
  }

  /** The room ticks once, however long that takes. */
  async tick(ms = PERIOD): Promise<void> {
    const { tick } = this.room;
    // Passed over at once: a clock that advances stops at each tick that is due.
    clock.spend(ms - PERIOD);
    await clock.advance(PERIOD);
    while (this.room.tick === tick) await turn();
    await turn();
  }

  /** One random action. */
  async act(): Promise<void> {
    const { random } = this;
    const who = random.integer(this.peers.length);
    const [peer, proxy] = [this.peers[who], this.proxies[who]];
    // Here and there outside the grid, or too near its edge.
    const x = random.integer(WIDTH + 4);
    const y = random.integer(HEIGHT + 4);
    const acts: [what: string, share: number, act: () => void | Promise<void>][] = [
      ['plant', 6, () => this.plant(peer, { x, y })],
      ['damage', 5, () => peer.wish('damage', { radius: 1 + random.integer(6), points: [x, y] })],
      ['cross', 1, () => this.cross(peer)],
      ['cursor', 2, () => peer.say('cursor', { x, y, tool: 'plant' })],
      ['resync', 1, () => peer.say('resync', { chunks: [x % 12] })],
      ['look', 2, () => this.look(peer, { x, y })],
      ['stall', 2, () => proxy.set({ stalled: (['up', 'down', 'both'] as const)[x % 3] })],
      ['lift', 5, () => proxy.set(NO_FAULTS)],
      ['narrow', 1, () => proxy.set({ bandwidth: 20_000 + 10_000 * x, jitter: y % 8 })],
      ['slice', 1, () => proxy.set({ slice: 1 + x })],
      ['reset', 2, () => proxy.reset()],
      ['leave', 1, () => peer.leave()],
      ['come back', 4, () => peer.comeBack()],
      ['turns', 6, () => turns(1 + random.integer(20))],
      [
        'ticks',
        14,
        async () => {
          for (let i = random.integer(6); i >= 0; i--) await this.tick();
        },
      ],
    ];
    let at = random.integer(acts.reduce((sum, [, share]) => sum + share, 0));
    const [what, , act] = acts.find(([, share]) => (at -= share) < 0)!;
    this.log.push(`${what} ${who}`);
    await act();
  }

  /**
   * In a crowd anywhere, even where nothing fits; else on a lattice on which windows do not meet.
   */
  private plant(peer: Peer, place: { x: number; y: number }): void {
    const { side } = this.room.species;
    const onLattice = (v: number): number => (Math.floor(v / side) + 0.5) * side;
    const { x, y } = this.crowded ? place : { x: onLattice(place.x), y: onLattice(place.y) };
    peer.wish('plant', { x, y, seed: { from: 'prior' } });
  }

  /** At a part, from near or from far, or not at all. */
  private look(peer: Peer, { x, y }: { x: number; y: number }): void {
    if (x % 4 === 0) peer.say('look', { hidden: true });
    else {
      const pixels = y % 3 === 0 ? 0.5 : 4;
      peer.say('look', { hidden: false, x, y, width: 40, height: 30, pixels, best: 'full' });
    }
  }

  private cross(peer: Peer): void {
    const ids = [...peer.model.organisms.keys()];
    if (ids.length === 0) return;
    const [a, b] = [0, 0].map(() => ids[this.random.integer(ids.length)]);
    peer.wish('cross', { a, b, mix: this.random.uniform() });
  }

  /**
   * All faults are lifted, all who left come back, the room comes to rest, and in a while everybody
   * sees just what it has. A crowd may keep itself awake for ever: there, all die in the end.
   */
  async settle(): Promise<void> {
    for (const proxy of this.proxies) proxy.set(NO_FAULTS);
    for (const peer of this.peers) peer.comeBack();
    while (this.peers.some(({ model }) => model.connection !== 'live')) await this.tick();
    const all = { x: 0, y: 0, width: WIDTH, height: HEIGHT, pixels: 4, best: 'full' };
    for (const peer of this.peers) peer.say('look', { hidden: false, ...all });
    for (let i = this.crowded ? REST_TICKS : 0; i < REST_TICKS && this.room.awake > 0; i++) {
      await this.tick();
    }
    if (this.room.awake > 0) this.endLife();
    for (let i = 0; i < MOST_TICKS; i++) {
      await this.tick(LONG_TICK);
      await this.everybodyHears();
      if (i >= 10 && this.room.awake === 0 && this.differences().length === 0) return;
      // A busy machine takes real time to close the connections that the faults have cut.
      if (i >= 10) await new Promise((wake) => setTimeout(wake, 5));
    }
    throw new Error(`tick ${this.room.tick}: ${this.differences()}; ${this.views()}`);
  }

  /** A tick, and the server of it: else lines look slow that are not. */
  private async everybodyHears(): Promise<void> {
    const { tick } = this.room;
    for (let i = 0; i < MOST_TURNS; i++) {
      if (this.peers.every(({ model }) => model.tick === tick)) break;
      await turn();
    }
    await turns(5);
  }

  private endLife(): void {
    const { side } = this.room.species;
    // All of the grid in one tick, by so many hands that none is out of energy.
    for (let y = side / 2; y < HEIGHT; y += side) {
      for (let x = side / 2; x < WIDTH; x += side) {
        const by = { id: STRANGER + this.strangers++, name: '', hue: 0 };
        this.room.enqueue(1, { what: 'damage', by, points: [x, y], radius: side });
      }
    }
  }

  private views(): string {
    return this.peers
      .map(({ model: { connection, tick, quality } }, i) => {
        return `${i} is ${connection} at ${tick}, ${quality?.tier}`;
      })
      .join('; ');
  }

  /** What peers hold that is not as the server has it. */
  differences(): string[] {
    const { planes } = this.room.grid;
    const organisms = JSON.stringify(this.room.organisms);
    return this.peers.flatMap(({ model }, i) => [
      ...(equalPlanes(model.planes!, planes) ? [] : [`planes of ${i}`]),
      ...(JSON.stringify([...model.organisms.values()]) === organisms ? [] : [`organisms of ${i}`]),
      ...(model.participants.size === this.peers.length ? [] : [`people of ${i}`]),
    ]);
  }
}

const roomOf = (seed: number): string => `seed-${seed}`;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

beforeAll(async () => {
  const settings = {
    rooms: SEEDS.map(roomOf).join(','),
    ...SMALL,
    size: `${WIDTH}x${HEIGHT}`,
    'max-organisms': 8,
    'tick-rate': TICK_RATE,
    // They come back at once and often, as no visitor does.
    limits: UNLIMITED,
  };
  server = await startServer(settings, { clock });
});

afterAll(async () => {
  const closing = server.close();
  await clock.advance(0);
  await closing;
});

test.each(SEEDS)('seed %i: in the end everybody sees what the server has', async (seed) => {
  const play = new Play(seed);
  try {
    await play.open();
    for (let i = 0; i < actsOf(seed); i++) await play.act();
    await play.settle();
  } catch (error) {
    throw new Error(`seed ${seed} (${play.log.join(', ')})`, { cause: error });
  } finally {
    await play.close();
  }
});
