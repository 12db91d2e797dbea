/** Makes the frames of a room of another server for the viewers of this one. */
import type { Bus } from '../../bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import { RemoteFrames } from '../streaming/remote-frames.ts';
import { type AddOptions, RoomBroadcaster } from '../streaming/room-broadcaster.ts';
import type { Viewer, Viewport } from '../streaming/viewer-stream.ts';

export interface RemoteStreamsOptions {
  readonly bus: Bus;
  readonly room: string;
  /** Of the room, cells. */
  readonly size: { readonly width: number; readonly height: number };
  readonly clock: Clock;
}

/** A viewer before the feed is open: it has been sent nothing that it could answer. */
interface Waiting {
  readonly viewport: Viewport;
  readonly now: number;
  readonly options: AddOptions | undefined;
  /** Sets what it looks at by now. */
  look?: (broadcaster: RoomBroadcaster) => void;
}

/** See `RoomBroadcaster`; all methods may be called at once. */
export class RemoteStreams {
  private feed: RemoteFrames | undefined;
  private broadcaster: RoomBroadcaster | undefined;
  /** Those who wait for the feed. */
  private readonly waiting = new Map<Viewer, Waiting>();
  private isClosed = false;

  constructor(options: RemoteStreamsOptions) {
    const onTick = (_: number, now: number): void => this.broadcaster?.publish(now);
    RemoteFrames.open({ ...options, onTick }).then(
      (feed) => this.begin(feed),
      // The bus has been closed.
      () => {},
    );
  }

  add(viewer: Viewer, viewport: Viewport, now: number, options?: AddOptions): void {
    if (this.broadcaster) this.broadcaster.add(viewer, viewport, now, options);
    else if (!this.isClosed) this.waiting.set(viewer, { viewport, now, options });
  }

  remove(viewer: Viewer): void {
    this.waiting.delete(viewer);
    this.broadcaster?.remove(viewer);
  }

  setViewport(viewer: Viewer, viewport: Viewport | undefined, now: number): void {
    this.broadcaster?.setViewport(viewer, viewport, now);
    const waiting = this.waiting.get(viewer);
    if (waiting) waiting.look = (broadcaster) => broadcaster.setViewport(viewer, viewport, now);
  }

  acknowledge(viewer: Viewer, tick: number, now: number): void {
    this.broadcaster?.acknowledge(viewer, tick, now);
  }

  resync(viewer: Viewer, chunks: readonly number[]): void {
    this.broadcaster?.resync(viewer, chunks);
  }

  close(): void {
    this.isClosed = true;
    this.waiting.clear();
    this.feed?.close();
  }

  private begin(feed: RemoteFrames): void {
    this.feed = feed;
    if (this.isClosed) {
      feed.close();
      return;
    }
    const broadcaster = new RoomBroadcaster(feed);
    this.broadcaster = broadcaster;
    for (const [viewer, { viewport, now, options, look }] of this.waiting) {
      broadcaster.add(viewer, viewport, now, options);
      look?.(broadcaster);
    }
    this.waiting.clear();
  }
}
