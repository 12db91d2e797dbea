/**
 * Decoders of frames. A hundred clients that look at one room from one process share one: who is in
 * step is sent the same bytes as all who are, which are decoded once and compared byte for byte for
 * everybody else. A client that is sent other bytes goes on with a decoder of its own, from the
 * very state that it had, until it sees the same as the others again.
 */

import { readHeader } from '../../shared/codec/frame.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { createPlanes, type Planes } from '../../shared/codec/planes.ts';
import { TIERS } from '../../shared/codec/tiers.ts';
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
  /** What has been seen so far. */
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

const nothingSeen = ({ width, height }: Size): Planes => createPlanes(width, height);

/** Frames that the slowest client may be behind the fastest. */
const REMEMBERED = 8;
/**
 * Frames after which a client that is alone, and finds no other that is sent the same, is followed
 * by others.
 */
const ALONE = 8;
/** Ticks after which nobody can be following any more. */
const STALE = 60;

interface Shown {
  readonly frame: Uint8Array;
  readonly decoded: DecodedFrame;
  readonly before: Planes;
}

/** One of those who share what they are shown. */
interface Follower {
  /** Number of the frame that it is shown next. */
  at: number;
  /** What it was shown before that, once it is further behind than frames are remembered. */
  kept?: Planes | undefined;
}

/** What those in step have been shown, one frame after the other. */
class Common {
  readonly followers = new Set<Follower>();
  /** Number of the next frame. */
  next = 0;
  lastTick: number;
  readonly tier: string | undefined;
  private readonly decoder: ClientDecoder;
  private readonly shown: Shown[] = [];

  constructor(planes: Planes, { tick, tier }: FrameHead) {
    this.decoder = createDecoder(copyPlanes(planes));
    this.lastTick = tick;
    this.tier = tier;
  }

  /** @returns undefined: the others were shown another */
  follow(follower: Follower, frame: Uint8Array): DecodedFrame | undefined {
    const { at } = follower;
    if (at === this.next) {
      const before = copyPlanes(this.decoder.planes);
      const decoded = this.decoder.take(frame);
      this.shown.push({ frame, decoded, before });
      this.next++;
      if (this.shown.length > REMEMBERED) this.forget();
      follower.at++;
      this.lastTick = decoded.tick;
      return decoded;
    }
    const known = this.shown[this.shown.length - (this.next - at)];
    if (!known || !same(known.frame, frame)) return undefined;
    follower.at++;
    return known.decoded;
  }

  /** What a follower sees. */
  stateOf({ at, kept }: Follower): Planes {
    if (kept) return copyPlanes(kept);
    if (at === this.next) return copyPlanes(this.decoder.planes);
    return copyPlanes(this.shown[this.shown.length - (this.next - at)].before);
  }

  /** Those who were not yet shown the oldest frame keep what they see, as a page does. */
  private forget(): void {
    const number = this.next - this.shown.length;
    const oldest = this.shown.shift();
    for (const follower of this.followers) {
      if (follower.at === number) follower.kept = oldest?.before;
    }
  }

  shows(planes: Planes): boolean {
    return alike(planes, this.decoder.planes);
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const bytesOf = (words: Uint32Array): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

const alike = (a: Planes, b: Planes): boolean =>
  same(a.rgba, b.rgba) && same(bytesOf(a.owner), bytesOf(b.owner));

/** A frame that was decoded for one client alone. */
interface Decoded {
  readonly frame: Uint8Array;
  readonly before: Planes;
  readonly decoded: DecodedFrame;
  readonly after: Planes;
}

/** Such frames that are remembered. */
const ALONE_REMEMBERED = 16;

/** The decoders of one process's clients. */
export class SharedDecoder {
  /** One for those who are served alike, in the same ticks. */
  private commons: Common[] = [];
  private readonly alone: Decoded[] = [];

  /** A decoder for one more client. */
  open(size: Size): ClientDecoder {
    let own: ClientDecoder | undefined = createDecoder(nothingSeen(size));
    let common: Common | undefined;
    let follower: Follower = { at: 0 };
    let alone = 0;
    const take = (frame: Uint8Array): DecodedFrame => {
      // Frames of larger cells build on what a decoder keeps at their scale, not on its planes alone.
      const isScaled = readHeader(frame).scale > 1;
      if (common) {
        const decoded = isScaled ? undefined : common.follow(follower, frame);
        if (decoded) return decoded;
        own = createDecoder(common.stateOf(follower));
        common.followers.delete(follower);
        common = undefined;
      }
      if (isScaled) return own!.take(frame);
      const [decoded, next] = this.takeAlone(own!, frame);
      own = next;
      common = this.join(own.planes, decoded, ++alone > ALONE);
      if (common) {
        follower = { at: common.next };
        common.followers.add(follower);
        own = undefined;
        alone = 0;
      }
      return decoded;
    };
    return {
      get planes() {
        return own?.planes ?? common!.stateOf(follower);
      },
      take,
    };
  }

  /**
   * When the quality changes, a hundred are sent the same whole picture in one tick: it is decoded
   * once for all who have seen the same before.
   *
   * @returns and the client's decoder from now on
   */
  private takeAlone(own: ClientDecoder, frame: Uint8Array): readonly [DecodedFrame, ClientDecoder] {
    const known = this.alone.find((one) => same(one.frame, frame) && alike(one.before, own.planes));
    if (known) return [known.decoded, createDecoder(copyPlanes(known.after))];
    const before = copyPlanes(own.planes);
    const decoded = own.take(frame);
    this.alone.unshift({ frame, before, decoded, after: copyPlanes(own.planes) });
    this.alone.length = Math.min(this.alone.length, ALONE_REMEMBERED);
    return [decoded, own];
  }

  /** @param mayLead whether this client may be the first of some who are served alike */
  private join(planes: Planes, { tick, tier }: DecodedFrame, mayLead: boolean): Common | undefined {
    this.commons = this.commons.filter(({ lastTick }) => lastTick >= tick - STALE);
    const alike = this.commons.filter(
      (one) => one.tier === tier && (one.lastTick - tick) % TIERS.phone.every === 0,
    );
    const common = alike.find((one) => one.lastTick === tick && one.shows(planes));
    if (common || alike.length > 0 || !mayLead) return common;
    const first = new Common(planes, { tick, ...(tier !== undefined && { tier }) });
    this.commons.push(first);
    return first;
  }
}
