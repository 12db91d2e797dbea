/**
 * Sends the frames of one room to the viewers connected to this process. Viewers with the same tier
 * (level of detail) and scale share a channel, whose blocks (encoded chunks) are encoded only once.
 * Start reading at `publish`.
 */
import { MAX_SCALE, writeFrame } from '../../../shared/codec/frame.ts';
import type { FrameSource } from '../../../shared/codec/frame-source.ts';
import { isDue, type TierName } from '../../../shared/codec/tiers.ts';
import { getOrAdd } from '../../platform/collections.ts';
import { bestTierOfHalved, mustHalve } from './crowds.ts';
import {
  CHANNEL_TIERS,
  type ChannelTier,
  type ChannelUser,
  type FrameFeed,
  keyOf,
} from './room-encoders.ts';
import { type StreamStart, type Viewer, ViewerStream, type Viewport } from './viewer-stream.ts';

/** A viewer whose frames are sent by another server. */
export interface RemoteViewer extends Viewer {
  /** The viewer's latest viewport; undefined while the viewer's page is hidden. */
  viewport: Viewport | undefined;
  startStream(viewport: Viewport, start: StreamStart): void;
  stopStream(): void;
}

/** Returns the tier of a channel's viewers. */
const tierOf = (tier: ChannelTier): TierName => (tier === 'halfOdd' ? 'half' : tier);

const isRemote = (viewer: Viewer): viewer is RemoteViewer => 'startStream' in viewer;

/** All viewers of one tier at one scale. */
class ViewerChannel implements ChannelUser {
  /** Source of the channel's blocks; undefined until the feed provides a source. */
  source: FrameSource | undefined;
  readonly streams = new Set<ViewerStream>();
  /** Viewers that wait until this channel has a `source`, and then move to this channel. */
  readonly waiting = new Set<ViewerStream>();

  /** @param settle moves a viewer from `waiting` to `streams`, once the channel has a source */
  constructor(
    readonly tier: ChannelTier,
    readonly scale: number,
    private readonly settle: (stream: ViewerStream, now: number) => void,
  ) {}

  get mayReceive(): boolean {
    for (const { mayReceive } of this.streams) if (mayReceive) return true;
    return false;
  }

  get lists(): Iterable<readonly number[]> {
    const lists = new Set<readonly number[]>();
    for (const { chunks } of this.streams) lists.add(chunks);
    return lists;
  }

  has(stream: ViewerStream): boolean {
    return this.streams.has(stream) || this.waiting.has(stream);
  }

  useSource(source: FrameSource, now: number): void {
    this.source = source;
    for (const stream of this.streams) stream.switchSource(source);
    for (const stream of [...this.waiting]) {
      this.waiting.delete(stream);
      this.settle(stream, now);
    }
  }
}

/** Sends each viewer of a room the frames for the viewer's tier, scale and viewport. */
export class RoomBroadcaster {
  private readonly streams = new Map<Viewer, ViewerStream>();
  private readonly remote = new Set<RemoteViewer>();
  private readonly channels = new Map<string, ViewerChannel>();
  /**
   * Viewers that must be sent a frame as soon as their channel has a source of blocks. The value is
   * whether the frame must be sent even if it contains no blocks.
   */
  private readonly owed = new Map<ViewerStream, boolean>();
  /** Number of frames skipped because a viewer could not take another frame. */
  skippedFrames = 0;
  /** Number of viewers added so far. */
  private added = 0;
  /** Whether phones are sent a frame only every second tick. */
  private isHalved = false;

  constructor(private readonly feed: FrameFeed) {}

  /** Number of viewers connected to this server, excluding remote viewers. */
  get size(): number {
    return this.streams.size;
  }

  /** Adds a viewer and sends it the first frame. @param now current time, in ms */
  add(viewer: Viewer, viewport: Viewport, now: number, start: StreamStart = {}): void {
    if (isRemote(viewer)) {
      this.remote.add(viewer);
      viewer.startStream(viewport, start);
      return;
    }
    const stream = new ViewerStream(viewer, viewport, now, start);
    stream.inOddTicks = this.added++ % 2 === 1;
    stream.quality.setBest(this.bestFor(viewport));
    this.streams.set(viewer, stream);
    this.owed.set(stream, true);
    this.assignChannel(stream, now);
  }

  remove(viewer: Viewer): void {
    if (isRemote(viewer) && this.remote.delete(viewer)) viewer.stopStream();
    const stream = this.streams.get(viewer);
    if (!stream) return;
    this.streams.delete(viewer);
    this.owed.delete(stream);
    this.leave(stream);
    this.feed.wantedChanged?.();
  }

  /** Sets the viewport of a viewer; undefined while the viewer's page is hidden. */
  setViewport(viewer: Viewer, viewport: Viewport | undefined, now: number): void {
    if (isRemote(viewer) && this.remote.has(viewer)) viewer.viewport = viewport;
    const stream = this.streams.get(viewer);
    if (!stream) return;
    stream.viewport = viewport;
    if (viewport) {
      stream.quality.setBest(this.bestFor(viewport));
      this.owed.set(stream, this.owed.get(stream) ?? false);
    } else stream.updateChunks();
    this.assignChannel(stream, now);
  }

  /** Returns the viewport of a viewer; undefined while the viewer's page is hidden. */
  viewportOf(viewer: Viewer): Viewport | undefined {
    return isRemote(viewer) ? viewer.viewport : this.streams.get(viewer)?.viewport;
  }

  /**
   * Records that a viewer has drawn all frames up to a tick. Does nothing if the viewer has no
   * unacknowledged frame of this tick.
   */
  acknowledge(viewer: Viewer, tick: number, now: number): void {
    this.streams.get(viewer)?.acknowledge(tick, now);
    this.feed.wantedChanged?.();
  }

