/**
 * Streams one room to everybody in it: each tick is encoded once, for all; who has not acknowledged enough frames gets none
 * until it has, and then a keyframe.
 */
import { constants, deflateRawSync } from 'node:zlib';
import { chunkRect } from '../../shared/codec/chunks.ts';
import { encodeDelta, encodeKeyframe } from '../../shared/codec/encode.ts';
import { copyPlanes, type Planes } from '../../shared/codec/planes.ts';
import { DEFAULTS } from '../../shared/defaults.ts';

/** Level 6 halves the bytes of level 1 at about a millisecond a tick; Z_FILTERED would lose on long runs of zero. */
const deflate = (bytes: Uint8Array): Uint8Array =>
  deflateRawSync(bytes, { level: 6, memLevel: 9, strategy: constants.Z_DEFAULT_STRATEGY });

/** One who watches a room. */
export interface Viewer {
  /** Hands over a frame; never called with more than `maxFramesInFlight` unacknowledged. */
  sendFrame(frame: Uint8Array): void;
  /** Whether the transport has taken all that was sent before. */
  readonly writable: boolean;
}

interface Watch {
  /** Ticks of frames sent and not acknowledged. */
  inFlight: number[];
  needsKeyframe: boolean;
}

export class Roomcast {
  private readonly watches = new Map<Viewer, Watch>();
  /** The planes as every viewer in step has them: those of `streamed`. */
  private base: Planes;
  private streamed: number;
  private streamedAt = 0;
  private keyframe: Uint8Array | undefined;
  private stale = new Set<number>();
  /** Frames that were not sent because a viewer was behind. */
  skipped = 0;

  constructor(
    private readonly planes: Planes,
    tick: number,
  ) {
    this.base = copyPlanes(planes);
    this.streamed = tick;
  }

  /** A new viewer; her first frame is a keyframe of the last streamed tick. */
  add(viewer: Viewer): void {
    const watch = { inFlight: [], needsKeyframe: true };
    this.watches.set(viewer, watch);
    this.sendKeyframe(viewer, watch);
  }

  remove(viewer: Viewer): void {
    this.watches.delete(viewer);
  }

  /** A viewer has drawn the frame of a tick, and so all before it. Ticks that were not sent are passed over. */
  acknowledge(viewer: Viewer, tick: number): void {
    const watch = this.watches.get(viewer);
    if (!watch?.inFlight.includes(tick)) return;
    watch.inFlight = watch.inFlight.filter((sent) => sent > tick);
    if (watch.needsKeyframe) this.sendKeyframe(viewer, watch);
  }

  /** A viewer has lost step. */
  resync(viewer: Viewer): void {
    const watch = this.watches.get(viewer);
    if (!watch) return;
    watch.needsKeyframe = true;
    this.sendKeyframe(viewer, watch);
  }

  /**
   * A tick is done.
   *
   * @param changed chunks that have changed
   * @param now ms, for the heartbeat
   */
  publish(tick: number, changed: readonly number[], now: number): void {
    for (const chunk of changed) this.stale.add(chunk);
    const due = now - this.streamedAt >= DEFAULTS.net.heartbeat;
    if (this.stale.size === 0 && !due) return;
    const ready = [...this.watches].filter(([viewer, watch]) => this.mayReceive(viewer, watch));
    const wantsDelta = ready.some(([, watch]) => !watch.needsKeyframe);
    const delta = wantsDelta
      ? encodeDelta(this.planes, this.base, this.stale, tick, this.streamed, deflate)
      : undefined;
    this.advance(tick, now);
    for (const [viewer, watch] of this.watches) {
      if (!ready.some(([other]) => other === viewer)) {
        watch.needsKeyframe = true;
        this.skipped++;
      } else if (watch.needsKeyframe) this.sendKeyframe(viewer, watch);
      else if (delta) this.send(viewer, watch, delta);
    }
  }

  /** Brings the base to a tick; only stale chunks are copied. */
  private advance(tick: number, now: number): void {
    const { width } = this.base;
    for (const chunk of this.stale) {
      const rect = chunkRect(this.base, chunk);
      for (let y = rect.y; y < rect.y + rect.height; y++) {
        const from = y * width + rect.x;
        const to = from + rect.width;
        this.base.rgba.set(this.planes.rgba.subarray(from * 4, to * 4), from * 4);
        this.base.owner.set(this.planes.owner.subarray(from, to), from);
      }
    }
    this.stale = new Set();
    this.streamed = tick;
    this.streamedAt = now;
    this.keyframe = undefined;
  }

  private mayReceive(viewer: Viewer, watch: Watch): boolean {
    // The transport is asked too: who acknowledges without reading must not fill our memory.
    return watch.inFlight.length < DEFAULTS.net.maxFramesInFlight && viewer.writable;
  }

  private sendKeyframe(viewer: Viewer, watch: Watch): void {
    if (!this.mayReceive(viewer, watch)) return;
    this.keyframe ??= encodeKeyframe(this.base, this.streamed, deflate);
    watch.needsKeyframe = false;
    this.send(viewer, watch, this.keyframe);
  }

  private send(viewer: Viewer, watch: Watch, frame: Uint8Array): void {
    watch.inFlight.push(this.streamed);
    viewer.sendFrame(frame);
  }
}
