import { CROWD, hasTurn } from '../../../../server/realtime/presence/events-and-cursors.ts';
import type { FrameFeed } from '../../../../server/realtime/streaming/frame-feed.ts';
import { CROWDS, RoomBroadcaster } from '../../../../server/realtime/streaming/room-broadcaster.ts';
import { RoomEncoders } from '../../../../server/realtime/streaming/room-encoders.ts';
import {
  STREAM,
  type Viewer,
  type Viewport,
} from '../../../../server/realtime/streaming/viewer-stream.ts';
import { checkOf, createCells } from '../../../../shared/codec/cells.ts';
import { chunkAt, createPlanes, type Planes } from '../../../../shared/codec/chunks.ts';
import { FrameDecoder } from '../../../../shared/codec/frame-decoder.ts';
import type { TierName } from '../../../../shared/codec/tiers.ts';
import { createRandom } from '../../../../shared/random.ts';
import { equalPlanes } from '../../../support/compare.ts';

const TICK = 1000 / 15;

/** Decodes what it is sent, as a page would. */
class Page implements Viewer {
  writable = true;
  tick: number | undefined;
  tiers: string[] = [];
  bytes: number[] = [];
  lost = 0;
  waiting: Uint8Array[] = [];
  readonly decoder: FrameDecoder;

  constructor(size: Planes) {
    this.decoder = new FrameDecoder(createPlanes(size.width, size.height));
  }

  get planes(): Planes {
    return this.decoder.planes;
  }

  sendFrame(frame: Uint8Array): void {
    this.waiting.push(frame);
    expect(this.waiting.length).toBeLessThanOrEqual(STREAM.maxFramesInFlight);
  }

  /** Draws what has come and acknowledges it. */
  draw(cast: RoomBroadcaster, now: number): void {
    const frames = this.waiting;
    this.waiting = [];
    for (const frame of frames) {
      const { header, lost } = this.decoder.decode(frame);
      this.lost += lost.length;
      this.tick = header.tick;
      this.tiers.push(header.tier);
      this.bytes.push(frame.length);
      cast.acknowledge(this, header.tick, now);
    }
  }
}

/** A feed whose channels of one tier never come. */
function without(tier: TierName, encoders: RoomEncoders): FrameFeed {
  return {
    get tick() {
      return encoders.tick;
    },
    join: (name, user) => (name.tier === tier ? undefined : encoders.join(name, user)),
    leave: (name, user) => encoders.leave(name, user),
  };
}

/** Changes some places and tells which chunks they lie in. */
function change(planes: Planes, seed: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: 10 }, () => {
    const x = random.integer(planes.width);
    const y = random.integer(planes.height);
    const place = y * planes.width + x;
    planes.owner[place] = random.integer(50);
    planes.rgba.fill(0, place * 4, place * 4 + 4);
    if (planes.owner[place] !== 0) planes.rgba[place * 4] = random.integer(256);
    return chunkAt(planes, x, y);
  });
}

function lookAt(planes: Planes, part: Partial<Viewport> = {}): Viewport {
  const { width, height } = planes;
  return { x: 0, y: 0, width, height, pixels: 4, best: 'full', ...part };
}

/** A room with its broadcaster, and time. */
function open(
  width: number,
  height: number,
  feedOf = (encoders: RoomEncoders): FrameFeed => encoders,
) {
  const planes = createPlanes(width, height);
  const encoders = new RoomEncoders(planes, 0);
  const cast = new RoomBroadcaster(feedOf(encoders));
  let tick = 0;
  const tell = (changed: readonly number[]): void => {
    encoders.follow(tick, changed);
    encoders.advance();
    cast.publish(tick * TICK);
  };
  return {
    planes,
    cast,
    tell,
    join(look: Partial<Viewport> = {}, holds?: Uint8Array): Page {
      const page = new Page(planes);
      cast.add(page, lookAt(planes, look), tick * TICK, { holds });
      return page;
    },
    get now() {
      return tick * TICK;
    },
    go(ticks: number, pages: readonly Page[], changes = false): void {
      for (let i = 0; i < ticks; i++) {
        tick++;
        tell(changes ? change(planes, tick) : []);
        for (const page of pages) page.draw(cast, tick * TICK);
      }
    },
  };
}

