/**
 * The model card, `card.json`, version 1, which describes a checkpoint to people and to the server.
 */
import * as v from 'valibot';
import { size } from '../../shared/common-schemas.ts';
import { encoderNetwork } from './encoder-network.ts';

/** Why a checkpoint cannot be loaded. */
export type CheckpointReason =
  | 'missing-file'
  | 'corrupt-file'
  | 'bad-card'
  | 'unknown-version'
  | 'bad-tensor'
  | 'bad-gallery';

/**
 * Thrown if a checkpoint cannot be loaded. The message is one sentence that names the file and the
 * field.
 */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';

  constructor(
    readonly reason: CheckpointReason,
    readonly file: string,
    what: string,
  ) {
    super(`${file}: ${what}`);
  }
}

/** The card version that this build reads. */
export const CARD_VERSION = 1;

/** Categories of gallery entries. The planting menu shows the entries by category. */
export const GALLERY_KINDS = ['animal', 'plant', 'food', 'face', 'thing'] as const;

const channel = v.pipe(v.number(), v.integer(), v.minValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const growth = v.variant('kind', [
  /**
   * The latent fills seedSide×seedSide cells, which take stepsPerStage steps. Then all cells divide
   * and take stepsPerStage steps again, until the patch has reached `side`.
   */
  v.strictObject({ kind: v.literal('doubling'), seedSide: size, stepsPerStage: size }),
  /** All cells of the patch begin with the latent, and grow for `steps` steps. */
  v.strictObject({ kind: v.literal('uniform'), steps: size }),
]);

const updateFields = {
  hidden: size,
  /** Activation function between the layers. */
  activation: v.optional(v.picklist(['elu', 'relu']), 'elu'),
  /** States are clamped to ±stateLimit after each step. If absent, states are not clamped. */
  stateLimit: v.exactOptional(v.pipe(v.number(), v.gtValue(0))),
  /** Fraction of a state that decays in each step: s ← s + u(s) − leak·s. */
  leak: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0),
  /**
   * Whether every step reads the latent. Without a `genome`, the latent times a weight matrix is
   * added to the first layer.
   */
  standingInput: v.optional(v.boolean(), false),
  /**
   * A net that maps the latent to scales and shifts of layers. It has one hidden layer. Only for
   * 'residual' and 'simple'.
   */
  genome: v.exactOptional(
    v.strictObject({
      hidden: size,
      /**
       * Number of channels, counted from the first, for which each patch has its own weights in the
       * last layer.
       */
      expressed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
      /** Whether the genome also scales perception. Shifts alone cost no time per cell. */
      scalesPerception: v.optional(v.boolean(), true),
      /** Factor applied to the net's output. Smaller values make training more stable. */
      gain: v.optional(v.pipe(v.number(), v.gtValue(0)), 1),
    }),
  ),
  /** Probability that a cell is updated in a step. */
  updateProbability: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1),
};
const update = v.variant('kind', [
  v.strictObject({ kind: v.literal('residual'), ...updateFields }),
  v.strictObject({ kind: v.literal('res4'), ...updateFields }),
  v.strictObject({
    kind: v.literal('simple'),
    /** Whether the last layer has a bias. The published net has none. */
    outBias: v.optional(v.boolean(), false),
    ...updateFields,
  }),
  /**
   * The decoder of a convolutional autoencoder, as a baseline for cell rules. One step turns the
   * latent into the picture: a dense layer to 2×2 cells of `hidden` channels, then one transposed
   * convolution per doubling, each with half the channels of the previous one.
   */
  v.strictObject({ kind: v.literal('decoder'), doublings: size, ...updateFields }),
]);

const readout = v.variant('kind', [
  /** Channels that hold R, G, B and alpha; clamped to 0…1. */
  v.strictObject({
    kind: v.literal('rgba-premultiplied'),
    channels: v.strictTuple([channel, channel, channel, channel]),
  }),
  /** Channel that holds the logit of white ink. */
  v.strictObject({ kind: v.literal('bernoulli'), channel }),
  /** A discretised mixture of logistics in the first 10·mixtures channels. */
  v.strictObject({ kind: v.literal('dmol'), mixtures: size }),
]);

/** Version of the sampler that draws random latents. Stored in cards, journals and room states. */
export const samplerVersion = v.literal(2);

const checkpointName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower case, digits and "-"'),
);

/** The fields that define a rule and its growth, as training needs them. */
export const modelFields = {
  /** Identifies the checkpoint in the engine, the protocol and the journal. */
  name: checkpointName,
  /** Name of the checkpoint, as text for people. */
  title: v.pipe(v.string(), v.nonEmpty()),
  description: v.optional(v.string(), ''),
  /** Side of a fully grown patch, in cells. */
  side: v.pipe(size, v.multipleOf(2)),
  /** Number of values in a cell state. */
  channels: size,
  /**
   * Number of values in a latent: equal to `channels`, or larger if there is a `genome`. The first
   * `channels` values fill the first cells.
   */
  latentSize: size,
  growth,
  update,
  readout,
  /**
   * Cells are alive if their value of `channel` is at least the threshold. If `channel` is absent,
   * the alpha of the read-out is used instead.
   */
  presence: v.strictObject({ channel: v.exactOptional(channel), threshold: share }),
  /** Number of steps for which the rule is stable after growth or damage. */
  trustedSteps: v.exactOptional(size),
  /**
   * A wound closes from its rim by at most this number of cells per step, so that the rule can heal
   * it. If absent, the whole wound may come alive in one step.
   */
  closing: v.exactOptional(size),
  /**
   * Version of the sampler that draws latents for throws of the dice, see `world/species.ts`. If
   * absent, latents are drawn from N(0, I).
   */
  sampler: v.exactOptional(samplerVersion),
};
export type SamplerVersion = v.InferOutput<typeof samplerVersion>;
const model = v.strictObject(modelFields);
type ModelFields = v.InferOutput<typeof model>;

