/**
 * The channels in which the frames of a room are encoded, and the encoders of a room that runs in
 * this process. A channel is a pair of a tier (level of detail) and a scale, and is encoded once
 * for all its viewers.
 */
import { randomInt } from 'node:crypto';
import { chunkRect, chunksWithin, type Planes } from '../../../shared/codec/chunks.ts';
import { FrameEncoder, View } from '../../../shared/codec/frame-encoder.ts';
import type { FrameSource } from '../../../shared/codec/frame-source.ts';
import { isDue, TIERS, type Tier } from '../../../shared/codec/tiers.ts';
import { getOrAdd } from '../../platform/collections.ts';

/**
 * The tiers of channels: those of viewers, and `halfOdd`. In a crowd, some viewers of the tier
 * `half` use the channel tier `half` and are sent frames in even ticks. The others use `halfOdd`
 * and are sent frames in odd ticks. The work is thus spread over two ticks.
 */
export const CHANNEL_TIERS = {
  ...TIERS,
  halfOdd: { ...TIERS.half, after: 1 },
} as const satisfies Record<string, Tier>;
export type ChannelTier = keyof typeof CHANNEL_TIERS;

export interface ChannelName {
  readonly tier: ChannelTier;
  /**
   * Side of the square of the room that is streamed as one cell; a power of two, in cells of the
   * room.
   */
  readonly scale: number;
}

export const keyOf = ({ tier, scale }: ChannelName): string => `${tier} ${scale}`;

/** Represents the viewers of a channel in one process. */
export interface ChannelUser {
  /** Whether at least one of the viewers can take a frame now. */
  readonly mayReceive: boolean;
  /**
   * The list of visible chunks of each viewer. Viewers that see the same chunks have the same list.
   */
  readonly lists: Iterable<readonly number[]>;
  /**
   * Called when the channel has got its first source, or another source.
   *
   * @param now current time, in ms
   */
  useSource(source: FrameSource, now: number): void;
}

/** Returns all chunks that viewers of the given channel users see. */
export const chunksOf = (users: readonly ChannelUser[]): ReadonlySet<number> =>
  new Set([...new Set(users.flatMap(({ lists }) => [...lists]))].flat());

/**
 * Provides the content of the frames of a room. On the room's server, encoders provide it. On a
 * gateway, copies of the room's cells provide it.
 */
export interface FrameFeed {
  /** Tick that the latest frames show. */
  readonly tick: number;
  /**
   * Adds a user to a channel.
   *
   * @returns the source of the channel; undefined if there is none yet. The user then gets it
   *   later, through `useSource`
   */
  join(channel: ChannelName, user: ChannelUser): FrameSource | undefined;
  /** Removes a user from a channel. After its last user has left, a channel is kept for a while. */
  leave(channel: ChannelName, user: ChannelUser): void;
  /** Must be called whenever viewers may have started to see other chunks. */
  wantedChanged?(): void;
  close?(): void;
}

/**
 * Number of ticks for which a channel without users is kept. If a viewer zooms out and soon zooms
 * in again, its previous channel still exists, so its cells need not be encoded anew.
 */
const IDLE_TICKS = 30;

/**
 * Returns whether a channel without users must be kept a little longer. Restoring a room may set
 * its tick back, so `tick` may be lower than `idleSince`.
 *
 * @param idleSince tick in which the channel's last user left
 * @param tick the current tick
 */
export const isFresh = (idleSince: number, tick: number): boolean =>
  Math.abs(tick - idleSince) < IDLE_TICKS;

export interface EncoderChannel extends ChannelName {
  readonly encoder: FrameEncoder;
  /** Number of the encoder, unique even across processes. */
  readonly generation: number;
  readonly users: Set<ChannelUser>;
  /** Tick in which the last user left the channel. */
  idleSince: number;
}

/**
 * Updates copies of a room's cells after each tick, and encodes the changes. A chunk is encoded
 * once per channel, for all users of the channel.
 */
export class RoomEncoders implements FrameFeed {
  /**
   * Copy of the room after the last tick. The room's own planes must not be encoded, because a tick
   * that is in progress, but has not been stored yet, changes them. All scaled views are made from
   * this copy.
   */
  private readonly base = new View(this.planes, 1);
  /**
   * For each scale, a copy of the room at this scale. `base` must be the first one, so that it is
   * updated first, because the others are made from it.
   */
  private readonly views = new Map([[1, this.base]]);
  private readonly channels = new Map<string, EncoderChannel>();
  /**
   * The next value of `generation`. The values start at a random number, so that no two processes
   * use the same ones.
   */
  private generations = randomInt(2 ** 40);

  /**
   * @param planes the room's planes. They must be read only between two ticks, never during a tick
   */
  constructor(
    private readonly planes: Planes,
    public tick: number,
  ) {}

  join(name: ChannelName, user: ChannelUser): FrameEncoder {
    return this.use(name, user).encoder;
  }

  /** Adds a user to a channel. Opens the channel if it is not open. */
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
   * Updates all views with the changes of a tick. A view is a copy of the room at one scale.
   *
   * @param changed chunks of the room that have changed
   */
  follow(tick: number, changed: readonly number[]): void {
    this.tick = tick;
    this.forgetIdle();
    for (const view of this.views.values()) this.update(view, changed);
  }

  /**
   * Encodes the changes of the last tick. A channel is encoded only if its tier is sent a frame in
   * this tick, and if one of its viewers can be sent a frame now.
   *
   * @returns the channels that have been encoded
   */
  advance(): readonly EncoderChannel[] {
    const { tick } = this;
    const advanced: EncoderChannel[] = [];
    for (const channel of this.channels.values()) {
      if (!isDue(CHANNEL_TIERS[channel.tier], tick)) continue;
      const users = [...channel.users];
      if (!users.some(({ mayReceive }) => mayReceive)) continue;
      const wanted = chunksOf(users);
      channel.encoder.advance(tick, (chunk) => wanted.has(chunk));
      advanced.push(channel);
    }
    return advanced;
  }

  /**
   * Copies chunks of the room that have changed to a view, which is a copy of the room at one
   * scale. Marks the chunks of the view that differ from before as changed, in all encoders that
   * use this view.
   */
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
