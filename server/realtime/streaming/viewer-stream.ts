/** The stream of one viewer: what it sees, what it holds, and which frames are in flight. */

import type { FrameBlock } from '../../../shared/codec/frame.ts';
import type { FrameEncoder } from '../../../shared/codec/frame-encoder.ts';
import type { TierName } from '../../../shared/codec/tiers.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Rect } from '../../../shared/geometry.ts';
import { AdaptiveQuality } from './adaptive-quality.ts';

/** A client that receives frames. */
export interface Viewer {
  /** Sends a frame; at most `maxFramesInFlight` frames are unacknowledged at any time. */
  sendFrame(frame: Uint8Array): void;
  /** Whether the transport can take more. */
  readonly writable: boolean;
}

/** The part of the grid that a viewer sees, in cells. */
export interface Viewport extends Rect {
  /** Screen pixels per cell. */
  readonly pixels: number;
  /** The best tier that the viewer asks for. */
  readonly best: TierName;
}

/** What a client looks at until it sends a viewport: everything. */
export function fullViewport({ width, height }: Pick<Rect, 'width' | 'height'>): Viewport {
  return { x: 0, y: 0, width, height, pixels: 1, best: 'full' };
}

interface SentFrame {
  readonly tick: number;
  /** ms */
  readonly sentAt: number;
}

export interface ViewerStreamOptions {
  readonly viewer: Viewer;
  readonly viewport: Viewport;
  readonly encoder: FrameEncoder;
  /** ms */
  readonly now: number;
  /** The first tier. */
  readonly tier: TierName;
}

/** Decides which blocks a viewer needs next. */
export class ViewerStream {
  readonly viewer: Viewer;
  encoder: FrameEncoder;
  readonly quality: AdaptiveQuality;
  /** undefined while the page is hidden. */
  viewport: Viewport | undefined;
  /** Visible chunks of the encoder's view, ascending. */
  chunks: readonly number[] = [];
  /** [chunks] version that the viewer holds of each chunk; 0: none. */
  private heldVersions: Uint32Array;
  /** [chunks] 1: the viewer holds the chunk without its lowest bits. */
  private heldCoarsely: Uint8Array;
  private inFlight: SentFrame[] = [];
  /** The encoder's round up to which the viewer holds all visible chunks. */
  private completeRound = -1;

  constructor(options: ViewerStreamOptions) {
    const { viewer, viewport, encoder, now, tier } = options;
    this.viewer = viewer;
    this.encoder = encoder;
    this.viewport = viewport;
    this.quality = new AdaptiveQuality(tier, viewport.best, now);
    this.heldVersions = new Uint32Array(encoder.chunks);
    this.heldCoarsely = new Uint8Array(encoder.chunks);
    this.updateChunks();
  }

  /** Whether the viewer can take another frame. */
  get mayReceive(): boolean {
    // A client may acknowledge frames without reading them, which would fill the send buffer.
    return this.inFlight.length < DEFAULTS.stream.maxFramesInFlight && this.viewer.writable;
  }

  /** Whether the viewer lacks nothing but the deltas of the encoder's last round. */
  get isUpToDate(): boolean {
    return this.completeRound === this.encoder.round - 1;
  }

  /** Records that the viewer gets the deltas of the last round. */
  applyDeltas(blocks: readonly FrameBlock[]): void {
    for (const { chunk } of blocks) this.heldVersions[chunk] = this.encoder.version(chunk);
    this.completeRound = this.encoder.round;
  }

  /** Recomputes the visible chunks after a change of the viewport or the encoder. */
  updateChunks(): void {
    const { viewport, encoder } = this;
    this.completeRound = -1;
    if (!viewport) {
      this.chunks = [];
      return;
    }
    const { scale } = encoder.view;
    const { margin } = DEFAULTS.stream;
    this.chunks = encoder.within({
      x: (viewport.x - margin) / scale,
      y: (viewport.y - margin) / scale,
      width: (viewport.width + 2 * margin) / scale,
      height: (viewport.height + 2 * margin) / scale,
    });
  }

