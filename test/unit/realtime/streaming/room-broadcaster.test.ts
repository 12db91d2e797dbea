import { decode, encode } from 'msgpackr';
import { CROWDS, hasTurn } from '../../../../server/realtime/streaming/crowds.ts';
import { type Connection, framed, Outbox } from '../../../../server/realtime/streaming/outbox.ts';
import { RoomBroadcaster } from '../../../../server/realtime/streaming/room-broadcaster.ts';
import {
  type FrameFeed,
  RoomEncoders,
} from '../../../../server/realtime/streaming/room-encoders.ts';
import {
  AdaptiveQuality,
  QUALITY,
} from '../../../../server/realtime/streaming/slow-connections.ts';
import {
  STREAM,
  type StreamStart,
  type Viewer,
  type Viewport,
} from '../../../../server/realtime/streaming/viewer-stream.ts';
import type { TickResult } from '../../../../server/world/room.ts';
import { checkOf, createPlanes } from '../../../../shared/codec/chunks.ts';
import { readHeader } from '../../../../shared/codec/frame.ts';
import { View } from '../../../../shared/codec/frame-encoder.ts';
import type { TierName } from '../../../../shared/codec/tiers.ts';
import { parser } from '../../../../shared/protocol/parser.ts';
import { copyPlanes, equalPlanes } from '../../../support/compare.ts';
import { GROWN, HandRoom } from '../../../support/rooms.ts';
import { lookAt, Page as SentPage } from '../../../support/spread-room.ts';
import { scribble } from '../../../support/watched-stream.ts';

const TICK = 1000 / 15;

/** A page that tells what it has drawn and what waits. */
class Page extends SentPage {
  override sendFrame(frame: Uint8Array): void {
    super.sendFrame(frame);
    expect(this.waiting.length).toBeLessThanOrEqual(STREAM.maxFramesInFlight);
  }

  get waiting(): Uint8Array[] {
    return this.frames.slice(this.drawn);
  }

  get bytes(): number[] {
    return this.frames.slice(0, this.drawn).map(({ length }) => length);
  }

  get headers() {
    return this.frames.slice(0, this.drawn).map(readHeader);
  }

  get tiers(): string[] {
    return this.headers.map(({ tier }) => tier);
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
    join(look: Partial<Viewport> = {}, start?: StreamStart, page = new Page(planes, cast)): Page {
      cast.add(page, lookAt(planes, look), tick * TICK, start);
      return page;
    },
    get now() {
      return tick * TICK;
    },
    go(ticks: number, pages: readonly Page[], changes = false): void {
      for (let i = 0; i < ticks; i++) {
        tick++;
        tell(changes ? [...scribble(planes, tick, 10)] : []);
        for (const page of pages) page.draw(tick * TICK);
      }
    },
    /** Pages have missed nothing, and show what the room shows. */
    expectWhole(...pages: readonly Page[]): void {
      expect(pages.map(({ lost }) => lost)).toEqual(pages.map(() => 0));
      for (const page of pages) expect(equalPlanes(page.planes, planes)).toBe(true);
    },
  };
}

const sum = (page: Page) => page.bytes.reduce((a, b) => a + b, 0);

