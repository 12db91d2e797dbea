/** Schemas of the messages that clients send, by name of the Socket.IO event. */

import * as v from 'valibot';
import { TIER_NAMES } from '../codec/tiers.ts';
import { between, finite, roomName, whole } from '../common-schemas.ts';
import { LANGUAGE_CODES } from '../languages.ts';
import { MAX_DRAWING, MAX_GENOMES_ASKED, STROKE_LIMITS } from '../limits.ts';
import { MAX_TOKEN } from '../seed-token.ts';
import { ringNumber, TOOLS } from '../vocabulary.ts';

/** Id of a command, chosen by the client. The answer contains the same id. */
const commandId = whole(0, 0xffffffff);
const tokenText = v.optional(v.pipe(v.string(), v.maxLength(64)));
const organismId = whole(1, 0xffffffff);
const share = between(0, 1);

/** A latent. The maximum length is far above the latent size of any checkpoint. */
const latent = v.pipe(v.array(between(-100, 100)), v.minLength(1), v.maxLength(1024));

const seedSource = v.variant('from', [
  v.strictObject({ from: v.literal('gallery'), index: whole(0, 65_535) }),
  /**
   * A random seed, from the dice on the page. `throw` is the random number that the page has drawn;
   * equal numbers give equal seeds.
   */
  v.strictObject({ from: v.literal('prior'), throw: v.optional(whole(0, 0xffffffff)) }),
  /**
   * A mix of the creatures around a point of a latent map: the map of the whole gallery if `whole`
   * is true, otherwise the map of the featured creatures.
   */
  v.strictObject({ from: v.literal('map'), x: share, y: share, whole: v.optional(v.boolean()) }),
  v.strictObject({ from: v.literal('latent'), latent }),
  v.strictObject({ from: v.literal('hand'), seed: whole(1, 0xffffffff) }),
  /** A seed saved from an organism: see seed-token.ts. */
  v.strictObject({
    from: v.literal('token'),
    token: v.pipe(v.string(), v.maxLength(MAX_TOKEN), v.regex(/^[A-Za-z0-9_-]+$/)),
  }),
]);

/**
 * Seeds that can be previewed: all seeds that can be planted, a cross of two living organisms, and
 * the seed of a living organism.
 */
