/** What a rule grows of its gallery, as a room shows it: late stages and grown creatures. */

import { createRandom, hashText } from '../../../shared/random.ts';
import { createEngine } from '../../engine/create-engine.ts';
import type { Readout } from '../../engine/engine.ts';
import { growthSchedule } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import { type Checkpoint, galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { shuffled } from '../data/dataset.ts';
import { TrainingError } from '../errors.ts';
import { meanSquare } from '../pictures/sheet.ts';
import { enlarged, type PainterConfig } from './config.ts';
import type { KeptCreature } from './measure.ts';
import { ENLARGED, type Original } from './originals.ts';
import type { Grown, Material } from './scenes.ts';

/** Patches grown at once; bounds memory. */
const BATCH = 64;

/** Cells of a gallery creature at one moment. */
export interface GrownCells {
  readonly entry: number;
  /** Steps since the end of growth; negative before. */
  readonly age: number;
  /** [side, side, 4] premultiplied RGBA, 0…255. */
  readonly cells: Uint8Array;
}

/**
 * Grows creatures of the gallery.
 *
 * @param entries indices in the gallery
 * @param ages steps since the end of growth at which cells are taken; those before it count only
 *   once the whole patch has divided
 */
export async function growGallery(
  model: Model,
  entries: readonly number[],
  ages: readonly number[],
): Promise<GrownCells[]> {
  const { card } = model;
  const engine = await createEngine({ checkpoints: [model], threads: 1 });
  const schedule = growthSchedule(card);
  const last = Math.max(0, ...ages);
  const steps = [...schedule.map(({ divide }) => divide), ...new Array<boolean>(last).fill(false)];
  const found: GrownCells[] = [];
  try {
    for (let from = 0; from < entries.length; from += BATCH) {
      const some = entries.slice(from, from + BATCH);
      await engine.plant(
        some.map((patch) => ({
          patch,
          checkpoint: card.name,
          latent: galleryLatent(model, patch),
        })),
      );
      for (const [i, divide] of steps.entries()) {
        const readouts = await engine.step(some.map((patch) => ({ patch, divide })));
        const age = i + 1 - schedule.length;
        if (!ages.includes(age)) continue;
        for (const readout of readouts) {
          if (readout.stage !== card.side) continue;
          found.push({ entry: readout.patch, age, cells: shownCells(readout, card.presence) });
        }
      }
      await engine.dispose(some);
    }
  } finally {
    await engine.close();
  }
  return found;
}

/**
 * What a read-out shows: cells below the threshold claim no place in a room and are bare. A room
 * shows a little more, since half the threshold keeps a place that is claimed.
 *
 * @param card.threshold least presence of a living cell, 0…1
 * @returns [stage, stage, 4] premultiplied RGBA, 0…255
 */
export function shownCells(
  { rgba, presence }: Readout,
  { threshold }: { readonly threshold: number },
): Uint8Array {
  return rgba.map((value, i) => (presence[i >> 2] < threshold * 255 ? 0 : value));
}

/** Ages at which grown creatures are examples, steps since the end of growth. */
const AGES = [-6, -4, -2, 0, 8, 24, 48] as const;
/** The age, one of these, at which kept creatures are measured. */
export const KEPT_AGE = 24;
/** Grown cells that differ more from the picture, in mean square, do not show it. */
const SHOWS = 0.012;

/**
 * Draws the gallery creatures that are kept from training, to measure by: for a seed always the
 * same.
 *
 * @param most how many, but at most half of those that have an original
 * @throws TrainingError bad-data: the pictures are of another size
 */
export function chooseKept(
  card: Card,
  originals: readonly Original[],
  { seed, kept: most }: Pick<PainterConfig, 'seed' | 'kept'>,
): Original[] {
  if (originals.some(({ large }) => large.length !== 4 * (ENLARGED * card.side) ** 2)) {
    throw new TrainingError('bad-data', `pictures are not of the checkpoint's side ${card.side}`);
  }
  const inGallery = originals.filter(({ index, name }) => card.gallery[index]?.name === name);
  const order = shuffled(inGallery, createRandom(hashText(`${seed} kept`)));
  return order.slice(0, Math.min(most, order.length >> 1)).sort((a, b) => a.index - b.index);
}

/**
 * Keeps some gallery creatures to measure by; all else becomes examples.
 *
 * @throws TrainingError bad-data: the pictures are of another size, or none can be kept
 */
export async function prepareMaterial(
  checkpoint: Checkpoint,
  originals: readonly Original[],
  config: PainterConfig,
) {
  const { card } = checkpoint;
  const kept = chooseKept(card, originals, config);
  if (kept.length === 0) {
    const what = 'fewer than two of the images are of its gallery; choose those it was trained on';
    throw new TrainingError('bad-data', `${checkpoint.folder}: ${what}`);
  }
  const inGallery = originals.filter(({ index, name }) => card.gallery[index]?.name === name);
  const isKept = new Set(kept.map(({ index }) => index));
  const shown = new Map(inGallery.map((original) => [original.index, original]));
  const cells = await growGallery(checkpoint, [...card.gallery.keys()], AGES);
  const ofKept = new Map(
    cells.flatMap(({ entry, age, cells: bytes }) => (age === KEPT_AGE ? [[entry, bytes]] : [])),
  );
  const grown = cells
    .filter(({ entry }) => !isKept.has(entry))
    .flatMap(({ entry, cells: bytes }): Grown[] => {
      const original = shown.get(entry);
      const shows = original && meanSquare(bytes, original.small) < SHOWS;
      // Without an original there is nothing to learn of a grown creature.
      if (!shows && original === undefined) return [];
      const picture = shows ? original.large : enlarged(bytes, card.side, ENLARGED);
      return [{ cells: bytes, picture }];
    });
  const material: Material = {
    originals: originals.filter(({ index }) => !isKept.has(index)),
    grown,
    side: card.side,
    threshold: card.presence.threshold,
  };
  const measured = kept.map(
    (original): KeptCreature => ({ original, grown: ofKept.get(original.index)! }),
  );
  return { kept: measured, material };
}
