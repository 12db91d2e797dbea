/** All that the load tool knows of frames. */

import { readHeader } from '../../shared/codec/frame.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { createPlanes, type Planes } from '../../shared/codec/planes.ts';

/** What a frame says without being decoded. */
export interface Head {
  readonly tick: number;
  /** Quality that its viewer is served with. */
  readonly tier?: string;
}

export interface Seen extends Head {
  /** Chunks whose checks do not fit what was seen before: they must be asked for anew. */
  readonly lost: readonly number[];
}

export interface Eyes {
  /** What has been seen so far. */
  readonly planes: Planes;
  /** @throws FrameError */
  take(frame: Uint8Array): Seen;
}

/** @throws FrameError */
export function readTick(frame: Uint8Array): Head {
  const { tick, tier } = readHeader(frame);
  return { tick, tier };
}

/** Eyes that decode everything. */
export function createEyes(size: { readonly width: number; readonly height: number }): Eyes {
  return eyesOn(createPlanes(size.width, size.height));
}

/** @param planes what was seen so far; what follows is drawn on them */
export function eyesOn(planes: Planes): Eyes {
  const decoder = new FrameDecoder(planes);
  return {
    planes,
    take(frame) {
      const { header, lost } = decoder.decode(frame);
      return { tick: header.tick, tier: header.tier, lost };
    },
  };
}
