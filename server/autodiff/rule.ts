/**
 * The cell rule as tensor expressions, for training. The reference implementation of the rule is in
 * `engine/tfjs/tensorflow.ts`.
 */
import { cellLayers, genomeLayout, runTrunk } from '../vnca/architecture.ts';
import type { Card } from '../vnca/card.ts';
import type { Expression } from './graph.ts';
import * as g from './graph.ts';
import type { Parameters } from './parameters.ts';

/** Reshapes a vector [C] to a map [1, 1, 1, C], which broadcasts over samples and cells. */
export const overCells = (vector: Expression): Expression =>
  g.reshapeToMap(vector, [1, 1, 1, vector.shape[0]]);

export interface RuleInputs {
  /**
   * The genome of each patch, as `readGenome` returns it. Required if cells read the latent in
   * every step (`standingInput` in the checkpoint's card).
   */
  readonly genome?: Expression;
  /**
   * Scalar that replaces `leak` in the checkpoint's card: the fraction of the state that decays in
   * each step.
   */
  readonly leak?: Expression;
}

/**
 * Computes each latent's genome: the numbers through which the latent affects every step.
 *
 * @param latents [N, Z]
 * @returns [N, hidden] or, if the rule has a genome net, [N, size] in the layout of `genomeLayout`
 */
export function readGenome(
  { genome }: Card['update'],
  parameters: Parameters,
  latents: Expression,
): Expression {
  const projected = g.matMul(latents, parameters('update.genome.kernel'));
  if (!genome) return projected;
  const row = (name: string): Expression => {
    const vector = parameters(name);
    return g.reshape(vector, [1, vector.shape[0]]);
  };
  const hidden = g.elu(g.add(projected, row('update.genome.bias')));
  const modulation = g.matMul(hidden, parameters('update.modulation.kernel'));
  return g.multiply(g.add(modulation, row('update.modulation.bias')), genome.gain);
}

/**
 * Builds the layers of a rule. If cells read genomes in every step, some layers differ from patch
 * to patch.
 *
 * @returns each layer's weights [I, O] and biases [1, 1, 1, O]. In a layer that genomes change,
 *   each patch has its own weights [N, I, O] and biases [N, 1, 1, O]. Exception: the layer
 *   `perceive` has scales instead of weights
 */
function ruleLayers(update: Card['update'], parameters: Parameters, genome?: Expression) {
  const kernel = (layer: string): Expression => parameters(`update.${layer}.kernel`);
  const channels = kernel('perceive').shape[2];
  const modulation = update.standingInput ? genomeParts(update, channels, genome) : undefined;
  const bias = (layer: string, { scales, shifts }: Partial<LayerModulation> = {}): Expression => {
    let own = overCells(parameters(`update.${layer}.bias`));
    if (scales) own = g.multiply(own, onMap(scales));
    return shifts ? g.add(own, onMap(shifts)) : own;
  };
  const { perceive } = modulation?.layers ?? {};
  const weights = modulation?.weights && g.add(inEach(kernel('out')), modulation.weights);
  const lastBias =
    update.kind !== 'simple' || update.outBias
      ? bias('out', modulation?.out && { shifts: modulation.out })
      : modulation?.out && onMap(modulation.out);
  return {
    perceive: {
      scales: perceive?.scales && onMap(perceive.scales),
      bias: bias('perceive', perceive),
    },
    hidden: new Map(
      cellLayers(update)
        .slice(1, -1)
        .map((name) => {
          const own = modulation?.layers[name];
          // Multiply each patch's weights by the patch's scales. Multiplying the layer's result in
          // every cell would be slower.
          const weights = own?.scales ? ownWeights(kernel(name), own.scales) : kernel(name);
          return [name, { weights, bias: bias(name, own) }];
        }),
    ),
    out: { weights: weights ?? kernel('out'), bias: lastBias },
  };
}

/**
 * Concatenates all numbers of a rule's layers in the order in which native code reads them: scales
 * and biases of the layer `perceive`, then weights and biases of each later layer.
 *
 * @returns one row per patch, [N, size]; a single row, [1, size], if there is no genome
 */
export function layerRows(
  update: Card['update'],
  parameters: Parameters,
  genome?: Expression,
): Expression {
  const { perceive, hidden, out } = ruleLayers(update, parameters, genome);
  const [inputs, outputs] = out.weights.shape.slice(-2);
  const filled = (size: number, value: number): Expression =>
    g.expand(g.constant(value), [1, size]);
  const parts = [
    perceive.scales ?? filled(inputs, 1),
    perceive.bias,
    ...[...hidden.values()].flatMap(({ weights, bias }) => [weights, bias]),
    ...[out.weights, out.bias ?? filled(outputs, 0)],
  ].map((part) => {
    const rows = part.shape.length === 2 ? 1 : part.shape[0];
    return g.reshape(part, [rows, g.sizeOf(part.shape) / rows]);
  });
  const sizes = parts.map(({ shape }) => shape[1]);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const rows = genome?.shape[0] ?? 1;
  let at = 0;
  return parts
    .map((part, i) => {
      at += sizes[i];
      return g.pad(g.expand(part, [rows, sizes[i]]), at - sizes[i], total);
    })
    .reduce((sum, part) => g.add(sum, part));
}

