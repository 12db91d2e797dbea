/** The model card (`card.json`). It describes a checkpoint, both to people and to the server. */
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
 * Thrown if a checkpoint cannot be loaded. The message is one sentence. It names the file and, if
 * the problem is in one field of the file, the field.
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

/** The categories of gallery entries. Visitors' planting menu lists the entries by category. */
export const GALLERY_KINDS = ['animal', 'plant', 'food', 'face', 'thing'] as const;

const channel = v.pipe(v.number(), v.integer(), v.minValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const growth = v.variant('kind', [
  /**
   * Growth by doubling. The patch begins with seedSide × seedSide cells. Each cell is filled with
   * the first values of the latent. The cells take stepsPerStage steps; then every cell divides
   * into four, and the cells take stepsPerStage steps again. This is repeated until the patch's
   * side is `side`.
   */
  v.strictObject({ kind: v.literal('doubling'), seedSide: size, stepsPerStage: size }),
  /**
   * Growth without cell division. The patch has its full size from the beginning. Each cell is
   * filled with the first values of the latent. The cells take `steps` steps.
   */
  v.strictObject({ kind: v.literal('uniform'), steps: size }),
]);

const updateFields = {
  hidden: size,
  /** Activation function after each hidden layer. */
  activation: v.optional(v.picklist(['elu', 'relu']), 'elu'),
  /**
   * After each step, states are clamped to the range from −stateLimit to stateLimit. If absent,
   * they are not clamped.
   */
  stateLimit: v.exactOptional(v.pipe(v.number(), v.gtValue(0))),
  /** Fraction of the state that decays in each step: s ← s + u(s) − leak·s. */
  leak: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0),
  /**
   * Whether the cells read the latent in every step, and not only at the beginning of growth. If
   * there is no `genome`, this means: the product of the latent and a weight matrix is added to the
   * result of the first layer.
   */
  standingInput: v.optional(v.boolean(), false),
  /**
   * A net with one hidden layer. It computes, from the latent, how the rule's layers are scaled and
   * shifted for a patch. Allowed only if `kind` is 'residual' or 'simple'.
   */
  genome: v.exactOptional(
    v.strictObject({
      hidden: size,
      /**
       * In the last layer, each patch has its own weights for this number of channels (the first
       * ones).
       */
      expressed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
      /**
       * Whether the genome scales the result of perception as well as shifting it. Scaling costs
       * time in every cell. Shifting does not, because shifts are added to the bias.
       */
      scalesPerception: v.optional(v.boolean(), true),
      /**
       * The genome net's output is multiplied by this factor. Smaller values make training more
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
   * The decoder of a convolutional autoencoder, with which cell rules are compared. It computes the
   * picture from the latent in one step. Its layers are: a dense layer to 2×2 cells with `hidden`
   * channels; `doublings` transposed convolutions, each of which doubles the side and halves the
   * number of channels; and a last transposed convolution, whose output has `channels` channels.
   */
  v.strictObject({ kind: v.literal('decoder'), doublings: size, ...updateFields }),
]);

const readout = v.variant('kind', [
  /** The values of these channels are R, G, B and alpha. They are clamped to 0…1. */
  v.strictObject({
    kind: v.literal('rgba-premultiplied'),
    channels: v.strictTuple([channel, channel, channel, channel]),
  }),
  /** The read-out takes the logit of white ink from this channel. */
  v.strictObject({ kind: v.literal('bernoulli'), channel }),
  /**
   * The first 10 · `mixtures` channels are the parameters of a discretised mixture of logistics,
   * whose mean is the colour; see `dmolMean`.
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
 * The fields of a card that define a rule and the growth of its patches. Training uses only these
 * fields.
 */
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
   * Number of values in a latent. It equals `channels`, or may be larger if there is a `genome`.
   * When a patch is planted, each of its cells is filled with the first `channels` values of the
   * latent.
   */
  latentSize: size,
  growth,
  update,
  readout,
  /**
   * How to tell which cells are alive: a cell is alive if its aliveness is at least `threshold`.
   * The aliveness is the cell's value of `channel` or, if `channel` is absent, the alpha in the
   * cell's picture.
   */
  presence: v.strictObject({ channel: v.exactOptional(channel), threshold: share }),
  /**
   * Number of steps, after the end of growth or after damage, for which the rule has been found to
   * remain stable.
   */
  trustedSteps: v.exactOptional(size),
  /**
   * How fast a wound may close, in cells per step, measured from the wound's rim inwards. Wounds
   * that close faster may not heal well. If absent, the whole wound may come alive in one step.
   */
  closing: v.exactOptional(size),
  /**
   * Version of the sampler that draws latents at random for the dice in visitors' pages
   * (`world/species.ts`). If absent, latents are drawn from the normal distribution N(0, I).
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
   * The name by which tokens refer to these weights, see `identityOf`. If absent, the server
   * computes it from the files.
   */
  identity: v.exactOptional(
    v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/, 'must be 8 hexadecimal digits')),
  ),
  /** Describes the encoder's net, whose tensors are named `encoder.*`. */
  encoder: v.exactOptional(encoderNetwork),
  /**
   * The name and the category of each creature in the gallery, in the order of the rows of the
   * tensor `gallery.latents`.
   */
  gallery: v.array(
    v.strictObject({ name: v.pipe(v.string(), v.nonEmpty()), kind: v.picklist(GALLERY_KINDS) }),
  ),
  data: v.strictObject({ set: v.string(), licence: v.string(), source: v.string() }),
  training: v.record(v.string(), v.string()),
  /**
   * Describes the painter in `painter.safetensors` in the checkpoint folder, see
   * `shared/painter/net.ts`. Absent if there is no painter. All kinds of fields are accepted here,
   * because painters of other versions may have other fields: whether this build can use the
   * painter is decided only by the content of `painter.safetensors`.
   */
  painter: v.exactOptional(
    v.looseObject({ version: size, figures: v.record(v.string(), v.unknown()) }),
  ),
  figures: v.record(v.string(), v.unknown()),
});

export type FieldError = readonly [path: string, what: string];

/**
 * Creates a validation step that can be added to a schema. It checks conditions that involve
 * several fields.
 */
export const checkRelations = <T>(errorsOf: (value: T) => Iterable<FieldError>) =>
  v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [path, what] of errorsOf(dataset.value)) {
      addIssue({ message: `field "${path}": ${what}` });
    }
  });

/**
 * Describes a validation issue in one sentence, which names the field. An issue from
 * `checkRelations` already has the field's name in its message.
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
    yield ['update.hidden', `is ${hidden}, which cannot be halved ${doublings} times`];
  }
  if (side !== 2 * 2 ** doublings) {
    yield ['update.doublings', `is ${doublings}, which does not lead from 2 to "side" ${side}`];
  }
  if (growth.kind !== 'uniform' || growth.steps !== 1) {
    yield ['growth', 'must be uniform growth of one step, because the model is a decoder'];
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
