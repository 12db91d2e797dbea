/** The model card (`card.json`), which describes a checkpoint to people and to the server. */
import * as v from 'valibot';
import { size } from '../../shared/common-schemas.ts';
import { encoderNetwork } from './encoder-network.ts';

export type CheckpointReason =
  | 'missing-file'
  | 'corrupt-file'
  | 'bad-card'
  | 'unknown-version'
  | 'bad-tensor'
  | 'bad-gallery';

/**
 * Thrown if a checkpoint cannot be loaded. The message names the file and, if one field is wrong,
 * the field.
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

/** Version of the format of checkpoints' cards that this build reads. */
export const CARD_VERSION = 1;

/** Categories of gallery creatures in the visitors' planting menu. */
export const GALLERY_KINDS = ['animal', 'plant', 'food', 'face', 'thing'] as const;

const channel = v.pipe(v.number(), v.integer(), v.minValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const growth = v.variant('kind', [
  /**
   * Growth by doubling. The patch begins with seedSide × seedSide cells, all filled with the first
   * values of the latent. The patch takes stepsPerStage steps in each stage. After each stage but
   * the last, every cell divides into four. In the last stage, the patch's side is `side`.
   */
  v.strictObject({ kind: v.literal('doubling'), seedSide: size, stepsPerStage: size }),
  /**
   * Growth without cell division. The patch has its full size from the start, with all cells filled
   * with the first values of the latent, and takes `steps` steps.
   */
  v.strictObject({ kind: v.literal('uniform'), steps: size }),
]);

const updateFields = {
  hidden: size,
  /** Activation function after every hidden layer. */
  activation: v.optional(v.picklist(['elu', 'relu']), 'elu'),
  /**
   * States are clamped to −stateLimit…stateLimit after each step. If absent, states are not
   * clamped.
   */
  stateLimit: v.exactOptional(v.pipe(v.number(), v.gtValue(0))),
  /** Fraction of the state that decays in each step: s ← s + u(s) − leak·s. */
  leak: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0),
  /**
   * Whether cells read the latent in every step, not only at the start of growth. Without a
   * `genome`, a linear function of the latent is added to the first layer's output.
   */
  standingInput: v.optional(v.boolean(), false),
  /**
   * A net with one hidden layer that computes, from the latent, scales and shifts for the layers of
   * the update net. Cannot be used with 'res4' or 'decoder'.
   */
  genome: v.exactOptional(
    v.strictObject({
      hidden: size,
      /**
       * Number of channels, starting with the first, whose weights in the last layer depend on the
       * genome: the genome net computes numbers that are added to these weights.
       */
      expressed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
      /**
       * Whether the genome also scales the first layer's output. Scaling costs time in every cell.
       * The shifts, which the genome always adds to the output, are free, because they become part
       * of the bias.
       */
      scalesPerception: v.optional(v.boolean(), true),
      /**
       * Factor by which the genome net's output is multiplied. Smaller values make training more
       * stable.
       */
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
    /** Whether the last layer has a bias. The net in Palm et al. has none. */
    outBias: v.optional(v.boolean(), false),
    ...updateFields,
  }),
  /**
   * The decoder of a convolutional autoencoder, used as a baseline for cell rules. Its layers are a
   * dense layer to 2×2 cells with `hidden` channels, then `doublings` transposed convolutions (each
   * doubles the side and halves the number of channels), then a last transposed convolution to
   * `channels` channels.
   */
  v.strictObject({ kind: v.literal('decoder'), doublings: size, ...updateFields }),
]);

const readout = v.variant('kind', [
  /** The channels that hold R, G, B and alpha. Their values are clamped to 0…1. */
  v.strictObject({
    kind: v.literal('rgba-premultiplied'),
    channels: v.strictTuple([channel, channel, channel, channel]),
  }),
  /**
   * The channel that holds a logit. The sigmoid of this logit is the brightness and opacity of the
   * cell.
   */
  v.strictObject({ kind: v.literal('bernoulli'), channel }),
  /**
   * The first 10 · `mixtures` channels are the parameters of a discretised mixture of logistics.
   * The colour is the mean of the mixture.
   */
  v.strictObject({ kind: v.literal('dmol'), mixtures: size }),
]);

/** Version of the sampler that draws random latents. Stored in cards, journals and room states. */
export const samplerVersion = v.literal(2);

const checkpointName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower case, digits and "-"'),
);

/**
 * The fields of a card that define a rule and the growth of its patches. Training reads no other
 * fields.
 */
