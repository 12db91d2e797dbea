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

/** See `RoomBroadcaster`; all methods may be called at once. */
export class RemoteStreams {
  private feed: RemoteFrames | undefined;
  private broadcaster: RoomBroadcaster | undefined;
  /** Calls before the feed is open. */
  private waiting: ((broadcaster: RoomBroadcaster) => void)[] = [];
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
    this.call((broadcaster) => broadcaster.add(viewer, viewport, now, options));
  }

  remove(viewer: Viewer): void {
    this.call((broadcaster) => broadcaster.remove(viewer));
  }

  setViewport(viewer: Viewer, viewport: Viewport | undefined, now: number): void {
    this.call((broadcaster) => broadcaster.setViewport(viewer, viewport, now));
  }

  acknowledge(viewer: Viewer, tick: number, now: number): void {
    this.call((broadcaster) => broadcaster.acknowledge(viewer, tick, now));
  }

  resync(viewer: Viewer, chunks: readonly number[]): void {
    this.call((broadcaster) => broadcaster.resync(viewer, chunks));
  }

  close(): void {
    this.isClosed = true;
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
    for (const call of this.waiting.splice(0)) call(broadcaster);
  }

  private call(work: (broadcaster: RoomBroadcaster) => void): void {
    if (this.broadcaster) work(this.broadcaster);
    else if (!this.isClosed) this.waiting.push(work);
  }
}
