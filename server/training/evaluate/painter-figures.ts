/** Measures the painter of a checkpoint on creatures that were kept from its training. */
import { parsePainter } from '../../../shared/painter/net.ts';
import type { Compute } from '../../autodiff/compute.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { readPainter } from '../../vnca/painter-file.ts';
import { DatasetError } from '../data/errors.ts';
import { TrainingError } from '../errors.ts';
import { growGallery } from '../painter/grown.ts';
import { chooseKept, KEPT_AGE } from '../painter/material.ts';
import { measurePainter } from '../painter/measure.ts';
import { loadOriginals } from '../painter/originals.ts';
import { evenly } from '../parameter-vector.ts';
import { EvaluationError } from './errors.ts';
import { findData } from './test-images.ts';

/** How a painter is kept creatures from, where its card does not say. */
const USUAL = { seed: 1, creatures: 100 };

/** See `painterFigures`. */
export type PainterFigures = Awaited<ReturnType<typeof measurePainter>>;

/** A checkpoint and what it is measured with. */
export interface Painted {
  readonly compute: Compute;
  readonly model: Model;
  /** Of the checkpoint. */
  readonly folder: string;
  /** Images that it was trained on, as in `loadImages`. */
  readonly data?: string;
  /** Most creatures, evenly chosen; 0: all. */
  readonly limit: number;
}

/**
 * Measures a painter.
 *
 * @returns null without one; or why there is nothing to measure it by
 * @throws CheckpointError the painter is not usable
 */
export async function painterFigures({
  compute,
  model,
  folder,
  data,
  limit,
}: Painted): Promise<PainterFigures | EvaluationError | null> {
  const file = await readPainter(folder);
  if (!file) return null;
  const { card } = model;
  const { seed, creatures } = { ...USUAL, ...card.painter?.figures } as typeof USUAL;
  try {
    const { config, base } = await findData(card, data);
    const originals = await loadOriginals(config, base === undefined ? {} : { baseFolder: base });
    const all = chooseKept(card, originals, { seed, kept: creatures });
    if (all.length === 0) {
      return new EvaluationError('no-data', 'no picture of the gallery has a larger original');
    }
    const count = limit === 0 ? all.length : Math.min(limit, all.length);
    const kept = evenly(all.length, count).map((i) => all[i]);
    const entries = kept.map(({ index }) => index);
    const grown = await growGallery(model, entries, [KEPT_AGE]);
    const cells = new Map(grown.map(({ entry, cells: bytes }) => [entry, bytes]));
    const measured = kept.map((original) => ({ original, grown: cells.get(original.index)! }));
    return await measurePainter(compute, parsePainter(file), measured, card.side);
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    if (!(error instanceof TrainingError || error instanceof DatasetError)) throw error;
    return new EvaluationError('no-data', error.message);
  }
}
