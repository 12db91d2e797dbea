/**
 * The streams of a room to all its viewers. Those of this server come from its broadcaster; other
 * servers make the frames of those that are connected there.
 */
import type { AddOptions, RoomBroadcaster } from './room-broadcaster.ts';
import type { Viewer, Viewport } from './viewer-stream.ts';

/** A viewer whose frames are made where it is connected. */
export interface RemoteViewer extends Viewer {
  /** What it looks at, as far as is known here; undefined while its page is hidden. */
  viewport: Viewport | undefined;
  startStream(viewport: Viewport, options: AddOptions): void;
  stopStream(): void;
}

const isRemote = (viewer: Viewer): viewer is RemoteViewer => 'startStream' in viewer;

export class RoomStreams {
  /** Those with a stream. */
  private readonly remote = new Set<RemoteViewer>();

  constructor(private readonly local: RoomBroadcaster) {}

  /** Viewers that are connected to this server. */
  get localSize(): number {
    return this.local.size;
  }

  /** See `RoomBroadcaster.skippedFrames`. */
  get skippedFrames(): number {
    return this.local.skippedFrames;
  }

  /** See `RoomBroadcaster.add`. */
  add(viewer: Viewer, viewport: Viewport, now: number, options: AddOptions = {}): void {
    if (isRemote(viewer)) {
      this.remote.add(viewer);
      viewer.startStream(viewport, options);
    } else this.local.add(viewer, viewport, now, options);
  }

  /** Stops streaming to a viewer. */
  remove(viewer: Viewer): void {
    if (!isRemote(viewer)) this.local.remove(viewer);
    else if (this.remote.delete(viewer)) viewer.stopStream();
  }

  /** Sets what a viewer looks at; undefined while its page is hidden. */
  setViewport(viewer: Viewer, viewport: Viewport | undefined, now: number): void {
    if (!isRemote(viewer)) this.local.setViewport(viewer, viewport, now);
    else if (this.remote.has(viewer)) viewer.viewport = viewport;
  }

  /** What a viewer looks at; undefined while its page is hidden. */
  viewportOf(viewer: Viewer): Viewport | undefined {
    return isRemote(viewer) ? viewer.viewport : this.local.viewportOf(viewer);
  }

  /** A viewer has drawn the frame of a tick and all before it. */
  acknowledge(viewer: Viewer, tick: number, now: number): void {
    if (!isRemote(viewer)) this.local.acknowledge(viewer, tick, now);
  }

  /** A viewer needs some chunks in full. */
  resync(viewer: Viewer, chunks: readonly number[]): void {
    if (!isRemote(viewer)) this.local.resync(viewer, chunks);
  }

  /** Whether a viewer gets events in this tick. */
  hasTurn(viewer: Viewer, tick: number): boolean {
    return isRemote(viewer) || this.local.hasTurn(viewer, tick);
  }

  /** See `RoomBroadcaster.publish`. */
  publish(now: number): void {
    this.local.publish(now);
  }
}
