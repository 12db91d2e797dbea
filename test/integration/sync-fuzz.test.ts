/**
 * Whatever visitors and networks do, in the end everybody sees what the server has: seeded chance acts on a real server,
 * on real connections through bad networks, and on the page's own model of the room.
 */
import type { Vivarium } from '../../server/vivarium.ts';
import type { Room } from '../../server/world/room.ts';
import { equalPlanes } from '../../shared/codec/planes.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import { FakeClock } from '../support/fakeClock.ts';
import { FaultProxy, NO_FAULTS } from '../support/faultProxy.ts';
import { Peer } from '../support/peer.ts';
import { startServer } from '../support/server.ts';

const full = process.env.VIVARIUM_TEST_FULL === '1';
/** Those that have once failed stay in the list. */
const SEEDS = full ? Array.from({ length: 300 }, (_, i) => i + 1) : [1, 2, 3, 4];
const [WIDTH, HEIGHT] = [128, 96];
const TICK_RATE = 60;
const ACTS = 120;
/** Ticks in which a room comes to rest, unless one was planted where another had a hole. */
const REST_TICKS = 300;
const MOST_TICKS = 2 * REST_TICKS;
/** Turns of all sockets in which everybody may come to a tick. */
const MOST_TURNS = 100;

let server: Vivarium;
const clock = new FakeClock();

/** One seed's room, its visitors and their networks. */
class Play {
  readonly random: Random;
  readonly room: Room;
  private readonly crowded: boolean;
  readonly log: string[] = [];
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

  /** Everybody goes, and all that lives dies, or it would be stepped along with the rooms of the next seeds. */
  async close(): Promise<void> {
    const by = { id: 1_000_000, name: '', hue: 0 };
    this.room.enqueue(1, { what: 'damage', by, points: [0, 0], radius: WIDTH + HEIGHT });
    for (const peer of this.peers) peer.leave();
    for (const proxy of this.proxies) await proxy.close();
  }

  /** The room ticks once, however long that takes. */
  async tick(): Promise<void> {
    const { tick } = this.room;
    await clock.advance(1000 / TICK_RATE);
    while (this.room.tick === tick) await turn();
    await turn();
  }

  /** One thing of all that can happen. */
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
      ['resync', 1, () => peer.say('resync', { chunks: [x % 4, 9_999 % (1 + y)] })],
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

  /** In a crowd anywhere, even where nothing fits; else on a lattice on which windows do not meet. */
  private plant(peer: Peer, place: { x: number; y: number }): void {
    const { side } = this.room.species;
    const onLattice = (v: number): number => (Math.floor(v / side) + 0.5) * side;
    const { x, y } = this.crowded ? place : { x: onLattice(place.x), y: onLattice(place.y) };
    peer.wish('plant', { x, y, seed: { from: 'prior' } });
  }

  private cross(peer: Peer): void {
    const ids = [...peer.model.organisms.keys()];
    if (ids.length === 0) return;
    const [a, b] = [0, 0].map(() => ids[this.random.integer(ids.length)]);
    peer.wish('cross', { a, b, mix: this.random.uniform() });
  }

  /**
   * All faults are lifted and all who left come back; the room goes on until everybody is at its tick. One whose organisms do not
   * touch comes to rest before; in a crowd neighbours wake each other for ever.
   */
  async settle(): Promise<void> {
    for (const proxy of this.proxies) proxy.set(NO_FAULTS);
    for (const peer of this.peers) peer.comeBack();
    for (let i = 0; i < MOST_TICKS; i++) {
      await this.tick();
      if (!this.crowded && this.room.awake > 0 && i < REST_TICKS) continue;
      for (let j = 0; j < MOST_TURNS; j++) {
        if (this.peers.every(({ model }) => model.tick === this.room.tick)) return;
        await turn();
      }
    }
    throw new Error(`${this.room.awake} awake at tick ${this.room.tick}; ${this.behind()}`);
  }

  private behind(): string {
    return this.peers
      .map(({ model }, i) => `${i} is ${model.connection} at ${model.tick}`)
      .join(', ');
  }

  /** What peers hold that is not as the server has it. */
  differences(): string[] {
    const { planes } = this.room.ground;
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
    size: `${WIDTH}x${HEIGHT}`,
    'max-organisms': 8,
    'tick-rate': TICK_RATE,
  };
  server = await startServer(settings, '.', clock);
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
    for (let i = 0; i < ACTS; i++) await play.act();
    await play.settle();
    expect(play.differences()).toEqual([]);
  } catch (error) {
    throw new Error(`seed ${seed} (${play.log.join(', ')})`, { cause: error });
  } finally {
    await play.close();
  }
});
