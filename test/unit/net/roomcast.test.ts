import { inflateRawSync } from 'node:zlib';
import { Roomcast, type Viewer } from '../../../server/net/roomcast.ts';
import { chunkAt } from '../../../shared/codec/chunks.ts';
import { decodeFrame } from '../../../shared/codec/decode.ts';
import { createPlanes, equalPlanes, type Planes } from '../../../shared/codec/planes.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { createRandom } from '../../../shared/random.ts';

/** Decodes what it is sent, as a page would. */
class Page implements Viewer {
  writable = true;
  tick: number | undefined;
  kinds: string[] = [];
  waiting: Uint8Array[] = [];
  readonly planes: Planes;

  constructor(size: Planes) {
    this.planes = createPlanes(size.width, size.height);
  }

  sendFrame(frame: Uint8Array): void {
    this.waiting.push(frame);
    expect(this.waiting.length).toBeLessThanOrEqual(DEFAULTS.net.maxFramesInFlight);
  }

  /** Draws what has come and acknowledges it. */
  draw(cast: Roomcast): void {
    const frames = this.waiting;
    this.waiting = [];
    for (const frame of frames) {
      const { header } = decodeFrame(this.planes, this.tick, frame, (bytes) =>
        inflateRawSync(bytes),
      );
      this.tick = header.tick;
      this.kinds.push(header.kind);
      cast.acknowledge(this, header.tick);
    }
  }
}

/** Changes some places and tells which chunks they lie in. */
function change(planes: Planes, seed: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: 10 }, () => {
    const x = random.integer(planes.width);
    const y = random.integer(planes.height);
    planes.rgba[(y * planes.width + x) * 4] = random.integer(256);
    planes.owner[y * planes.width + x] = random.integer(50);
    return chunkAt(planes, x, y);
  });
}

describe('roomcast', () => {
  test('everybody who draws sees the same, early or late', () => {
    const planes = createPlanes(96, 64);
    const cast = new Roomcast(planes, 0);
    const pages: Page[] = [];
    for (let tick = 1; tick <= 60; tick++) {
      if (tick % 10 === 1) {
        const page = new Page(planes);
        pages.push(page);
        cast.add(page);
      }
      cast.publish(tick, change(planes, tick), tick * 66);
      for (const page of pages) {
        page.draw(cast);
        expect(page.tick).toBe(tick);
        expect(equalPlanes(page.planes, planes)).toBe(true);
      }
    }
    expect(pages[0].kinds.filter((kind) => kind === 'keyframe')).toHaveLength(1);
    expect(cast.skipped).toBe(0);
  });

  test('one who falls behind gets no more than two frames, then skips to a keyframe', () => {
    const planes = createPlanes(64, 64);
    const cast = new Roomcast(planes, 0);
    const page = new Page(planes);
    const quick = new Page(planes);
    cast.add(page);
    cast.add(quick);
    for (let tick = 1; tick <= 20; tick++) {
      cast.publish(tick, change(planes, tick), tick * 66);
      quick.draw(cast);
    }
    expect(page.waiting).toHaveLength(2);
    expect(cast.skipped).toBe(19);
    page.draw(cast);
    page.draw(cast);
    cast.publish(21, change(planes, 21), 21 * 66);
    page.draw(cast);
    expect(equalPlanes(page.planes, planes)).toBe(true);
    expect(page.kinds).toContain('keyframe');
    expect(quick.kinds.filter((kind) => kind === 'keyframe')).toHaveLength(1);
  });

  test('one whose transport is stuck is sent nothing, whatever it acknowledges', () => {
    const planes = createPlanes(64, 64);
    const cast = new Roomcast(planes, 0);
    const page = new Page(planes);
    cast.add(page);
    page.draw(cast);
    page.writable = false;
    for (let tick = 1; tick <= 5; tick++) {
      cast.publish(tick, change(planes, tick), tick * 66);
      cast.acknowledge(page, tick);
      cast.resync(page);
    }
    expect(page.waiting).toEqual([]);
    page.writable = true;
    cast.publish(6, [], 10_000);
    page.draw(cast);
    expect(equalPlanes(page.planes, planes)).toBe(true);
  });

  test('a resync brings a keyframe at once', () => {
    const planes = createPlanes(64, 64);
    const cast = new Roomcast(planes, 0);
    const page = new Page(planes);
    cast.add(page);
    page.draw(cast);
    page.planes.rgba.fill(9);
    page.tick = undefined;
    cast.resync(page);
    page.draw(cast);
    expect(equalPlanes(page.planes, planes)).toBe(true);
  });

  test('a quiet room sends a heartbeat a second, and nothing else', () => {
    const planes = createPlanes(64, 64);
    const cast = new Roomcast(planes, 0);
    const page = new Page(planes);
    cast.add(page);
    page.draw(cast);
    for (let tick = 1; tick <= 150; tick++) {
      cast.publish(tick, [], tick * (1000 / 15));
      page.draw(cast);
    }
    expect(page.kinds.length).toBeGreaterThanOrEqual(10);
    expect(page.kinds.length).toBeLessThanOrEqual(12);
  });
});
