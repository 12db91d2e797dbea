/**
 * Decoders of frames. Hundreds of clients that look at one room from one process share what they
 * decode: a frame that was decoded on the same picture before, byte for byte, is not decoded again.
 * Pictures that have become equal, as after a client has caught up, are one from there on.
 */

import { createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import { readHeader } from '../../shared/codec/frame.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { copyPlanes } from '../support/compare.ts';

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
  /** What has been seen so far; not to be changed, and only until the next frame is taken. */
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

/** A picture that does not change while anybody holds it: clients that see it, and steps. */
interface Picture {
  readonly planes: Planes;
  holders: number;
}

/** A frame that was decoded, and the pictures before and after it. */
interface Step {
  readonly before: Picture;
  readonly frame: Uint8Array;
  readonly decoded: DecodedFrame;
  readonly after: Picture;
}

/** Steps that are remembered; each holds a picture. */
const REMEMBERED = 48;

/** The decoders of one process's clients. */
export class SharedDecoder {
  /** Latest first. */
  private readonly steps: Step[] = [];
  /** What those see who were shown nothing yet. */
  private bare: Picture = { planes: createPlanes(0, 0), holders: 1 };
  /**
   * Planes that nobody holds any more: what collecting tens of megabytes a second would take, all
   * clients would seem to wait for.
   */
  private readonly free: Planes[] = [];

  /** A decoder for one more client. */
  open({ width, height }: Size): ClientDecoder {
    const { planes: known } = this.bare;
    if (known.width !== width || known.height !== height) {
      this.bare = { planes: createPlanes(width, height), holders: 1 };
    }
    let picture = this.bare;
    picture.holders++;
    const show = (next: Picture): void => {
      next.holders++;
      this.release(picture);
      picture = next;
    };
    // Frames of larger cells build on what a decoder keeps at their scale, not on its planes alone.
    let scaled: ClientDecoder | undefined;
    return {
      get planes() {
        return scaled?.planes ?? picture.planes;
      },
      take: (frame) => {
        if (readHeader(frame).scale > 1) {
          scaled ??= createDecoder(copyPlanes(picture.planes));
          return scaled.take(frame);
        }
        if (scaled) show({ planes: scaled.planes, holders: 0 });
        scaled = undefined;
        const { decoded, after } = this.step(picture, frame);
        show(after);
        return decoded;
      },
    };
  }

  /** @throws FrameError */
  private step(before: Picture, frame: Uint8Array): Step {
    const { steps } = this;
    const known = steps.find((one) => one.before === before && same(one.frame, frame));
    if (known) return known;
    const planes = this.copy(before.planes);
    const decoded = createDecoder(planes).take(frame);
    const equal = steps.find((one) => alike(one.after.planes, planes))?.after;
    if (equal) this.free.push(planes);
    const after = equal ?? { planes, holders: 0 };
    before.holders++;
    after.holders++;
    const step = { before, frame, decoded, after };
    steps.unshift(step);
    if (steps.length > REMEMBERED) {
      const oldest = steps.pop()!;
      this.release(oldest.before);
      this.release(oldest.after);
    }
    return step;
  }

  private release(picture: Picture): void {
    if (--picture.holders === 0) this.free.push(picture.planes);
  }

  private copy(planes: Planes): Planes {
    const into = this.free.pop();
    if (into?.width !== planes.width || into.height !== planes.height) return copyPlanes(planes);
    into.rgba.set(planes.rgba);
    into.owner.set(planes.owner);
    return into;
  }
}
