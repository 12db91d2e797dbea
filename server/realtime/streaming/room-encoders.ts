/**
 * Encodes the frames of a room. Viewers with the same tier (level of detail) and scale share a
 * channel, and each channel is encoded once.
 */
import { randomInt } from 'node:crypto';
import { chunkRect, chunksWithin, type Planes } from '../../../shared/codec/chunks.ts';
import { FrameEncoder, View } from '../../../shared/codec/frame-encoder.ts';
import type { FrameSource } from '../../../shared/codec/frame-source.ts';
import { isDue, TIERS, type Tier } from '../../../shared/codec/tiers.ts';
import { getOrAdd } from '../../platform/collections.ts';

/**
 * The tiers, and `halfOdd`: the tier `half` with frames in odd ticks instead of even ticks. In a
 * crowd, some viewers use `halfOdd`, to spread the work over all ticks.
 */
export const CHANNEL_TIERS = {
  ...TIERS,
  halfOdd: { ...TIERS.half, after: 1 },
} as const satisfies Record<string, Tier>;
export type ChannelTier = keyof typeof CHANNEL_TIERS;

export interface ChannelName {
  readonly tier: ChannelTier;
  /** Side length, in cells, of the square that is streamed as a single cell; a power of two. */
  readonly scale: number;
}

export const keyOf = ({ tier, scale }: ChannelName): string => `${tier} ${scale}`;

/** The viewers of a channel in one process. */
export interface ChannelUser {
  /** Whether at least one viewer can take a frame now. */
  readonly mayReceive: boolean;
  /** The visible chunks of each viewer. Viewers that see the same chunks share one list. */
  readonly lists: Iterable<readonly number[]>;
  /**
   * Called when the channel gets its first source, and whenever another source replaces it.
   *
   * @param now current time, in ms
   */
  useSource(source: FrameSource, now: number): void;
}

/** Returns all chunks that viewers of the given channel users see. */
export const chunksOf = (users: readonly ChannelUser[]): ReadonlySet<number> =>
  new Set([...new Set(users.flatMap(({ lists }) => [...lists]))].flat());

/**
 * Provides the content of a room's frames: on the server that runs the room, from encoders
 * (`RoomEncoders`); on a gateway, from copies of the room's cells (`FrameMirrors`).
 */
export interface FrameFeed {
  /** Tick of the latest frames. */
  readonly tick: number;
  /**
   * Adds a user to a channel.
   *
   * @returns the channel's source; undefined if the user gets the source later, through `useSource`
   */
  join(channel: ChannelName, user: ChannelUser): FrameSource | undefined;
  /** Removes a user from a channel. A channel without users is kept for a while. */
  leave(channel: ChannelName, user: ChannelUser): void;
  /** Call whenever viewers may see other chunks, or may be able to take frames again. */
  wantedChanged?(): void;
  close?(): void;
}

/**
 * Number of ticks for which a channel without users is kept, in case viewers soon return to the
 * channel.
 */
const IDLE_TICKS = 30;

/**
 * Returns whether to keep a channel without users a little longer. Ignores the sign of the
 * difference, because after a room is restored, `tick` may be lower than `idleSince`.
 *
 * @param idleSince tick in which the channel's last user left
 */
export const isFresh = (idleSince: number, tick: number): boolean =>
  Math.abs(tick - idleSince) < IDLE_TICKS;

export interface EncoderChannel extends ChannelName {
  readonly encoder: FrameEncoder;
  /** Id of the encoder, unique even across processes. */
  readonly generation: number;
  readonly users: Set<ChannelUser>;
  /** Tick in which the last user left the channel. */
  idleSince: number;
}

/** Encodes the changes of a room's cells after each tick, once per channel. */
export class RoomEncoders implements FrameFeed {
  /**
   * Copy of the room after the latest tick whose changes may be sent. The original (`planes`) may
   * already contain a later tick.
   */
  private readonly base = new View(this.planes, 1);
  /**
   * Copies of the room, by scale. They are updated in the order of this map. `base` must be first,
   * because the other copies are computed from it.
   */
  private readonly views = new Map([[1, this.base]]);
  private readonly channels = new Map<string, EncoderChannel>();
  /**
   * The next value of `generation`. Starts at a random number, so that processes use different
   * values.
   */
  private generations = randomInt(2 ** 40);

  /** @param planes the room's planes (colours and owners of all cells), read only between ticks */
  constructor(
    private readonly planes: Planes,
    public tick: number,
  ) {}

  join(name: ChannelName, user: ChannelUser): FrameEncoder {
    return this.use(name, user).encoder;
  }

  /** Adds a user to a channel, which is opened if necessary. */
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
   * Updates the copies of the room at all scales with the changes of a tick.
   *
   * @param changed chunks of the room that have changed
   */
  follow(tick: number, changed: readonly number[]): void {
    this.tick = tick;
    this.forgetIdle();
    for (const view of this.views.values()) this.update(view, changed);
  }

  /**
   * Encodes the changes of the last tick. Skips channels that are not due in this tick, and
   * channels without a viewer that can take a frame.
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
      channel.encoder.advance(tick, chunksOf(users));
      advanced.push(channel);
    }
    return advanced;
  }

  /**
   * Copies changed chunks of the room to a view (a copy of the room at one scale), and marks these
   * chunks as changed in the view's encoders.
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
