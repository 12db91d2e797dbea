/**
 * How small the stream is, and how near to the original: the standard garden by each tier, beside what
 * others would send, and gardens made from seeds, all in one run.
 */

import { deflateRawSync } from 'node:zlib';
import { ArraySchema, Encoder, schema, t } from '@colyseus/schema';
import sharp from 'sharp';
import { chunkRect, createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import { FrameDecoder } from '../../shared/codec/frame-decoder.ts';
import { TIER_NAMES, type TierName } from '../../shared/codec/tiers.ts';
import { mean, median, quantile, rounded } from '../load/figures.ts';
import { GardenStream, readGarden } from '../support/garden-stream.ts';
import { applyChange, GARDEN, type Garden } from '../support/standard-garden.ts';
import { describeMachine } from './machine.ts';
import type { Log } from './options.ts';
import { PictureErrors } from './picture-errors.ts';
import { recordSeededGardens } from './seeded-gardens.ts';
import { videoRows } from './video.ts';

const RAW = GARDEN.side ** 2 * 4 * GARDEN.tickRate;

function rowOf(name: string, bytes: readonly number[], times: readonly number[]) {
  const bytesPerSecond = mean(bytes) * GARDEN.tickRate;
  return {
    name,
    /** Mean of the whole recording. */
    bytesPerSecond: Math.round(bytesPerSecond),
    /** Raw RGBA of all places at the same rate, by this. */
    timesSmaller: rounded(RAW / bytesPerSecond),
    /** Mean and p99 a tick. */
    encodeMs: [rounded(mean(times)), rounded(quantile(times, 0.99))] as const,
  };
}

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
  return {
    ...rowOf(tier, bytes, times),
    /** Of windows of a second. */
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

/** Something that sends the colours of a tick. */
type Sender = (planes: Planes, changed: ReadonlySet<number>) => number | Promise<number>;

async function theirs(name: string, make: (planes: Planes) => Sender, every = 1) {
  const { planes, changes } = readGarden();
  const send = make(planes);
  const bytes: number[] = [];
  const times: number[] = [];
  let tick = 0;
  for (const change of changes) {
    const changed = applyChange(planes, change);
    // Dear ones are asked only now and then.
    if (tick++ % every !== 0) continue;
    const start = performance.now();
    bytes.push(await send(planes, changed));
    times.push(performance.now() - start);
  }
  return rowOf(name, bytes, times);
}

const deflate = (bytes: Uint8Array): number => deflateRawSync(bytes, { level: 6 }).length;

/** Bytes XOR those of the tick before, which then become these. */
function difference(before: Uint8Array, now: Uint8Array): Uint8Array {
  const result = now.map((byte, i) => byte ^ before[i]);
  before.set(now);
  return result;
}

/** The difference of changed chunks alone, channel by channel. */
function changedChunks(first: Planes): Sender {
  const before = first.rgba.slice();
  return (planes, changed) => {
    const parts = [...changed].map((chunk) => {
      const rect = chunkRect(planes, chunk);
      const part = new Uint8Array(rect.width * rect.height * 4);
      let cell = 0;
      for (let y = rect.y; y < rect.y + rect.height; y++) {
        for (let x = rect.x; x < rect.x + rect.width; x++, cell++) {
          for (let c = 0; c < 4; c++) {
            const at = (y * planes.width + x) * 4 + c;
            part[c * rect.width * rect.height + cell] = planes.rgba[at] ^ before[at];
            before[at] = planes.rgba[at];
          }
        }
      }
      return part;
    });
    return deflate(Buffer.concat(parts));
  };
}

/**
 * State sync of a game framework: an array of packed colours, of which the changed ones are sent.
 */
function schemaSync(first: Planes): Sender {
  const State = schema({ cells: t.array('uint32') });
  const coloursOf = ({ rgba }: Planes) =>
    new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4);
  const state = new State();
  const cells = new ArraySchema<number>();
  for (const colour of coloursOf(first)) cells.push(colour);
  state.cells = cells;
  Encoder.BUFFER_SIZE = 4 * 1024 * 1024;
  const encoder = new Encoder(state);
  encoder.encodeAll();
  encoder.discardChanges();
  const before = coloursOf(first).slice();
  return (planes) => {
    coloursOf(planes).forEach((colour, i) => {
      if (colour !== before[i]) state.cells[i] = colour;
      before[i] = colour;
    });
    const { length } = encoder.encode();
    encoder.discardChanges();
    return length;
  };
}

export async function benchStream(log: Log): Promise<object> {
  // As in a server, which only writes, and has done so for a while: the first half minute goes by.
  encode('full');
  const encoded = TIER_NAMES.map((tier) => encode(tier));
  const tiers = encoded.map(decode);
  const others = [
    await theirs(
      'raw + deflate',
      () =>
        ({ rgba }) =>
          deflate(rgba),
      10,
    ),
    await theirs('XOR of all + deflate', ({ rgba }) => {
      const before = rgba.slice();
      return (planes) => deflate(difference(before, planes.rgba));
    }),
    await theirs('XOR of changed chunks + deflate', changedChunks),
    await theirs(
      'PNG',
      () =>
        async ({ rgba, width, height }) =>
          (
            await sharp(rgba, { raw: { width, height, channels: 4 } })
              .png()
              .toBuffer()
          ).length,
      10,
    ),
    await theirs('@colyseus/schema', schemaSync),
  ];
  for (const { name, bytesPerSecond, timesSmaller, encodeMs } of [...tiers, ...others]) {
    log(
      `${name.padEnd(32)} ${(bytesPerSecond / 1000).toFixed(1).padStart(8)} kB/s  ${`${timesSmaller}`.padStart(6)} × smaller` +
        `  ${encodeMs[0]} ms a tick, p99 ${encodeMs[1]}`,
    );
  }
  for (const { name, perSecond, firstPictureBytes, exactBytes, decodeMs } of tiers) {
    log(
      `${name}: ${(perSecond.median / 1000).toFixed(1)} kB/s median, ${(perSecond.p99 / 1000).toFixed(1)} p99; ` +
        `first picture ${(firstPictureBytes / 1000).toFixed(1)} kB, exact ${(exactBytes / 1000).toFixed(1)} kB; decoding ${decodeMs} ms a tick`,
    );
  }
  const videos = await videoRows();
  if (videos.length === 0) log('video codecs are not compared: ffmpeg is not installed');
  for (const row of [...tiers, ...videos]) log(qualityLine(row));
  const gardens = [];
  for (const { name, garden } of await recordSeededGardens()) {
    const rows = TIER_NAMES.map((tier) => decode(encode(tier, garden())));
    gardens.push({ name, tiers: rows });
    log(`a garden that is ${name}:`);
    for (const row of rows) log(qualityLine(row));
  }
  return { machine: describeMachine(), tiers, others, videos, gardens };
}

/** A line of bytes and errors. */
function qualityLine(row: {
  readonly name: string;
  readonly bytesPerSecond: number;
  readonly psnr: number;
  readonly p999: number;
  readonly worst: number;
}): string {
  const { name, bytesPerSecond, psnr, p999, worst } = row;
  return (
    `${name.padEnd(32)} ${(bytesPerSecond / 1000).toFixed(1).padStart(8)} kB/s  ${psnr.toFixed(1)} dB` +
    `  errors of living places: p99.9 ${p999}, worst ${worst} of 255`
  );
}
