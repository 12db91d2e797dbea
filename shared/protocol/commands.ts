/** The messages that clients send, each with its schema. Names are the Socket.IO event names. */

import * as v from 'valibot';
import { TIER_NAMES } from '../codec/tiers.ts';
import { between, finite, roomName, whole } from '../common-schemas.ts';
import { STROKE_LIMITS } from '../geometry.ts';
import { LANGUAGE_CODES } from '../languages.ts';
import { MAX_TOKEN } from '../seed-token.ts';
import { ringNumber, TOOLS } from '../vocabulary.ts';

/** Maximum size of a drawing, in bytes: RGBA of 60×60 pixels. */
export const MAX_DRAWING = 14_400;

/** Id that the client chooses; the answer to the command contains it. */
const commandId = whole(0, 0xffffffff);
const tokenText = v.optional(v.pipe(v.string(), v.maxLength(64)));
const organismId = whole(1, 0xffffffff);
const share = between(0, 1);

/**
 * A latent. The limit is far above any checkpoint's latent size; numbers must be finite and small.
 */
const latent = v.pipe(v.array(between(-100, 100)), v.minLength(1), v.maxLength(1024));

const seedSource = v.variant('from', [
  v.strictObject({ from: v.literal('gallery'), index: whole(0, 65_535) }),
  /** A random seed. Equal values of `throw` give equal seeds. */
  v.strictObject({ from: v.literal('prior'), throw: v.optional(whole(0, 0xffffffff)) }),
  /** A mix of creatures around a point of the latent map; `whole`: the whole gallery's map. */
  v.strictObject({ from: v.literal('map'), x: share, y: share, whole: v.optional(v.boolean()) }),
  v.strictObject({ from: v.literal('latent'), latent }),
  v.strictObject({ from: v.literal('hand'), seed: whole(1, 0xffffffff) }),
  /** A seed saved from an organism: see seed-token.ts. */
  v.strictObject({
    from: v.literal('token'),
    token: v.pipe(v.string(), v.maxLength(MAX_TOKEN), v.regex(/^[A-Za-z0-9_-]+$/)),
  }),
]);

/** Seeds that can be previewed: everything that can be planted, and seeds not yet in a hand. */
const previewSource = v.variant('from', [
  ...seedSource.options,
  /** A cross without mutation. */
  v.strictObject({ from: v.literal('cross'), a: organismId, b: organismId, mix: share }),
  /** The growth of a living organism. */
  v.strictObject({ from: v.literal('organism'), organism: organismId }),
]);

const stroke = {
  id: commandId,
  radius: between(STROKE_LIMITS.minRadius, STROKE_LIMITS.maxRadius),
  points: v.pipe(
    v.array(finite),
    v.minLength(2),
    v.maxLength(2 * STROKE_LIMITS.maxPoints),
    v.check((points) => points.length % 2 === 0, 'each point needs x and y'),
  ),
};

/** Commands of participants that a table's rings may send. */
const RING_COMMANDS = [
  ...(['plant', 'damage', 'graft', 'ungraft', 'cross', 'transform'] as const),
  ...(['preview', 'keep', 'cursor'] as const),
];

/** Maximum number of chunks in a message, more than the largest grid has. */
const MAX_CHUNKS = 4_096;
const chunk = whole(0, MAX_CHUNKS - 1);

/** Maximum number of organisms whose genomes a message requests. */
export const MAX_GENOMES_ASKED = 64;

