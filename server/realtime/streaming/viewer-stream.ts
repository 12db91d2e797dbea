/**
 * The stream of frames to one viewer: the viewer's visible chunks, received chunks and
 * unacknowledged frames.
 */

import type { FrameBlock } from '../../../shared/codec/frame.ts';
import { FrameSource } from '../../../shared/codec/frame-source.ts';
import type { TierName } from '../../../shared/codec/tiers.ts';
import type { Rect } from '../../../shared/geometry.ts';
import { AdaptiveQuality } from './slow-connections.ts';

/** Limits for the frames that are sent to one viewer. */
export const STREAM = {
  /** Maximum number of unacknowledged frames. At the maximum, further frames are skipped. */
  maxFramesInFlight: 2,
  /** Maximum number of packets waiting in the transport. At the maximum, frames are skipped. */
  maxBufferedPackets: 8,
  /**
   * Maximum time between two frames, in ms. If nothing has changed, an empty frame shows the page
   * that the room still ticks.
   */
  heartbeat: 1_000,
  /** Width of the margin around a viewport, in cells. Chunks in the margin are also sent. */
  margin: 16,
  /**
   * Approximate maximum size of all refinements in a frame, in bytes. A refinement completes a
   * chunk that was first sent coarsely.
   */
  refineBytes: 16_384,
  /**
   * Maximum total size of a chunk's missed deltas, in bytes. If the deltas are larger, the whole
   * chunk is sent instead.
   */
  missedBytes: 1_200,
  firstTier: 'phone',
} as const;

export interface Viewer {
  /** Sends a frame. Call only if fewer than `maxFramesInFlight` frames are unacknowledged. */
  sendFrame(frame: Uint8Array): void;
  /** Whether the transport can take more frames. */
  readonly writable: boolean;
}

/** The part of the grid that a viewer sees, in cells. */
export interface Viewport extends Rect {
  /** Screen pixels per cell. */
  readonly pixels: number;
  /** The highest tier that the viewer wants. */
  readonly best: TierName;
}

/** Returns a viewport that shows the whole room. */
export function fullViewport({ width, height }: Pick<Rect, 'width' | 'height'>): Viewport {
  return { x: 0, y: 0, width, height, pixels: 1, best: 'full' };
}

export interface StreamStart {
  readonly tier?: TierName | undefined;
  /**
   * Checksums of the chunks that the page still shows (see `Command<'join'>`). Chunks with the same
   * checksum need not be sent.
   */
  readonly holds?: Uint8Array | undefined;
}

/**
 * Value of `completeRound` if the viewer lacks some of the visible chunks. Must be below -1,
 * because `isUpToDate` is true in round 0 if `completeRound` is -1.
 */
const NEVER = -2;

/** Empty source, for a viewer whose channel has no source yet. */
const NOTHING = new FrameSource({ width: 0, height: 0 }, 0);

/** Decides which blocks a viewer needs in its next frame. */
export class ViewerStream {
  source: FrameSource = NOTHING;
  readonly quality: AdaptiveQuality;
  /** The viewer's viewport; undefined while the viewer's page is hidden. */
  viewport: Viewport | undefined;
  /** Whether, in a crowd, the viewer is sent frames in odd ticks instead of even ticks. */
  inOddTicks = false;
  /** When the last frame was sent to the viewer, in ms. */
  private lastSentAt = -Infinity;
  /** Indices of the viewer's visible chunks, in ascending order. */
  chunks: readonly number[] = [];
  /** For each chunk: the version that the viewer has; 0 if the viewer lacks the chunk. */
  private heldVersions = new Uint32Array(0);
  /**
   * For each chunk: 1 if the viewer has only a coarse form, without the lowest bits; otherwise 0.
   */
  private heldCoarsely = new Uint8Array(0);
  /**
   * Checksums of the chunks that the page still shows; undefined once they have been compared with
   * the chunks of the first source.
   */
  private holds: Uint8Array | undefined;
  /** Frames that the viewer has not acknowledged; `sentAt` is in ms. */
  private inFlight: { readonly tick: number; readonly sentAt: number }[] = [];
  /**
   * Last round (set of deltas encoded in one tick) that the viewer has been sent for all visible
   * chunks; `NEVER` if some of these chunks are missing or coarse.
   */
  private completeRound = NEVER;

  /** @param now current time, in ms */
  constructor(
    readonly viewer: Viewer,
    viewport: Viewport,
    now: number,
    { tier = STREAM.firstTier, holds }: StreamStart,
  ) {
    this.viewport = viewport;
    this.holds = holds;
    this.quality = new AdaptiveQuality(tier, viewport.best, now);
  }

  /** Whether the viewer can take another frame now. */
  get mayReceive(): boolean {
    // Check the transport, too: a client could acknowledge frames without reading any.
    return this.inFlight.length < STREAM.maxFramesInFlight && this.viewer.writable;
  }