describe('RoomBroadcaster', () => {
  test('early and late viewers see the same picture once the room rests', () => {
    const room = open(96, 64);
    const pages: Page[] = [];
    for (let i = 0; i < 6; i++) {
      pages.push(room.join());
      room.go(10, pages, true);
    }
    room.go(15, pages);
    for (const page of pages) {
      expect(page.lost).toBe(0);
      expect(equalPlanes(page.planes, room.planes)).toBe(true);
    }
    expect(room.cast.skippedFrames).toBe(0);
  });

  test('in a crowd phones get events with their frames; walls, and phones in a small room, at once', () => {
    const room = open(64, 64);
    const phone = room.join({ best: 'phone' });
    expect(hasTurn(phone, room.cast, 1)).toBe(true);
    const wall = new Page(room.planes);
    room.cast.add(wall, lookAt(room.planes), room.now, { tier: 'full' });
    for (let i = 2; i < CROWD; i++) room.join({ best: 'phone' });
    expect([1, 2, 3, 4].map((tick) => hasTurn(phone, room.cast, tick))).toEqual([
      ...[false, true, false, true],
    ]);
    expect([1, 2].every((tick) => hasTurn(wall, room.cast, tick))).toBe(true);
  });

  test('a viewer who falls behind gets no more than two frames, then the newest', () => {
    const room = open(64, 64);
    const [page, quick] = [room.join(), room.join()];
    room.go(20, [quick], true);
    expect(page.waiting).toHaveLength(2);
    expect(room.cast.skippedFrames).toBeGreaterThan(5);
    page.draw(room.cast, room.now);
    // It is sent less at first, and everything once its connection has been fast for a while.
    room.go(300, [page, quick]);
    for (const one of [page, quick]) {
      expect(one.lost).toBe(0);
      expect(equalPlanes(one.planes, room.planes)).toBe(true);
    }
  });

  test('a viewer whose transport is stuck is sent nothing, whatever it acknowledges', () => {
    const room = open(64, 64);
    const page = room.join();
    page.draw(room.cast, 0);
    page.writable = false;
    for (let i = 0; i < 5; i++) {
      room.go(1, [], true);
      room.cast.acknowledge(page, i, room.now);
      room.cast.resync(page, [0, 1, 2, 3]);
    }
    expect(page.waiting).toEqual([]);
    page.writable = true;
    room.go(20, [page]);
    expect(page.lost).toBe(0);
    expect(equalPlanes(page.planes, room.planes)).toBe(true);
  });

  test('a resync sends the requested chunks; unknown ones are ignored', () => {
    const room = open(64, 64);
    const page = room.join();
    room.go(20, [page], true);
    room.go(30, [page]);
    page.planes.rgba.fill(9, 0, 64 * 4 * 10);
    room.cast.resync(page, [0, 1, 1_000_000]);
    const sent = page.bytes.length;
    room.go(10, [page]);
    expect(equalPlanes(page.planes, room.planes)).toBe(true);
    expect(page.bytes.slice(sent).some((bytes) => bytes > 50)).toBe(true);
  });

  test('a quiet room sends a heartbeat a second, and nothing else', () => {
    const room = open(64, 64);
    const page = room.join();
    room.go(150, [page]);
    expect(page.bytes.length).toBeGreaterThanOrEqual(10);
    expect(page.bytes.length).toBeLessThanOrEqual(13);
    expect(page.bytes.slice(3).every((bytes) => bytes < 20)).toBe(true);
  });
});

describe('the viewport of a viewer', () => {
  test('limits the stream, with a margin; a new viewport is sent at once', () => {
    const room = open(192, 64);
    const page = room.join({ x: 0, y: 0, width: 40, height: 64 });
    room.cast.setViewport(page, lookAt(room.planes, { x: 0, width: 40 }), room.now);
    page.draw(room.cast, 0);
    room.go(40, [page], true);
    room.go(20, [page]);
    const differs = (from: number, to: number): number => {
      let count = 0;
      for (let y = 0; y < 64; y++) {
        for (let x = from; x < to; x++) {
          const place = y * 192 + x;
          if (page.planes.owner[place] !== room.planes.owner[place]) count++;
        }
      }
      return count;
    };
    expect(differs(0, 56)).toBe(0);
    expect(differs(128, 192)).toBeGreaterThan(20);
    room.cast.setViewport(page, lookAt(room.planes, { x: 150, width: 40 }), room.now);
    page.draw(room.cast, room.now);
    expect(differs(150, 190)).toBe(0);
    expect(page.lost).toBe(0);
  });

  test('stops the stream while the page is hidden, and resumes it when the page is visible again', () => {
    const room = open(64, 64);
    const page = room.join();
    room.go(20, [page], true);
    room.cast.setViewport(page, undefined, room.now);
    const before = page.bytes.length;
    room.go(45, [page], true);
    expect(page.bytes.slice(before).every((bytes) => bytes < 20)).toBe(true);
    expect(page.bytes.length - before).toBeLessThanOrEqual(4);
    room.cast.setViewport(page, lookAt(room.planes), room.now);
    room.go(15, [page]);
    expect(page.lost).toBe(0);
    expect(equalPlanes(page.planes, room.planes)).toBe(true);
  });

  test('zoomed out gets larger cells', () => {
    const room = open(128, 128);
    const page = room.join({ pixels: 0.4 });
    const near = room.join();
    room.go(30, [page, near], true);
    room.go(20, [page, near]);
    const sum = (page: Page) => page.bytes.reduce((a, b) => a + b, 0);
    expect(page.lost).toBe(0);
    expect(sum(page)).toBeLessThan(sum(near) / 2);
    room.cast.setViewport(page, lookAt(room.planes), room.now);
    room.go(20, [page, near]);
    expect(equalPlanes(page.planes, room.planes)).toBe(true);
  });

  test('is sent only where the page does not show it already', () => {
    const room = open(96, 96);
    const page = room.join();
    room.go(30, [page], true);
    room.go(30, [page]);
    const holds = page.decoder.holds()!;
    room.cast.remove(page);
    room.planes.owner[0] = 99;
    room.tell([0]);
    const again = new Page(room.planes);
    again.planes.rgba.set(page.planes.rgba);
    again.planes.owner.set(page.planes.owner);
    room.cast.add(again, lookAt(room.planes), room.now, { holds });
    again.draw(room.cast, room.now);
    room.go(20, [again]);
    expect(equalPlanes(again.planes, room.planes)).toBe(true);
    const total = again.bytes.reduce((a, b) => a + b, 0);
    expect(total).toBeLessThan(page.bytes.reduce((a, b) => a + b, 0) / 4);
  });
});

