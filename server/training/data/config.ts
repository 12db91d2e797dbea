/** The schema of the `data` field of a training configuration. */
import * as v from 'valibot';
import { checked } from '../errors.ts';
import { STYLES } from './vectors.ts';

const side = v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(256));
const margin = v.pipe(v.number(), v.integer(), v.minValue(0));
const folder = v.pipe(v.string(), v.nonEmpty('is empty'));
/** Share of the images reserved for validation, chosen with a fixed seed. */
const validationShare = v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(0.5)), 0);

/** At least four cells must remain between the margins. */
const leavesRoom = (config: { side: number; margin: number }): boolean =>
  config.side - 2 * config.margin >= 4;
const NO_ROOM = 'leaves fewer than 4 cells of "side" for the picture';
const COLOUR = 'is neither "transparent" nor a colour such as "#20242c"';

const emoji = v.pipe(
  v.strictObject({
    kind: v.literal('emoji'),
    /**
     * 171 animals and plants; these with faces, food and fantasy people; all except flags and
     * symbols; the two hundred of `unseen.json`, to evaluate on; `broad` without their kinds, the
     * organisms first.
     */
    set: v.picklist(['bestiary', 'organisms', 'broad', 'unseen', 'seen']),
    side: v.optional(v.picklist([32, 64]), 32),
    margin: v.optional(margin, 2),
    /** The same emoji as others draw them, after those of Noto: see `vectors.ts`. */
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
    /** A colour makes the set opaque: 3 channels instead of 4. */
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
 * The sets, distinguished by `kind`. Relative folders start at the base folder of `loadDataset`.
 */
export const datasetConfig = v.variant('kind', [
  v.strictObject({
    kind: v.literal('mnist'),
    /** 28 is the original size; 32 adds two empty pixels on each side. */
    side: v.optional(v.picklist([28, 32]), 32),
    binarise: v.optional(
      v.strictObject({
        seed: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff)),
      }),
      { seed: 1 },
    ),
  }),
  emoji,
  v.strictObject({
    kind: v.literal('celeba'),
    folder,
    side: v.optional(v.picklist([32, 64]), 64),
  }),
  ownFolder,
]);

/** A set as written in a configuration, without defaults. */
export type DatasetConfig = v.InferInput<typeof datasetConfig>;
/** A set with all defaults. */
export type FullConfig = v.InferOutput<typeof datasetConfig>;
/** Configuration of one kind of set, with all defaults. */
export type ConfigOf<K extends FullConfig['kind']> = Extract<FullConfig, { kind: K }>;

/** Checks a configuration and fills in defaults. @throws TrainingError bad-config, naming the field */
export const parseDatasetConfig = (value: unknown): FullConfig =>
  checked(datasetConfig, value, 'data: ');
