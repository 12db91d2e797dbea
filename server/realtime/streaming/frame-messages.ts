/**
 * The messages by which the owner of a room and its gateways pass frames on. Each begins with the
 * version of this format; one of another version is not read.
 *
 * - `Round`: the deltas of one channel in one tick, on the channel's own name
 * - `TickEnd`: a tick is over, and which channels had rounds in it, on `…:tick`
 * - `Wants`: what a gateway's viewers look at, on `…:wants`
 * - `Baseline`: all cells of a channel for one gateway, on `…:to:<gateway>`
 */
import { FRAME_VERSION, FrameError } from '../../../shared/codec/frame.ts';
import type { VersionedDelta } from '../../../shared/codec/frame-source.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { CHANNEL_TIERS, type ChannelName, type ChannelTier } from './frame-feed.ts';

export class MessageWriter {
  private bytes = new Uint8Array(256);
  private length = 0;

  /** @param value 0…255 */
  byte(value: number): this {
    this.reserve(1);
    this.bytes[this.length++] = value;
    return this;
  }

  /** @param value a whole number from 0 below 2⁵³; seven bits a byte */
  number(value: number): this {
    this.reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
    return this;
  }

  /** Bytes and how many. */
  block(bytes: Uint8Array): this {
    this.number(bytes.length);
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

/** Reads what `MessageWriter` has written. Each method @throws FrameError truncated */
export class MessageReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new FrameError('truncated');
    return this.bytes[this.at++];
  }

  number(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 56; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new FrameError('truncated');
  }

