/**
 * Streams one room to everybody in it. Each tier of each scale is one cast: its blocks are encoded once, for all who watch it; each
 * viewer gets those of the chunks she looks at that she does not hold yet. Who has too much on its way gets nothing
 * until it has arrived, and then the newest.
 */

import { chunkRect, chunksWithin } from '../../../shared/codec/chunks.ts';
import { type FrameBlock, writeFrame } from '../../../shared/codec/frame.ts';
import { FrameEncoder } from '../../../shared/codec/frame-encoder.ts';
import type { Planes } from '../../../shared/codec/planes.ts';
import { isDue, TIERS, type TierName } from '../../../shared/codec/tiers.ts';
import { View } from '../../../shared/codec/view.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { type Viewer, ViewerStream, type Viewport } from './viewer-stream.ts';

/** The deltas of one round, for all who look at the same chunks and are in step. */
interface Step {
  readonly blocks: readonly FrameBlock[];
  readonly frame: Uint8Array;
}

interface Channel {
  readonly tier: TierName;
  readonly encoder: FrameEncoder;
  readonly streams: Set<ViewerStream>;
  /** Tick since which nobody watches it; of one that is watched, an older one. */
  idleSince: number;
}

/** Ticks for which a channel that nobody watches is kept: who looks near and far in turn must not have all encoded anew each time. */
const IDLE = 30;

export class RoomBroadcaster {
  private readonly streams = new Map<Viewer, ViewerStream>();
  private readonly views = new Map<number, View>();
  private readonly channels = new Map<string, Channel>();
  /** When each viewer's last frame was sent, for the heartbeat. */
  private readonly lastSent = new WeakMap<ViewerStream, number>();
  /** Frames that were not sent because a viewer was behind. */
  skippedFrames = 0;

  constructor(
    private readonly planes: Planes,
    private tick: number,
  ) {}

  /**
   * A new viewer.
   *
   * @param holds [chunks] checks of what she holds from before, where she does
   * @param tier with which she begins
   */
  add(
    viewer: Viewer,
    look: Viewport,
    now: number,
    holds?: ArrayLike<number>,
    tier: TierName = DEFAULTS.stream.firstTier,
  ): void {
    const first = this.channel(tier, look);
    const stream = new ViewerStream(viewer, look, first.encoder, now, tier);
    this.streams.set(viewer, stream);
    this.move(stream, first);
    if (holds) stream.acceptHeld(holds);
    this.send(stream, now, true);
  }

  remove(viewer: Viewer): void {
    const stream = this.streams.get(viewer);
    if (!stream) return;
    this.streams.delete(viewer);
    this.leave(stream);
  }

  /** What a viewer looks at; absent: nothing, her page is hidden. */
  setViewport(viewer: Viewer, look: Viewport | undefined, now: number): void {
    const stream = this.streams.get(viewer);
    if (!stream) return;
    stream.viewport = look;
    if (look) stream.quality.setBest(look.best);
    this.settle(stream);
    stream.updateChunks();
    if (look) this.send(stream, now, false);
  }

  /** A viewer has drawn the frame of a tick, and so all before it. Ticks that were not sent are passed over. */
  acknowledge(viewer: Viewer, tick: number, now: number): void {
    this.streams.get(viewer)?.acknowledge(tick, now);
  }

  /** A viewer has lost step in some chunks of the frames that she is sent; absent: in all. */
  resync(viewer: Viewer, chunks?: readonly number[]): void {
    this.streams.get(viewer)?.invalidate(chunks);
  }

  tierOf(viewer: Viewer): TierName | undefined {
    return this.streams.get(viewer)?.quality.tier;
  }

  /** Whether a viewer hears of a tick at once: in a crowd, who gets no frame in every second tick hears nothing in it. */
  hasTurn(viewer: Viewer, tick: number): boolean {
    const tier = this.tierOf(viewer);
    const isCrowd = this.streams.size >= DEFAULTS.stream.crowd;
    if (!isCrowd || !tier || TIERS[tier].every === 1) return true;
    return isDue({ every: TIERS.phone.every, after: TIERS[tier].after }, tick);
  }

  /**
   * A tick is done; `publish` is to follow before the next.
   *
   * @param changed chunks of the room that have changed
   */
  follow(tick: number, changed: readonly number[]): void {
    this.tick = tick;
    this.forgetIdle();
    for (const view of this.views.values()) this.update(view, changed);
  }

  /**
   * Sends what the last tick has brought, as it was when it was done.
   *
   * @param now ms
   */
  publish(now: number): void {
    const { tick } = this;
    const due = new Set<Channel>();
    for (const channel of this.channels.values()) {
      if (!isDue(TIERS[channel.tier], tick)) continue;
      due.add(channel);
      // Nothing is written for those alone who do not read.
      if (![...channel.streams].some(({ mayReceive }) => mayReceive)) continue;
      const wanted = new Set<number>();
      // Those who look at the same chunks have the same list of them.
      const lists = new Set([...channel.streams].map(({ chunks }) => chunks));
      for (const chunks of lists) for (const chunk of chunks) wanted.add(chunk);
      channel.encoder.advance(tick, (chunk) => wanted.has(chunk));
    }
    const frames = new Map<string, Uint8Array>();
    for (const channel of due) {
      const steps = new Map<readonly number[], Step>();
      for (const stream of channel.streams) {
        if (stream.isUpToDate && stream.mayReceive) this.handOn(stream, channel, steps, now);
        else this.send(stream, now, false, frames);
      }
    }
    for (const watch of this.streams.values()) {
      if (watch.quality.evaluate(now)) this.settle(watch);
    }
  }

