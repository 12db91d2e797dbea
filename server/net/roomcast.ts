/**
 * Streams one room to everybody in it. Each tier of each scale is one cast: its blocks are encoded once, for all who watch it; each
 * viewer gets those of the chunks she looks at that she does not hold yet. Who has too much on its way gets nothing
 * until it has arrived, and then the newest.
 */
import { Cast } from '../../shared/codec/cast.ts';
import { chunkRect, chunksWithin } from '../../shared/codec/chunks.ts';
import { type FrameBlock, writeFrame } from '../../shared/codec/frame.ts';
import type { Planes } from '../../shared/codec/planes.ts';
import { isDue, TIERS, type TierName } from '../../shared/codec/tiers.ts';
import { View } from '../../shared/codec/view.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { type Look, type Viewer, Watch } from './watch.ts';

/** The deltas of one round, for all who look at the same chunks and are in step. */
interface Step {
  readonly blocks: readonly FrameBlock[];
  readonly frame: Uint8Array;
}

interface Channel {
  readonly tier: TierName;
  readonly cast: Cast;
  readonly watches: Set<Watch>;
  /** Tick since which nobody watches it; of one that is watched, an older one. */
  idleSince: number;
}

/** Ticks for which a channel that nobody watches is kept: who looks near and far in turn must not have all encoded anew each time. */
const IDLE = 30;

