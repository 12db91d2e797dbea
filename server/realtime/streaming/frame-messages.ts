/**
 * Messages that carry frames from a room's leader to its gateways. They are never sent to pages.
 * Start at `ROUND`. Each message is defined by a table of fields, which are written in the table's
 * order.
 */
import { FRAME_VERSION, FrameError, MAX_SCALE } from '../../../shared/codec/frame.ts';
import { CHANNEL_TIERS, type ChannelName, type ChannelTier } from './frame-feed.ts';

class MessageWriter {
  private bytes = new Uint8Array(256);
  private length = 0;

  /** @param value 0…255 */
  byte(value: number): this {
    this.reserve(1);
    this.bytes[this.length++] = value;
    return this;
  }

  /** @param value a whole number from 0 to below 2⁵³, written with seven bits per byte */
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

  /** Writes the number of bytes, and then the bytes themselves. */
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

/** Reads the output of `MessageWriter`. Each method throws FrameError truncated. */
class MessageReader {
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

  /** @returns the bytes as a view of the message, not a copy */
  block(): Uint8Array {
    const length = this.number();
    if (length > this.bytes.length - this.at) throw new FrameError('truncated');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/**
 * Writes and reads one field of a message. `read` throws FrameError if the bytes are not a valid
 * field.
 */
interface Field<T> {
  write(writer: MessageWriter, value: T): void;
  read(reader: MessageReader): T;
}

const number: Field<number> = {
  write: (writer, value) => writer.number(value),
  read: (reader) => reader.number(),
};

const block: Field<Uint8Array> = {
  write: (writer, bytes) => writer.block(bytes),
  read: (reader) => reader.block(),
};

const text: Field<string> = {
  write: (writer, value) => writer.block(new TextEncoder().encode(value)),
  read: (reader) => new TextDecoder().decode(reader.block()),
};

const TIER_NAMES = Object.keys(CHANNEL_TIERS) as ChannelTier[];

const tier: Field<ChannelTier> = {
  write: (writer, name) => writer.byte(TIER_NAMES.indexOf(name)),
  read: (reader) => {
    const name = TIER_NAMES[reader.byte()];
    if (!name) throw new FrameError('header');
    return name;
  },
};

const scale: Field<number> = {
  write: (writer, value) => writer.byte(Math.log2(value)),
  read: (reader) => {
    const value = 2 ** reader.byte();
    if (value > MAX_SCALE) throw new FrameError('header');
    return value;
  },
};

/** Indices of chunks, in any order. They are written as one bit per chunk. */
const chunks: Field<readonly number[]> = {
  write: (writer, list) => {
    const last = list.reduce((most, chunk) => Math.max(most, chunk), -1);
    const bits = new Uint8Array(Math.ceil((last + 1) / 8));
    for (const chunk of list) bits[chunk >>> 3] |= 1 << (chunk & 7);
    writer.block(bits);
  },
  read: (reader) => {
    const list: number[] = [];
    reader.block().forEach((byte, at) => {
      for (let bit = 0; bit < 8; bit++) if ((byte >>> bit) & 1) list.push(8 * at + bit);
    });
    return list;
  },
};

/**
 * Whether a gateway has viewers of a channel, and whether at least one of them can take a frame.
 */
const demand: Field<{ readonly isUsed: boolean; readonly mayReceive: boolean }> = {
  write: (writer, { isUsed, mayReceive }) => writer.byte((isUsed ? 2 : 0) | (mayReceive ? 1 : 0)),
  read: (reader) => {
    const flags = reader.byte();
    return { isUsed: (flags & 2) !== 0, mayReceive: (flags & 1) !== 0 };
  },
};

type Fields = Readonly<
  Record<
    string,
    { write(writer: MessageWriter, value: never): void; read(reader: MessageReader): unknown }
  >
>;
type RecordOf<F extends Fields> = { readonly [K in keyof F]: ReturnType<F[K]['read']> };

function record<F extends Fields>(fields: F): Field<RecordOf<F>> {
  const entries = Object.entries(fields);
  return {
    write: (writer, value) => {
      for (const [name, field] of entries) field.write(writer, value[name] as never);
    },
    read: (reader) => {
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) value[name] = field.read(reader);
      return value as RecordOf<F>;
    },
  };
}

/** Creates a field for a list of items, which extends to the end of the message. */
const listOf = <T>(item: Field<T>): Field<readonly T[]> => ({
  write: (writer, items) => {
    for (const one of items) item.write(writer, one);
  },
  read: (reader) => {
    const items: T[] = [];
    while (!reader.isAtEnd) items.push(item.read(reader));
    return items;
  },
});

/** Version of this format. Messages of other versions are rejected. */
const FORMAT = 2;

/** Creates a message type. Its `read` throws FrameError version, header or truncated. */
function message<F extends Fields>(fields: F) {
  const body = record(fields);
  return {
    write(value: RecordOf<F>): Uint8Array {
      const writer = new MessageWriter().byte(FORMAT).byte(FRAME_VERSION);
      body.write(writer, value);
      return writer.finish();
    },
    read(bytes: Uint8Array): RecordOf<F> {
      const reader = new MessageReader(bytes);
      const [format, frames] = [reader.byte(), reader.byte()];
      if (format !== FORMAT || frames !== FRAME_VERSION) throw new FrameError('version');
      return body.read(reader);
    },
  };
}

/**
 * Identifies a round of an encoder. `generation` is unique to each encoder, even across processes.
 */
const roundName = { tier, scale, generation: number, round: number };

/**
 * The deltas of one channel in one tick. Here and below, `epoch` is the epoch of the room's lease.
 */
export const ROUND = message({
  ...{ epoch: number, ...roundName },
  deltas: listOf(record({ chunk: number, version: number, block })),
});

/** Marks the end of a tick, and identifies the channels' rounds in this tick. */
export const TICK_END = message({ epoch: number, tick: number, rounds: listOf(record(roundName)) });

/**
 * Lists the chunks that a gateway's viewers look at, by channel. A channel without viewers stays in
 * the list for a while. Each new id in `ask` requests a baseline; 0 requests none.
 */
export const WANTS = message({
  gateway: text,
  wants: listOf(record({ tier, scale, demand, ask: number, chunks })),
});

/**
 * All cells of a channel, for the gateway that requested them with `ask`. They come from
 * `FrameSource.copy` and are deflated.
 */
export const BASELINE = message({
  ...{ epoch: number, ...roundName },
  ...{ tick: number, ask: number, cells: block },
});

export type Round = ReturnType<typeof ROUND.read>;
export type RoundName = Omit<Round, 'epoch' | 'deltas'>;
export type Wants = ReturnType<typeof WANTS.read>;
export type Baseline = ReturnType<typeof BASELINE.read>;

/** Returns the names of a room's channels on the bus. */
export const busNames = (room: string) => ({
  channel: (channel: ChannelName): string => `frames:${room}:${channel.tier}:${channel.scale}`,
  tick: `frames:${room}:tick`,
  wants: `frames:${room}:wants`,
  to: (gateway: string): string => `frames:${room}:to:${gateway}`,
});
