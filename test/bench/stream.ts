/**
 * Measures how small the stream is, and how close to the original: the standard garden by each
 * tier, all in one run.
 */
import { createPlanes } from '../../shared/codec/chunks.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { TIER_NAMES, type TierName } from '../../shared/codec/tiers.ts';
import { mean, median, quantile, rounded } from '../load/figures.ts';
import { GardenStream } from '../support/garden-stream.ts';
import { GARDEN } from '../support/standard-garden.ts';
import { describeMachine } from './options.ts';

const RAW = GARDEN.side ** 2 * 4 * GARDEN.tickRate;

/** A tier's frames of the whole recording. `first` are a coarse picture and its refinement. */
interface Encoded {
  readonly tier: TierName;
  readonly first: readonly [picture: Uint8Array, exact: Uint8Array];
  /** The frame of each tick, if the tier has one. */
  readonly frames: readonly (Uint8Array | undefined)[];
  readonly times: readonly number[];
  /** Errors of the shown picture in each tick, even without a frame. */
  readonly errors: PictureErrors;
}

function encode(tier: TierName): Encoded {
  const stream = new GardenStream(tier);
  const { encoder, ticks, planes } = stream;
  const picture = stream.whole((chunk) => encoder.coarseKey(chunk));
  const exact = stream.whole((chunk) => encoder.refinement(chunk));
  const errors = new PictureErrors();
  const told = Array.from({ length: ticks }, () => {
    const next = stream.next();
    errors.see(planes.rgba, encoder.seen.rgba);
    return next;
  });
  return {
    tier,
    first: [picture, exact],
    frames: told.map(({ frame }) => frame),
    times: told.map(({ ms }) => ms),
    errors,
  };
}

function decode({ tier, first, frames, times, errors }: Encoded) {
  const decoder = new FrameDecoder(createPlanes(GARDEN.side, GARDEN.side));
  for (const frame of first) check(decoder, frame);
  let decoding = 0;
  for (const frame of frames) {
    if (!frame) continue;
    const start = performance.now();
    check(decoder, frame);
    decoding += performance.now() - start;
  }
  const ticks = frames.length;
  const bytes = frames.map((frame) => frame?.length ?? 0);
  const seconds = bytes.map((_, i) =>
    bytes.slice(i, i + GARDEN.tickRate).reduce((a, b) => a + b, 0),
  );
  const whole = seconds.slice(0, ticks - GARDEN.tickRate);
  const [picture, exact] = first;
  const bytesPerSecond = mean(bytes) * GARDEN.tickRate;
  return {
    name: tier,
    /** Mean of the whole recording. */
    bytesPerSecond: Math.round(bytesPerSecond),
    /** Bytes of raw RGBA of all places at the same rate, divided by these bytes. */
    timesSmaller: rounded(RAW / bytesPerSecond),
    /** Mean and p99 of a tick. */
    encodeMs: [rounded(mean(times)), rounded(quantile(times, 0.99))] as const,
    /** Number of bytes in a window of one second. */
    perSecond: { median: median(whole), p99: quantile(whole, 0.99) },
    firstPictureBytes: picture.length,
    exactBytes: picture.length + exact.length,
    decodeMs: rounded(decoding / ticks),
    ...errors.figures,
  };
}

function check(decoder: FrameDecoder, frame: Uint8Array): void {
  if (decoder.decode(frame).lost.length > 0) throw new Error('the check of a block failed');
}

export async function benchStream() {
  // Encode once before measuring, to warm up.
  encode('full');
  const encoded = TIER_NAMES.map(encode);
  const tiers = encoded.map(decode);
  return { machine: describeMachine(), tiers };
}

/** Largest colour value, of 255, that counts as dark. */
const DARK = 8;

class PictureErrors {
  private squares = 0;
  private values = 0;
  /** Number of living cells by the largest error of their channels. */
  private readonly living = new Float64Array(256);
  private worst = 0;

  /**
   * @param original [places, 4] RGBA
   * @param shown the same
   */
  see(original: Uint8Array, shown: Uint8Array): void {
    for (let at = 0; at < original.length; at += 4) {
      let largest = 0;
      let brightest = 0;
      for (let c = 0; c < 3; c++) {
        const error = Math.abs(original[at + c] - shown[at + c]);
        this.squares += error * error;
        largest = Math.max(largest, error);
        brightest = Math.max(brightest, original[at + c]);
      }
      this.values += 3;
      this.worst = Math.max(this.worst, largest);
      if (brightest > DARK) this.living[largest]++;
    }
  }

  /** PSNR of all cells, in dB; errors of living cells, of 255. */
  get figures() {
    const living = this.living.reduce((sum, places) => sum + places, 0);
    let beyond = 0;
    let p999 = 255;
    for (; p999 > 0; p999--) {
      beyond += this.living[p999];
      if (beyond > living / 1000) break;
    }
    const psnr = 10 * Math.log10(255 ** 2 / (this.squares / this.values));
    return { psnr: rounded(psnr), p999, worst: this.worst };
  }
}
