/**
 * The frames of a room that runs elsewhere. This process tells the room's owner which chunks its
 * viewers look at, and keeps what they hold, so that it serves them as the owner would.
 */
import { randomUUID } from 'node:crypto';
import { FrameError } from '../../../shared/codec/frame.ts';
import type { FrameMirror } from '../../../shared/codec/frame-source.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Bus, Subscription } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import {
  type ChannelName,
  type ChannelUser,
  type FrameFeed,
  isFresh,
  keyOf,
} from './frame-feed.ts';
import {
  type Baseline,
  busNames,
  readBaseline,
  readRound,
  readTickEnd,
  writeWants,
} from './frame-messages.ts';
import { ChannelMirror } from './frame-publisher.ts';

const { beat, wantsDelay } = DEFAULTS.cluster.frames;

export interface RemoteFramesOptions {
  readonly bus: Bus;
  /** Id of the room. */
  readonly room: string;
  /** Of the room, cells. */
  readonly size: { readonly width: number; readonly height: number };
  readonly clock: Clock;
  /**
   * Called after each tick of the owner, while anybody here looks at the room.
   *
   * @param now ms
   */
  readonly onTick: (tick: number, now: number) => void;
}

export class RemoteFrames implements FrameFeed {
  readonly width: number;
  readonly height: number;
  tick = 0;
  /** Whether `tick` is of an earlier time, or of another owner. */
  private isTickOld = true;
  /** Of the newest owner that was heard of. */
  private epoch = 0;
  private readonly id = randomUUID();
  private readonly names: ReturnType<typeof busNames>;
  private readonly mirrors = new Map<string, ChannelMirror>();
  private asks = 0;
  private subscriptions: readonly Subscription[] = [];
  /** The wants as they were sent last. */
  private sent: Uint8Array = new Uint8Array(0);
  private cancelSend: (() => void) | undefined;
  private cancelBeat = (): void => {};
  private isClosed = false;

  private constructor(private readonly options: RemoteFramesOptions) {
    const { size, room } = options;
    this.width = size.width;
    this.height = size.height;
    this.names = busNames(room);
  }

  /** @throws Error the bus has been closed */
  static async open(options: RemoteFramesOptions): Promise<RemoteFrames> {
    const frames = new RemoteFrames(options);
    const { bus } = options;
    frames.subscriptions = [
      bus.onGap(() => frames.askAll()),
      await bus.subscribe(
        frames.names.tick,
        readable((message) => frames.endTick(message)),
      ),
      await bus.subscribe(
        frames.names.to(frames.id),
        readable((message) => void frames.takeBaseline(readBaseline(message))),
      ),
    ];
    frames.beat();
    return frames;
  }

  /** Whether all that viewers look at is as the owner has it, so far as is known here. */
  get isCurrent(): boolean {
    return this.used.every(({ isCurrent }) => isCurrent);
  }

  join(name: ChannelName, user: ChannelUser): FrameMirror | undefined {
    // While nothing is wanted, no ticks are told either.
    if (this.mirrors.size === 0) this.isTickOld = true;
    let mirror = this.mirrors.get(keyOf(name));
    if (!mirror) {
      mirror = new ChannelMirror(name, this);
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
    // Viewers come, go, look elsewhere and acknowledge at any time: the owner hears of it seldom.
    this.cancelSend ??= this.options.clock.after(wantsDelay, () => this.send());
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancelSend?.();
    this.cancelBeat();
    for (const subscription of this.subscriptions) subscription.close();
    for (const mirror of this.mirrors.values()) this.drop(mirror);
    this.options.bus.publish(this.names.wants, writeWants({ gateway: this.id, wants: [] }));
  }

  private get used(): readonly ChannelMirror[] {
    return [...this.mirrors.values()].filter(({ users }) => users.size > 0);
  }

  private async follow(mirror: ChannelMirror): Promise<void> {
    const { bus } = this.options;
    const listener = readable((message) => this.takeRound(mirror, message));
    const subscribed = bus.subscribe(this.names.channel(mirror), listener);
    const subscription = await subscribed.catch(() => undefined);
    if (!subscription) return;
    if (this.mirrors.get(keyOf(mirror)) !== mirror) {
      subscription.close();
      return;
    }
    mirror.subscription = subscription;
    // Not before: it must miss no round that follows the baseline.
    this.ask(mirror);
  }

  private takeRound(mirror: ChannelMirror, message: Uint8Array): void {
    const round = readRound(message);
    if (this.isOutdated(round.epoch)) return;
    if (!mirror.take(round)) this.ask(mirror);
  }

  private async takeBaseline(baseline: Baseline): Promise<void> {
    const mirror = this.mirrors.get(keyOf(baseline));
    if (!mirror || this.isOutdated(baseline.epoch)) return;
    const cells = await mirror.unpack(baseline);
    if (!cells || this.isClosed || this.isOutdated(baseline.epoch)) return;
    // The first frame bears the tick that it shows.
    if (this.isTickOld) this.setTick(baseline.tick);
    if (!mirror.restore(baseline, cells, this.options.clock.now())) this.ask(mirror);
    // Viewers that have waited for it look at its chunks from now on.
    this.wantedChanged();
  }

  private endTick(message: Uint8Array): void {
    const { epoch, tick, rounds } = readTickEnd(message);
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
    if (this.used.length > 0) this.options.onTick(tick, this.options.clock.now());
  }

  /** Whether an epoch is over. With a new one, everything begins again. */
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

  /** Asks for a baseline. Until it comes, viewers keep what they have. */
  private ask(mirror: ChannelMirror): void {
    if (mirror.users.size === 0) {
      this.drop(mirror);
      return;
    }
    // Once it follows its channel, it asks by itself.
    if (!mirror.subscription) return;
    const { clock } = this.options;
    const pause = mirror.ask(clock.now(), ++this.asks);
    if (pause > 0) mirror.cancelAsk ??= clock.after(pause, () => this.askAgain(mirror));
    this.send();
  }

  /** The baseline that it has waited for may have come meanwhile. */
  private askAgain(mirror: ChannelMirror): void {
    mirror.cancelAsk = undefined;
    if (!mirror.isCurrent) this.ask(mirror);
  }

  private drop(mirror: ChannelMirror): void {
    this.mirrors.delete(keyOf(mirror));
    mirror.cancelAsk?.();
    mirror.subscription?.close();
  }

  /** Says that it is still there, and asks again for what has not come. */
  private beat(): void {
    const { clock } = this.options;
    this.cancelBeat = clock.after(beat, () => this.beat());
    for (const mirror of this.used) {
      if (mirror.isOverdue(clock.now() - beat)) mirror.ask(clock.now(), ++this.asks);
    }
    this.send(this.mirrors.size > 0);
  }

  private send(always = false): void {
    this.cancelSend?.();
    this.cancelSend = undefined;
    const wants = writeWants({
      gateway: this.id,
      wants: [...this.mirrors.values()].map(({ want }) => want),
    });
    if (!always && Buffer.compare(wants, this.sent) === 0) return;
    this.sent = wants;
    this.options.bus.publish(this.names.wants, wants);
  }
}

/** Skips messages that cannot be read: they are of another version, as while servers are updated. */
const readable =
  (take: (message: Uint8Array) => void) =>
  (message: Uint8Array): void => {
    try {
      take(message);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
    }
  };
