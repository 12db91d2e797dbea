/**
 * The source of a room's frames: the encoders of this process, or another process that runs the
 * room.
 */
import type { FrameSource } from '../../../shared/codec/frame-source.ts';
import { TIERS, type Tier } from '../../../shared/codec/tiers.ts';

/**
 * The tiers that are encoded. Viewers of `half` are split between `half` and `halfOdd`: some get
 * frames in even ticks and the others in odd ticks, so that a crowd is not served all at the same
 * time.
 */
export const CHANNEL_TIERS = {
  ...TIERS,
  halfOdd: { ...TIERS.half, after: 1 },
} as const satisfies Record<string, Tier>;
export type ChannelTier = keyof typeof CHANNEL_TIERS;

/** Identifies a channel: a tier at a scale, encoded once for all its viewers. */
export interface ChannelName {
  readonly tier: ChannelTier;
  /** Side of the square that one sent cell covers, in cells of the room; a power of two. */
  readonly scale: number;
}

export const keyOf = ({ tier, scale }: ChannelName): string => `${tier} ${scale}`;

/** The viewers of a channel in one process. */
export interface ChannelUser {
  /** Whether at least one of the viewers can take a frame now. */
  readonly mayReceive: boolean;
  /**
   * Lists of the chunks that the viewers look at. Viewers that see the same chunks share one list.
   */
  readonly lists: Iterable<readonly number[]>;
  /**
   * Switches to a new source for the channel: its first source, or a replacement.
   *
   * @param now ms
   */
  useSource(source: FrameSource, now: number): void;
}

export interface FrameFeed {
  /** Tick of the latest frames. */
  readonly tick: number;
  /**
   * Adds a user to a channel.
   *
   * @returns the channel's source; undefined if the user will receive the source later
   */
  join(channel: ChannelName, user: ChannelUser): FrameSource | undefined;
  /** Removes a user from a channel. A channel without users is kept for a while. */
  leave(channel: ChannelName, user: ChannelUser): void;
  /** Call this when users may have begun to look at other chunks. */
  wantedChanged?(): void;
  close?(): void;
}

/**
 * Number of ticks for which an unused channel is kept, so that nothing is encoded again if a viewer
 * zooms in and out.
 */
const IDLE_TICKS = 30;

/**
 * Returns whether a channel is still kept if it has been unused since the tick `idleSince`. The
 * current tick may be earlier than `idleSince`, because restoring a room sets its tick back.
 */
export const isFresh = (idleSince: number, tick: number): boolean =>
  Math.abs(tick - idleSince) < IDLE_TICKS;
