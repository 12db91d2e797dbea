/**
 * Eyes for a hundred who look at one room from one process. Who is in step is sent the same bytes as all who are: they are decoded
 * once, and compared byte for byte by everybody else. Whoever is sent other bytes goes on alone, from the very state that she
 * had, until she sees the same as the others again.
 */
import { copyPlanes, type Planes } from '../../shared/codec/planes.ts';
import { TIERS } from '../../shared/codec/tiers.ts';
import { createEyes, type Eyes, eyesOn, type Head, type Seen } from './eyes.ts';

/** Frames that the slowest of them may be behind the fastest. */
const REMEMBERED = 8;
/** Frames after which one who is alone and finds nobody whose frames she gets is followed by others. */
const ALONE = 8;
/** Ticks after which nobody can be following any more. */
const STALE = 60;

interface Shown {
  readonly frame: Uint8Array;
  readonly seen: Seen;
  readonly before: Planes;
}

/** What those in step have been shown, one frame after the other. */
class Common {
  /** Number of the next frame. */
  next = 0;
  lastTick: number;
  readonly tier: string | undefined;
  private readonly eyes: Eyes;
  private readonly shown: Shown[] = [];

  constructor(planes: Planes, { tick, tier }: Head) {
    this.eyes = eyesOn(copyPlanes(planes));
    this.lastTick = tick;
    this.tier = tier;
  }

  /** @param at number of the frame that this is for one @returns undefined: the others were shown another */
  follow(at: number, frame: Uint8Array): Seen | undefined {
    if (at === this.next) {
      const before = copyPlanes(this.eyes.planes);
      const seen = this.eyes.take(frame);
      this.shown.push({ frame, seen, before });
      if (this.shown.length > REMEMBERED) this.shown.shift();
      this.next++;
      this.lastTick = seen.tick;
      return seen;
    }
    const known = this.shown[this.shown.length - (this.next - at)];
    return known && same(known.frame, frame) ? known.seen : undefined;
  }

  /** What one sees who was shown the frames before a number; undefined: that is too long ago. */
  stateAt(at: number): Planes | undefined {
    if (at === this.next) return copyPlanes(this.eyes.planes);
    const known = this.shown[this.shown.length - (this.next - at)];
    return known && copyPlanes(known.before);
  }

  shows({ rgba, owner }: Planes): boolean {
    const { planes } = this.eyes;
    return same(rgba, planes.rgba) && same(bytesOf(owner), bytesOf(planes.owner));
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const bytesOf = (words: Uint32Array): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

/** All of one process. */
export class Onlookers {
  /** One for those who are served alike, in the same ticks. */
  private commons: Common[] = [];

  /** Eyes for one more. */
  open(size: { readonly width: number; readonly height: number }): Eyes {
    let own: Eyes | undefined = createEyes(size);
    let common: Common | undefined;
    let at = 0;
    let alone = 0;
    const take = (frame: Uint8Array): Seen => {
      if (common) {
        const seen = common.follow(at, frame);
        if (seen) {
          at++;
          return seen;
        }
        const state = common.stateAt(at);
        // She has been away for long: what she is told is either whole, or does not fit and is asked for anew.
        own = state ? eyesOn(state) : createEyes(size);
        common = undefined;
      }
      const seen = own!.take(frame);
      common = this.join(own!.planes, seen, ++alone > ALONE);
      if (common) {
        at = common.next;
        own = undefined;
        alone = 0;
      }
      return seen;
    };
    return {
      get planes() {
        return own?.planes ?? common!.stateAt(at)!;
      },
      take,
    };
  }

  /** @param mayLead whether she may be the first of some who are served alike */
  private join(planes: Planes, { tick, tier }: Seen, mayLead: boolean): Common | undefined {
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
