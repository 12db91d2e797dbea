/** Defines the schema of the `data` field of a training configuration. */
import * as v from 'valibot';
import { checked } from '../errors.ts';

/** Styles of emoji other than the current Noto style; see `STYLE_SOURCES`. */
export const STYLES = ['noto-v1', 'twemoji', 'fluent-emoji-flat'] as const;
export type Style = (typeof STYLES)[number];

const side = v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(256));
const margin = v.pipe(v.number(), v.integer(), v.minValue(0));
const folder = v.pipe(v.string(), v.nonEmpty('is empty'));
/** Share of images in the validation split. */
const validationShare = v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(0.5)), 0);

const leavesRoom = (config: { side: number; margin: number }): boolean =>
  config.side - 2 * config.margin >= 4;
const NO_ROOM = 'leaves a side of fewer than 4 cells for the picture';
const COLOUR = 'is neither "transparent" nor a colour such as "#20242c"';

const emoji = v.pipe(
  v.strictObject({
    kind: v.literal('emoji'),
    /**
     * Name of the set of emoji:
     * - `bestiary`: 171 animals and plants;
     * - `organisms`: the emoji of `bestiary`, and faces, food and fantasy people;
     * - `broad`: all emoji except flags and symbols;
     * - `unseen`: the 200 emoji of `unseen.json`, for evaluation;
     * - `seen`: the emoji of `broad` whose subcategory does not occur in `unseen.json`. The emoji
     *   of `organisms` come first.
     */
    set: v.picklist(['bestiary', 'organisms', 'broad', 'unseen', 'seen']),
    side: v.optional(v.picklist([32, 64]), 32),
    margin: v.optional(margin, 2),
    /** Styles other than Noto. Pictures in these styles are added after the Noto pictures. */
    styles: v.exactOptional(v.pipe(v.array(v.picklist(STYLES)), v.minLength(1))),
    validationShare,
  }),
  v.forward(
    v.check((config) => leavesRoom(config), NO_ROOM),
    ['margin'],
  ),
);

const ownFolder = v.pipe(
  v.strictObject({
    kind: v.literal('folder'),
    folder,
    side: v.optional(side, 32),
    margin: v.optional(margin, 2),
    /**
     * Background: 'transparent', or a colour. With a colour, images have 3 channels (RGB) instead
     * of 4.
     */
    background: v.optional(
      v.union(
        [v.literal('transparent'), v.pipe(v.string(), v.regex(/^#[0-9a-f]{6}$/i, COLOUR))],
        COLOUR,
      ),
      'transparent',
    ),
    validationShare,
  }),
  v.forward(
    v.check((config) => leavesRoom(config), NO_ROOM),
    ['margin'],
  ),
);

/**
 * Schema of the field `data`. Relative paths of folders are resolved against `baseFolder`, a
 * parameter of `loadDataset`.
 */
export const datasetConfig = v.variant('kind', [
  v.strictObject({
    kind: v.literal('mnist'),
    /** Side of the images, in pixels. 32: MNIST's 28 pixels with a margin of two empty pixels. */
    side: v.optional(v.picklist([28, 32]), 32),
  }),
  emoji,
  ownFolder,
]);

/** The field `data` as written in a configuration, before defaults are filled in. */
export type DatasetConfig = v.InferInput<typeof datasetConfig>;
/** The field `data` with all defaults filled in. */
export type FullConfig = v.InferOutput<typeof datasetConfig>;
export type ConfigOf<K extends FullConfig['kind']> = Extract<FullConfig, { kind: K }>;

/**
 * Checks the field `data` of a configuration and fills in defaults.
 *
 * @throws TrainingError 'bad-config' if a field is invalid; the message names the field
 */
export const parseDatasetConfig = (value: unknown): FullConfig =>
  checked(datasetConfig, value, 'data: ');
