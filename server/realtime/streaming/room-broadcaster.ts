/**
 * Streams one room to all its viewers. Each tier at each scale is one channel, whose blocks are
 * encoded once for all its viewers. A viewer gets the blocks of visible chunks that it does not
 * hold yet. A viewer with too many frames in flight gets none until they arrive, and then the
 * newest.
 */

import { chunkRect, chunksWithin } from '../../../shared/codec/chunks.ts';
import { type FrameBlock, writeFrame } from '../../../shared/codec/frame.ts';
import { FrameEncoder } from '../../../shared/codec/frame-encoder.ts';
import type { Planes } from '../../../shared/codec/planes.ts';
import { isDue, TIERS, type TierName } from '../../../shared/codec/tiers.ts';
import { View } from '../../../shared/codec/view.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { getOrAdd } from '../../platform/get-or-add.ts';
import { type Viewer, ViewerStream, type Viewport } from './viewer-stream.ts';

/** The deltas of one round, for viewers that see the same chunks and hold the previous round. */
interface SharedDeltas {
  readonly blocks: readonly FrameBlock[];
  readonly frame: Uint8Array;
}

/** The viewers of one tier at one scale, with their encoder. */
interface Channel {
  readonly tier: TierName;
  readonly encoder: FrameEncoder;
  readonly streams: Set<ViewerStream>;
  /** Tick at which the last viewer left. */
  idleSince: number;
}

/**
 * Ticks for which a channel without viewers is kept, so that zooming in and out re-encodes
 * nothing.
 */
const IDLE_TICKS = 30;

/** How a viewer begins. */
export interface AddOptions {
  /** The first tier. */
  readonly tier?: TierName;
  /** [chunks] checksums of what the viewer still shows from an earlier connection. */
  readonly heldChecksums?: ArrayLike<number> | undefined;
}

/** Sends each viewer of a room the frames that its tier, scale and viewport call for. */
export class RoomBroadcaster {
  private readonly streams = new Map<Viewer, ViewerStream>();
  private readonly views = new Map<number, View>();
  private readonly channels = new Map<string, Channel>();
  /** When each viewer's last frame was sent, for the heartbeat; ms. */
  private readonly lastSent = new WeakMap<ViewerStream, number>();
  /** Frames not sent because a viewer was behind. */
  skippedFrames = 0;

  constructor(
    private readonly planes: Planes,
    private tick: number,
  ) {}

  /**
   * Adds a viewer and sends it the first frame.
   *
   * @param now ms
   */
  add(viewer: Viewer, viewport: Viewport, now: number, options: AddOptions = {}): void {
    const { tier = DEFAULTS.stream.firstTier, heldChecksums } = options;
    const channel = this.channel(tier, viewport);
    const stream = new ViewerStream({ viewer, viewport, encoder: channel.encoder, now, tier });
    this.streams.set(viewer, stream);
    channel.streams.add(stream);
    this.assignChannel(stream);
    if (heldChecksums) stream.acceptHeld(heldChecksums);
    this.send(stream, now, { always: true });
  }

  /** Stops streaming to a viewer. */
  remove(viewer: Viewer): void {
    const stream = this.streams.get(viewer);
    if (!stream) return;
    this.streams.delete(viewer);
    this.leave(stream);
  }

  /** Sets what a viewer looks at; undefined while its page is hidden. */
  setViewport(viewer: Viewer, viewport: Viewport | undefined, now: number): void {
    const stream = this.streams.get(viewer);
    if (!stream) return;
    stream.viewport = viewport;
    if (viewport) stream.quality.setBest(viewport.best);
    this.assignChannel(stream);
    stream.updateChunks();
    if (viewport) this.send(stream, now);
  }

  /** What a viewer looks at; undefined while its page is hidden. */
  viewportOf(viewer: Viewer): Viewport | undefined {
    return this.streams.get(viewer)?.viewport;
  }

  /** A viewer has drawn the frame of a tick and all before it. Unknown ticks are ignored. */
  acknowledge(viewer: Viewer, tick: number, now: number): void {
    this.streams.get(viewer)?.acknowledge(tick, now);
  }

  /** A viewer needs some chunks in full. */
  resync(viewer: Viewer, chunks: readonly number[]): void {
    this.streams.get(viewer)?.invalidate(chunks);
  }

  /** A viewer's current tier. */
  tierOf(viewer: Viewer): TierName | undefined {
    return this.streams.get(viewer)?.quality.tier;
  }

  /**
   * Whether a viewer gets events in this tick. In a crowd, slow tiers get them with their frames.
   */
  hasTurn(viewer: Viewer, tick: number): boolean {
    const tier = this.tierOf(viewer);
    const isCrowd = this.streams.size >= DEFAULTS.stream.crowd;
    if (!isCrowd || !tier || TIERS[tier].every === 1) return true;
    return isDue({ every: TIERS.phone.every, after: TIERS[tier].after }, tick);
  }

  /**
   * Takes over the changes of a tick. Call `publish` before the next tick.
   *
   * @param changed chunks of the room that have changed
   */
  follow(tick: number, changed: readonly number[]): void {
    this.tick = tick;
    this.forgetIdle();
    for (const view of this.views.values()) this.update(view, changed);
  }

