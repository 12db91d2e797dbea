/** The viewers of one tier at one scale in this process. */
import type { FrameSource } from '../../../shared/codec/frame-source.ts';
import type { ChannelTier } from './channel-tiers.ts';
import type { ChannelUser } from './frame-feed.ts';
import type { ViewerStream } from './viewer-stream.ts';

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