/**
 * Builds the tensor expressions that all steps share.
 *
 * @returns a function that builds one step. Given states [N, H, W, C] and an optional update mask
 *   [N, H, W, 1], it returns the states after the step
 */
export function ruleSteps(
  update: Card['update'],
  parameters: Parameters,
  { genome, leak }: RuleInputs = {},
): (states: Expression, mask?: Expression) => Expression {
  const { perceive, hidden, out } = ruleLayers(update, parameters, genome);
  const see = (states: Expression): Expression => {
    const seen = g.conv(states, parameters('update.perceive.kernel'), { pad: 1 });
    return g.add(perceive.scales ? g.multiply(seen, perceive.scales) : seen, perceive.bias);
  };
  const kept = leak
    ? g.subtract(g.constant(1), leak)
    : update.leak > 0
      ? g.constant(1 - update.leak)
      : undefined;

  return (states, mask) => {
    const cells = runTrunk(update, see(states), {
      activate: update.activation === 'relu' ? g.relu : g.elu,
      layer: (name, x) => {
        const { weights, bias } = hidden.get(name)!;
        return g.add(g.pointwise(x, weights), bias);
      },
      add: (a, b) => g.add(a, b),
    });
    const product = g.pointwise(cells, out.weights);
    const change = out.bias ? g.add(product, out.bias) : product;
    let moved: Expression;
    if (mask) {
      const whole = kept
        ? g.subtract(change, g.multiply(states, g.subtract(g.constant(1), kept)))
        : change;
      moved = g.add(states, g.multiply(whole, mask));
    } else moved = g.add(kept ? g.multiply(states, kept) : states, change);
    const limit = update.stateLimit;
    return limit === undefined ? moved : g.clip(moved, -limit, limit);
  };
}

/** Reshapes one vector per sample, [N, C], to a map [N, 1, 1, C], which broadcasts over cells. */
const onMap = (x: Expression): Expression => g.reshapeToMap(x, [x.shape[0], 1, 1, x.shape[1]]);

/** Reshapes weights [I, O], which all samples share, to [1, I, O]. */
const inEach = (weights: Expression): Expression => g.reshape(weights, [1, ...weights.shape]);

/**
 * Multiplies weights [I, O] by the output scales of each patch, [N, O].
 *
 * @returns each patch's own weights, [N, I, O]
 */
const ownWeights = (weights: Expression, scales: Expression): Expression =>
  g.multiply(inEach(weights), g.reshape(scales, [scales.shape[0], 1, scales.shape[1]]));

interface LayerModulation {
  /** Factors by which the layer's result is multiplied, [N, hidden]. */
  readonly scales?: Expression;
  /**
   * Numbers added to the layer's result, [N, hidden]. If the layer has `scales`, the result is
   * multiplied by them first.
   */
  readonly shifts: Expression;
}

interface GenomeParts {
  readonly layers: Readonly<Record<string, LayerModulation | undefined>>;
  /** Numbers added to the result of the last layer, [N, C]. */
  readonly out?: Expression;
  /** Numbers added to the weights of the last layer, [N, hidden, C]. */
  readonly weights?: Expression;
}

function genomeParts(
  update: Card['update'],
  channels: number,
  modulation: Expression | undefined,
): GenomeParts {
  if (!modulation) throw new RangeError('a cell rule with "standingInput" needs a genome');
  const { hidden, genome } = update;
  if (!genome) return { layers: { perceive: { shifts: modulation } } };
  const layout = genomeLayout({ channels, update });
  const part = (from: number, size: number): Expression => g.slice(modulation, from, from + size);
  const layers = Object.entries(layout.layers).map(([name, { scales, shifts }]) => [
    name,
    {
      ...(scales !== undefined && { scales: g.add(part(scales, hidden), 1) }),
      shifts: part(shifts, hidden),
    },
  ]);
  const { expressed } = genome;
  const [patches] = modulation.shape;
  const ownOf = (weights: Expression) =>
    g.pad(g.reshape(weights, [patches, hidden, expressed]), 0, channels);
  return {
    layers: Object.fromEntries(layers),
    out: part(layout.shifts, channels),
    ...(expressed > 0 && { weights: ownOf(part(layout.weights, hidden * expressed)) }),
  };
}
