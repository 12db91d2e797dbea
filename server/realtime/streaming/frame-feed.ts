/** The source of a room's frames: its own encoders, or another process that runs the room. */
import type { FrameSource } from '../../../shared/codec/frame-source.ts';
import { TIERS, type Tier } from '../../../shared/codec/tiers.ts';

/**
 * The tiers that are encoded. Viewers of `half` have two of them: some get even ticks, the others odd
 * ones, so that a crowd is not served all at the same time.
 */
export const CHANNEL_TIERS = {
  ...TIERS,
  halfOdd: { ...TIERS.half, after: 1 },
} as const satisfies Record<string, Tier>;
export type ChannelTier = keyof typeof CHANNEL_TIERS;

/** A tier at a scale, encoded once for all its viewers. */
export interface ChannelName {
  readonly tier: ChannelTier;
  /** Side, in cells of the room, of the square that one sent cell covers; a power of two. */
  readonly scale: number;
}

export const keyOf = ({ tier, scale }: ChannelName): string => `${tier} ${scale}`;

/** The viewers of a channel on one process. */
export interface ChannelUser {
  /** Whether any of them can take a frame now. */
  readonly mayReceive: boolean;
  /** The chunks that they look at. Viewers that see the same chunks share one list. */
  readonly lists: Iterable<readonly number[]>;
  /**
   * Takes the channel's source, the first or one in place of another.
   *
   * @param now ms
   */
  useSource(source: FrameSource, now: number): void;
}

export interface FrameFeed {
  /** The tick of the last frames. */
  readonly tick: number;
  /** @returns the channel's source, if there is one yet; otherwise the user gets it later */
  join(channel: ChannelName, user: ChannelUser): FrameSource | undefined;
  /** A channel without users is kept for a while. */
  leave(channel: ChannelName, user: ChannelUser): void;
  /** Reports that users may look at other chunks. */
  wantedChanged?(): void;
  close?(): void;
}

/** Ticks for which a channel without users is kept, so that zooming in and out re-encodes nothing. */
const IDLE_TICKS = 30;

/** Whether a channel that nobody has used since a tick is kept. A restored room may go back. */
export const isFresh = (idleSince: number, tick: number): boolean =>
  Math.abs(tick - idleSince) < IDLE_TICKS;
