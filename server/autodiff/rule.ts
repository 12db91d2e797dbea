/**
 * The cell rule as expressions. `engine/tfjs/tensorflow.ts` is the reference implementation of the
 * rule's nets.
 */
import { cellLayers, genomeLayout, runTrunk } from '../vnca/architecture.ts';
import type { Card } from '../vnca/card.ts';
import type { Expression } from './graph.ts';
import * as g from './graph.ts';
import type { Parameters } from './parameters.ts';

/** Reshapes a vector [C] to a map that broadcasts over cells. */
export const overCells = (vector: Expression): Expression =>
  g.reshapeToMap(vector, [1, 1, 1, vector.shape[0]]);

/** Inputs of the rule, in addition to its parameters. */
export interface RuleInputs {
  /** The result of `readGenome`, for rules with a standing input. */
  readonly genome?: Expression;
  /** A scalar that replaces the card's leak, because training may start without a leak. */
  readonly leak?: Expression;
}

/**
 * Computes the standing input of every cell of a patch, as `readGenome` of the reference does:
 * latents [N, Z] → [N, hidden], or, with a genome net, [N, size] (`genomeLayout`).
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
 * Builds the layers of a rule, with the genome's scales, shifts and weights applied.
 *
 * @returns weights [I, O] or [N, I, O], and biases [N | 1, 1, 1, O], of each layer
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
          // Scales each patch's weights, which costs less than scaling every cell.
          const weights = own?.scales ? ownWeights(kernel(name), own.scales) : kernel(name);
          return [name, { weights, bias: bias(name, own) }];
        }),
    ),
    out: { weights: weights ?? kernel('out'), bias: lastBias },
  };
}

/**
 * Computes the layers as native code reads them (`engine/native/native.ts`): perception's scales and
 * biases, then each layer's weights and biases.
 *
 * @returns [N, size], or [1, size] if all patches share the layers
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
 * Builds the expressions that all steps share. Call it once, and call its result for each step.
 *
 * @returns a function from states [N, H, W, C] and an optional update mask [N, H, W, 1] to the
 * states after one step
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

/** Reshapes a vector per sample, [N, C], to a map that broadcasts over cells. */
const onMap = (x: Expression): Expression => g.reshapeToMap(x, [x.shape[0], 1, 1, x.shape[1]]);

/** Reshapes weights [I, O] to [1, I, O], which all samples share. */
const inEach = (weights: Expression): Expression => g.reshape(weights, [1, ...weights.shape]);

/** Applies each patch's output scales [N, O] to weights [I, O]; returns [N, I, O]. */
const ownWeights = (weights: Expression, scales: Expression): Expression =>
  g.multiply(inEach(weights), g.reshape(scales, [scales.shape[0], 1, scales.shape[1]]));

interface LayerModulation {
  /** [N, hidden]; a scale of 1 has no effect. */
  readonly scales?: Expression;
  /** [N, hidden]; a shift of 0 has no effect. */
  readonly shifts: Expression;
}

interface GenomeParts {
  readonly layers: Readonly<Record<string, LayerModulation | undefined>>;
  /** [N, C], added to the change. */
  readonly out?: Expression;
  /** [N, hidden, C], added to the weights of the last layer. */
  readonly weights?: Expression;
}

function genomeParts(
  update: Card['update'],
  channels: number,
  modulation: Expression | undefined,
): GenomeParts {
  if (!modulation) throw new RangeError('a rule with a standing input needs a genome');
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