describe('RoomBroadcaster', () => {
  test('in a crowd phones get events with their frames; walls, and phones in a small room, at once', () => {
    const room = open(64, 64);
    const phone = room.join({ best: 'phone' });
    expect(hasTurn(phone, room.cast, 1)).toBe(true);
    const wall = room.join({}, { tier: 'full' });
    for (let i = 2; i < CROWDS.eventsFrom; i++) room.join({ best: 'phone' });
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
    page.draw(room.now);
    // It is sent less at first, and everything once its connection has been fast for a while.
    room.go(300, [page, quick]);
    room.expectWhole(page, quick);
  });

  test('a viewer whose transport is stuck is sent nothing, whatever it acknowledges', () => {
    const room = open(64, 64);
    const page = room.join();
    page.draw(0);
    page.writable = false;
    for (let i = 0; i < 5; i++) {
      room.go(1, [], true);
      room.cast.acknowledge(page, i, room.now);
      room.cast.resync(page, [0, 1, 2, 3]);
    }
    expect(page.waiting).toEqual([]);
    page.writable = true;
    room.go(20, [page]);
    room.expectWhole(page);
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
    room.expectWhole(page);
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
    page.draw(0);
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
    page.draw(room.now);
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
    room.expectWhole(page);
  });
  test('zoomed out gets larger cells', () => {
    const room = open(128, 128);
    const page = room.join({ pixels: 0.4 });
    const near = room.join();
    room.go(30, [page, near], true);
    room.go(20, [page, near]);
    expect(sum(page)).toBeLessThan(sum(near) / 2);
    room.cast.setViewport(page, lookAt(room.planes), room.now);
    room.go(20, [page, near]);
    room.expectWhole(page);
  });

  test('is sent only where the page does not show it already', () => {
    const room = open(96, 96);
    const page = room.join();
    room.go(30, [page], true);
    room.go(30, [page]);
    room.cast.remove(page);
    room.planes.owner[0] = 99;
    room.tell([0]);
    const again = new Page(room.planes, room.cast);
    again.planes.rgba.set(page.planes.rgba);
    again.planes.owner.set(page.planes.owner);
    room.join({}, { holds: page.holds }, again).draw(room.now);
    room.go(20, [again]);
    room.expectWhole(again);
    expect(sum(again)).toBeLessThan(sum(page) / 4);
  });
});

test('what a page holds is not taken for what the room shows because half a checksum is equal', () => {
  const room = open(32, 32);
  const held = new Page(room.planes, room.cast);
  // Cells of another content with the same check of a block.
  const [cells, check] = [createPlanes(32, 32), checkOf(held.planes)];
  do cells.owner[0]++;
  while (checkOf(cells) !== check);
  held.planes.owner.set(cells.owner);
  room.join({}, { holds: held.holds }, held);
  room.go(30, [held]);
  expect(equalPlanes(held.planes, room.planes)).toBe(true);
});

describe('the tier of a viewer', () => {
  test('rises to the best on a fast connection, and no higher than the viewer asks for', () => {
    const room = open(64, 64);
    const [page, modest] = [room.join(), room.join({ best: 'phone' })];
    room.go(150, [page, modest], true);
    expect(page.tiers[0]).toBe(STREAM.firstTier);
    expect(room.cast.channelTierOf(page)).toBe('full');
    expect(new Set(modest.tiers)).toEqual(new Set(['phone']));
  });

  test('is not changed until its frames are there; each goes on with those that it has', () => {
    const room = open(64, 64, (encoders) => without('phone', encoders));
    const fine = room.join({}, { tier: 'full' });
    const coarse = room.join({ best: 'phone' }, { tier: 'half' });
    const pages = [fine, coarse];
    while (room.cast.channelTierOf(coarse) !== 'phone') room.go(2, pages, true);
    room.cast.setViewport(fine, lookAt(room.planes, { best: 'phone' }), room.now);
    for (let i = 0; i < 10; i++) {
      room.go(3, pages, true);
      for (const page of pages) room.cast.resync(page, [0, 1, 2, 3]);
      room.go(4, pages);
    }
    room.go(30, pages);
    room.expectWhole(...pages);
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
    expect(room.cast.channelTierOf(phone)).toMatch(/^half/);
    expect(room.cast.channelTierOf(others[0])).not.toBe('phone');
    expect(room.cast.channelTierOf(wall)).not.toMatch(/^half/);
    room.go(20, all, true);
    for (const { tiers } of [phone, other])
      expect(tiers.slice(-10)).toEqual(Array(10).fill('half'));
    // Not all in the same ticks.
    const apart = () => Math.abs(other.headers.at(-1)!.tick - phone.headers.at(-1)!.tick);
    expect(apart()).toBe(1);
    for (const one of others.slice(halveUntil - 4)) room.cast.remove(one);
    room.go(2, all, true);
    // Another channel would send them all chunks again.
    expect(apart()).toBe(1);
    room.go(150, all, true);
    expect(room.cast.channelTierOf(phone)).toBe('phone');
    expect(phone.lost + other.lost + wall.lost).toBe(0);
  });
});

