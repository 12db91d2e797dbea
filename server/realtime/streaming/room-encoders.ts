/**
 * The encoders of a room that runs in this process. There is one for each tier and scale in use.
 */
import { randomInt } from 'node:crypto';
import { chunkRect, chunksWithin, type Planes } from '../../../shared/codec/chunks.ts';
import { FrameEncoder, View } from '../../../shared/codec/frame-encoder.ts';
import { isDue } from '../../../shared/codec/tiers.ts';
import { getOrAdd } from '../../platform/collections.ts';
import {
  CHANNEL_TIERS,
  type ChannelName,
  type ChannelUser,
  type FrameFeed,
  isFresh,
  keyOf,
} from './frame-feed.ts';

export interface EncoderChannel extends ChannelName {
  readonly encoder: FrameEncoder;
  /** Unique to each encoder, even across processes. */
  readonly generation: number;
  readonly users: Set<ChannelUser>;
  /** Tick at which the last user left. */
  idleSince: number;
}

/**
 * Keeps copies of a room up to date, and encodes each chunk once per channel for all users of the
 * channel.
 */
export class RoomEncoders implements FrameFeed {
  /**
   * Copy of the room as it was after the last tick. All other views are made from this copy,
   * because a tick in progress changes the room's planes before it has been stored.
   */
  private readonly base: View;
  /**
   * For each scale, its view of the room. `base` must come first, because the other views read from
   * it.
   */
  private readonly views: Map<number, View>;
  private readonly channels = new Map<string, EncoderChannel>();
  /**
   * The next generation. Counting starts at a random number, so that generations are unique across
   * processes.
   */
  private generations = randomInt(2 ** 40);

  /** @param planes the room's planes, which are read only between two ticks */
  constructor(
    private readonly planes: Planes,
    public tick: number,
  ) {
    this.base = new View(planes, 1);
    this.views = new Map([[1, this.base]]);
  }

  join(name: ChannelName, user: ChannelUser): FrameEncoder {
    return this.use(name, user).encoder;
  }

  /** Adds a user to a channel. @returns the channel, which is new if nobody has used it recently */
  use(name: ChannelName, user: ChannelUser): EncoderChannel {
    const channel = getOrAdd(this.channels, keyOf(name), () => this.open(name));
    channel.users.add(user);
    return channel;
  }

  leave(name: ChannelName, user: ChannelUser): void {
    const channel = this.channels.get(keyOf(name));
    if (channel?.users.delete(user)) channel.idleSince = this.tick;
  }

  /**
   * Updates all views with the changes of a tick.
   *
   * @param changed chunks of the room that have changed
   */
  follow(tick: number, changed: readonly number[]): void {
    this.tick = tick;
    this.forgetIdle();
    for (const view of this.views.values()) this.update(view, changed);
  }

  /**
   * Encodes the changes of the last tick for those channels whose tier gets a frame in this tick.
   *
   * @returns the channels that have been encoded
   */
  advance(): readonly EncoderChannel[] {
    const { tick } = this;
    const advanced: EncoderChannel[] = [];
    for (const channel of this.channels.values()) {
      if (!isDue(CHANNEL_TIERS[channel.tier], tick)) continue;
      const users = [...channel.users];
      // Encode nothing if no viewer can receive it.
      if (!users.some(({ mayReceive }) => mayReceive)) continue;
      const wanted = new Set([...new Set(users.flatMap(({ lists }) => [...lists]))].flat());
      channel.encoder.advance(tick, (chunk) => wanted.has(chunk));
      advanced.push(channel);
    }
    return advanced;
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

  private forgetIdle(): void {
    for (const [key, channel] of this.channels) {
      if (channel.users.size > 0 || isFresh(channel.idleSince, this.tick)) continue;
      this.channels.delete(key);
      const { view } = channel.encoder;
      const isUsed = [...this.channels.values()].some(({ encoder }) => encoder.view === view);
      if (!isUsed && view !== this.base) this.views.delete(view.scale);
    }
  }

  private open({ tier, scale }: ChannelName): EncoderChannel {
    const view = getOrAdd(this.views, scale, () => new View(this.base.planes, scale));
    const encoder = new FrameEncoder(view, CHANNEL_TIERS[tier]);
    const generation = this.generations++;
    return { tier, scale, encoder, generation, users: new Set(), idleSince: this.tick };
  }
}