  /** Marks chunks as missing at a viewer, so that they are sent in full. */
  resync(viewer: Viewer, chunks: readonly number[]): void {
    this.streams.get(viewer)?.invalidate(chunks);
  }

  /** Returns a viewer's channel tier; undefined if the viewer is not connected to this server. */
  channelTierOf(viewer: Viewer): ChannelTier | undefined {
    const stream = this.streams.get(viewer);
    return stream && this.channelTierFor(stream);
  }

  /** Sends all viewers the changes of the feed's latest tick. @param now current time, in ms */
  publish(now: number): void {
    this.halveInCrowd(now);
    for (const channel of this.channels.values()) {
      const { source, tier } = channel;
      if (!source || !isDue(CHANNEL_TIERS[tier], this.feed.tick)) continue;
      const frames = new Map<string, Uint8Array>();
      const shared = new Map<readonly number[], ReturnType<RoomBroadcaster['deltasFor']>>();
      for (const stream of channel.streams) {
        if (stream.isUpToDate && stream.mayReceive) {
          const { chunks } = stream;
          const { deltas, frame } = getOrAdd(shared, chunks, () => this.deltasFor(stream, tier));
          stream.applyDeltas(deltas);
          if (deltas.length > 0 || stream.isSilent(now)) this.sendTo(stream, frame, now);
        } else this.send(stream, now, { frames });
      }
    }
    for (const stream of this.streams.values()) {
      if (stream.quality.evaluate(now)) this.assignChannel(stream, now);
    }
    this.feed.wantedChanged?.();
  }

  close(): void {
    this.feed.close?.();
  }

  /**
   * Halves the frame rate of phones when a crowd forms, and restores the rate when the crowd has
   * gone.
   */
  private halveInCrowd(now: number): void {
    const isHalved = mustHalve(this.streams.size, this.isHalved);
    if (isHalved === this.isHalved) return;
    this.isHalved = isHalved;
    for (const stream of this.streams.values()) {
      if (!stream.viewport) continue;
      stream.quality.setBest(this.bestFor(stream.viewport));
      this.assignChannel(stream, now);
    }
  }

  /** Returns the highest tier that a viewer may have now. */
  private bestFor({ best }: Viewport): TierName {
    return this.isHalved ? bestTierOfHalved(best) : best;
  }

  /**
   * Returns the channel tier of a viewer. In a crowd, half of the viewers with the tier `half` get
   * `halfOdd`, so that the work is spread over even and odd ticks. These viewers keep `halfOdd`
   * after the crowd has gone, until their tier changes.
   */
  private channelTierFor(stream: ViewerStream): ChannelTier {
    const { tier } = stream.quality;
    if (tier !== 'half' || !stream.inOddTicks) return tier;
    const isOdd = [...this.channels.values()].some(
      (channel) => channel.tier === 'halfOdd' && channel.has(stream),
    );
    return this.isHalved || isOdd ? 'halfOdd' : tier;
  }

  /**
   * Returns the latest deltas of a viewer's visible chunks, and a frame with these deltas. All
   * viewers that see the same chunks and lack only these deltas can share the result.
   */
  private deltasFor({ source, chunks }: ViewerStream, tier: ChannelTier) {
    const deltas = chunks.flatMap((chunk) => {
      const block = source.delta(chunk);
      return block ? [{ chunk, block }] : [];
    });
    const header = { ...{ tick: this.feed.tick, scale: source.scale }, tier: tierOf(tier) };
    return { deltas, frame: writeFrame(header, deltas) };
  }

  private sendTo(stream: ViewerStream, frame: Uint8Array, now: number): void {
    stream.quality.frame(false);
    stream.sent(this.feed.tick, now);
    stream.viewer.sendFrame(frame);
  }

  /**
   * Sends a viewer its missing blocks. If no block is missing, sends an empty frame only when a
   * heartbeat is due or `always` is true.
   *
   * @param frames frames built from the same source in this tick, to be shared by viewers that need
   *   the same blocks
   */
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
    if (blocks.length === 0 && !always && !stream.isSilent(now)) return;
    const { tier } = stream.quality;
    const header = { tick: this.feed.tick, tier, scale: stream.source.scale };
    const key = `${tier} ${blocks.map(({ chunk, block }) => `${chunk}:${block[0]}`)}`;
    this.sendTo(
      stream,
      getOrAdd(frames, key, () => writeFrame(header, blocks)),
      now,
    );
  }

  /**
   * Moves a viewer to the channel for the viewer's tier and viewport. Until this channel has a
   * source, the viewer stays in the previous channel.
   */
  private assignChannel(stream: ViewerStream, now: number): void {
    const channel = this.channel(this.channelTierFor(stream), scaleFor(stream.viewport));
    for (const other of this.channels.values()) {
      if (other !== channel && other.waiting.delete(stream)) this.closeIfEmpty(other);
    }
    if (channel.source) this.settle(stream, channel, now);
    else channel.waiting.add(stream);
    this.feed.wantedChanged?.();
  }

  private settle(stream: ViewerStream, channel: ViewerChannel, now: number): void {
    const owed = this.owed.get(stream);
    if (!channel.streams.has(stream)) {
      this.leave(stream);
      stream.switchSource(channel.source!);
      channel.streams.add(stream);
    } else if (owed !== undefined) stream.updateChunks();
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

/**
 * Returns the scale for a viewport: the side length, in cells, of the square that is streamed as a
 * single cell. The farther a page is zoomed out, the larger the scale.
 */
function scaleFor(viewport: Viewport | undefined): number {
  let scale = 1;
  while (viewport && viewport.pixels * scale < 1 && scale < MAX_SCALE) scale *= 2;
  return scale;
}