test('what a page holds is not taken for what the room shows because half a checksum is equal', () => {
  const room = open(32, 32);
  const held = new Page(room.planes);
  // Cells of another content with the same check of a block.
  const [cells, check] = [createCells({ width: 32, height: 32 }), checkOf(held.planes)];
  do cells.owner[0]++;
  while (checkOf(cells) !== check);
  held.planes.owner.set(cells.owner);
  room.cast.add(held, lookAt(room.planes), room.now, {
    holds: held.decoder.holds()!,
  });
  room.go(30, [held]);
  expect(equalPlanes(held.planes, room.planes)).toBe(true);
});

describe('the tier of a viewer', () => {
  test('rises to the best on a fast connection, and no higher than the viewer asks for', () => {
    const room = open(64, 64);
    const [page, modest] = [room.join(), room.join({ best: 'phone' })];
    room.go(150, [page, modest], true);
    expect(page.tiers[0]).toBe(STREAM.firstTier);
    expect(room.cast.tierOf(page)).toBe('full');
    expect(new Set(modest.tiers)).toEqual(new Set(['phone']));
  });

  test('is not changed until its frames are there; each goes on with those that it has', () => {
    const room = open(64, 64, (encoders) => without('phone', encoders));
    const [fine, coarse] = (['full', 'half'] as const).map((tier) => {
      const page = new Page(room.planes);
      const best = tier === 'full' ? 'full' : 'phone';
      room.cast.add(page, lookAt(room.planes, { best }), room.now, { tier });
      return page;
    });
    const pages = [fine, coarse];
    while (room.cast.tierOf(coarse) !== 'phone') room.go(2, pages, true);
    room.cast.setViewport(fine, lookAt(room.planes, { best: 'phone' }), room.now);
    for (let i = 0; i < 10; i++) {
      room.go(3, pages, true);
      for (const page of pages) room.cast.resync(page, [0, 1, 2, 3]);
      room.go(4, pages);
    }
    room.go(30, pages);
    for (const page of pages) {
      expect(page.lost).toBe(0);
      expect(equalPlanes(page.planes, room.planes)).toBe(true);
    }
  });

  test('is at most half for phones while very many look, and as before when they have left', () => {
    const room = open(64, 64);
    const [wall, phone, other] = [room.join(), ...[0, 1].map(() => room.join({ best: 'phone' }))];
    const { halveFrom, halveUntil } = CROWDS;
    const others: Viewer[] = Array.from({ length: halveFrom - 3 }, () => ({
      writable: false,
      sendFrame: () => {},
    }));
    for (const one of others) room.cast.add(one, lookAt(room.planes, { best: 'phone' }), room.now);
    const all = [wall, phone, other];
    room.go(60, all, true);
    expect(room.cast.tierOf(phone)).toBe('half');
    expect(room.cast.tierOf(others[0])).not.toBe('phone');
    expect(room.cast.tierOf(wall)).not.toBe('half');
    for (const one of all) one.tiers = [];
    room.go(20, all, true);
    expect(phone.tiers).toEqual(Array(10).fill('half'));
    expect(other.tiers).toEqual(phone.tiers);
    // Not all in the same ticks.
    expect(Math.abs(other.tick! - phone.tick!)).toBe(1);
    for (const one of others.slice(halveUntil - 4)) room.cast.remove(one);
    room.go(2, all, true);
    // Another channel would send them all chunks again.
    expect(Math.abs(other.tick! - phone.tick!)).toBe(1);
    room.go(150, all, true);
    expect(room.cast.tierOf(phone)).toBe('phone');
    expect(phone.lost + other.lost + wall.lost).toBe(0);
  });
});
