/** The source of a room's frames: its own encoders, or another process that runs the room. */
import type { FrameSource } from '../../../shared/codec/frame-source.ts';
import { TIERS, type Tier } from '../../../shared/codec/tiers.ts';

/**
 * Tiers that are encoded. Viewers of `half` are split between two of them: some get even ticks and
 * the others odd ticks, so that a crowd is not served all at the same time.
 */
export const CHANNEL_TIERS = {
  ...TIERS,
  halfOdd: { ...TIERS.half, after: 1 },
} as const satisfies Record<string, Tier>;
export type ChannelTier = keyof typeof CHANNEL_TIERS;

/** A tier at a scale, encoded once for all its viewers. */
export interface ChannelName {
  readonly tier: ChannelTier;
  /** Side of the square that one sent cell covers, in cells of the room; a power of two. */
  readonly scale: number;
}

export const keyOf = ({ tier, scale }: ChannelName): string => `${tier} ${scale}`;

/** The viewers of a channel in one process. */
export interface ChannelUser {
  /** Whether any of the viewers can take a frame now. */
  readonly mayReceive: boolean;
  /** Chunks that the viewers look at. Viewers that see the same chunks share one list. */
  readonly lists: Iterable<readonly number[]>;
  /**
   * Switches to the channel's source, which may be the first one or a replacement.
   *
   * @param now ms
   */
  useSource(source: FrameSource, now: number): void;
}

export interface FrameFeed {
  /** Tick of the last frames. */
  readonly tick: number;
  /** Adds a user. @returns the channel's source; undefined if the user receives the source later */
  join(channel: ChannelName, user: ChannelUser): FrameSource | undefined;
  /** Removes a user. A channel without users is kept for a while. */
  leave(channel: ChannelName, user: ChannelUser): void;
  /** Reports that users may look at other chunks. */
  wantedChanged?(): void;
  close?(): void;
}

/**
 * Number of ticks for which an unused channel is kept, so that zooming in and out re-encodes
 * nothing.
 */
const IDLE_TICKS = 30;

/**
 * Returns whether a channel that has been unused since a tick is still kept. In a restored room,
 * ticks may go back.
 */
export const isFresh = (idleSince: number, tick: number): boolean =>
  Math.abs(tick - idleSince) < IDLE_TICKS;
