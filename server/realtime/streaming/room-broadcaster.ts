/**
 * Streams one room to the viewers of this process. Each tier at each scale is one channel, whose
 * blocks are encoded once for all its viewers. A viewer gets the blocks of visible chunks that it does not
 * hold yet. A viewer with too many frames in flight gets none until they arrive, and then the
 * newest.
 */
import { type FrameBlock, writeFrame } from '../../../shared/codec/frame.ts';
import { isDue, TIER_NAMES, TIERS, type TierName } from '../../../shared/codec/tiers.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { getOrAdd } from '../../platform/collections.ts';
import {
  CHANNEL_TIERS,
  type ChannelTier,
  type FrameFeed,
  keyOf,
  tierOfChannel,
  ViewerChannel,
} from './frame-feed.ts';
import { type Viewer, ViewerStream, type Viewport } from './viewer-stream.ts';

/** The deltas of one round, for viewers that see the same chunks and hold the previous round. */
interface SharedDeltas {
  readonly blocks: readonly FrameBlock[];
  readonly frame: Uint8Array;
}

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
  private readonly channels = new Map<string, ViewerChannel>();
  /**
   * Viewers that are to be sent a frame outside the tick, once their channel is there; true: even
   * one without blocks.
   */
  private readonly owed = new Map<ViewerStream, boolean>();
  /** When each viewer's last frame was sent, for the heartbeat; ms. */
  private readonly lastSent = new WeakMap<ViewerStream, number>();
  /** Frames not sent because a viewer was behind. */
  skippedFrames = 0;
  /** Viewers that have come so far. */
  private added = 0;
  /** Whether so many look that phones get every second tick. */
  private isHalved = false;

  constructor(private readonly feed: FrameFeed) {}

  /** Number of viewers. */
  get size(): number {
    return this.streams.size;
  }

  /**
   * Adds a viewer and sends it the first frame.
   *
   * @param now ms
   */
  add(viewer: Viewer, viewport: Viewport, now: number, options: AddOptions = {}): void {
    const { tier = DEFAULTS.stream.firstTier, heldChecksums } = options;
    const inOddTicks = this.added++ % 2 === 1;
    const stream = new ViewerStream({ viewer, viewport, heldChecksums, now, tier, inOddTicks });
    stream.quality.setBest(this.bestFor(viewport));
    this.streams.set(viewer, stream);
    this.owed.set(stream, true);
    this.assignChannel(stream, now);
  }

  /** Stops streaming to a viewer. */
  remove(viewer: Viewer): void {
    const stream = this.streams.get(viewer);
    if (!stream) return;
    this.streams.delete(viewer);
    this.owed.delete(stream);
    this.leave(stream);
    this.feed.wantedChanged();
  }

  /** Sets what a viewer looks at; undefined while its page is hidden. */
  setViewport(viewer: Viewer, viewport: Viewport | undefined, now: number): void {
    const stream = this.streams.get(viewer);
    if (!stream) return;
    stream.viewport = viewport;
    if (viewport) stream.quality.setBest(this.bestFor(viewport));
    if (viewport) this.owed.set(stream, this.owed.get(stream) ?? false);
    else stream.updateChunks();
    this.assignChannel(stream, now);
  }

  /** What a viewer looks at; undefined while its page is hidden. */
  viewportOf(viewer: Viewer): Viewport | undefined {
    return this.streams.get(viewer)?.viewport;
  }

  /** A viewer has drawn the frame of a tick and all before it. Unknown ticks are ignored. */
  acknowledge(viewer: Viewer, tick: number, now: number): void {
    this.streams.get(viewer)?.acknowledge(tick, now);
    this.feed.wantedChanged();
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
   * Whether a viewer gets events in this tick. In a crowd, all but the best tier get them in every
   * second.
   */
  hasTurn(viewer: Viewer, tick: number): boolean {
    const stream = this.streams.get(viewer);
    const isCrowd = this.streams.size >= DEFAULTS.stream.crowd;
    if (!isCrowd || !stream) return true;
    const tier = this.channelTierOf(stream);
    if (tier === 'full') return true;
    return isDue({ every: TIERS.half.every, after: CHANNEL_TIERS[tier].after }, tick);
  }

  /**
   * Sends the changes of the last tick, as the feed has them.
   *
   * @param now ms
   */
  publish(now: number): void {
    this.halveInCrowd(now);
    for (const channel of this.channels.values()) {
      const { source } = channel;
      if (!source || !isDue(CHANNEL_TIERS[channel.tier], this.feed.tick)) continue;
      const frames = new Map<string, Uint8Array>();
      const shared = new Map<readonly number[], SharedDeltas>();
      for (const stream of channel.streams) {
        if (stream.isUpToDate && stream.mayReceive) this.sendShared(stream, channel, shared, now);
        else this.send(stream, now, { frames });
      }
    }
    for (const stream of this.streams.values()) {
      if (stream.quality.evaluate(now)) this.assignChannel(stream, now);
    }
    this.feed.wantedChanged();
  }

  /** In a crowd, phones get every second tick, so that the server can serve twice as many. */
  private halveInCrowd(now: number): void {
    const { halveFrom, halveUntil } = DEFAULTS.stream;
    const isHalved = this.streams.size >= (this.isHalved ? halveUntil : halveFrom);
    if (isHalved === this.isHalved) return;
    this.isHalved = isHalved;
    for (const stream of this.streams.values()) {
      if (!stream.viewport) continue;
      stream.quality.setBest(this.bestFor(stream.viewport));
      this.assignChannel(stream, now);
    }
  }

  /** The best tier that a viewer may have now. */
  private bestFor({ best }: Viewport): TierName {
    if (!this.isHalved || best === 'full') return best;
    return TIER_NAMES[Math.max(TIER_NAMES.indexOf(best), TIER_NAMES.indexOf('half'))];
  }

  /**
   * In a crowd, half of them get even ticks and half odd ones, so that none waits for all others.
   * When the crowd shrinks, those that are in odd ticks stay there until they get another tier:
   * each change of the channel costs a key.
   */
  private channelTierOf(stream: ViewerStream): ChannelTier {
    const { tier } = stream.quality;
    if (tier !== 'half' || !stream.inOddTicks) return tier;
    const isThere = (channel: ViewerChannel): boolean =>
      channel.tier === 'halfOdd' && (channel.streams.has(stream) || channel.waiting.has(stream));
    return this.isHalved || [...this.channels.values()].some(isThere) ? 'halfOdd' : tier;
  }

  /** Sends an up-to-date viewer the frame that it shares with all viewers of the same chunks. */
  private sendShared(
    stream: ViewerStream,
    { tier, scale }: ViewerChannel,
    shared: Map<readonly number[], SharedDeltas>,
    now: number,
  ): void {
    const { blocks, frame } = getOrAdd(shared, stream.chunks, () => {
      const deltas = stream.chunks.flatMap((chunk) => {
        const block = stream.source.delta(chunk);
        return block ? [{ chunk, block }] : [];
      });
      const header = { tick: this.feed.tick, tier: tierOfChannel(tier), scale };
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
    stream.sent(this.feed.tick, now);
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

  /**
   * Viewers that need the same blocks get the same frame.
   *
   * @param frames of the stream's source in this tick
   */
  private frameOf(
    { source, quality }: ViewerStream,
    blocks: readonly FrameBlock[],
    frames: Map<string, Uint8Array>,
  ): Uint8Array {
    const { scale } = source;
    const header = { tick: this.feed.tick, tier: quality.tier, scale };
    const key = `${quality.tier} ${blocks.map(({ chunk, block }) => `${chunk}:${block[0]}`)}`;
    return getOrAdd(frames, key, () => writeFrame(header, blocks));
  }

  /**
   * Moves a viewer to the channel of its tier and of its viewport's scale, once that is there. Until
   * then it goes on with the one that it has.
   */
  private assignChannel(stream: ViewerStream, now: number): void {
    const channel = this.channel(this.channelTierOf(stream), scaleFor(stream.viewport));
    for (const other of this.channels.values()) {
      if (other !== channel && other.waiting.delete(stream)) this.closeIfEmpty(other);
    }
    if (channel.source) this.settle(stream, channel, now);
    else channel.waiting.add(stream);
    this.feed.wantedChanged();
  }

  private settle(stream: ViewerStream, channel: ViewerChannel, now: number): void {
    if (!channel.streams.has(stream)) {
      this.leave(stream);
      stream.switchSource(channel.source!);
      channel.streams.add(stream);
    } else if (this.owed.has(stream)) stream.updateChunks();
    const owed = this.owed.get(stream);
    this.owed.delete(stream);
    if (owed !== undefined) this.send(stream, now, { always: owed });
  }

  private leave(stream: ViewerStream): void {
    for (const channel of this.channels.values()) {
      if (channel.streams.delete(stream) || channel.waiting.delete(stream))
        this.closeIfEmpty(channel);
    }
  }

  private closeIfEmpty(channel: ViewerChannel): void {
    if (channel.streams.size + channel.waiting.size > 0) return;
    this.channels.delete(keyOf(channel));
    this.feed.leave(channel, channel);
  }

  private channel(tier: ChannelTier, scale: number): ViewerChannel {
    return getOrAdd(this.channels, keyOf({ tier, scale }), () => {
      const channel = new ViewerChannel(tier, scale, (stream, now) =>
        this.settle(stream, channel, now),
      );
      channel.source = this.feed.join(channel, channel);
      return channel;
    });
  }
}

/** Cells per streamed cell and axis: zoomed out, several cells fall on one pixel. */
function scaleFor(viewport: Viewport | undefined): number {
  let scale = 1;
  while (viewport && viewport.pixels * scale < 1 && scale < DEFAULTS.codec.maxScale) scale *= 2;
  return scale;
}

/** A viewer whose frames are made where it is connected. */
export interface RemoteViewer extends Viewer {
  /** What it looks at, as far as is known here; undefined while its page is hidden. */
  viewport: Viewport | undefined;
  startStream(viewport: Viewport, options: AddOptions): void;
  stopStream(): void;
}

const isRemote = (viewer: Viewer): viewer is RemoteViewer => 'startStream' in viewer;

export class RoomStreams {
  /** Those with a stream. */
  private readonly remote = new Set<RemoteViewer>();

  constructor(private readonly local: RoomBroadcaster) {}

  /** Viewers that are connected to this server. */
  get localSize(): number {
    return this.local.size;
  }

  /** See `RoomBroadcaster.skippedFrames`. */
  get skippedFrames(): number {
    return this.local.skippedFrames;
  }

  /** See `RoomBroadcaster.add`. */
  add(viewer: Viewer, viewport: Viewport, now: number, options: AddOptions = {}): void {
    if (isRemote(viewer)) {
      this.remote.add(viewer);
      viewer.startStream(viewport, options);
    } else this.local.add(viewer, viewport, now, options);
  }

  /** Stops streaming to a viewer. */
  remove(viewer: Viewer): void {
    if (!isRemote(viewer)) this.local.remove(viewer);
    else if (this.remote.delete(viewer)) viewer.stopStream();
  }

  /** Sets what a viewer looks at; undefined while its page is hidden. */
  setViewport(viewer: Viewer, viewport: Viewport | undefined, now: number): void {
    if (!isRemote(viewer)) this.local.setViewport(viewer, viewport, now);
    else if (this.remote.has(viewer)) viewer.viewport = viewport;
  }

  /** What a viewer looks at; undefined while its page is hidden. */
  viewportOf(viewer: Viewer): Viewport | undefined {
    return isRemote(viewer) ? viewer.viewport : this.local.viewportOf(viewer);
  }

  /** A viewer has drawn the frame of a tick and all before it. */
  acknowledge(viewer: Viewer, tick: number, now: number): void {
    if (!isRemote(viewer)) this.local.acknowledge(viewer, tick, now);
  }

  /** A viewer needs some chunks in full. */
  resync(viewer: Viewer, chunks: readonly number[]): void {
    if (!isRemote(viewer)) this.local.resync(viewer, chunks);
  }

  /** Whether a viewer gets events in this tick. */
  hasTurn(viewer: Viewer, tick: number): boolean {
    return isRemote(viewer) || this.local.hasTurn(viewer, tick);
  }

  /** See `RoomBroadcaster.publish`. */
  publish(now: number): void {
    this.local.publish(now);
  }
}