  /** Takes changes of the room over into a view, and tells its casts. */
  private update(view: View, changed: readonly number[]): void {
    const chunks = new Set<number>();
    for (const chunk of changed) {
      const { x, y, width, height } = chunkRect(this.planes, chunk);
      const { scale } = view;
      const within = { x: x / scale, y: y / scale, width: width / scale, height: height / scale };
      for (const one of chunksWithin(view.planes, within)) chunks.add(one);
    }
    for (const chunk of chunks) {
      if (!view.update(this.tick, chunk)) continue;
      for (const { encoder: cast } of this.channels.values())
        if (cast.view === view) cast.touch(chunk);
    }
  }

  /** Sends one who is in step what all who look where she looks are sent. */
  private handOn(
    stream: ViewerStream,
    { encoder: cast, tier }: Channel,
    steps: Map<readonly number[], Step>,
    now: number,
  ): void {
    let step = steps.get(stream.chunks);
    if (!step) {
      const blocks = stream.chunks.flatMap((chunk) => {
        const block = cast.delta(chunk);
        return block ? [{ chunk, block }] : [];
      });
      const header = { tick: this.tick, tier, scale: cast.view.scale };
      step = { blocks, frame: writeFrame(header, blocks) };
      steps.set(stream.chunks, step);
    }
    stream.applyDeltas(step.blocks);
    if (step.blocks.length > 0 || this.isSilent(stream, now)) this.sendTo(stream, step.frame, now);
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

  /** Sends what a viewer lacks, if there is something or it is time to be heard from. */
  private send(
    stream: ViewerStream,
    now: number,
    anyway: boolean,
    frames?: Map<string, Uint8Array>,
  ): void {
    if (!stream.mayReceive) {
      stream.quality.frame(true);
      this.skippedFrames++;
      return;
    }
    const blocks = stream.takeBlocks();
    if (blocks.length === 0 && !anyway && !this.isSilent(stream, now)) return;
    this.sendTo(stream, this.frameOf(stream, blocks, frames), now);
  }

  /** Viewers who need the same blocks get the same frame. */
  private frameOf(
    { encoder: cast, quality: ladder }: ViewerStream,
    blocks: readonly FrameBlock[],
    frames?: Map<string, Uint8Array>,
  ): Uint8Array {
    const { scale } = cast.view;
    const header = { tick: this.tick, tier: ladder.tier, scale };
    if (!frames) return writeFrame(header, blocks);
    const key = `${ladder.tier} ${scale} ${blocks.map(({ chunk, block }) => `${chunk}:${block[0]}`)}`;
    let frame = frames.get(key);
    if (!frame) {
      frame = writeFrame(header, blocks);
      frames.set(key, frame);
    }
    return frame;
  }

  /** Moves a viewer to the channel of her tier and of the scale of what she looks at. */
  private settle(stream: ViewerStream): void {
    const channel = this.channel(stream.quality.tier, stream.viewport);
    if (channel.encoder !== stream.encoder) {
      this.leave(stream);
      stream.switchEncoder(channel.encoder);
    }
    channel.streams.add(stream);
  }

  private move(stream: ViewerStream, channel: Channel): void {
    channel.streams.add(stream);
    this.settle(stream);
  }

  private leave(stream: ViewerStream): void {
    for (const channel of this.channels.values()) {
      if (channel.streams.delete(stream)) channel.idleSince = this.tick;
    }
  }

  private forgetIdle(): void {
    for (const [key, channel] of this.channels) {
      // A room that was restored may have gone back.
      const isFresh = Math.abs(this.tick - channel.idleSince) < IDLE;
      if (channel.streams.size > 0 || isFresh) continue;
      this.channels.delete(key);
      const inUse = [...this.channels.values()].some(
        ({ encoder: cast }) => cast.view === channel.encoder.view,
      );
      if (!inUse) this.views.delete(channel.encoder.view.scale);
    }
  }

  private channel(tier: TierName, look: Viewport | undefined): Channel {
    const scale = farScale(look);
    const key = `${tier} ${scale}`;
    let channel = this.channels.get(key);
    if (!channel) {
      let view = this.views.get(scale);
      if (!view) {
        view = new View(this.planes, scale);
        this.views.set(scale, view);
      }
      const cast = new FrameEncoder(view, TIERS[tier]);
      channel = { tier, encoder: cast, streams: new Set(), idleSince: this.tick };
      this.channels.set(key, channel);
    }
    return channel;
  }
}

/** From far away, several places fall on one pixel: they are streamed as one. */
function farScale(look: Viewport | undefined): number {
  let scale = 1;
  while (look && look.pixels * scale < 1 && scale < DEFAULTS.codec.maxScale) scale *= 2;
  return scale;
}
