/**
 * Decoders of frames. Hundreds of clients that look at one room from one process share what they
 * decode: a frame that was decoded on the same picture before, byte for byte, is not decoded again.
 * Pictures that have become equal, as after a client has caught up, are one from there on.
 */

import { readHeader } from '../../shared/codec/frame.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { createPlanes, type Planes } from '../../shared/codec/planes.ts';
import { copyPlanes } from '../support/planes.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a frame says without being decoded. */
export interface FrameHead {
  readonly tick: number;
  /** Quality that its viewer is served with. */
  readonly tier?: string;
}

export interface DecodedFrame extends FrameHead {
  /** Chunks whose checks do not fit what was seen before: they must be asked for again. */
  readonly lost: readonly number[];
}

export interface ClientDecoder {
  /** What has been seen so far; not to be changed. */
  readonly planes: Planes;
  /** @throws FrameError */
  take(frame: Uint8Array): DecodedFrame;
}

/** @throws FrameError */
export function readHead(frame: Uint8Array): FrameHead {
  const { tick, tier } = readHeader(frame);
  return { tick, tier };
}

/**
 * A decoder of one client alone.
 *
 * @param planes what was seen so far; what follows is drawn on them
 */
export function createDecoder(planes: Planes): ClientDecoder {
  const decoder = new FrameDecoder(planes);
  return {
    planes,
    take(frame) {
      const { header, lost } = decoder.decode(frame);
      return { tick: header.tick, tier: header.tier, lost };
    },
  };
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const bytesOf = (words: Uint32Array): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

const alike = (a: Planes, b: Planes): boolean =>
  a.width === b.width && same(a.rgba, b.rgba) && same(bytesOf(a.owner), bytesOf(b.owner));

/** A frame that was decoded: the pictures before and after it, which do not change any more. */
interface Step {
  readonly before: Planes;
  readonly frame: Uint8Array;
  readonly decoded: DecodedFrame;
  readonly after: Planes;
}

/** Steps that are remembered; each holds a picture. */
const REMEMBERED = 48;

/** The decoders of one process's clients. */
export class SharedDecoder {
  /** Latest first. */
  private steps: Step[] = [];
  /** What those see who were shown nothing yet. */
  private bare = createPlanes(0, 0);

  /** A decoder for one more client. */
  open({ width, height }: Size): ClientDecoder {
    const { bare } = this;
    if (bare.width !== width || bare.height !== height) this.bare = createPlanes(width, height);
    let planes = this.bare;
    // Frames of larger cells build on what a decoder keeps at their scale, not on its planes alone.
    let scaled: ClientDecoder | undefined;
    return {
      get planes() {
        return planes;
      },
      take: (frame) => {
        if (readHeader(frame).scale > 1) {
          scaled ??= createDecoder(copyPlanes(planes));
          const decoded = scaled.take(frame);
          planes = scaled.planes;
          return decoded;
        }
        if (scaled) planes = copyPlanes(scaled.planes);
        scaled = undefined;
        const { decoded, after } = this.step(planes, frame);
        planes = after;
        return decoded;
      },
    };
  }

  /** @throws FrameError */
  private step(before: Planes, frame: Uint8Array): Step {
    const { steps } = this;
    const known = steps.find((one) => one.before === before && same(one.frame, frame));
    if (known) return known;
    const planes = copyPlanes(before);
    const decoded = createDecoder(planes).take(frame);
    const after = steps.find((one) => alike(one.after, planes))?.after ?? planes;
    const step = { before, frame, decoded, after };
    this.steps = [step, ...steps.slice(0, REMEMBERED - 1)];
    return step;
  }
}