export class Roomcast {
  private readonly watches = new Map<Viewer, Watch>();
  private readonly views = new Map<number, View>();
  private readonly channels = new Map<string, Channel>();
  /** When each viewer's last frame was sent, for the heartbeat. */
  private readonly lastSent = new WeakMap<Watch, number>();
  /** Frames that were not sent because a viewer was behind. */
  skipped = 0;

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
    look: Look,
    now: number,
    holds?: ArrayLike<number>,
    tier: TierName = DEFAULTS.stream.firstTier,
  ): void {
    const first = this.channel(tier, look);
    const watch = new Watch(viewer, look, first.cast, now, tier);
    this.watches.set(viewer, watch);
    this.move(watch, first);
    if (holds) watch.claim(holds);
    this.send(watch, now, true);
  }

  remove(viewer: Viewer): void {
    const watch = this.watches.get(viewer);
    if (!watch) return;
    this.watches.delete(viewer);
    this.leave(watch);
  }

  /** What a viewer looks at; absent: nothing, her page is hidden. */
  look(viewer: Viewer, look: Look | undefined, now: number): void {
    const watch = this.watches.get(viewer);
    if (!watch) return;
    watch.look = look;
    if (look) watch.ladder.setBest(look.best);
    this.settle(watch);
    watch.aim();
    if (look) this.send(watch, now, false);
  }

  /** A viewer has drawn the frame of a tick, and so all before it. Ticks that were not sent are passed over. */
  acknowledge(viewer: Viewer, tick: number, now: number): void {
    this.watches.get(viewer)?.acknowledge(tick, now);
  }

  /** A viewer has lost step in some chunks of the frames that she is sent; absent: in all. */
  resync(viewer: Viewer, chunks?: readonly number[]): void {
    this.watches.get(viewer)?.forget(chunks);
  }

  tierOf(viewer: Viewer): TierName | undefined {
    return this.watches.get(viewer)?.ladder.tier;
  }

  /** Whether a viewer hears of a tick at once: in a crowd, who gets no frame in every second tick hears nothing in it. */
  hasTurn(viewer: Viewer, tick: number): boolean {
    const tier = this.tierOf(viewer);
    const isCrowd = this.watches.size >= DEFAULTS.stream.crowd;
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
      if (![...channel.watches].some(({ mayReceive }) => mayReceive)) continue;
      const wanted = new Set<number>();
      // Those who look at the same chunks have the same list of them.
      const lists = new Set([...channel.watches].map(({ chunks }) => chunks));
      for (const chunks of lists) for (const chunk of chunks) wanted.add(chunk);
      channel.cast.advance(tick, (chunk) => wanted.has(chunk));
    }
    const frames = new Map<string, Uint8Array>();
    for (const channel of due) {
      const steps = new Map<readonly number[], Step>();
      for (const watch of channel.watches) {
        if (watch.inStep && watch.mayReceive) this.handOn(watch, channel, steps, now);
        else this.send(watch, now, false, frames);
      }
    }
    for (const watch of this.watches.values()) {
      if (watch.ladder.judge(now)) this.settle(watch);
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
      for (const { cast } of this.channels.values()) if (cast.view === view) cast.touch(chunk);
    }
  }

  /** Sends one who is in step what all who look where she looks are sent. */
  private handOn(
    watch: Watch,
    { cast, tier }: Channel,
    steps: Map<readonly number[], Step>,
    now: number,
  ): void {
    let step = steps.get(watch.chunks);
    if (!step) {
      const blocks = watch.chunks.flatMap((chunk) => {
        const block = cast.delta(chunk);
        return block ? [{ chunk, block }] : [];
      });
      const header = { tick: this.tick, tier, scale: cast.view.scale };
      step = { blocks, frame: writeFrame(header, blocks) };
      steps.set(watch.chunks, step);
    }
    watch.follow(step.blocks);
    if (step.blocks.length > 0 || this.isSilent(watch, now)) this.hand(watch, step.frame, now);
  }

  private isSilent(watch: Watch, now: number): boolean {
    return now - (this.lastSent.get(watch) ?? -Infinity) >= DEFAULTS.stream.heartbeat;
  }

  private hand(watch: Watch, frame: Uint8Array, now: number): void {
    watch.ladder.frame(false);
    this.lastSent.set(watch, now);
    watch.sent(this.tick, now);
    watch.viewer.sendFrame(frame);
  }

  /** Sends what a viewer lacks, if there is something or it is time to be heard from. */
  private send(watch: Watch, now: number, anyway: boolean, frames?: Map<string, Uint8Array>): void {
    if (!watch.mayReceive) {
      watch.ladder.frame(true);
      this.skipped++;
      return;
    }
    const blocks = watch.take();
    if (blocks.length === 0 && !anyway && !this.isSilent(watch, now)) return;
    this.hand(watch, this.frameOf(watch, blocks, frames), now);
  }

  /** Viewers who need the same blocks get the same frame. */
  private frameOf(
    { cast, ladder }: Watch,
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
  private settle(watch: Watch): void {
    const channel = this.channel(watch.ladder.tier, watch.look);
    if (channel.cast !== watch.cast) {
      this.leave(watch);
      watch.change(channel.cast);
    }
    channel.watches.add(watch);
  }

  private move(watch: Watch, channel: Channel): void {
    channel.watches.add(watch);
    this.settle(watch);
  }

  private leave(watch: Watch): void {
    for (const channel of this.channels.values()) {
      if (channel.watches.delete(watch)) channel.idleSince = this.tick;
    }
  }

  private forgetIdle(): void {
    for (const [key, channel] of this.channels) {
      // A room that was restored may have gone back.
      const isFresh = Math.abs(this.tick - channel.idleSince) < IDLE;
      if (channel.watches.size > 0 || isFresh) continue;
      this.channels.delete(key);
      const inUse = [...this.channels.values()].some(({ cast }) => cast.view === channel.cast.view);
      if (!inUse) this.views.delete(channel.cast.view.scale);
    }
  }

  private channel(tier: TierName, look: Look | undefined): Channel {
    const scale = farScale(look);
    const key = `${tier} ${scale}`;
    let channel = this.channels.get(key);
    if (!channel) {
      let view = this.views.get(scale);
      if (!view) {
        view = new View(this.planes, scale);
        this.views.set(scale, view);
      }
      const cast = new Cast(view, TIERS[tier]);
      channel = { tier, cast, watches: new Set(), idleSince: this.tick };
      this.channels.set(key, channel);
    }
    return channel;
  }
}

/** From far away, several places fall on one pixel: they are streamed as one. */
function farScale(look: Look | undefined): number {
  let scale = 1;
  while (look && look.pixels * scale < 1 && scale < DEFAULTS.codec.maxScale) scale *= 2;
  return scale;
}
