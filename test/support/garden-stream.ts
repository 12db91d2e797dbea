/** A recorded garden as each tier streams it. */

import type { Planes } from '../../shared/codec/chunks.ts';
import { type FrameBlock, writeFrame } from '../../shared/codec/frame.ts';
import { FrameEncoder } from '../../shared/codec/frame-encoder.ts';
import { isDue, TIERS, type TierName } from '../../shared/codec/tiers.ts';
import { View } from '../../shared/codec/view.ts';
import { applyChange, type Change, type Garden } from './standard-garden.ts';
import { readGarden } from './standard-recording.ts';

export class GardenStream {
  readonly planes: Planes;
  readonly encoder: FrameEncoder;
  readonly ticks: number;
  private readonly changes: readonly Change[];
  private tick = 0;

  constructor(
    readonly tier: TierName,
    { planes, changes }: Garden = readGarden(),
  ) {
    this.planes = planes;
    this.changes = changes;
    this.ticks = changes.length;
    this.encoder = new FrameEncoder(new View(planes, 1), TIERS[tier]);
  }

  /** A frame of all chunks. */
  whole(block: (chunk: number) => Uint8Array): Uint8Array {
    return this.frame(
      Array.from({ length: this.encoder.chunks }, (_, i) => ({ chunk: i, block: block(i) })),
    );
  }

  /**
   * Plays the next tick of the recording.
   *
   * @returns its frame, when the tier has one at this tick, and ms that encoding took
   */
  next(): { frame: Uint8Array | undefined; ms: number } {
    const { encoder: cast, planes } = this;
    const changed = applyChange(planes, this.changes[this.tick++]);
    const start = performance.now();
    for (const one of changed) if (cast.view.update(this.tick, one)) cast.touch(one);
    if (!isDue(TIERS[this.tier], this.tick))
      return { frame: undefined, ms: performance.now() - start };
    cast.advance(this.tick, () => true);
    const blocks: FrameBlock[] = [];
    for (let chunk = 0; chunk < cast.chunks; chunk++) {
      const block = cast.delta(chunk);
      if (block) blocks.push({ chunk, block });
    }
    return { frame: this.frame(blocks), ms: performance.now() - start };
  }

  private frame(blocks: readonly FrameBlock[]): Uint8Array {
    const { tier, tick } = this;
    return writeFrame({ tick, tier, scale: 1 }, blocks);
  }
}
