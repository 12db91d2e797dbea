/** What viewers are sent over a gateway is byte for byte what they are sent alone. */
import type { Viewport } from '../../../../server/realtime/streaming/viewer-stream.ts';
import { createPlanes, type Planes } from '../../../../shared/codec/chunks.ts';
import { readHeader } from '../../../../shared/codec/frame.ts';
import { TIER_NAMES } from '../../../../shared/codec/tiers.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { createRandom, type Random } from '../../../../shared/random.ts';
import { equalPlanes } from '../../../support/planes.ts';
import fc from '../../../support/property.ts';
import { LossyBus, lookAt, Page, SpreadRoom } from '../../../support/spread-room.ts';
import { applyChange } from '../../../support/standard-garden.ts';
import { readGarden } from '../../../support/standard-recording.ts';
import { scribble } from '../../../support/watched-stream.ts';

const WIDTH = 150;
const HEIGHT = 100;

/** A viewer of the room alone, and the same one at the owner or a gateway. */
class Pair {
  readonly pages: readonly Page[];

  constructor(
    private readonly room: SpreadRoom,
    place: number,
  ) {
    this.pages = [room.alone, room.castOf(place)].map((cast) => new Page(room.planes, cast));
  }

  do(act: (page: Page, now: number) => void): void {
    for (const page of this.pages) act(page, this.room.clock.now());
  }

  /** The first frame that differs; undefined: none. */
  get difference(): number | undefined {
    const [alone, spread] = this.pages.map(({ frames }) => frames);
    for (let i = 0; i < Math.max(alone.length, spread.length); i++) {
      if (Buffer.compare(alone[i] ?? Buffer.of(), spread[i] ?? Buffer.of()) !== 0) return i;
    }
    return undefined;
  }
}

const anyLook = (planes: Planes, random: Random): Viewport => {
  const [x, y] = [random.integer(planes.width), random.integer(planes.height)];
  return lookAt(planes, {
    ...(random.uniform() < 0.7 && { x, y, width: 1 + random.integer(80), height: 40 }),
    pixels: [4, 1, 0.6, 0.3, 0.1][random.integer(5)],
    best: TIER_NAMES[random.integer(TIER_NAMES.length)],
  });
};

/** Something that viewers do, by chance. */
async function act(room: SpreadRoom, pairs: Pair[], random: Random, places: number): Promise<void> {
  const { planes } = room;
  const draw = random.uniform();
  if (pairs.length < 6 && (pairs.length === 0 || draw < 0.25)) {
    const pair = new Pair(room, random.integer(places + 1));
    const look = anyLook(planes, random);
    const tier = TIER_NAMES[random.integer(TIER_NAMES.length)];
    pair.do((page, now) => page.cast.add(page, look, now, { tier }));
    pairs.push(pair);
  } else {
    const index = random.integer(pairs.length);
    const pair = pairs[index];
    const look = random.uniform() < 0.15 ? undefined : anyLook(planes, random);
    const chunks = [random.integer(20), random.integer(20)];
    if (draw < 0.45) pair.do((page, now) => page.cast.setViewport(page, look, now));
    else if (draw < 0.5) pair.do((page) => page.cast.resync(page, chunks));
    else if (draw < 0.55) {
      pair.do((page) => page.cast.remove(page));
      pairs.splice(index, 1);
    } else if (draw < 0.6) {
      pair.do((page, now) => {
        page.disconnect();
        page.cast.add(page, lookAt(planes), now, { holds: page.holds });
      });
    } else pair.do((page, now) => page.draw(now));
  }
  await room.settle();
}

const expectEqual = (pairs: readonly Pair[]): void => {
  expect(pairs.map(({ difference }) => difference)).toEqual(pairs.map(() => undefined));
};

/** Lets everybody draw until the room has come to rest. */
async function rest(room: SpreadRoom, pairs: readonly Pair[], ticks: number): Promise<void> {
  for (let i = 0; i < ticks; i++) {
    await room.step();
    for (const pair of pairs) pair.do((page, now) => page.draw(now));
  }
}

