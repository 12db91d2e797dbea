/** What the stream knows of one viewer: what she looks at, what she holds, what is on its way to her. */

import type { FrameBlock } from '../../../shared/codec/frame.ts';
import type { FrameEncoder } from '../../../shared/codec/frame-encoder.ts';
import type { TierName } from '../../../shared/codec/tiers.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Rect } from '../../../shared/geometry.ts';
import { AdaptiveQuality } from './adaptive-quality.ts';

/** One who watches a room. */
export interface Viewer {
  /** Hands over a frame; never called with more than `maxFramesInFlight` unacknowledged. */
  sendFrame(frame: Uint8Array): void;
  /** Whether the transport has taken all that was sent before. */
  readonly writable: boolean;
}

/** What a viewer looks at; absent: nothing, her page is hidden. */
export interface Viewport extends Rect {
  /** Pixels of her screen a place. */
  readonly pixels: number;
  /** The best that she asks for. */
  readonly best: TierName;
}

/** What a client looks at until it sends a viewport: everything. */
export function fullViewport({ width, height }: Pick<Rect, 'width' | 'height'>): Viewport {
  return { x: 0, y: 0, width, height, pixels: 1, best: 'full' };
}

interface Sent {
  readonly tick: number;
  readonly at: number;
}

export class ViewerStream {
  readonly quality: AdaptiveQuality;
  viewport: Viewport | undefined;
  /** Chunks of the cast that she looks at, ascending. */
  chunks: readonly number[] = [];
  /** Version that she holds of each chunk; 0: none. */
  private heldVersions: Uint32Array;
  /** 1: she holds it without its lowest bits. */
  private heldCoarsely: Uint8Array;
  private inFlight: Sent[] = [];
  /** Round of the cast up to which she holds all that she looks at. */
  private complete = -1;

  constructor(
    readonly viewer: Viewer,
    look: Viewport,
    public encoder: FrameEncoder,
    now: number,
    first: TierName = DEFAULTS.stream.firstTier,
  ) {
    this.viewport = look;
    this.quality = new AdaptiveQuality(first, look.best, now);
    this.heldVersions = new Uint32Array(encoder.chunks);
    this.heldCoarsely = new Uint8Array(encoder.chunks);
    this.updateChunks();
  }

  get mayReceive(): boolean {
    // The transport is asked too: who acknowledges without reading must not fill our memory.
    return this.inFlight.length < DEFAULTS.stream.maxFramesInFlight && this.viewer.writable;
  }

  /** Whether the deltas of the cast's last round are all that she lacks. */
  get isUpToDate(): boolean {
    return this.complete === this.encoder.round - 1;
  }

  /** She is given the deltas of the last round. */
  applyDeltas(blocks: readonly FrameBlock[]): void {
    for (const { chunk } of blocks) this.heldVersions[chunk] = this.encoder.version(chunk);
    this.complete = this.encoder.round;
  }

  /** Works out which chunks of the cast are looked at. */
  updateChunks(): void {
    const { viewport: look, encoder: cast } = this;
    this.complete = -1;
    if (!look) {
      this.chunks = [];
      return;
    }
    const { scale } = cast.view;
    const margin = DEFAULTS.stream.margin;
    this.chunks = cast.within({
      x: (look.x - margin) / scale,
      y: (look.y - margin) / scale,
      width: (look.width + 2 * margin) / scale,
      height: (look.height + 2 * margin) / scale,
    });
  }

  /** She goes over to another cast: what is equal there she holds already. */
  switchEncoder(cast: FrameEncoder): void {
    const { heldVersions: holds, heldCoarsely: coarse, encoder: before } = this;
    this.encoder = cast;
    this.heldVersions = new Uint32Array(cast.chunks);
    this.heldCoarsely = new Uint8Array(cast.chunks);
    if (before.view === cast.view) {
      for (let chunk = 0; chunk < cast.chunks; chunk++) {
        if (holds[chunk] !== before.version(chunk) || coarse[chunk] === 1) continue;
        if (before.check(chunk) === cast.check(chunk))
          this.heldVersions[chunk] = cast.version(chunk);
      }
    }
    this.updateChunks();
  }

  /** She says what she holds: [chunks] checks of their cells. */
  acceptHeld(checks: ArrayLike<number>): void {
    if (checks.length !== this.encoder.chunks) return;
    for (const chunk of this.chunks) {
      if (this.encoder.check(chunk) === checks[chunk])
        this.heldVersions[chunk] = this.encoder.version(chunk);
    }
  }

  /** She has lost step in these chunks; absent: in all. */
  invalidate(chunks?: readonly number[]): void {
    this.complete = -1;
    if (!chunks) this.heldVersions.fill(0);
    else
      for (const chunk of chunks)
        if (chunk < this.heldVersions.length) this.heldVersions[chunk] = 0;
  }

  /** She has drawn the frame of a tick, and so all before it. @returns whether such a frame was on its way */
  acknowledge(tick: number, now: number): boolean {
    const sent = this.inFlight.find((frame) => frame.tick === tick);
    if (!sent) return false;
    this.quality.acknowledged(now - sent.at);
    this.inFlight = this.inFlight.filter((frame) => frame.tick > tick);
    return true;
  }

  sent(tick: number, at: number): void {
    this.inFlight.push({ tick, at });
  }

  /**
   * The blocks that bring her to the cast's present versions, which she then holds. A first picture comes coarse, and is
   * refined a little in each frame that follows.
   */
  takeBlocks(): FrameBlock[] {
    const { encoder: cast, heldVersions: holds, heldCoarsely: coarse } = this;
    const blocks: FrameBlock[] = [];
    let refining = DEFAULTS.stream.refineBytes;
    let isComplete = true;
    for (const chunk of this.chunks) {
      const version = cast.version(chunk);
      let block: Uint8Array | undefined;
      if (holds[chunk] === 0) {
        block = cast.coarseKey(chunk);
        coarse[chunk] = 1;
        isComplete = false;
      } else if (coarse[chunk] === 1) {
        if (refining <= 0) {
          isComplete = false;
          continue;
        }
        block = holds[chunk] === version ? cast.refinement(chunk) : cast.key(chunk);
        refining -= block.length;
        coarse[chunk] = 0;
      } else if (holds[chunk] !== version) {
        const missed = cast.since(chunk, holds[chunk]) ?? [];
        const bytes = missed.reduce((sum, { length }) => sum + length, 0);
        if (bytes > 0 && bytes <= DEFAULTS.stream.missedBytes) {
          holds[chunk] = version;
          for (const one of missed) blocks.push({ chunk, block: one });
          continue;
        }
        block = cast.key(chunk);
      } else continue;
      holds[chunk] = version;
      blocks.push({ chunk, block });
    }
    this.complete = isComplete ? cast.round : -1;
    return blocks;
  }
}
