/**
 * The frames of a room that runs in another process, as seen by a gateway. The gateway tells the
 * room's leader which chunks its viewers look at. It mirrors the cells of the viewers' channels, so
 * that it can serve viewers as the leader would. It never steps or changes a room. Start at
 * `RemoteFrames`.
 */
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { FrameError } from '../../../shared/codec/frame.ts';
import { FrameMirror } from '../../../shared/codec/frame-source.ts';
import type { Bus, Listener, Subscription } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import {
  type ChannelName,
  type ChannelTier,
  type ChannelUser,
  type FrameFeed,
  isFresh,
  keyOf,
} from './frame-feed.ts';
import {
  BASELINE,
  type Baseline,
  busNames,
  ROUND,
  type Round,
  type RoundName,
  TICK_END,
  type TickEnd,
  WANTS,
} from './frame-messages.ts';

/** Frames of a room that this server does not run; times are in ms. */
export const REMOTE_FRAMES = {
  /** Maximum time between two messages in which a gateway lists the chunks it needs, in ms. */
  beat: 1_000,
  /** Delay before a gateway reports a change of its needs, in ms. */
  wantsDelay: 25,
  /** Minimum time between two requests for all cells of a channel, in ms. */
  askPause: 250,
} as const;

const decompress = promisify(inflate);

/** Maximum number of rounds kept while waiting for the baseline that they follow. */
const MAX_WAITING = 64;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A copy of the cells of one channel, kept up to date with the rounds of its encoder. */
class ChannelMirror implements ChannelName {
  readonly tier: ChannelTier;
  readonly scale: number;
  readonly users = new Set<ChannelUser>();
  /** The mirrored cells; undefined until the first baseline arrives. */
  source: FrameMirror | undefined;
  /** Whether the mirror has all rounds that this gateway knows of. */
  isCurrent = false;
  /** Subscription to the channel's rounds. */
  subscription: Subscription | undefined;
  /** Cancels the timer for the next request, if a request has been postponed. */
  cancelAsk: (() => void) | undefined;
  /** Tick at which the last user left. */
  idleSince = 0;
  /** Size of the channel, in cells. */
  private readonly size: Size;
  private at: Pick<Round, 'epoch' | 'generation' | 'round'> | undefined;
  /** Id of the last request for a baseline; 0 before the first request. */
  private asked = 0;
  private askedAt = Number.NEGATIVE_INFINITY;
  private waiting: Round[] = [];

  /** @param room size of the room, in cells */
  constructor({ tier, scale }: ChannelName, room: Size) {
    this.tier = tier;
    this.scale = scale;
    this.size = { width: Math.ceil(room.width / scale), height: Math.ceil(room.height / scale) };
  }

  /** What the channel's users need, as it is sent to the leader. */
  get want() {
    const { tier, scale, asked: ask } = this;
    const users = [...this.users];
    const chunks = new Set(users.flatMap(({ lists }) => [...lists]).flat());
    return {
      ...{ tier, scale, ask, chunks: [...chunks].sort((a, b) => a - b) },
      isUsed: users.length > 0,
      mayReceive: users.some((user) => user.mayReceive),
    };
  }

  /**
   * Requests a baseline with the next `want`, unless the last request was too recent. Without this
   * limit, a request that has no result would be repeated in every tick.
   *
   * @param now ms
   * @param number unique id of the request
   * @returns 0 if the baseline has been requested; otherwise how long to wait before it can be, in
   *   ms
   */
  ask(now: number, number: number): number {
    this.isCurrent = false;
    this.waiting = [];
    const pause = Math.max(0, this.askedAt + REMOTE_FRAMES.askPause - now);
    if (pause === 0) {
      this.asked = number;
      this.askedAt = now;
    }
    return pause;
  }

  /**
   * Returns whether the mirror still lacks a baseline that it requested at the given time, in ms,
   * or earlier.
   */
  isOverdue(since: number): boolean {
    return !this.isCurrent && this.asked > 0 && this.askedAt <= since;
  }

  isAt({ generation, round }: Pick<RoundName, 'generation' | 'round'>): boolean {
    return this.at?.generation === generation && this.at.round === round;
  }

  /**
   * Applies a round now or, if the mirror is waiting for a baseline, after the baseline.
   *
   * @returns false if a new baseline is needed
   */
  take(round: Round): boolean {
    if (!this.isCurrent) {
      this.waiting = [...this.waiting.slice(1 - MAX_WAITING), round];
      return true;
    }
    const { epoch, generation, round: number } = round;
    if (!this.isAt({ generation, round: number - 1 })) return false;
    try {
      this.source!.apply(
        round.deltas.map(([chunk, version, block]) => ({ chunk, version, block })),
      );
    } catch (error) {
      if (error instanceof FrameError) return false;
      throw error;
    }
    this.at = { epoch, generation, round: number };
    return true;
  }

