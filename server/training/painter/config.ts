/** The configuration for training a painter (a JSON file with `"kind": "painter"`). */
import * as v from 'valibot';
import { size } from '../../../shared/common-schemas.ts';
import { KEY, MOST_CHANNELS } from '../../../shared/painter/net.ts';
import { datasetConfig } from '../data/config.ts';
import { checked } from '../errors.ts';

const width = v.pipe(size, v.multipleOf(4), v.maxValue(96));
const wide = v.pipe(size, v.multipleOf(4), v.maxValue(128));
const latent = v.pipe(size, v.minValue(KEY));
const channels = v.pipe(size, v.multipleOf(4), v.maxValue(MOST_CHANNELS));
/** An even number of cells. Training may choose cells in pairs. */
const even = v.pipe(size, v.multipleOf(2));

const schema = v.strictObject({
  kind: v.literal('painter'),
  name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]*$/)),
  /** Folder of the painter's checkpoint, relative to the working directory. */
  checkpoint: v.pipe(v.string(), v.nonEmpty()),
  /**
   * Data set on which the checkpoint was trained. The checkpoint's gallery must consist of the data
   * set's first pictures.
   */
  data: datasetConfig,
  /** Maximum number of gallery creatures reserved for measuring the painter. */
  kept: v.optional(size, 100),
  hidden: v.optional(v.strictTuple([width, width]), () => [64, 64] as [number, number]),
  ramps: v.optional(v.pipe(size, v.maxValue(16)), 8),
  /**
   * Widths of the net that turns a creature's genome into a map, which the painter reads in
   * addition to the cells: length of the latent, width of the hidden layer, and numbers of channels
   * of the map at sides 4, 8, 16 and 32. If present, training extends the checkpoint's existing
   * painter, so that it also reads the genomes of the gallery's creatures. If absent, training
   * makes a new painter that reads only cells.
   */
  genome: v.optional(v.strictTuple([latent, wide, wide, wide, wide, channels])),
  seed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 1),
  updates: size,
  /** Number of `scenes` per update, and of random `cells` per scene. */
  batch: v.optional(v.strictObject({ scenes: size, cells: even }), { scenes: 8, cells: 256 }),
  /** Weight of the loss for edges, relative to the loss for colours. */
  edges: v.optional(v.pipe(v.number(), v.minValue(0)), 1),
  /**
   * Weight of the edge energy loss in the second half of training. The first half does not use this
   * loss. The loss compares how strong a cell's edges are in the painted picture and in the target,
   * not where the edges are.
   */
  energy: v.optional(v.pipe(v.number(), v.minValue(0)), 2),
  /**
   * Weight of the pair loss: two neighbouring cells should differ in mean colour as much in the
   * painted picture as in the target. The pair loss removes a plaid pattern. The cells have this
   * pattern because each growing cell divides into 2×2 cells several times. If the weight is above
   * 0, training chooses cells in pairs.
   */
  steps: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  learningRate: v.optional(v.pipe(v.number(), v.gtValue(0)), 0.002),
});

/** The configuration for training a painter, with all defaults filled in. */
export type PainterConfig = v.InferOutput<typeof schema>;

/** Returns whether a parsed JSON file is a configuration for training a painter. */
export const isPainterConfig = (value: unknown): boolean =>
  (value as { kind?: unknown } | null)?.kind === 'painter';

/**
 * Checks a configuration and fills in defaults.
 *
 * @param file name of the file, for error messages
 * @throws TrainingError 'bad-config' if the configuration is invalid
 */
export const parsePainterConfig = (value: unknown, file: string): PainterConfig =>
  checked(schema, value, `${file}: `);
