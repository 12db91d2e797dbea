/** Where the frames of a room come from: its own encoders, or the process that runs the room. */

import type { FrameSource } from '../../../shared/codec/frame-source.ts';
import { TIERS, type Tier, type TierName } from '../../../shared/codec/tiers.ts';
import type { ViewerStream } from './viewer-stream.ts';

/**
 * What is encoded. The viewers of `half` are served by two: some in even ticks, the others in odd
 * ones, so that a crowd is not served all at once.
 */
export const CHANNEL_TIERS = {
  ...TIERS,
  halfOdd: { ...TIERS.half, after: 1 },
} as const satisfies Record<string, Tier>;
export type ChannelTier = keyof typeof CHANNEL_TIERS;

/** The tier that viewers of a channel have. */
export const tierOfChannel = (tier: ChannelTier): TierName => (tier === 'halfOdd' ? 'half' : tier);

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

export class ViewerChannel implements ChannelUser {
  /** undefined until it is there. */
  source: FrameSource | undefined;
  readonly streams = new Set<ViewerStream>();
  /** Those who come over once the source is there. */
  readonly waiting = new Set<ViewerStream>();

  /** @param settle takes a waiting viewer over */
  constructor(
    readonly tier: ChannelTier,
    readonly scale: number,
    private readonly settle: (stream: ViewerStream, now: number) => void,
  ) {}

  get mayReceive(): boolean {
    for (const { mayReceive } of this.streams) if (mayReceive) return true;
    return false;
  }

  get lists(): Iterable<readonly number[]> {
    const lists = new Set<readonly number[]>();
    for (const { chunks } of this.streams) lists.add(chunks);
    return lists;
  }

  useSource(source: FrameSource, now: number): void {
    this.source = source;
    for (const stream of this.streams) stream.switchSource(source);
    for (const stream of [...this.waiting]) {
      this.waiting.delete(stream);
      this.settle(stream, now);
    }
  }
}