const previewSource = v.variant('from', [
  ...seedSource.options,
  /** The child (cross) of two living organisms, without mutation. `mix` is the share of `b`. */
  v.strictObject({ from: v.literal('cross'), a: organismId, b: organismId, mix: share }),
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

/** Commands that a touch table can send for a person at the table. */
const RING_COMMANDS = [
  ...(['plant', 'damage', 'graft', 'ungraft', 'cross', 'transform'] as const),
  ...(['preview', 'keep', 'cursor'] as const),
];

/** Maximum number of chunks in a message, more than any grid has. */
const MAX_CHUNKS = 4_096;
const chunk = whole(0, MAX_CHUNKS - 1);

export const COMMANDS = {
  /** First message of a connection. */
  join: v.strictObject({
    protocol: whole(0, 0xffff),
    room: roomName,
    name: v.optional(v.pipe(v.string(), v.maxLength(256))),
    /**
     * Kind of client. If absent, the client is a participant.
     * - `wall`: can only watch. The answer is the event `wall`.
     * - `view`: the live picture on the host's page. Like a wall, but a lost connection is not
     *   reported.
     * - `spectator`: a visitor with a view-only link. Like a wall, but subject to bans and opening
     *   hours.
     * - `table`: a touch table. Like a wall, but each person at the table is a participant (see
     *   `enter`).
     */
    as: v.optional(v.picklist(['wall', 'view', 'spectator', 'table'])),
    /**
     * Secret in the page's URL (`?pass=`), for a touch table or for a wall with a reserved seat.
     */
    pass: tokenText,
    /** Languages whose script the wall's screen cannot display. */
    unwritable: v.optional(
      v.pipe(v.array(v.picklist(LANGUAGE_CODES)), v.maxLength(LANGUAGE_CODES.length)),
    ),
    /**
     * Token from an earlier event `welcome` or `waiting`, to resume a seat or a position in the
     * queue.
     */
    resume: tokenText,
    /**
     * Device mark from an earlier event `welcome`. The mark identifies the browser in all rooms of
     * this server.
     */
    mark: tokenText,
    /**
     * Id of the page's session. After a lost connection, the page sends unanswered commands again.
     * By session and command id, the room recognises commands that it has already executed.
     */
    session: v.optional(commandId),
    /**
     * Checksums (`sumOf`) of the chunks that the page is showing, four bytes each, little-endian.
     * The server needs to send only chunks that differ.
     */
    holds: v.optional(
      v.pipe(
        v.instance(Uint8Array),
        v.check(({ length }) => length <= 4 * MAX_CHUNKS, 'too many chunks'),
      ),
    ),
  }),
  /**
   * Open a ring (the circle of tools for one person at a touch table), or open it again after a
   * lost connection. Each person is a separate participant. The answer is the event `ring` with a
   * `seated` message.
   */
  enter: v.strictObject({
    ring: ringNumber,
    ...{ resume: tokenText, mark: tokenText, session: v.optional(commandId) },
  }),
  /**
   * Send a command for one person at a touch table. `ring` is the number of the person's ring
   * (circle of tools). `message` is validated like a command from a visitor's page.
   */
  ring: v.strictObject({
    ring: ringNumber,
    name: v.picklist(RING_COMMANDS),
    message: v.unknown(),
  }),
  /**
   * Forget who was using a ring (circle of tools) of the touch table. The next user of the ring is
   * a new participant.
   */
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
      /** The best quality tier that the page can use. */
      best: v.picklist(TIER_NAMES),
    }),
  ]),
  /** Plant a seed. `x` and `y` are the centre of the organism's window. */
  plant: v.strictObject({
    id: commandId,
    x: whole(-1e6, 1e6),
    y: whole(-1e6, 1e6),
    seed: seedSource,
  }),
  damage: v.strictObject(stroke),
  /** Paint the genome of a seed onto the cells under a stroke (GRA-1 in shared/RULES.md). */
  graft: v.strictObject({ ...stroke, seed: seedSource }),
  /**
   * Take back the participant's last graft stroke on an organism. If `foreign` is true, instead
   * remove all grafts by others from the participant's own organism.
   */
  ungraft: v.strictObject({
    id: commandId,
    organism: organismId,
    foreign: v.optional(v.boolean()),
  }),
  /**
   * Cross two living organisms. The new seed is put into the participant's hand. `mix` is the share
   * of `b`; `mutation` is the amount of random variation, 0…1.
   */
  cross: v.strictObject({
    id: commandId,
    a: organismId,
    b: organismId,
    mix: share,
    mutation: v.optional(share),
  }),
  /**
   * Turn a drawing into a seed in the participant's hand. The drawing is a square with one pixel
   * per cell of a grown organism's window. If the checkpoint's `draws` is 'ink', a pixel is one
   * byte, from 0 for black to 255 for white; if 'colour', four bytes of premultiplied RGBA.
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
   * Renew one of the participant's own organisms: stop it from dissolving, or plant it again if it
   * dissolved less than a minute ago.
   */
  renew: v.strictObject({ id: commandId, organism: organismId }),
  /** Transform a living organism into the creature of another seed, at the same place. */
  transform: v.strictObject({
    ...{ id: commandId, organism: organismId, seed: seedSource },
    /** Point from which the new genome spreads, in cells. If absent, the organism's centre. */
    at: v.optional(v.strictObject({ x: finite, y: finite })),
  }),
  /** Show everybody where one of the participant's own organisms is. */
  beacon: v.strictObject({ id: commandId, organism: organismId }),
  report: v.strictObject({ id: commandId, organism: organismId }),
  /** Follow the view of another participant. If `participant` is absent, stop following. */
  follow: v.strictObject({ id: commandId, participant: v.optional(whole(1, 0xffffffff)) }),
  /** Get a living organism's seed as a token. */
  keep: v.strictObject({ id: commandId, organism: organismId }),
  /** Change the participant's name; '' removes it. */
  name: v.strictObject({ id: commandId, name: v.pipe(v.string(), v.maxLength(256)) }),
  /** Report the position of the pointer. If x and y are absent, the pointer has left the grid. */
  cursor: v.strictObject({
    x: v.optional(finite),
    y: v.optional(finite),
    tool: v.picklist(TOOLS),
  }),
  /**
   * Report whether the visitor is using an open panel. If so, the gardener does not start. The page
   * repeats this message while the panel is in use.
   */
  busy: v.strictObject({ busy: v.boolean() }),
  /** Acknowledge that the frame of a tick has arrived. */
  received: v.strictObject({ tick: whole(0, 0xffffffff) }),
  /**
   * Request organisms' genomes, to draw the organisms with the painter. The answer is the event
   * `genomes`.
   */
  genomes: v.strictObject({
    organisms: v.pipe(v.array(organismId), v.maxLength(MAX_GENOMES_ASKED)),
  }),
  /**
   * Request all cells of chunks that are out of sync. `chunks` contains the indices of these
   * chunks. If the client receives a scaled-down grid, the indices refer to that grid.
   */
  resync: v.strictObject({ chunks: v.pipe(v.array(chunk), v.maxLength(MAX_CHUNKS)) }),
} as const;

export type CommandName = keyof typeof COMMANDS;
export type Command<N extends CommandName> = v.InferOutput<(typeof COMMANDS)[N]>;
export type SeedSource = v.InferOutput<typeof seedSource>;
export type PreviewSource = v.InferOutput<typeof previewSource>;

export function isCommandName(name: unknown): name is CommandName {
  return typeof name === 'string' && Object.hasOwn(COMMANDS, name);
}