/** A connection that records its writes. */
describe('outbox', () => {
  class Line implements Connection {
    readonly writes: Uint8Array[] = [];

    write(
      data: Uint8Array,
      { wsPreEncodedFrame: [frame] }: { wsPreEncodedFrame: readonly [Uint8Array] },
    ) {
      expect(frame).toBe(data);
      this.writes.push(data);
    }

    /** The messages of all writes, in their order. */
    get messages(): unknown[] {
      const bytes = Buffer.concat(this.writes);
      const messages: unknown[] = [];
      for (let at = 0; at < bytes.length; ) {
        expect(bytes[at]).toBe(0x82);
        const short = bytes[at + 1];
        const [head, length] =
          short < 126
            ? [2, short]
            : short === 126
              ? [4, bytes.readUInt16BE(at + 2)]
              : [10, Number(bytes.readBigUInt64BE(at + 2))];
        messages.push(decode(bytes.subarray(at + head, at + head + length)).data);
        at += head + length;
      }
      return messages;
    }
  }

  /** An outbox whose turns end when the test ends them. */
  function open() {
    const turns: (() => void)[] = [];
    const outbox = new Outbox((run) => turns.push(run));
    const endTurn = (): void => {
      for (const run of turns.splice(0)) run();
    };
    return { outbox, endTurn };
  }

  test('all messages to a client in one turn go out in one write, in order', () => {
    const { outbox, endTurn } = open();
    const [a, b] = [new Line(), new Line()];
    outbox.send(a, 'life', { tick: 1 });
    outbox.send(b, 'pace', { tick: 2 });
    outbox.send(a, 'frame', new Uint8Array([1, 2, 3]));
    outbox.send(a, 'life', { tick: 3 });
    expect(a.writes).toEqual([]);
    endTurn();
    expect([a.writes.length, b.writes.length]).toEqual([1, 1]);
    expect(a.messages).toEqual([
      ['life', { tick: 1 }],
      ['frame', Buffer.from([1, 2, 3])],
      ['life', { tick: 3 }],
    ]);
    outbox.send(a, 'life', { tick: 4 });
    endTurn();
    expect(a.writes).toHaveLength(2);
    expect(a.messages[3]).toEqual(['life', { tick: 4 }]);
  });

  test('a message to many clients is encoded once', () => {
    const encode = import.meta.jest.spyOn(parser.Encoder.prototype, 'encode');
    const { outbox, endTurn } = open();
    const lines = Array.from({ length: 100 }, () => new Line());
    const news = [{ id: 1, x: 2 }];
    const frames = [new Uint8Array([1]), new Uint8Array([2])];
    lines.forEach((line, i) => {
      outbox.send(line, 'cursors', news);
      outbox.send(line, 'frame', frames[i % 2]);
    });
    outbox.send(lines[0], 'cursors', [{ id: 1, x: 2 }]);
    outbox.send(lines[0], 'life', news);
    endTurn();
    expect(encode).toHaveBeenCalledTimes(5);
    lines.forEach((line, i) => {
      expect(line.messages.slice(0, 2)).toEqual([
        ['cursors', news],
        ['frame', Buffer.from(frames[i % 2])],
      ]);
    });
    expect(lines[0].messages.slice(2)).toEqual([
      ['cursors', news],
      ['life', news],
    ]);
    // In the next turn the object may have changed.
    news[0].x = 3;
    outbox.send(lines[0], 'cursors', news);
    endTurn();
    expect(lines[0].messages.at(-1)).toEqual(['cursors', [{ id: 1, x: 3 }]]);
  });

  test('a client that is disconnected first receives everything sent before', () => {
    const { outbox, endTurn } = open();
    const [a, b] = [new Line(), new Line()];
    outbox.send(a, 'life', 1);
    outbox.send(b, 'life', 2);
    outbox.send(a, 'rejected', 3);
    outbox.flushNow(a);
    expect(a.messages).toEqual([
      ['life', 1],
      ['rejected', 3],
    ]);
    expect(b.writes).toEqual([]);
    outbox.flushNow(a);
    endTurn();
    expect([a.writes.length, b.writes.length]).toEqual([1, 1]);
  });

  test.each([0, 125, 126, 65_535, 65_536])('a frame of %d bytes has the right header', (length) => {
    const message = new Uint8Array(length).fill(7);
    const line = new Line();
    const frame = framed(message);
    expect(frame.subarray(frame.length - length)).toEqual(Buffer.from(message));
    expect(frame.length - length).toBe(length < 126 ? 2 : length < 65_536 ? 4 : 10);
    line.writes.push(framed(encode({ data: message })));
    expect(line.messages).toEqual([Buffer.from(message)]);
  });
});

