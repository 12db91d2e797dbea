/** Grows a seed in the browser as a room does, by the checkpoint's own rule. */
import type { Card } from '../../server/vnca/card.ts';
import { divide, firstStage, growthSchedule, seedState } from '../../server/vnca/growth.ts';
import { createReadout } from '../../server/vnca/readout.ts';
import { createScalarRule } from '../../server/vnca/scalar-rule.ts';
import type { PageModel } from './models.ts';

/**
 * What an organism shows after each step, from its seed until it sleeps.
 *
 * @param latent [Z]
 * @returns RGBA [side, side], not premultiplied
 */
export function* growthOf(model: PageModel, latent: Float32Array): Generator<ImageData> {
  const { card, rest } = model;
  const step = createScalarRule(model, latent);
  let states = seedState(latent, firstStage(card), card.channels);
  let seen = readCells(card, states);
  for (const { divide: isDividing } of growthSchedule(card)) {
    states = step(isDividing ? divide(states, card.channels) : states);
    seen = readCells(card, states);
    yield pictureOf(card, seen);
  }
  for (let steps = 0, resting = 0; steps < rest.most && resting < rest.ticks; steps++) {
    states = step(states);
    const next = readCells(card, states);
    const isResting = next.rgba.every((v, i) => Math.abs(v - seen.rgba[i]) <= rest.level);
    resting = isResting ? resting + 1 : 0;
    seen = next;
    yield pictureOf(card, seen);
  }
}

/** What cells show: RGBA, premultiplied, and presence. */
interface Seen {
  readonly rgba: Uint8Array;
  readonly presence: Uint8Array;
}

/** @param states [s, s, C] */
function readCells(card: Card, states: Float32Array): Seen {
  const cells = states.length / card.channels;
  const seen = { rgba: new Uint8Array(4 * cells), presence: new Uint8Array(cells) };
  createReadout(card)(states, 0, seen.rgba, seen.presence);
  return seen;
}

/** The present cells, in the middle of the grown size. */
function pictureOf({ side, presence: { threshold } }: Card, { rgba, presence }: Seen): ImageData {
  const stage = Math.sqrt(presence.length);
  const picture = new ImageData(side, side);
  const inset = (side - stage) >> 1;
  for (let cell = 0; cell < presence.length; cell++) {
    const alpha = rgba[4 * cell + 3];
    if (presence[cell] < Math.ceil(threshold * 255) || alpha === 0) continue;
    const [x, y] = [inset + (cell % stage), inset + Math.floor(cell / stage)];
    const to = 4 * (y * side + x);
    for (let c = 0; c < 3; c++) picture.data[to + c] = (255 * rgba[4 * cell + c]) / alpha;
    picture.data[to + 3] = alpha;
  }
  return picture;
}
