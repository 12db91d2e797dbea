/** Defines the schema of the `data` field of a training configuration. */
import * as v from 'valibot';
import { checked } from '../errors.ts';

/** Styles in which artists other than Noto's current ones draw emoji: see `STYLE_SOURCES`. */
export const STYLES = ['noto-v1', 'twemoji', 'fluent-emoji-flat'] as const;
export type Style = (typeof STYLES)[number];

const side = v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(256));
const margin = v.pipe(v.number(), v.integer(), v.minValue(0));
const folder = v.pipe(v.string(), v.nonEmpty('is empty'));
/** Share of the images reserved for validation, chosen with a fixed seed. */
const validationShare = v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(0.5)), 0);

/** Requires at least four cells between the margins. */
const leavesRoom = (config: { side: number; margin: number }): boolean =>
  config.side - 2 * config.margin >= 4;
const NO_ROOM = 'leaves fewer than 4 cells of "side" for the picture';
const COLOUR = 'is neither "transparent" nor a colour such as "#20242c"';

const emoji = v.pipe(
  v.strictObject({
    kind: v.literal('emoji'),
    /**
     * `bestiary`: 171 animals and plants. `organisms`: `bestiary` and also faces, food and fantasy
     * people. `broad`: all emoji except flags and symbols. `unseen`: the two hundred of
     * `unseen.json`, for evaluation. `seen`: `broad` without the kinds in `unseen`, with
     * `organisms` first.
     */
    set: v.picklist(['bestiary', 'organisms', 'broad', 'unseen', 'seen']),
    side: v.optional(v.picklist([32, 64]), 32),
    margin: v.optional(margin, 2),
    /**
     * Other artists' drawings of the same emoji, added after the drawings of Noto: see `emoji.ts`.
     */
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
    /** A background colour makes the images opaque, so they have 3 channels instead of 4. */
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
 * Schema of all sets, distinguished by `kind`. Relative folders start at the base folder of
 * `loadDataset`.
 */
export const datasetConfig = v.variant('kind', [
  v.strictObject({
    kind: v.literal('mnist'),
    /** 28 is the original size; 32 adds two empty pixels on each side. */
    side: v.optional(v.picklist([28, 32]), 32),
  }),
  emoji,
  ownFolder,
]);

/** A set as written in a configuration, before defaults are filled in. */
export type DatasetConfig = v.InferInput<typeof datasetConfig>;
/** A set with all defaults filled in. */
export type FullConfig = v.InferOutput<typeof datasetConfig>;
export type ConfigOf<K extends FullConfig['kind']> = Extract<FullConfig, { kind: K }>;

/**
 * Checks a configuration and fills in defaults. @throws TrainingError bad-config, naming the field
 */
export const parseDatasetConfig = (value: unknown): FullConfig =>
  checked(datasetConfig, value, 'data: ');