const user = { mayReceive: true, lists: [], useSource: () => {} };

test.each([1, 2])(
  'a channel that opens while a tick runs shows the tick before, at scale %i',
  (scale) => {
    const hand = new HandRoom();
    const { planes } = hand.room.grid;
    const encoders = new RoomEncoders(planes, 0);
    const follow = ({ tick, changed }: TickResult): void => encoders.follow(tick, changed);
    hand.plant(10, 10);
    for (let i = 0; i < GROWN + 5; i++) follow(hand.tick());
    for (const change of [() => hand.damage([10, 10], 3), () => hand.plant(25, 11)]) {
      // Nobody has looked for so long that nothing is kept.
      for (let i = 0; i < 50; i++) follow(hand.tick());
      const before = copyPlanes(planes);
      change();
      let during = before;
      let seen = before;
      const result = hand.tick(() => {
        if (during === before) {
          during = copyPlanes(planes);
          seen = copyPlanes(encoders.use({ tier: 'full', scale }, user).encoder.seen);
        }
        return 255;
      });
      expect(equalPlanes(new View(during, scale).planes, new View(before, scale).planes)).toBe(
        false,
      );
      expect(equalPlanes(seen, new View(before, scale).planes)).toBe(true);
      follow(result);
      const { view } = encoders.use({ tier: 'full', scale }, user).encoder;
      expect(equalPlanes(view.planes, new View(planes, scale).planes)).toBe(true);
      encoders.leave({ tier: 'full', scale }, user);
    }
  },
);

const { window, patience, slowAck } = QUALITY;

/** Evaluates windows of ten frames each, of which some are skipped. @returns the time after them */
function pass(quality: AdaptiveQuality, from: number, windows: number, skipped = 0): number {
  for (let i = 0; i < windows; i++) {
    for (let frame = 0; frame < 10; frame++) quality.frame(frame < skipped);
    quality.evaluate(from + (i + 1) * window);
  }
  return from + windows * window;
}

/** Goes on until the best tier. @returns the time then */
function climb(quality: AdaptiveQuality, from: number): number {
  let now = from;
  while (quality.tier !== 'full') now = pass(quality, now, 1);
  return now;
}
test('slow acknowledgements keep the tier from rising', () => {
  const quality = new AdaptiveQuality('phone', 'full', 0);
  let now = 0;
  while (now < 5 * patience) {
    quality.acknowledged(slowAck + 1);
    now = pass(quality, now, 1);
  }
  expect(quality.tier).toBe('phone');
});

test('a slow spell after a step up counts as one failure, and one that lasts ends the waiting', () => {
  const quality = new AdaptiveQuality('phone', 'full', 0);
  const first = climb(quality, 0);
  // Down to the lowest tier, and on.
  const low = pass(quality, first, 8, 9);
  expect(quality.tier).toBe('thrifty');
  const again = climb(quality, low);
  expect(again - low).toBeLessThanOrEqual(3 * (2 * patience + window));
  const fallen = pass(quality, pass(quality, again, 100), 1, 9);
  expect(climb(quality, fallen) - fallen).toBeLessThanOrEqual(patience + window);
});
test('after a step up that did not last, the next one takes longer', () => {
  const quality = new AdaptiveQuality('phone', 'full', 0);
  const first = climb(quality, 0);
  const fallen = pass(quality, first, 1, 5);
  expect(quality.tier).toBe('phone');
  expect(climb(quality, fallen) - fallen).toBeGreaterThan(first);
});
