/**
 * The model card: what a checkpoint is, for people and for the machine. `card.json` beside the weights, version 1.
 */
import * as v from 'valibot';
import { encoderNetwork } from './encoder-network.ts';
import { CheckpointError } from './errors.ts';

export const CARD_VERSION = 1;

/** What a gallery entry shows; the planting menu groups by it. */
export const GALLERY_KINDS = ['animal', 'plant', 'food', 'face', 'thing'] as const;

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const channel = v.pipe(v.number(), v.integer(), v.minValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const growth = v.variant('kind', [
  /** z fills seedSide×seedSide; stepsPerStage steps; all cells divide; … until `side`. */
  v.strictObject({ kind: v.literal('doubling'), seedSide: count, stepsPerStage: count }),
  /** z in every cell of side×side, then `steps` steps. */
  v.strictObject({ kind: v.literal('uniform'), steps: count }),
]);

const updateFields = {
  hidden: count,
  /** Between the layers. */
  activation: v.optional(v.picklist(['elu', 'relu']), 'elu'),
  /** States are clamped to ±stateLimit after each step; absent: free. */
  stateLimit: v.exactOptional(v.pipe(v.number(), v.gtValue(0))),
  /** What a state loses of itself in a step: s ← s + u(s) − leak·s. Above zero, what is not upheld fades. */
  leak: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0),
  /** The latent takes part in every step: every cell carries the genome. It adds z·W to the first layer, or see `genome`. */
  standingInput: v.optional(v.boolean(), false),
  /** The standing input is read by a net of one hidden layer, which scales and shifts layers ('residual', 'simple'). */
  genome: v.exactOptional(
    v.strictObject({
      hidden: count,
      /** So many channels, from the first on, also get weights of the last layer that are the patch's own. */
      expressed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
      /** Whether it scales what cells perceive, beside shifting it; without, that costs a cell nothing. */
      scalesPerception: v.optional(v.boolean(), true),
      /** What all that the net says is multiplied by: the smaller, the calmer it learns. */
      gain: v.optional(v.pipe(v.number(), v.gtValue(0)), 1),
    }),
  ),
  /** Chance of a cell to take part in a step. */
  updateProbability: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1),
};
const update = v.variant('kind', [
  v.strictObject({ kind: v.literal('residual'), ...updateFields }),
  v.strictObject({ kind: v.literal('res4'), ...updateFields }),
  v.strictObject({
    kind: v.literal('simple'),
    /** Whether the last layer has a bias (the published net has none). */
    outBias: v.optional(v.boolean(), false),
    ...updateFields,
  }),
]);

const readout = v.variant('kind', [
  /** Channels that hold R, G, B, alpha; clamped to 0…1. */
  v.strictObject({
    kind: v.literal('rgba-premultiplied'),
    channels: v.strictTuple([channel, channel, channel, channel]),
  }),
  /** Channel that holds the logit of white ink. */
  v.strictObject({ kind: v.literal('bernoulli'), channel }),
  /** Discretised mixture of logistics in the first 10·mixtures channels. */
  v.strictObject({ kind: v.literal('dmol'), mixtures: count }),
]);

/** What a rule is and how it grows: the part of a card that training is told. */
export const modelFields = {
  /** Names the checkpoint in engine, protocol and journal. */
  name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower case, digits and "-"')),
  /** For people. */
  title: v.pipe(v.string(), v.nonEmpty()),
  description: v.optional(v.string(), ''),
  /** Side of a grown patch. */
  side: v.pipe(count, v.multipleOf(2)),
  /** Numbers in a cell state. */
  channels: count,
  /** Numbers of a latent: as many as a cell has, or, where every cell carries the genome, more, whose first fill the first cells. */
  latentSize: count,
  growth,
  update,
  readout,
  /** Cells at or above the threshold are alive; `channel` absent: what the read-out shows. */
  presence: v.strictObject({ channel: v.exactOptional(channel), threshold: share }),
  /** Steps the rule can be trusted for once grown or touched. */
  trustedSteps: v.exactOptional(count),
};
const model = v.strictObject(modelFields);
type ModelFields = v.InferOutput<typeof model>;

