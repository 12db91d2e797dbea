/**
 * Defines the schema of a painter's training configuration: a JSON file with `"kind": "painter"`.
 */
import * as v from 'valibot';
import { size } from '../../../shared/common-schemas.ts';
import { KEY, MOST_CHANNELS } from '../../../shared/painter/net.ts';
import { datasetConfig } from '../data/config.ts';
import { checked } from '../errors.ts';

const width = v.pipe(size, v.multipleOf(4), v.maxValue(96));
const wide = v.pipe(size, v.multipleOf(4), v.maxValue(128));
const latent = v.pipe(size, v.minValue(KEY));
const channels = v.pipe(size, v.multipleOf(4), v.maxValue(MOST_CHANNELS));

const schema = v.strictObject({
  kind: v.literal('painter'),
  /** Name of the run. */
  name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]*$/)),
  /**
   * Folder of the checkpoint whose creatures the painter paints, relative to the working directory.
   */
  checkpoint: v.pipe(v.string(), v.nonEmpty()),
  /**
   * Set of pictures that the checkpoint was trained on, with the gallery's pictures first.
   * `loadOriginals` finds larger originals of these pictures.
   */
  data: datasetConfig,
  /** Number of gallery creatures to keep out of training, for measuring. */
  kept: v.optional(size, 100),
  /** Widths of the hidden layers. */
  hidden: v.optional(v.strictTuple([width, width]), () => [64, 64] as [number, number]),
  ramps: v.optional(v.pipe(size, v.maxValue(16)), 8),
  /**
   * Widths of the layers that make maps: of a latent, of the hidden layer, and of the map at a side
   * of 4, 8, 16 and 32 places. The checkpoint's painter then learns the genomes of its gallery, and
   * paints all other cells as before. If absent, a painter of cells alone is trained.
   */
  genome: v.optional(v.strictTuple([latent, wide, wide, wide, wide, channels])),
  seed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 1),
  updates: size,
  /** Number of scenes per update, and number of cells per scene. */
  batch: v.optional(v.strictObject({ scenes: size, cells: size }), { scenes: 8, cells: 256 }),
  /** Weight of the loss of edges, relative to the loss of colours. */
  edges: v.optional(v.pipe(v.number(), v.minValue(0)), 1),
  /**
   * Weight of the edge energy loss, used in the second half of training: the difference in the
   * total amount of edge per cell, wherever in the cell the edges lie.
   */
  energy: v.optional(v.pipe(v.number(), v.minValue(0)), 2),
  learningRate: v.optional(v.pipe(v.number(), v.gtValue(0)), 0.002),
});

/** A configuration with all defaults filled in. */
export type PainterConfig = v.InferOutput<typeof schema>;

/** Whether a parsed JSON file is a painter's configuration. */
export const isPainterConfig = (value: unknown): boolean =>
  (value as { kind?: unknown } | null)?.kind === 'painter';

/** Checks a configuration and fills in defaults. @throws TrainingError bad-config */
export const parsePainterConfig = (value: unknown, file: string): PainterConfig =>
  checked(schema, value, `${file}: `);