const fields = v.strictObject({
  version: v.literal(CARD_VERSION),
  ...modelFields,
  /**
   * Identifies these weights in tokens, see `identityOf`. If absent, it is computed from the files.
   */
  identity: v.exactOptional(
    v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/, 'must be 8 hexadecimal digits')),
  ),
  /** Describes the net that the tensors `encoder.*` belong to. */
  encoder: v.exactOptional(encoderNetwork),
  /** The creature in each row of `gallery.latents`, in order. */
  gallery: v.array(
    v.strictObject({ name: v.pipe(v.string(), v.nonEmpty()), kind: v.picklist(GALLERY_KINDS) }),
  ),
  data: v.strictObject({ set: v.string(), licence: v.string(), source: v.string() }),
  training: v.record(v.string(), v.string()),
  /**
   * Describes `painter.safetensors` in the checkpoint folder, see `shared/painter/net.ts`. If
   * absent, there is no painter. The card accepts any fields, as a painter of another version may
   * have others; the file determines whether this build can read the painter.
   */
  painter: v.exactOptional(
    v.looseObject({ version: size, figures: v.record(v.string(), v.unknown()) }),
  ),
  figures: v.record(v.string(), v.unknown()),
});

/** The path of a field and a description of its error. */
export type FieldError = readonly [path: string, what: string];

/** Creates a schema action that checks constraints between fields. */
export const checkRelations = <T>(errorsOf: (value: T) => Iterable<FieldError>) =>
  v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [path, what] of errorsOf(dataset.value)) {
      addIssue({ message: `field "${path}": ${what}` });
    }
  });

/**
 * Describes an issue in a sentence that names the field. Messages of `checkRelations` already name
 * it.
 */
export function sentenceOf(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue);
  return field ? `field "${field}": ${issue.message}` : issue.message;
}

export const isPowerOfTwo = (n: number): boolean => n >= 1 && Number.isInteger(Math.log2(n));

/** Finds contradictions between the fields of a model. */
export function* modelErrors(model: ModelFields): Generator<FieldError> {
  const { channels, growth, latentSize, presence, readout, side, update } = model;
  const { genome } = update;
  if (update.kind === 'decoder') yield* decoderErrors(model);
  else if (latentSize !== channels && !genome) {
    const what = `is ${latentSize}, but without a genome it must equal "channels", ${channels}`;
    yield ['latentSize', what];
  } else if (latentSize < channels) {
    const what = `is ${latentSize}, too few to fill a first cell of ${channels} channels`;
    yield ['latentSize', what];
  }
  if (growth.kind === 'doubling' && !isPowerOfTwo(side / growth.seedSide)) {
    yield ['growth.seedSide', `is ${growth.seedSide}, which does not double to "side" ${side}`];
  }
  const only = `but there are only ${channels} channels`;
  const highest = highestChannel(readout);
  if (highest >= channels) yield ['readout', `reads channel ${highest}, ${only}`];
  if (genome) {
    const { expressed } = genome;
    if (expressed > channels) yield ['update.genome', `expresses ${expressed} channels, ${only}`];
    if (!update.standingInput) yield ['update.genome', 'needs "standingInput": true'];
    if (update.kind === 'res4') yield ['update.genome', 'cannot be used with the net "res4"'];
  }
  const { channel = 0 } = presence;
  if (channel >= channels) yield ['presence.channel', `is ${channel}, ${only}`];
}

function* decoderErrors({ growth, side, update }: ModelFields): Generator<FieldError> {
  if (update.kind !== 'decoder') return;
  const { doublings, genome, hidden, leak, stateLimit, standingInput, updateProbability } = update;
  if (hidden % 2 ** doublings !== 0) {
    yield ['update.hidden', `is ${hidden}, which cannot be halved ${doublings} times`];
  }
  if (side !== 2 * 2 ** doublings) {
    yield ['update.doublings', `is ${doublings}, which does not lead from 2 to "side" ${side}`];
  }
  if (growth.kind !== 'uniform' || growth.steps !== 1) {
    yield ['growth', 'must be uniform with one step for a decoder'];
  }
  if (genome || leak > 0 || stateLimit !== undefined || standingInput || updateProbability < 1) {
    yield ['update', 'has a field that a decoder does not use'];
  }
}

function highestChannel(readout: ModelFields['readout']): number {
  if (readout.kind === 'bernoulli') return readout.channel;
  return readout.kind === 'dmol' ? 10 * readout.mixtures - 1 : Math.max(...readout.channels);
}

const schema = v.pipe(fields, checkRelations<v.InferOutput<typeof fields>>(modelErrors));

/** A parsed card, with defaults filled in. */
export type Card = v.InferOutput<typeof schema>;

/**
 * Checks the content of `card.json` and fills in defaults.
 *
 * @param value parsed JSON
 * @param file the file's name, for error messages
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
  throw new CheckpointError('bad-card', file, sentenceOf(result.issues[0]));
}