export const COMMANDS = {
  /** First message of a connection. */
  join: v.strictObject({
    protocol: whole(0, 0xffff),
    room: roomName,
    name: v.optional(v.pipe(v.string(), v.maxLength(256))),
    /**
     * What the client is. If absent, a participant. `wall`: sees everything and may only watch; the
     * answer is `wall`. `view`: the picture on the host's page, like a wall, but never reported as
     * lost. `spectator`: a visitor with a view-only link, like a wall, but bans and opening hours
     * apply. `table`: a touch table, like a wall, whose rings are participants: see `enter`.
     */
    as: v.optional(v.picklist(['wall', 'view', 'spectator', 'table'])),
    /** Pass of a table, or of a wall with a seat of its own, from its address. */
    pass: tokenText,
    /** Languages whose script the wall's screen cannot display. */
    unwritable: v.optional(
      v.pipe(v.array(v.picklist(LANGUAGE_CODES)), v.maxLength(LANGUAGE_CODES.length)),
    ),
    /** Token from an earlier `welcome` or `waiting`: resumes a seat or a position in the queue. */
    resume: tokenText,
    /** Device mark from an earlier `welcome` in any room of the server. */
    mark: tokenText,
    /**
     * Scope within which the ids of this page's commands are unique. A page that resumes sends its
     * unanswered commands again, and the room executes each of them only once.
     */
    session: v.optional(commandId),
    /** Checksums (`sumOf`) of the chunks that the page shows, four bytes each, little-endian. */
    holds: v.optional(
      v.pipe(
        v.instance(Uint8Array),
        v.check(({ length }) => length <= 4 * MAX_CHUNKS, 'too many chunks'),
      ),
    ),
  }),
  /**
   * Open a ring of a table, or resume it after the connection was lost. Each ring is a participant.
   * The answer is `ring` with a `seated`.
   */
  enter: v.strictObject({
    ring: ringNumber,
    ...{ resume: tokenText, mark: tokenText, session: v.optional(commandId) },
  }),
  /** A ring's command. Its `message` is validated like a message from a visitor's page. */
  ring: v.strictObject({
    ring: ringNumber,
    name: v.picklist(RING_COMMANDS),
    message: v.unknown(),
  }),
  /** Forget a ring: its next participant is somebody else. */
  forget: v.strictObject({ ring: ringNumber }),
  /** Report the visible part of the grid. Hidden pages receive only heartbeats. */
  look: v.variant('hidden', [
    v.strictObject({ hidden: v.literal(true) }),
    v.strictObject({
      hidden: v.literal(false),
      x: between(-1e6, 1e6),
      y: between(-1e6, 1e6),
      width: between(0, 1e6),
      height: between(0, 1e6),
      /** Screen pixels per cell. */
      pixels: between(0, 1e4),
      /** The best quality tier that the page needs. */
      best: v.picklist(TIER_NAMES),
    }),
  ]),
  /** Plant a seed with the centre of its window at integer coordinates. */
  plant: v.strictObject({
    id: commandId,
    x: whole(-1e6, 1e6),
    y: whole(-1e6, 1e6),
    seed: seedSource,
  }),
  /** Damage the cells under a stroke. */
  damage: v.strictObject(stroke),
  /**
   * Graft: the cells under a stroke read the genome of a seed from now on, and become a part of its
   * creature (rule GRA-1).
   */
  graft: v.strictObject({ ...stroke, seed: seedSource }),
  /**
   * Take back from an organism what the participant's last stroke grafted onto it; with `foreign`,
   * everything that others have grafted onto the participant's own organism.
   */
  ungraft: v.strictObject({
    id: commandId,
    organism: organismId,
    foreign: v.optional(v.boolean()),
  }),
  /**
   * Cross two living organisms into a seed in the hand. `mix` is the share of b, `mutation` the
   * share of random variation.
   */
  cross: v.strictObject({
    id: commandId,
    a: organismId,
    b: organismId,
    mix: share,
    mutation: v.optional(share),
  }),
  /**
   * Turn a drawing into a seed in the hand. The drawing has side×side pixels, like the checkpoint's
   * grown organism. Depending on the checkpoint's `draws`, a pixel is one byte of ink or
   * premultiplied RGBA.
   */
  draw: v.strictObject({
    id: commandId,
    pixels: v.pipe(
      v.instance(Uint8Array),
      v.check(({ length }) => length <= MAX_DRAWING, 'too large'),
    ),
  }),
  /** Preview how a seed would grow, without planting it. */
  preview: v.strictObject({ id: commandId, seed: previewSource }),
  /**
   * Renew one of the participant's own organisms: a departing organism comes back with a new
   * lifetime; an organism that departed less than a minute ago is planted again.
   */
  renew: v.strictObject({ id: commandId, organism: organismId }),
  /** Transform a living organism, in place, into the organism that a seed grows into. */
  transform: v.strictObject({
    ...{ id: commandId, organism: organismId, seed: seedSource },
    /** Point from which the new organism spreads; if absent, the middle. */
    at: v.optional(v.strictObject({ x: finite, y: finite })),
  }),
  /** Show everybody where one of the participant's own organisms is. */
  beacon: v.strictObject({ id: commandId, organism: organismId }),
  /** Report an organism to the host, who decides about it. */
  report: v.strictObject({ id: commandId, organism: organismId }),
  /** Follow a participant's view; without a participant, stop following. */
  follow: v.strictObject({ id: commandId, participant: v.optional(whole(1, 0xffffffff)) }),
  /** Get a living organism's seed as a token, to plant it again later. */
  keep: v.strictObject({ id: commandId, organism: organismId }),
  /** Change the participant's name; '' removes it. */
  name: v.strictObject({ id: commandId, name: v.pipe(v.string(), v.maxLength(256)) }),
  /** Report the pointer's position; without coordinates, the pointer has left the grid. */
  cursor: v.strictObject({
    x: v.optional(finite),
    y: v.optional(finite),
    tool: v.picklist(TOOLS),
  }),
  /**
   * Report whether the visitor is drawing, choosing or reading in an open panel, so that the
   * gardener waits. The page repeats this as long as the visitor uses the panel.
   */
  busy: v.strictObject({ busy: v.boolean() }),
  /** Acknowledge the frame of this tick. */
  received: v.strictObject({ tick: whole(0, 0xffffffff) }),
  /** Request the genomes of organisms, to paint them; the answer is `genomes`. */
  genomes: v.strictObject({
    organisms: v.pipe(v.array(organismId), v.maxLength(MAX_GENOMES_ASKED)),
  }),
  /** Request all cells of chunks that are out of sync, at the scale of the client's frames. */
  resync: v.strictObject({ chunks: v.pipe(v.array(chunk), v.maxLength(MAX_CHUNKS)) }),
} as const;

export type CommandName = keyof typeof COMMANDS;
export type Command<N extends CommandName> = v.InferOutput<(typeof COMMANDS)[N]>;
export type SeedSource = v.InferOutput<typeof seedSource>;
export type PreviewSource = v.InferOutput<typeof previewSource>;

export function isCommandName(name: unknown): name is CommandName {
  return typeof name === 'string' && Object.hasOwn(COMMANDS, name);
}