  /** Switches to another encoder. Chunks with equal content count as held. */
  switchEncoder(encoder: FrameEncoder): void {
    const { heldVersions, heldCoarsely, encoder: previous } = this;
    this.encoder = encoder;
    this.heldVersions = new Uint32Array(encoder.chunks);
    this.heldCoarsely = new Uint8Array(encoder.chunks);
    if (previous.view === encoder.view) {
      for (let chunk = 0; chunk < encoder.chunks; chunk++) {
        if (heldVersions[chunk] !== previous.version(chunk) || heldCoarsely[chunk] === 1) continue;
        if (previous.check(chunk) === encoder.check(chunk))
          this.heldVersions[chunk] = encoder.version(chunk);
      }
    }
    this.updateChunks();
  }

  /**
   * Compares what the viewer says it holds with the encoder's chunks, so that equal ones are not
   * sent again.
   *
   * @param checksums [chunks]
   */
  acceptHeld(checksums: ArrayLike<number>): void {
    if (checksums.length !== this.encoder.chunks) return;
    for (const chunk of this.chunks) {
      if (this.encoder.check(chunk) === checksums[chunk])
        this.heldVersions[chunk] = this.encoder.version(chunk);
    }
  }

  /** Marks chunks as not held. */
  invalidate(chunks: readonly number[]): void {
    this.completeRound = -1;
    // A typed array ignores writes beyond its end.
    for (const chunk of chunks) this.heldVersions[chunk] = 0;
  }

  /** The viewer has drawn the frame of a tick and all before it. Unknown ticks are ignored. */
  acknowledge(tick: number, now: number): void {
    const acknowledged = this.inFlight.find((frame) => frame.tick === tick);
    if (!acknowledged) return;
    this.quality.acknowledged(now - acknowledged.sentAt);
    this.inFlight = this.inFlight.filter((frame) => frame.tick > tick);
  }

  /** Records that the frame of a tick has been sent. @param sentAt ms */
  sent(tick: number, sentAt: number): void {
    this.inFlight.push({ tick, sentAt });
  }

  /**
   * Returns the blocks that bring the viewer to the current versions, and records them as held.
   * Chunks that the viewer has never had come without their lowest bits, which the next frames
   * add.
   */
  takeBlocks(): FrameBlock[] {
    const { encoder, heldVersions, heldCoarsely } = this;
    const blocks: FrameBlock[] = [];
    let refinementBudget = DEFAULTS.stream.refineBytes;
    let isComplete = true;
    for (const chunk of this.chunks) {
      const version = encoder.version(chunk);
      let block: Uint8Array | undefined;
      if (heldVersions[chunk] === 0) {
        block = encoder.coarseKey(chunk);
        heldCoarsely[chunk] = 1;
        isComplete = false;
      } else if (heldCoarsely[chunk] === 1) {
        if (refinementBudget <= 0) {
          isComplete = false;
          continue;
        }
        block = heldVersions[chunk] === version ? encoder.refinement(chunk) : encoder.key(chunk);
        refinementBudget -= block.length;
        heldCoarsely[chunk] = 0;
      } else if (heldVersions[chunk] !== version) {
        const missed = encoder.since(chunk, heldVersions[chunk]) ?? [];
        const bytes = missed.reduce((sum, { length }) => sum + length, 0);
        if (bytes > 0 && bytes <= DEFAULTS.stream.missedBytes) {
          heldVersions[chunk] = version;
          for (const delta of missed) blocks.push({ chunk, block: delta });
          continue;
        }
        block = encoder.key(chunk);
      } else continue;
      heldVersions[chunk] = version;
      blocks.push({ chunk, block });
    }
    this.completeRound = isComplete ? encoder.round : -1;
    return blocks;
  }
}
