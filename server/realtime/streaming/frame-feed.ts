/** Where the frames of a room come from: its own encoders, or the process that runs the room. */
import type { FrameSource } from '../../../shared/codec/frame-source.ts';
import type { ChannelTier } from './channel-tiers.ts';

/** A tier at a scale: what is encoded once for all its viewers. */
export interface ChannelName {
  readonly tier: ChannelTier;
  /** Side, in cells of the room, of the square that one sent cell covers; a power of two. */
  readonly scale: number;
}

/** Those of one process, or of another, who look at a channel. */
export interface ChannelUser {
  /** Whether any of them can take a frame now. */
  readonly mayReceive: boolean;
  /** The chunks that they look at. Those who see the same share one list. */
  readonly lists: Iterable<readonly number[]>;
  /**
   * The channel's source is there, or another one takes its place.
   *
   * @param now ms
   */
  useSource(source: FrameSource, now: number): void;
}

export interface FrameFeed {
  /** Cells. */
  readonly width: number;
  /** Cells. */
  readonly height: number;
  /** The tick of the last frames. */
  readonly tick: number;
  /** @returns the channel's source, if it is there; else the user is told once it is */
  join(channel: ChannelName, user: ChannelUser): FrameSource | undefined;
  /** A channel without users is kept for a while. */
  leave(channel: ChannelName, user: ChannelUser): void;
  /** What users want may have changed. */
  wantedChanged(): void;
}

export const keyOf = ({ tier, scale }: ChannelName): string => `${tier} ${scale}`;

/**
 * Ticks for which a channel without users is kept, so that zooming in and out re-encodes nothing.
 */
export const IDLE_TICKS = 30;

/** Whether a channel that nobody has used since a tick is kept. A restored room may go back. */
export const isFresh = (idleSince: number, tick: number): boolean =>
  Math.abs(tick - idleSince) < IDLE_TICKS;