const fields = v.strictObject({
  version: v.literal(CARD_VERSION),
  ...modelFields,
  /** Tensors `encoder.*`; a card may tell of the net in prose alone. */
  encoder: v.exactOptional(
    v.union([encoderNetwork, v.strictObject({ input: v.string(), layers: v.array(v.string()) })]),
  ),
  /** What each row of `gallery.latents` shows, in order. */
  gallery: v.array(
    v.strictObject({ name: v.pipe(v.string(), v.nonEmpty()), kind: v.picklist(GALLERY_KINDS) }),
  ),
  data: v.strictObject({ set: v.string(), licence: v.string(), source: v.string() }),
  training: v.record(v.string(), v.string()),
  figures: v.record(v.string(), v.unknown()),
});

/** A rule between fields. */
interface Relation {
  readonly path: readonly string[];
  /** What is wrong, or nothing. */
  readonly wrong: (model: ModelFields) => string | undefined;
}

/** Checks the rules between the fields of a model. */
export function soundModel<T extends ModelFields>() {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const { path, wrong } of RELATIONS) {
      const message = wrong(dataset.value);
      if (message === undefined) continue;
      let input: unknown = dataset.value;
      const items = path.map((key) => {
        const value = (input as Record<string, unknown>)[key];
        const item = { type: 'object', origin: 'value', input, key, value } as v.ObjectPathItem;
        input = value;
        return item;
      });
      addIssue({ message, path: items as [v.IssuePathItem, ...v.IssuePathItem[]] });
    }
  });
}

const isPowerOfTwo = (n: number): boolean => n >= 1 && Number.isInteger(Math.log2(n));

const RELATIONS: readonly Relation[] = [
  {
    path: ['latentSize'],
    wrong: ({ latentSize, channels, update }) => {
      if (latentSize === channels) return undefined;
      if (!update.genome) {
        return `is ${latentSize}, but a latent is a cell state and "channels" is ${channels}`;
      }
      return latentSize > channels
        ? undefined
        : `is ${latentSize}, too few to fill a first cell of ${channels} channels`;
    },
  },
  {
    path: ['growth', 'seedSide'],
    wrong: ({ growth, side }) =>
      growth.kind !== 'doubling' || isPowerOfTwo(side / growth.seedSide)
        ? undefined
        : `is ${growth.seedSide}, which does not double to "side" ${side}`,
  },
  {
    path: ['readout'],
    wrong: ({ readout, channels }) => {
      const highest =
        readout.kind === 'bernoulli'
          ? readout.channel
          : readout.kind === 'dmol'
            ? 10 * readout.mixtures - 1
            : Math.max(...readout.channels);
      return highest < channels
        ? undefined
        : `reads channel ${highest}, but there are only ${channels} channels`;
    },
  },
  {
    path: ['update', 'genome'],
    wrong: ({ update, channels }) => {
      if (!update.genome) return undefined;
      if (update.genome.expressed > channels) {
        return `expresses ${update.genome.expressed} channels, but there are only ${channels} channels`;
      }
      if (!update.standingInput) return 'needs "standingInput": true';
      return update.kind === 'res4' ? 'is not for the net "res4"' : undefined;
    },
  },
  {
    path: ['presence', 'channel'],
    wrong: ({ presence, channels }) =>
      presence.channel === undefined || presence.channel < channels
        ? undefined
        : `is ${presence.channel}, but there are only ${channels} channels`,
  },
];

const schema = v.pipe(fields, soundModel<v.InferOutput<typeof fields>>());

export type Card = v.InferOutput<typeof schema>;

/**
 * Checks what `card.json` holds and fills in defaults.
 *
 * @param value parsed JSON
 * @param file how messages call it
 * @throws CheckpointError unknown-version, bad-card
 */
export function parseCard(value: unknown, file: string): Card {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CheckpointError('bad-card', file, 'card is not a JSON object');
  }
  const version = (value as { version?: unknown }).version;
  if (version !== CARD_VERSION) {
    const said = version === undefined ? '(none)' : JSON.stringify(version);
    throw new CheckpointError(
      'unknown-version',
      file,
      `card version ${said} is not known; this build reads version ${CARD_VERSION}`,
    );
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? '?';
  throw new CheckpointError('bad-card', file, `field "${field}": ${issue.message}`);
}
