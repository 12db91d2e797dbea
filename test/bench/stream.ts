/**
 * Measures how small the stream is, and how close to the original: the standard garden by each tier,
 * and gardens made from seeds, all in one run.
 */
import { createPlanes } from '../../shared/codec/chunks.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { TIER_NAMES, type TierName } from '../../shared/codec/tiers.ts';
import { mean, median, quantile, rounded } from '../load/figures.ts';
import { GardenStream } from '../support/garden-stream.ts';
import { GARDEN, type Garden } from '../support/standard-garden.ts';
import { describeMachine } from './machine.ts';
import type { Log } from './options.ts';
import { PictureErrors } from './picture-errors.ts';
import { recordSeededGardens } from './seeded-gardens.ts';

const RAW = GARDEN.side ** 2 * 4 * GARDEN.tickRate;

/**
 * A tier's frames of the whole recording, the first two of which are a picture of it and what makes
 * that exact.
 */
interface Encoded {
  readonly tier: TierName;
  readonly first: readonly [picture: Uint8Array, exact: Uint8Array];
  /** Of each tick; nothing where the tier has none. */
  readonly frames: readonly (Uint8Array | undefined)[];
  readonly times: readonly number[];
  /** Of what is shown in each tick, also in those without a frame. */
  readonly errors: PictureErrors;
}

function encode(tier: TierName, garden?: Garden): Encoded {
  const stream = new GardenStream(tier, garden);
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
    /** Bytes in a window of a second. */
    perSecond: { median: median(whole), p99: quantile(whole, 0.99) },
    firstPictureBytes: picture.length,
    exactBytes: picture.length + exact.length,
    decodeMs: rounded(decoding / ticks),
    ...errors.figures,
  };
}

function check(decoder: FrameDecoder, frame: Uint8Array): void {
  if (decoder.decode(frame).lost.length > 0) throw new Error('a block does not fit its check');
}

export async function benchStream(log: Log): Promise<object> {
  // As in a server, which only writes, and has done so for a while: the first half minute goes by.
  encode('full');
  const encoded = TIER_NAMES.map((tier) => encode(tier));
  const tiers = encoded.map(decode);
  for (const row of tiers) {
    log(qualityLine(row));
    const { timesSmaller, encodeMs, decodeMs, perSecond, firstPictureBytes, exactBytes } = row;
    log(
      `  ${timesSmaller} × smaller than raw RGBA; ${kB(perSecond.median)} in a second median, ${kB(perSecond.p99)} p99; ` +
        `first picture ${kB(firstPictureBytes)}, exact ${kB(exactBytes)}; encoding ${encodeMs[0]} ms a tick, p99 ${encodeMs[1]}, decoding ${decodeMs}`,
    );
  }
  const gardens = [];
  for (const { name, garden } of await recordSeededGardens()) {
    const rows = TIER_NAMES.map((tier) => decode(encode(tier, garden())));
    gardens.push({ name, tiers: rows });
    log(`a garden that is ${name}:`);
    for (const row of rows) log(qualityLine(row));
  }
  return { machine: describeMachine(), tiers, gardens };
}

const kB = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

const qualityLine = ({ name, bytesPerSecond, psnr, p999, worst }: ReturnType<typeof decode>) =>
  `${name.padEnd(8)} ${kB(bytesPerSecond)}/s  ${psnr.toFixed(1)} dB  errors of living places: p99.9 ${p999}, worst ${worst} of 255`;
