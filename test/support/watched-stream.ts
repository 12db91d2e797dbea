/** A stream of planes and a page that watches all of it. */
import {
  chunkAt,
  chunkRect,
  chunksWithin,
  createPlanes,
  type Planes,
} from '../../shared/codec/chunks.ts';
import { type FrameBlock, writeFrame } from '../../shared/codec/frame.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { FrameEncoder, View } from '../../shared/codec/frame-encoder.ts';
import { TIERS, type TierName } from '../../shared/codec/tiers.ts';
import { createRandom } from '../../shared/random.ts';

/** Changes a few places as a room does: bare places are clear. */
export function scribble(planes: Planes, seed: number, places: number): Set<number> {
  const random = createRandom(seed);
  const chunks = new Set<number>();
  for (let i = 0; i < places; i++) {
    const x = random.integer(planes.width);
    const y = random.integer(planes.height);
    const place = y * planes.width + x;
    if (random.uniform() < 0.4) {
      planes.owner[place] = random.uniform() < 0.3 ? 0 : 1 + random.integer(2 ** 32 - 1);
    }
    if (planes.owner[place] === 0) planes.rgba.fill(0, place * 4, place * 4 + 4);
    else if (random.uniform() < 0.3) planes.rgba[place * 4 + random.integer(4)] ^= 1;
    else planes.rgba[place * 4 + random.integer(4)] = random.integer(256);
    chunks.add(chunkAt(planes, x, y));
  }
  return chunks;
}

export class WatchedStream {
  readonly planes: Planes;
  readonly encoder: FrameEncoder;
  readonly decoder: FrameDecoder;
  readonly tier: TierName;
  tick = 0;

  private readonly scale: number;

  constructor(
    width: number,
    height: number,
    { tier = 'full' as TierName, seed = 1, places = 300, scale = 1 } = {},
  ) {
    this.planes = createPlanes(width, height);
    scribble(this.planes, seed, places);
    this.tier = tier;
    this.scale = scale;
    this.encoder = new FrameEncoder(new View(this.planes, scale), TIERS[tier]);
    this.decoder = new FrameDecoder(createPlanes(width, height));
  }

  get all(): number[] {
    return Array.from({ length: this.encoder.chunks }, (_, i) => i);
  }

  frame(blocks: readonly FrameBlock[]): Uint8Array {
    const { tier, tick } = this;
    return writeFrame({ tier, tick, scale: this.scale }, blocks);
  }

  keyframe(chunks: readonly number[] = this.all): Uint8Array {
    return this.frame(chunks.map((chunk) => ({ chunk, block: this.encoder.key(chunk) })));
  }

  /** A tick that changes chunks of the room. */
  go(changed: Iterable<number>): Uint8Array {
    this.tick++;
    const { view } = this.encoder;
    for (const chunk of changed) {
      const { x, y, width, height } = chunkRect(this.planes, chunk);
      const { scale } = view;
      const rect = { x: x / scale, y: y / scale, width: width / scale, height: height / scale };
      for (const one of chunksWithin(view.planes, rect)) {
        if (view.update(this.tick, one)) this.encoder.touch(one);
      }
    }
    if (this.tick % TIERS[this.tier].every !== 0) return this.frame([]);
    this.encoder.advance(this.tick, { has: () => true });
    return this.frame(
      this.all.flatMap((chunk) => {
        const block = this.encoder.delta(chunk);
        return block ? [{ chunk, block }] : [];
      }),
    );
  }
}