test('whatever viewers do, wherever they are connected, they are sent the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
      const random = createRandom(seed);
      const planes = createPlanes(WIDTH, HEIGHT);
      scribble(planes, seed, 2_000);
      const places = 1 + random.integer(2);
      const room = await SpreadRoom.open(planes, places);
      const all: Pair[] = [];
      const pairs: Pair[] = [];
      for (let tick = 0; tick < 65; tick++) {
        const isBusy = tick % 50 < 15;
        for (let i = isBusy ? random.integer(4) : 0; i > 0; i--) {
          await act(room, pairs, random, places);
        }
        for (const pair of pairs) if (!all.includes(pair)) all.push(pair);
        // Most draw at once, some fall behind.
        for (const pair of pairs)
          if (random.uniform() < 0.8) pair.do((page, now) => page.draw(now));
        await room.step(() => (isBusy ? scribble(planes, seed + tick, 60) : []));
        expectEqual(all);
      }
      expect(all.length).toBeGreaterThan(1);
      expect(all.flatMap(({ pages }) => pages.map(({ lost }) => lost)).every((n) => n === 0)).toBe(
        true,
      );
      await room.close();
    }),
    { numRuns: process.env.VIVARIUM_TEST_FULL ? 60 : 3 },
  );
});

test('a garden: phones, a wall and those who come late get the same over two gateways', async () => {
  const { planes, changes } = readGarden();
  const room = await SpreadRoom.open(planes, 2);
  const pairs: Pair[] = [];
  const join = (place: number, look: Partial<Viewport>, tier?: 'full'): void => {
    const pair = new Pair(room, place);
    pair.do((page, now) => page.cast.add(page, lookAt(planes, look), now, tier && { tier }));
    pairs.push(pair);
  };
  join(1, { x: 20, y: 30, width: 60, height: 110, best: 'phone' });
  join(2, { x: 150, y: 60, width: 60, height: 110, best: 'phone' });
  join(2, {}, 'full');
  join(0, { pixels: 0.5 });
  for (let tick = 1; tick <= 60; tick++) {
    if (tick === 20) join(1, { x: 100, y: 100, width: 80, height: 80 });
    if (tick === 40) join(1, { pixels: 0.5 });
    await room.settle();
    for (const pair of pairs) pair.do((page, now) => page.draw(now));
    await room.step(() => applyChange(planes, changes[tick]));
  }
  expectEqual(pairs);
  expect(pairs.every(({ pages }) => pages[1].frames.length > 9)).toBe(true);
  await room.close();
});

test('whatever messages are lost, pages are never out of step, and whole again afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
      const random = createRandom(seed);
      const planes = createPlanes(WIDTH, HEIGHT);
      const bus = new LossyBus();
      const room = await SpreadRoom.open(planes, 2, bus);
      const pairs = [1, 1, 2].map((place) => new Pair(room, place));
      for (const pair of pairs) {
        const look = anyLook(planes, random);
        pair.do((page, now) => page.cast.add(page, look, now));
      }
      bus.loses = () => random.uniform() < 0.2;
      room.isLossy = true;
      for (let tick = 0; tick < 40; tick++) {
        for (const pair of pairs) pair.do((page, now) => page.draw(now));
        await room.step(() => scribble(planes, seed + tick, 60));
      }
      bus.loses = () => false;
      for (const pair of pairs) {
        pair.do((page, now) => page.cast.setViewport(page, lookAt(planes), now));
      }
      await rest(room, pairs, 60);
      for (const { pages } of pairs) {
        expect(pages[1].lost).toBe(0);
        expect(equalPlanes(pages[1].planes, planes)).toBe(true);
      }
      await room.close();
    }),
    { numRuns: process.env.VIVARIUM_TEST_FULL ? 40 : 2 },
  );
});

test('pages that miss two messages shortly after one another are soon sent frames again', async () => {
  const planes = createPlanes(WIDTH, HEIGHT);
  const bus = new LossyBus();
  const room = await SpreadRoom.open(planes, 1, bus);
  const pair = new Pair(room, 1);
  pair.do((page, now) => page.cast.add(page, lookAt(planes), now, { tier: 'full' }));
  const step = async (tick: number): Promise<void> => {
    pair.do((page, now) => page.draw(now));
    await room.step(() => scribble(planes, tick, 60));
  };
  for (let tick = 0; tick < 20; tick++) await step(tick);
  const { feed } = room.gateways[0];
  room.isLossy = true;
  for (let lost = 0; lost < 2; lost++) {
    bus.loses = (channel) => channel.startsWith('frames:garden:full');
    await step(20 + lost);
    bus.loses = () => false;
    await room.until(() => feed.isCurrent || lost > 0);
  }
  expect(feed.isCurrent).toBe(false);
  for (let tick = 22; tick < 26; tick++) await step(tick);
  // What it asked for is compressed in another thread.
  let turns = 0;
  await room.until(() => feed.isCurrent || ++turns > 1_000);
  const before = pair.pages[1].frames.length;
  await step(26);
  expect(pair.pages[1].frames.length).toBeGreaterThan(before);
  await room.close();
});