  /**
   * Decompresses a baseline.
   *
   * @returns its cells; undefined if the baseline does not answer the last request or is damaged
   */
  async unpack({ ask, cells }: Baseline): Promise<Uint8Array | undefined> {
    const { width, height } = this.size;
    const maxOutputLength = 16 * (width + 1) * (height + 1);
    const bytes = await decompress(cells, { maxOutputLength }).catch(() => undefined);
    return ask === this.asked && !this.isCurrent ? bytes : undefined;
  }

  /**
   * Replaces the mirror's cells with those of a baseline, and applies the rounds that follow the
   * baseline.
   *
   * @param now ms
   * @returns false if another baseline is needed
   */
  restore({ epoch, generation, round }: Baseline, cells: Uint8Array, now: number): boolean {
    const isSame = this.at?.epoch === epoch && this.at.generation === generation;
    const source = isSame ? this.source! : new FrameMirror(this.size, this.scale);
    try {
      source.restore(cells);
    } catch (error) {
      // Do nothing, because a new baseline is requested when this one is overdue.
      if (error instanceof FrameError) return true;
      throw error;
    }
    this.source = source;
    this.at = { epoch, generation, round };
    this.isCurrent = true;
    const next = this.waiting.filter((one) => one.generation !== generation || one.round > round);
    this.waiting = [];
    const isWhole = next.every((one) => this.take(one));
    if (!isSame) for (const user of this.users) user.useSource(source, now);
    return isWhole;
  }
}

export interface RemoteFramesOptions {
  readonly bus: Bus;
  /** Id of the room. */
  readonly room: string;
  /** Size of the room, in cells. */
  readonly size: Size;
  readonly clock: Clock;
  /**
   * Called after each tick of the leader while viewers of this gateway are looking at the room.
   *
   * @param now ms
   */
  readonly onTick: (now: number) => void;
}

export class RemoteFrames implements FrameFeed {
  tick = 0;
  /** Whether `tick` is outdated, or comes from another leader. */
  private isTickOld = true;
  /** Highest epoch of any leader heard so far. */
  private epoch = 0;
  private readonly id = randomUUID();
  private readonly names: ReturnType<typeof busNames>;
  private readonly mirrors = new Map<string, ChannelMirror>();
  private asks = 0;
  private readonly subscriptions: Subscription[];
  /** Resolves once ticks and baselines can arrive. */
  private readonly opened: Promise<void>;
  /** The last `WANTS` message that was sent to the leader. */
  private sent: Uint8Array = WANTS.encode({ gateway: this.id, wants: [] });
  private cancelSend: (() => void) | undefined;
  private cancelBeat: () => void;
  private isClosed = false;

  constructor(private readonly options: RemoteFramesOptions) {
    const { bus, clock, room } = options;
    this.names = busNames(room);
    this.subscriptions = [bus.onGap(() => this.askAll())];
    this.opened = this.open();
    this.cancelBeat = clock.after(REMOTE_FRAMES.beat, this.beat);
  }

  /**
   * Whether the mirrors of all channels with viewers have all rounds that this gateway knows of.
   */
  get isCurrent(): boolean {
    return this.used.every(({ isCurrent }) => isCurrent);
  }

  join(name: ChannelName, user: ChannelUser): FrameMirror | undefined {
    // While the gateway wants no channel, the leader sends it no ticks, so the last known tick
    // becomes outdated.
    if (this.mirrors.size === 0) this.isTickOld = true;
    let mirror = this.mirrors.get(keyOf(name));
    if (!mirror) {
      mirror = new ChannelMirror(name, this.options.size);
      this.mirrors.set(keyOf(name), mirror);
      void this.follow(mirror);
    }
    mirror.users.add(user);
    this.wantedChanged();
    return mirror.source;
  }

  leave(name: ChannelName, user: ChannelUser): void {
    const mirror = this.mirrors.get(keyOf(name));
    if (!mirror?.users.delete(user)) return;
    mirror.idleSince = this.tick;
    this.wantedChanged();
  }

  wantedChanged(): void {
    // Viewers join, leave, move and acknowledge frames all the time, so limit how often the leader
    // is informed.
    if (this.isClosed) return;
    this.cancelSend ??= this.options.clock.after(REMOTE_FRAMES.wantsDelay, () => this.send());
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancelSend?.();
    this.cancelBeat();
    for (const subscription of this.subscriptions) subscription.close();
    for (const mirror of this.mirrors.values()) this.drop(mirror);
    this.options.bus.publish(this.names.wants, WANTS.encode({ gateway: this.id, wants: [] }));
  }

  private get used(): readonly ChannelMirror[] {
    return [...this.mirrors.values()].filter(({ users }) => users.size > 0);
  }

