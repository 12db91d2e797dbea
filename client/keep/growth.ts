/** Grows a seed in the browser as a room does, by the checkpoint's own rule. */
import type { Card } from '../../server/vnca/card.ts';
import { divide, firstStage, growthSchedule, seedState } from '../../server/vnca/growth.ts';
import { createReadout, type ReadCells } from '../../server/vnca/readout.ts';
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
  const read = createReadout(card);
  const places = new Places(card);
  let states = seedState(latent, firstStage(card), card.channels);
  let seen = readCells(card, read, states);
  for (const { divide: isDividing } of growthSchedule(card)) {
    states = step(isDividing ? divide(states, card.channels) : states);
    seen = readCells(card, read, states);
    yield places.settle(seen);
  }
  for (let steps = 0, resting = 0; steps < rest.most && resting < rest.ticks; steps++) {
    states = step(states);
    const next = readCells(card, read, states);
    const isResting = next.rgba.every((v, i) => Math.abs(v - seen.rgba[i]) <= rest.level);
    resting = isResting ? resting + 1 : 0;
    seen = next;
    yield places.settle(seen);
  }
}

/** What cells show: RGBA, premultiplied, and presence. */
interface Seen {
  readonly rgba: Uint8Array;
  readonly presence: Uint8Array;
}

/** @param states [s, s, C] */
function readCells({ channels }: Card, read: ReadCells, states: Float32Array): Seen {
  const cells = states.length / channels;
  const seen = { rgba: new Uint8Array(4 * cells), presence: new Uint8Array(cells) };
  read(states, 0, seen.rgba, seen.presence);
  return seen;
}

/** The places that an organism holds, as in a room in which it is alone (rules OWN-2 and OWN-3). */
class Places {
  private readonly held: Uint8Array;
  private readonly threshold: number;

  constructor(private readonly card: Card) {
    this.held = new Uint8Array(card.side ** 2);
    this.threshold = Math.ceil(card.presence.threshold * 255);
  }

  /** Takes and gives up places after a step. @returns their picture */
  settle({ rgba, presence }: Seen): ImageData {
    const { held, threshold } = this;
    const { side } = this.card;
    const stage = Math.sqrt(presence.length);
    const inset = (side - stage) >> 1;
    const picture = new ImageData(side, side);
    for (let cell = 0; cell < presence.length; cell++) {
      const place = (inset + Math.floor(cell / stage)) * side + inset + (cell % stage);
      if (presence[cell] >= threshold) held[place] = 1;
      // Half of what claims a place keeps it.
      else if (presence[cell] < threshold / 2) held[place] = 0;
      const alpha = rgba[4 * cell + 3];
      if (held[place] === 0 || alpha === 0) continue;
      for (let c = 0; c < 3; c++) {
        picture.data[4 * place + c] = (255 * rgba[4 * cell + c]) / alpha;
      }
      picture.data[4 * place + 3] = alpha;
    }
    return picture;
  }
}
