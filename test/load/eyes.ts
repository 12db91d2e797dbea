/** All that the load tool knows of frames. */
import { inflateRawSync } from 'node:zlib';
import { decodeFrame, readHeader } from '../../shared/codec/decode.ts';
import { FrameError } from '../../shared/codec/frame.ts';
import { createPlanes, type Planes } from '../../shared/codec/planes.ts';

/** What a frame says without being decoded. */
export interface Head {
  readonly tick: number;
  /** Quality that its viewer is served with, when frames tell. */
  readonly tier?: string;
}

export interface Seen extends Head {
  /** The frame did not fit what was seen before; a keyframe must be asked for. */
  readonly outOfStep: boolean;
}

export interface Eyes {
  /** What has been seen so far, byte for byte as the server had it at that tick. */
  readonly planes: Planes;
  take(frame: Uint8Array): Seen;
}

/** @throws FrameError */
export function readTick(frame: Uint8Array): Head {
  return { tick: readHeader(frame).tick };
}

/** Eyes that decode everything. */
export function createEyes(size: { readonly width: number; readonly height: number }): Eyes {
  const planes = createPlanes(size.width, size.height);
  let seen: number | undefined;
  return {
    planes,
    take(frame) {
      const head = readTick(frame);
      try {
        decodeFrame(planes, seen, frame, (bytes) => inflateRawSync(bytes));
        seen = head.tick;
        return { ...head, outOfStep: false };
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        seen = undefined;
        return { ...head, outOfStep: true };
      }
    },
  };
}