test('with another owner, pages go on from what they have, and the owner of before is not heard', async () => {
  const planes = createPlanes(WIDTH, HEIGHT);
  scribble(planes, 1, 5_000);
  const room = await SpreadRoom.open(planes, 1);
  const pair = new Pair(room, 1);
  pair.do((page, now) => page.cast.add(page, lookAt(planes), now, { tier: 'full' }));
  await rest(room, [pair], 30);
  const [, page] = pair.pages;
  expect(equalPlanes(page.planes, planes)).toBe(true);
  const before = page.frames.length;
  await room.changeOwner();
  await room.step(() => scribble(planes, 2, 10));
  await rest(room, [pair], 30);
  expect(page.lost).toBe(0);
  expect(equalPlanes(page.planes, planes)).toBe(true);
  expect(page.frames.map((frame) => readHeader(frame).tick).every((tick) => tick < 1_000)).toBe(
    true,
  );
  // What has not changed is not sent again.
  const bytes = page.frames.slice(before).reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeLessThan(page.frames[0].length);
  await room.close();
});

test('an owner whose lease has ended, also while it compresses, sends no cells', async () => {
  const planes = createPlanes(WIDTH, HEIGHT);
  scribble(planes, 1, 5_000);
  const bus = new LossyBus();
  const room = await SpreadRoom.open(planes, 1, bus);
  const isCells = (channel: string): boolean => channel.startsWith('frames:garden:to:');
  let sent = 0;
  let asked = 0;
  bus.loses = (channel) => {
    if (isCells(channel)) sent++;
    return false;
  };
  for (const isHere of [() => ++asked < 2, () => false]) {
    // Nobody waits for what does not come.
    Object.assign(room, { isHere, isLossy: true });
    const pair = new Pair(room, 1);
    pair.do((page, now) => page.cast.add(page, lookAt(planes), now));
    await room.settle();
    await room.until(() => asked > 1 || sent > 0);
    await room.settle();
    expect(sent).toBe(0);
    expect(pair.pages[1].frames).toEqual([]);
  }
  room.isHere = () => true;
  // The gateway asks again by itself.
  await room.clock.advance(DEFAULTS.cluster.frames.beat);
  room.isLossy = false;
  const pair = new Pair(room, 1);
  pair.do((page, now) => page.cast.add(page, lookAt(planes), now));
  await rest(room, [pair], 30);
  expect(equalPlanes(pair.pages[1].planes, planes)).toBe(true);
  await room.close();
});

test('while no gateway has viewers, nothing is published', async () => {
  const planes = createPlanes(WIDTH, HEIGHT);
  const bus = new LossyBus();
  const room = await SpreadRoom.open(planes, 1, bus);
  const pair = new Pair(room, 1);
  const before = bus.messages;
  await rest(room, [], 60);
  expect(bus.messages).toBe(before);
  pair.do((page, now) => page.cast.add(page, lookAt(planes), now));
  await rest(room, [pair], 10);
  expect(bus.messages).toBeGreaterThan(before);
  pair.do((page) => page.cast.remove(page));
  // What they looked at is kept for a while.
  await rest(room, [], 35);
  const after = bus.messages;
  await rest(room, [], 60);
  expect(bus.messages).toBe(after);
  await room.close();
});

test('messages that cannot be read change nothing', async () => {
  const planes = createPlanes(WIDTH, HEIGHT);
  const bus = new LossyBus();
  const room = await SpreadRoom.open(planes, 1, bus);
  const pair = new Pair(room, 1);
  pair.do((page, now) => page.cast.add(page, lookAt(planes), now));
  await room.settle();
  const random = createRandom(7);
  for (const channel of ['tick', 'wants', 'phone:1']) {
    for (let length = 0; length < 40; length++) {
      const message = Uint8Array.from({ length }, () => random.integer(256));
      bus.publish(`frames:garden:${channel}`, message);
      // Of the right version, and cut off.
      bus.publish(`frames:garden:${channel}`, Uint8Array.of(1, 4, 200, 200));
    }
  }
  for (let tick = 0; tick < 10; tick++) await room.step(() => scribble(planes, tick, 60));
  await rest(room, [pair], 40);
  expect(pair.pages[1].lost).toBe(0);
  expect(equalPlanes(pair.pages[1].planes, planes)).toBe(true);
  await room.close();
});
