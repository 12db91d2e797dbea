/** What viewers are sent over a gateway is byte for byte what they are sent alone. */
import { decodeMessage } from '../../../../server/cluster/bus/bus.ts';
import {
  busChannels,
  GATEWAY_TIMES,
  news as newsSchema,
} from '../../../../server/realtime/gateway/messages.ts';
import type { StreamStart, Viewport } from '../../../../server/realtime/streaming/viewer-stream.ts';
import { createPlanes, type Planes } from '../../../../shared/codec/chunks.ts';
import { readHeader } from '../../../../shared/codec/frame.ts';
import { TIER_NAMES } from '../../../../shared/codec/tiers.ts';
import { createRandom, type Random } from '../../../../shared/random.ts';
import { afterTest } from '../../../support/closing.ts';
import { equalPlanes } from '../../../support/compare.ts';
import fc from '../../../support/property.ts';
import { LossyBus, lookAt, Page, SpreadRoom } from '../../../support/spread-room.ts';
import { scribble } from '../../../support/watched-stream.ts';

const { toRoom, news, to } = busChannels('garden');
const WIDTH = 150;
const HEIGHT = 100;

/** A viewer of the room alone, and the same one at the owner or a gateway. */
class Pair {
  readonly pages: readonly Page[];

  /** @param place where it connects: the owner, 0, or a gateway */
  constructor(
    private readonly room: SpreadRoom,
    place = 1,
  ) {
    this.pages = [room.alone, room.castOf(place)].map((cast) => new Page(room.planes, cast));
  }

  /** Begins to look, at everything unless it is said. */
  add(look: Partial<Viewport> = {}, start?: StreamStart): this {
    this.do((page, now) => page.cast.add(page, lookAt(this.room.planes, look), now, start));
    return this;
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

/** A room, bare or scribbled on, with gateways over a bus. */
async function start(gateways = 1, scribbled = 0) {
  const planes = createPlanes(WIDTH, HEIGHT);
  if (scribbled > 0) scribble(planes, 1, scribbled);
  const bus = new LossyBus();
  const room = await SpreadRoom.open(planes, gateways, bus);
  afterTest(() => room.close());
  return { planes, bus, room };
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
    pair.add(look, { tier });
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

test('whatever messages are lost, pages are never out of step, and whole again afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
      const random = createRandom(seed);
      const { planes, bus, room } = await start(2);
      const pairs = [1, 1, 2].map((place) => new Pair(room, place));
      for (const pair of pairs) pair.add(anyLook(planes, random));
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
      await rest(room, pairs, 30);
      // What gateways ask for again is compressed in another thread.
      let turns = 0;
      await room.until(() => room.isCurrent || ++turns > 1_000);
      await rest(room, pairs, 60);
      for (const { pages } of pairs) {
        expect(pages[1].lost).toBe(0);
        expect(equalPlanes(pages[1].planes, planes)).toBe(true);
      }
    }),
    { numRuns: process.env.VIVARIUM_TEST_FULL ? 40 : 2 },
  );
});

test('with another owner, pages go on from what they have, and the owner of before is not heard', async () => {
  const { planes, room } = await start(1, 5_000);
  const pair = new Pair(room).add({}, { tier: 'full' });
  await rest(room, [pair], 30);
  const [, page] = pair.pages;
  expect(equalPlanes(page.planes, planes)).toBe(true);
  const before = page.frames.length;
  room.changeOwner();
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
});

test('an owner whose lease has ended, also while it compresses, sends no cells', async () => {
  const { planes, bus, room } = await start(1, 5_000);
  const pair = new Pair(room).add();
  room.isLossy = true;
  // The owner has heard what is wanted, and compresses in another thread.
  await room.clock.advance(GATEWAY_TIMES.wants);
  room.isHere = () => false;
  let sent = 0;
  bus.loses = (channel) => {
    if (channel === to('0')) sent++;
    return false;
  };
  await room.clock.advance(2 * GATEWAY_TIMES.beat);
  for (let turn = 0; turn < 50; turn++) await room.settle();
  expect(sent).toBe(0);
  expect(pair.pages[1].frames).toEqual([]);
  room.isHere = () => true;
  // The gateway asks again by itself.
  await room.clock.advance(2 * GATEWAY_TIMES.beat);
  room.isLossy = false;
  await rest(room, [pair], 30);
  expect(equalPlanes(pair.pages[1].planes, planes)).toBe(true);
});

test('while no gateway has viewers, no frames are published', async () => {
  const { bus, room } = await start();
  const pair = new Pair(room);
  let published = 0;
  bus.loses = (channel, message) => {
    if (channel === news && decodeMessage(newsSchema, message)?.frames) published++;
    return false;
  };
  await rest(room, [], 60);
  expect(published).toBe(0);
  pair.add();
  await rest(room, [pair], 10);
  expect(published).toBeGreaterThan(0);
  pair.do((page) => page.cast.remove(page));
  // What they looked at is kept for a while.
  await rest(room, [], 35);
  published = 0;
  await rest(room, [], 60);
  expect(published).toBe(0);
});

test('messages that cannot be read change nothing', async () => {
  const { planes, bus, room } = await start();
  const pair = new Pair(room).add();
  await room.settle();
  const random = createRandom(7);
  for (const channel of [toRoom, news, to('0')]) {
    for (let length = 0; length < 40; length++) {
      bus.publish(
        channel,
        Uint8Array.from({ length }, () => random.integer(256)),
      );
    }
  }
  for (let tick = 0; tick < 10; tick++) await room.step(() => scribble(planes, tick, 60));
  await rest(room, [pair], 40);
  expect(pair.pages[1].lost).toBe(0);
  expect(equalPlanes(pair.pages[1].planes, planes)).toBe(true);
});