  /**
   * Sends the changes of the last tick, as they were when `follow` was called.
   *
   * @param now ms
   */
  publish(now: number): void {
    const { tick } = this;
    const due = new Set<Channel>();
    for (const channel of this.channels.values()) {
      if (!isDue(TIERS[channel.tier], tick)) continue;
      due.add(channel);
      // Encode nothing if no viewer can receive it.
      if (![...channel.streams].some(({ mayReceive }) => mayReceive)) continue;
      const wanted = new Set<number>();
      // Viewers that see the same chunks share one array.
      const lists = new Set([...channel.streams].map(({ chunks }) => chunks));
      for (const chunks of lists) for (const chunk of chunks) wanted.add(chunk);
      channel.encoder.advance(tick, (chunk) => wanted.has(chunk));
    }
    const frames = new Map<string, Uint8Array>();
    for (const channel of due) {
      const shared = new Map<readonly number[], SharedDeltas>();
      for (const stream of channel.streams) {
        if (stream.isUpToDate && stream.mayReceive) this.sendShared(stream, channel, shared, now);
        else this.send(stream, now, { frames });
      }
    }
    for (const stream of this.streams.values()) {
      if (stream.quality.evaluate(now)) this.assignChannel(stream);
    }
  }

  /** Updates a view, and marks the changed chunks in its encoders. */
  private update(view: View, changed: readonly number[]): void {
    const chunks = new Set<number>();
    for (const chunk of changed) {
      const { x, y, width, height } = chunkRect(this.planes, chunk);
      const { scale } = view;
      const within = { x: x / scale, y: y / scale, width: width / scale, height: height / scale };
      for (const scaled of chunksWithin(view.planes, within)) chunks.add(scaled);
    }
    for (const chunk of chunks) {
      if (!view.update(this.tick, chunk)) continue;
      for (const { encoder } of this.channels.values())
        if (encoder.view === view) encoder.touch(chunk);
    }
  }

  /** Sends an up-to-date viewer the frame that it shares with all viewers of the same chunks. */
  private sendShared(
    stream: ViewerStream,
    { encoder, tier }: Channel,
    shared: Map<readonly number[], SharedDeltas>,
    now: number,
  ): void {
    const { blocks, frame } = getOrAdd(shared, stream.chunks, () => {
      const deltas = stream.chunks.flatMap((chunk) => {
        const block = encoder.delta(chunk);
        return block ? [{ chunk, block }] : [];
      });
      const header = { tick: this.tick, tier, scale: encoder.view.scale };
      return { blocks: deltas, frame: writeFrame(header, deltas) };
    });
    stream.applyDeltas(blocks);
    if (blocks.length > 0 || this.isSilent(stream, now)) this.sendTo(stream, frame, now);
  }

  private isSilent(stream: ViewerStream, now: number): boolean {
    return now - (this.lastSent.get(stream) ?? -Infinity) >= DEFAULTS.stream.heartbeat;
  }

  private sendTo(stream: ViewerStream, frame: Uint8Array, now: number): void {
    stream.quality.frame(false);
    this.lastSent.set(stream, now);
    stream.sent(this.tick, now);
    stream.viewer.sendFrame(frame);
  }

  /** Sends the blocks that a viewer lacks, if there are any or a heartbeat is due. */
  private send(
    stream: ViewerStream,
    now: number,
    { always = false, frames = new Map<string, Uint8Array>() } = {},
  ): void {
    if (!stream.mayReceive) {
      stream.quality.frame(true);
      this.skippedFrames++;
      return;
    }
    const blocks = stream.takeBlocks();
    if (blocks.length === 0 && !always && !this.isSilent(stream, now)) return;
    this.sendTo(stream, this.frameOf(stream, blocks, frames), now);
  }

  /** Viewers that need the same blocks get the same frame. */
  private frameOf(
    { encoder, quality }: ViewerStream,
    blocks: readonly FrameBlock[],
    frames: Map<string, Uint8Array>,
  ): Uint8Array {
    const { scale } = encoder.view;
    const header = { tick: this.tick, tier: quality.tier, scale };
    const key = `${quality.tier} ${scale} ${blocks.map(({ chunk, block }) => `${chunk}:${block[0]}`)}`;
    return getOrAdd(frames, key, () => writeFrame(header, blocks));
  }

  /** Moves a viewer to the channel of its tier and of its viewport's scale. */
  private assignChannel(stream: ViewerStream): void {
    const channel = this.channel(stream.quality.tier, stream.viewport);
    if (channel.encoder !== stream.encoder) {
      this.leave(stream);
      stream.switchEncoder(channel.encoder);
    }
    channel.streams.add(stream);
  }

  private leave(stream: ViewerStream): void {
    for (const channel of this.channels.values()) {
      if (channel.streams.delete(stream)) channel.idleSince = this.tick;
    }
  }

  private forgetIdle(): void {
    for (const [key, channel] of this.channels) {
      // A restored room may have jumped back in time.
      const isFresh = Math.abs(this.tick - channel.idleSince) < IDLE_TICKS;
      if (channel.streams.size > 0 || isFresh) continue;
      this.channels.delete(key);
      const { view } = channel.encoder;
      const isUsed = [...this.channels.values()].some(({ encoder }) => encoder.view === view);
      if (!isUsed) this.views.delete(view.scale);
    }
  }

  private channel(tier: TierName, viewport: Viewport | undefined): Channel {
    const scale = scaleFor(viewport);
    return getOrAdd(this.channels, `${tier} ${scale}`, () => {
      const view = getOrAdd(this.views, scale, () => new View(this.planes, scale));
      const encoder = new FrameEncoder(view, TIERS[tier]);
      return { tier, encoder, streams: new Set(), idleSince: this.tick };
    });
  }
}

/** Cells per streamed cell and axis: zoomed out, several cells fall on one pixel. */
function scaleFor(viewport: Viewport | undefined): number {
  let scale = 1;
  while (viewport && viewport.pixels * scale < 1 && scale < DEFAULTS.codec.maxScale) scale *= 2;
  return scale;
}