  /** A view of the message. */
  block(): Uint8Array {
    const length = this.number();
    if (length > this.bytes.length - this.at) throw new FrameError('truncated');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

const FORMAT = 2;
const TIER_NAMES = Object.keys(CHANNEL_TIERS) as ChannelTier[];

/** Names on the bus. */
export const busNames = (room: string) => ({
  channel: ({ tier, scale }: ChannelName): string => `frames:${room}:${tier}:${scale}`,
  tick: `frames:${room}:tick`,
  wants: `frames:${room}:wants`,
  to: (gateway: string): string => `frames:${room}:to:${gateway}`,
});

/** Which encoder of which owner a round belongs to, and which of its rounds it is. */
export interface RoundName extends ChannelName {
  /** No two encoders have the same. */
  readonly generation: number;
  readonly round: number;
}

export interface Round extends RoundName {
  /** Of the room's lease. */
  readonly epoch: number;
  readonly deltas: readonly VersionedDelta[];
}

export interface TickEnd {
  readonly epoch: number;
  readonly tick: number;
  readonly rounds: readonly RoundName[];
}

export interface Want extends ChannelName {
  /** Whether anybody looks at it; if not, it is only kept for a while. */
  readonly isUsed: boolean;
  /** Whether any viewer can take a frame. */
  readonly mayReceive: boolean;
  /** Another number than before asks for a baseline; 0 asks for none. */
  readonly ask: number;
  /** In any order. */
  readonly chunks: readonly number[];
}

export interface Wants {
  readonly gateway: string;
  readonly wants: readonly Want[];
}

export interface Baseline extends RoundName {
  readonly epoch: number;
  readonly tick: number;
  /** The want that it answers. */
  readonly ask: number;
  /** `FrameSource.copy`, deflated. */
  readonly cells: Uint8Array;
}

const begin = (): MessageWriter => new MessageWriter().byte(FORMAT).byte(FRAME_VERSION);

function open(message: Uint8Array): MessageReader {
  const reader = new MessageReader(message);
  const [format, frames] = [reader.byte(), reader.byte()];
  if (format !== FORMAT || frames !== FRAME_VERSION) throw new FrameError('version');
  return reader;
}

function writeChannel(writer: MessageWriter, { tier, scale }: ChannelName): MessageWriter {
  return writer.byte(TIER_NAMES.indexOf(tier)).byte(Math.log2(scale));
}

function readChannel(reader: MessageReader): ChannelName {
  const tier = TIER_NAMES[reader.byte()];
  const scale = 2 ** reader.byte();
  if (!tier || scale > DEFAULTS.codec.maxScale) throw new FrameError('header');
  return { tier, scale };
}

const writeRoundName = (writer: MessageWriter, name: RoundName): MessageWriter =>
  writeChannel(writer, name).number(name.generation).number(name.round);

const readRoundName = (reader: MessageReader): RoundName => ({
  ...readChannel(reader),
  generation: reader.number(),
  round: reader.number(),
});

/** The message of one round of a channel: its name and its deltas. */
export function writeRound(round: Round): Uint8Array {
  const writer = writeRoundName(begin().number(round.epoch), round);
  for (const { chunk, version, block } of round.deltas) {
    writer.number(chunk).number(version).block(block);
  }
  return writer.finish();
}

/** @throws FrameError version, header, truncated */
export function readRound(message: Uint8Array): Round {
  const reader = open(message);
  const epoch = reader.number();
  const name = readRoundName(reader);
  const deltas: VersionedDelta[] = [];
  while (!reader.isAtEnd) {
    deltas.push({ chunk: reader.number(), version: reader.number(), block: reader.block() });
  }
  return { epoch, ...name, deltas };
}

/** The message that a tick is over, with the rounds that it had. */
export function writeTickEnd({ epoch, tick, rounds }: TickEnd): Uint8Array {
  const writer = begin().number(epoch).number(tick);
  for (const round of rounds) writeRoundName(writer, round);
  return writer.finish();
}

/** @throws FrameError version, header, truncated */
export function readTickEnd(message: Uint8Array): TickEnd {
  const reader = open(message);
  const [epoch, tick] = [reader.number(), reader.number()];
  const rounds: RoundName[] = [];
  while (!reader.isAtEnd) rounds.push(readRoundName(reader));
  return { epoch, tick, rounds };
}

/** The message by which a gateway says what its viewers look at. */
export function writeWants({ gateway, wants }: Wants): Uint8Array {
  const writer = begin().block(new TextEncoder().encode(gateway));
  for (const want of wants) {
    writeChannel(writer, want).byte((want.isUsed ? 2 : 0) | (want.mayReceive ? 1 : 0));
    writer.number(want.ask).block(bitsOf(want.chunks));
  }
  return writer.finish();
}

/** @throws FrameError version, header, truncated */
export function readWants(message: Uint8Array): Wants {
  const reader = open(message);
  const gateway = new TextDecoder().decode(reader.block());
  const wants: Want[] = [];
  while (!reader.isAtEnd) {
    const channel = readChannel(reader);
    const flags = reader.byte();
    const state = { isUsed: (flags & 2) !== 0, mayReceive: (flags & 1) !== 0 };
    const [ask, chunks] = [reader.number(), chunksOf(reader.block())];
    wants.push({ ...channel, ...state, ask, chunks });
  }
  return { gateway, wants };
}

/** The message with all cells of a channel, for a gateway that has asked for them. */
export function writeBaseline(baseline: Baseline): Uint8Array {
  const { epoch, tick, ask, cells } = baseline;
  const writer = writeRoundName(begin().number(epoch), baseline);
  return writer.number(tick).number(ask).block(cells).finish();
}

/** @throws FrameError version, header, truncated */
export function readBaseline(message: Uint8Array): Baseline {
  const reader = open(message);
  const epoch = reader.number();
  const name = readRoundName(reader);
  return {
    ...{ epoch, ...name },
    ...{ tick: reader.number(), ask: reader.number(), cells: reader.block() },
  };
}

/** One bit a chunk. */
function bitsOf(chunks: readonly number[]): Uint8Array {
  const last = chunks.reduce((most, chunk) => Math.max(most, chunk), -1);
  const bits = new Uint8Array(Math.ceil((last + 1) / 8));
  for (const chunk of chunks) bits[chunk >>> 3] |= 1 << (chunk & 7);
  return bits;
}

function chunksOf(bits: Uint8Array): number[] {
  const chunks: number[] = [];
  bits.forEach((byte, at) => {
    for (let bit = 0; bit < 8; bit++) if ((byte >>> bit) & 1) chunks.push(8 * at + bit);
  });
  return chunks;
}
