/**
 * Messages that carry frames from a room's leader to its gateways. They are never sent to pages.
 * Start at `ROUND`.
 */
import * as v from 'valibot';
import { FRAME_VERSION, MAX_SCALE } from '../../../shared/codec/frame.ts';
import { count as whole } from '../../../shared/common-schemas.ts';
import { decodeMessage, encodeMessage } from '../../cluster/bus/bus.ts';
import { CHANNEL_TIERS, type ChannelName, type ChannelTier } from './frame-feed.ts';

const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);

const channel = {
  tier: v.picklist(Object.keys(CHANNEL_TIERS) as ChannelTier[]),
  /** A power of two. */
  scale: v.pipe(
    whole,
    v.maxValue(MAX_SCALE),
    v.check((scale) => Number.isInteger(Math.log2(scale))),
  ),
};

/**
 * Identifies a round of an encoder. `generation` is unique to each encoder, even across processes.
 */
const roundName = { ...channel, generation: whole, round: whole };

/** Version of the messages, and of the frames in them. Messages of other versions are invalid. */
const VERSION = `3/${FRAME_VERSION}`;

/** Creates a message type. `decode` returns undefined if the bytes are not a valid message. */
function message<E extends v.ObjectEntries>(entries: E) {
  const schema = v.object(entries);
  const versioned = v.pipe(
    v.tuple([v.literal(VERSION), schema]),
    v.transform(([, content]) => content),
  );
  return {
    encode: (content: v.InferOutput<typeof schema>) => encodeMessage([VERSION, content]),
    decode: (message: Uint8Array) => decodeMessage(versioned, message),
  };
}

/**
 * The deltas of one channel in one tick, each with its chunk and version. Here and below, `epoch`
 * is the epoch of the room's lease.
 */
export const ROUND = message({
  epoch: whole,
  ...roundName,
  deltas: v.array(v.tuple([whole, whole, bytes])),
});

/** Marks the end of a tick, and identifies the channels' rounds in this tick. */
export const TICK_END = message({
  epoch: whole,
  tick: whole,
  rounds: v.pipe(v.array(v.object(roundName)), v.readonly()),
});

/**
 * For each channel, lists the chunks that a gateway's viewers look at. A channel without viewers
 * stays in the list for a while. `mayReceive` is set if at least one viewer can take a frame. Each
 * new id in `ask` requests a baseline; 0 requests none.
 */
export const WANTS = message({
  gateway: v.string(),
  wants: v.array(
    v.object({
      ...channel,
      ...{ isUsed: v.boolean(), mayReceive: v.boolean(), ask: whole, chunks: v.array(whole) },
    }),
  ),
});

/**
 * All cells of a channel, for the gateway that requested them with `ask`. They come from
 * `FrameSource.copy` and are deflated.
 */
export const BASELINE = message({
  epoch: whole,
  ...roundName,
  ...{ tick: whole, ask: whole, cells: bytes },
});

type MessageOf<M extends { decode(message: Uint8Array): unknown }> = NonNullable<
  ReturnType<M['decode']>
>;
export type Round = MessageOf<typeof ROUND>;
export type RoundName = Omit<Round, 'epoch' | 'deltas'>;
export type TickEnd = MessageOf<typeof TICK_END>;
export type Wants = MessageOf<typeof WANTS>;
export type Baseline = MessageOf<typeof BASELINE>;

/** Returns the names of a room's channels on the bus. */
export const busNames = (room: string) => ({
  channel: (channel: ChannelName): string => `frames:${room}:${channel.tier}:${channel.scale}`,
  tick: `frames:${room}:tick`,
  wants: `frames:${room}:wants`,
  to: (gateway: string): string => `frames:${room}:to:${gateway}`,
});