  private async open(): Promise<void> {
    const { names } = this;
    const ticks = await this.subscribe(names.tick, (bytes) => {
      const end = TICK_END.decode(bytes);
      if (end) this.endTick(end);
    });
    const baselines = await this.subscribe(names.to(this.id), (bytes) => {
      const baseline = BASELINE.decode(bytes);
      if (baseline) void this.takeBaseline(baseline);
    });
    for (const one of [ticks, baselines]) if (one) this.subscriptions.push(one);
    if (this.isClosed) for (const one of this.subscriptions) one.close();
  }

  /**
   * Subscribes to a channel. Invalid messages must be ignored, because a server of another release
   * may send another version while the cluster is being updated.
   *
   * @returns undefined if the bus is closed
   */
  private subscribe(channel: string, listener: Listener): Promise<Subscription | undefined> {
    return this.options.bus.subscribe(channel, listener).catch(() => undefined);
  }

  private async follow(mirror: ChannelMirror): Promise<void> {
    await this.opened;
    const subscription = await this.subscribe(this.names.channel(mirror), (bytes) => {
      const round = ROUND.decode(bytes);
      if (round && !this.isOutdated(round.epoch) && !mirror.take(round)) this.ask(mirror);
    });
    if (!subscription) return;
    if (this.mirrors.get(keyOf(mirror)) !== mirror) {
      subscription.close();
      return;
    }
    mirror.subscription = subscription;
    // Request the baseline only now that rounds can arrive; otherwise, a round that follows the
    // baseline might be missed.
    this.ask(mirror);
  }

  private async takeBaseline(baseline: Baseline): Promise<void> {
    const mirror = this.mirrors.get(keyOf(baseline));
    if (!mirror || this.isOutdated(baseline.epoch)) return;
    const cells = await mirror.unpack(baseline);
    if (!cells || this.isClosed || this.isOutdated(baseline.epoch)) return;
    // Set the tick first, because the first frame must contain the tick that it shows.
    if (this.isTickOld) this.setTick(baseline.tick);
    if (!mirror.restore(baseline, cells, this.options.clock.now())) this.ask(mirror);
    // Viewers that were waiting for the baseline now look at this channel's chunks, so report them.
    this.wantedChanged();
  }

  private endTick({ epoch, tick, rounds }: TickEnd): void {
    if (this.isOutdated(epoch)) return;
    this.setTick(tick);
    for (const round of rounds) {
      const mirror = this.mirrors.get(keyOf(round));
      if (mirror?.isCurrent && !mirror.isAt(round)) this.ask(mirror);
    }
    for (const mirror of this.mirrors.values()) {
      if (mirror.users.size > 0 || isFresh(mirror.idleSince, tick)) continue;
      this.drop(mirror);
      this.wantedChanged();
    }
    if (this.used.length > 0) this.options.onTick(this.options.clock.now());
  }

  /**
   * Returns whether an epoch is outdated. If it is newer than any epoch so far, all mirrors request
   * new baselines.
   */
  private isOutdated(epoch: number): boolean {
    if (epoch > this.epoch) {
      this.epoch = epoch;
      this.isTickOld = true;
      this.askAll();
    }
    return epoch < this.epoch;
  }

  private setTick(tick: number): void {
    this.tick = tick;
    this.isTickOld = false;
  }

  private askAll(): void {
    for (const mirror of this.mirrors.values()) this.ask(mirror);
  }

  /** Requests a baseline. Until it arrives, viewers keep the cells that they have. */
  private ask(mirror: ChannelMirror): void {
    if (mirror.users.size === 0) {
      this.drop(mirror);
      return;
    }
    // Do nothing without a subscription, because `follow` requests a baseline once it has
    // subscribed.
    if (!mirror.subscription) return;
    const { clock } = this.options;
    const pause = mirror.ask(clock.now(), ++this.asks);
    if (pause > 0) {
      mirror.cancelAsk ??= clock.after(pause, () => {
        mirror.cancelAsk = undefined;
        if (!mirror.isCurrent) this.ask(mirror);
      });
    }
    this.send();
  }

  private drop(mirror: ChannelMirror): void {
    this.mirrors.delete(keyOf(mirror));
    mirror.cancelAsk?.();
    mirror.subscription?.close();
  }

  /** Tells the leader that this gateway is still running, and repeats unanswered requests. */
  private readonly beat = (): void => {
    const { clock } = this.options;
    this.cancelBeat = clock.after(REMOTE_FRAMES.beat, this.beat);
    for (const mirror of this.used) {
      if (mirror.isOverdue(clock.now() - REMOTE_FRAMES.beat)) mirror.ask(clock.now(), ++this.asks);
    }
    this.send(this.mirrors.size > 0);
  };

  private send(always = false): void {
    this.cancelSend?.();
    this.cancelSend = undefined;
    const wants = WANTS.encode({
      gateway: this.id,
      wants: [...this.mirrors.values()].map(({ want }) => want),
    });
    if (!always && Buffer.compare(wants, this.sent) === 0) return;
    this.sent = wants;
    this.options.bus.publish(this.names.wants, wants);
  }
}