  /** Returns whether a heartbeat is due. */
  isSilent(now: number): boolean {
    return now - this.lastSentAt >= STREAM.heartbeat;
  }

  /**
   * Whether the viewer needs only the deltas of the source's latest round (set of deltas encoded in
   * one tick), because it has all earlier changes.
   */
  get isUpToDate(): boolean {
    return this.completeRound === this.source.round - 1;
  }

  /** Records that the latest deltas of the viewer's visible chunks (`blocks`) are being sent. */
  applyDeltas(blocks: readonly FrameBlock[]): void {
    for (const { chunk } of blocks) this.heldVersions[chunk] = this.source.version(chunk);
    this.completeRound = this.source.round;
  }

  /** Finds the visible chunks. Call when the viewport or the source has changed. */
  updateChunks(): void {
    const { viewport, source } = this;
    this.completeRound = NEVER;
    if (!viewport) {
      this.chunks = [];
      return;
    }
    const { scale } = source;
    this.chunks = source.within({
      x: (viewport.x - STREAM.margin) / scale,
      y: (viewport.y - STREAM.margin) / scale,
      width: (viewport.width + 2 * STREAM.margin) / scale,
      height: (viewport.height + 2 * STREAM.margin) / scale,
    });
  }

  /** Switches to another source. Chunks whose content the viewer already has are not sent again. */
  switchSource(source: FrameSource): void {
    const { heldVersions, heldCoarsely, source: previous } = this;
    this.source = source;
    this.heldVersions = new Uint32Array(source.chunks);
    this.heldCoarsely = new Uint8Array(source.chunks);
    if (previous.scale === source.scale) {
      for (let chunk = 0; chunk < source.chunks; chunk++) {
        if (heldVersions[chunk] !== previous.version(chunk) || heldCoarsely[chunk] === 1) continue;
        if (previous.check(chunk) === source.check(chunk))
          this.heldVersions[chunk] = source.version(chunk);
      }
    }
    this.updateChunks();
    const { holds } = this;
    this.holds = undefined;
    if (holds?.length !== 4 * source.chunks) return;
    const checksums = new DataView(holds.buffer, holds.byteOffset);
    for (const chunk of this.chunks) {
      if (source.check(chunk) === checksums.getUint32(4 * chunk, true))
        this.heldVersions[chunk] = source.version(chunk);
    }
  }

  /** Marks chunks as not received, so that they are sent in full. */
  invalidate(chunks: readonly number[]): void {
    this.completeRound = NEVER;
    // Indices from a client may be invalid. A typed array ignores writes beyond its end.
    for (const chunk of chunks) this.heldVersions[chunk] = 0;
  }

  /**
   * Records that the viewer has drawn all frames up to a tick. Does nothing if the viewer has no
   * unacknowledged frame of this tick.
   */
  acknowledge(tick: number, now: number): void {
    const acknowledged = this.inFlight.find((frame) => frame.tick === tick);
    if (!acknowledged) return;
    this.quality.acknowledged(now - acknowledged.sentAt);
    this.inFlight = this.inFlight.filter((frame) => frame.tick > tick);
  }

  /** Records that the frame of a tick has been sent. @param sentAt time of sending, in ms */
  sent(tick: number, sentAt: number): void {
    this.lastSentAt = sentAt;
    this.inFlight.push({ tick, sentAt });
  }

  /**
   * Returns the blocks that update the viewer's visible chunks, and marks these chunks as received.
   * A chunk that the viewer lacks is sent without its lowest bits, which a later frame adds.
   */
  takeBlocks(): FrameBlock[] {
    const { source, heldVersions, heldCoarsely } = this;
    const blocks: FrameBlock[] = [];
    let refinementBudget = STREAM.refineBytes;
    let isComplete = true;
    for (const chunk of this.chunks) {
      const version = source.version(chunk);
      let block: Uint8Array | undefined;
      if (heldVersions[chunk] === 0) {
        block = source.coarseKey(chunk);
        heldCoarsely[chunk] = 1;
        isComplete = false;
      } else if (heldCoarsely[chunk] === 1) {
        if (refinementBudget <= 0) {
          isComplete = false;
          continue;
        }
        block = heldVersions[chunk] === version ? source.refinement(chunk) : source.key(chunk);
        refinementBudget -= block.length;
        heldCoarsely[chunk] = 0;
      } else if (heldVersions[chunk] !== version) {
        const missed = source.since(chunk, heldVersions[chunk]) ?? [];
        const bytes = missed.reduce((sum, { length }) => sum + length, 0);
        if (bytes > 0 && bytes <= STREAM.missedBytes) {
          heldVersions[chunk] = version;
          for (const delta of missed) blocks.push({ chunk, block: delta });
          continue;
        }
        block = source.key(chunk);
      } else continue;
      heldVersions[chunk] = version;
      blocks.push({ chunk, block });
    }
    this.completeRound = isComplete ? source.round : NEVER;
    return blocks;
  }
}