export const modelFields = {
  /** Identifies the checkpoint in the engine, in the protocol and in journals. */
  name: checkpointName,
  /** Name of the checkpoint for people to read. */
  title: v.pipe(v.string(), v.nonEmpty()),
  description: v.optional(v.string(), ''),
  /** Side of a fully grown patch, in cells. */
  side: v.pipe(size, v.multipleOf(2)),
  /** Number of values in a cell state. */
  channels: size,
  /**
   * Number of values in a latent. Must equal `channels`, with two exceptions: with a `genome`, the
   * number may be larger; in a decoder, any number is allowed.
   */
  latentSize: size,
  growth,
  update,
  readout,
  /**
   * A cell is alive if its aliveness is at least `threshold`. The aliveness is the cell's value in
   * `channel` or, if `channel` is absent, the alpha of the cell's colour.
   */
  presence: v.strictObject({ channel: v.exactOptional(channel), threshold: share }),
  /** Number of steps, after growth or damage, for which tests found the rule to be stable. */
  trustedSteps: v.exactOptional(size),
  /**
   * Maximum speed at which a wound closes from its rim, in cells per step. Wounds that close faster
   * may heal badly. If absent, there is no limit.
   */
  closing: v.exactOptional(size),
  /**
   * Version of the sampler that draws random latents. If absent, latents are drawn from the normal
   * distribution N(0, I).
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
   * The name by which tokens (seeds as text) refer to these weights. If absent, the server computes
   * the name from the checkpoint's card and weights.
   */
  identity: v.exactOptional(
    v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/, 'must be 8 hexadecimal digits')),
  ),
  /** Describes the encoder net, whose tensors are named `encoder.*`. */
  encoder: v.exactOptional(encoderNetwork),
  /**
   * The name and category of each gallery creature, in the order of the rows in the tensor
   * `gallery.latents`.
   */
  gallery: v.array(
    v.strictObject({ name: v.pipe(v.string(), v.nonEmpty()), kind: v.picklist(GALLERY_KINDS) }),
  ),
  data: v.strictObject({ set: v.string(), licence: v.string(), source: v.string() }),
  training: v.record(v.string(), v.string()),
  /**
   * Describes the painter in the checkpoint folder's `painter.safetensors`. Absent if there is no
   * painter. Unknown fields are accepted, because painters of other versions may have other fields.
   */
  painter: v.exactOptional(
    v.looseObject({ version: size, figures: v.record(v.string(), v.unknown()) }),
  ),
  figures: v.record(v.string(), v.unknown()),
});

export type FieldError = readonly [path: string, what: string];

/** Creates a schema step that validates conditions involving several fields. */
export const checkRelations = <T>(errorsOf: (value: T) => Iterable<FieldError>) =>
  v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [path, what] of errorsOf(dataset.value)) {
      addIssue({ message: `field "${path}": ${what}` });
    }
  });

/**
 * Describes a validation issue in one sentence. An issue from `checkRelations` already names the
 * field, so its message is returned as is.
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
    const what = `is ${latentSize}, but must equal "channels" (${channels}) if "update" has no "genome"`;
    yield ['latentSize', what];
  } else if (latentSize < channels) {
    const what = `is ${latentSize}, too few to fill a first cell of ${channels} channels`;
    yield ['latentSize', what];
  }
  if (growth.kind === 'doubling' && !isPowerOfTwo(side / growth.seedSide)) {
    yield [
      'growth.seedSide',
      `is ${growth.seedSide}, but doubling it repeatedly does not give "side" ${side}`,
    ];
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
    const what = `is ${hidden}, but must be a multiple of ${2 ** doublings} (2 to the power of "doublings")`;
    yield ['update.hidden', what];
  }
  if (side !== 2 * 2 ** doublings) {
    yield [
      'update.doublings',
      `is ${doublings}, but doubling 2 that many times does not give "side" ${side}`,
    ];
  }
  if (growth.kind !== 'uniform' || growth.steps !== 1) {
    const what = 'must have the kind "uniform" and 1 step if the kind of "update" is "decoder"';
    yield ['growth', what];
  }
  if (genome || leak > 0 || stateLimit !== undefined || standingInput || updateProbability < 1) {
    yield ['update', 'has a field (such as "genome") that the kind "decoder" does not use'];
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
 * Checks the content of `card.json`, and fills in the default values of absent fields.
 *
 * @param value the parsed JSON
 * @param file name of the file, for error messages
 * @throws CheckpointError 'unknown-version' or 'bad-card'
 */
export function parseCard(value: unknown, file: string): Card {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CheckpointError('bad-card', file, 'card is not a JSON object');
  }
  const version = (value as { version?: unknown }).version;
  if (version !== CARD_VERSION) {
    const said = version === undefined ? '(none)' : JSON.stringify(version);
    const text = `card version ${said} is unknown; this server reads version ${CARD_VERSION}`;
    throw new CheckpointError('unknown-version', file, text);
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new CheckpointError('bad-card', file, sentenceOf(result.issues[0]));
}
