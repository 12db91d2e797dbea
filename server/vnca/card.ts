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
 * Thrown if a checkpoint cannot be loaded. The message is one sentence that names the file and, if
 * there is one, the field.
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

/** Version of the card format that this build reads. */
export const CARD_VERSION = 1;

/** Categories of gallery entries. The planting menu shows the entries by category. */
export const GALLERY_KINDS = ['animal', 'plant', 'food', 'face', 'thing'] as const;

const channel = v.pipe(v.number(), v.integer(), v.minValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const growth = v.variant('kind', [
  /**
   * The latent fills seedSide × seedSide cells, which take stepsPerStage steps. Then all cells
   * divide and take stepsPerStage steps again. This is repeated until the patch's side is `side`.
   */
  v.strictObject({ kind: v.literal('doubling'), seedSide: size, stepsPerStage: size }),
  /** The latent fills all cells of the full-size patch, which then take `steps` steps. */
  v.strictObject({ kind: v.literal('uniform'), steps: size }),
]);

const updateFields = {
  hidden: size,
  /** Activation function after each hidden layer. */
  activation: v.optional(v.picklist(['elu', 'relu']), 'elu'),
  /** States are clamped to ±stateLimit after each step. If absent, states are not clamped. */
  stateLimit: v.exactOptional(v.pipe(v.number(), v.gtValue(0))),
  /** Fraction of the state that decays in each step: s ← s + u(s) − leak·s. */
  leak: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0),
  /**
   * Whether the cells read the latent in every step. Without a `genome`, the product of the latent
   * and a weight matrix is added to the result of the first layer.
   */
  standingInput: v.optional(v.boolean(), false),
  /**
   * A net with one hidden layer that maps the latent to scales and shifts of the rule's layers.
   * Allowed only for the kinds 'residual' and 'simple'.
   */
  genome: v.exactOptional(
    v.strictObject({
      hidden: size,
      /**
       * Number of channels, counted from the first, for which each patch has its own weights in the
       * last layer.
       */
      expressed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
      /**
       * Whether the genome scales perception in addition to shifting it. Only the scaling costs
       * time per cell.
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
    /** Whether the last layer has a bias. The net of Palm et al. has none. */
    outBias: v.optional(v.boolean(), false),
    ...updateFields,
  }),
  /**
   * The decoder of a convolutional autoencoder, with which cell rules are compared. It turns the
   * latent into the picture in one step: a dense layer to 2×2 cells of `hidden` channels; then
   * `doublings` transposed convolutions, each of which doubles the side and halves the number of
   * channels; then a last transposed convolution to `channels`.
   */
  v.strictObject({ kind: v.literal('decoder'), doublings: size, ...updateFields }),
]);

const readout = v.variant('kind', [
  /** The read-out takes R, G, B and alpha from these channels and clamps them to 0…1. */
  v.strictObject({
    kind: v.literal('rgba-premultiplied'),
    channels: v.strictTuple([channel, channel, channel, channel]),
  }),
  /** The read-out takes the logit of white ink from this channel. */
  v.strictObject({ kind: v.literal('bernoulli'), channel }),
  /**
   * The read-out takes a discretised mixture of logistics from the first 10 · `mixtures` channels;
   * see `dmolMean`.
   */
  v.strictObject({ kind: v.literal('dmol'), mixtures: size }),
]);

/**
 * Version of the sampler that draws latents at random. Stored in cards, journals and room states.
 */
export const samplerVersion = v.literal(2);

const checkpointName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower case, digits and "-"'),
);

/** The fields of a card that define a rule and its growth. Training needs only these fields. */
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
   * `channels` values of the latent fill each cell of a newly planted patch.
   */
  latentSize: size,
  growth,
  update,
  readout,
  /**
   * How to tell living cells: a cell is alive if its value of `channel` is at least `threshold`. If
   * `channel` is absent, the alpha of the read-out is used instead.
   */
  presence: v.strictObject({ channel: v.exactOptional(channel), threshold: share }),
  /** Number of steps after growth or damage for which the rule is known to be stable. */
  trustedSteps: v.exactOptional(size),
  /**
   * Maximum number of cells per step by which a wound may close from its rim, so that the rule can
   * heal the wound. If absent, the whole wound may come alive in one step.
   */
  closing: v.exactOptional(size),
  /**
   * Version of the sampler that draws latents for throws of the dice (`world/species.ts`). If
   * absent, latents are drawn from the normal distribution N(0, I).
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
   * Name of these weights in tokens, see `identityOf`. If absent, it is computed from the files.
   */
  identity: v.exactOptional(
    v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/, 'must be 8 hexadecimal digits')),
  ),
  /** Describes the encoder's net, whose tensors are named `encoder.*`. */
  encoder: v.exactOptional(encoderNetwork),
  /** Name and category of the creature in each row of the tensor `gallery.latents`, in order. */
  gallery: v.array(
    v.strictObject({ name: v.pipe(v.string(), v.nonEmpty()), kind: v.picklist(GALLERY_KINDS) }),
  ),
  data: v.strictObject({ set: v.string(), licence: v.string(), source: v.string() }),
  training: v.record(v.string(), v.string()),
  /**
   * Describes `painter.safetensors` in the checkpoint folder, see `shared/painter/net.ts`. If
   * absent, there is no painter. Any fields are accepted, because painters of other versions may
   * have other fields. Whether this build can read the painter depends only on the content of
   * `painter.safetensors`.
   */
  painter: v.exactOptional(
    v.looseObject({ version: size, figures: v.record(v.string(), v.unknown()) }),
  ),
  figures: v.record(v.string(), v.unknown()),
});

export type FieldError = readonly [path: string, what: string];

/** Creates a validation step for a schema that checks constraints between several fields. */
export const checkRelations = <T>(errorsOf: (value: T) => Iterable<FieldError>) =>
  v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [path, what] of errorsOf(dataset.value)) {
      addIssue({ message: `field "${path}": ${what}` });
    }
  });

/**
 * Describes a validation issue in a sentence that names the field. Messages of `checkRelations`
 * already name the field.
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
