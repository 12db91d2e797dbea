/** The cell rule as expressions: the same nets as `vnca/rule.ts`, which is the reference. */
import { genomeLayout, RES4_BLOCKS } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Expression } from '../autodiff/graph.ts';
import * as g from '../autodiff/graph.ts';
import type { Parameters } from './parameters.ts';

/** A vector [C] over all cells of a map. */
export const overCells = (vector: Expression): Expression =>
  g.reshapeToMap(vector, [1, 1, 1, vector.shape[0]]);

/** What the steps of a run are told besides the parameters. */
export interface RuleInputs {
  /** What the genome says, of `readGenome`; for rules with a standing input. */
  readonly genome?: Expression;
  /** A number, in place of the card's: training may begin without a leak. */
  readonly leak?: Expression;
}

/**
 * What the standing input says to every cell of a patch: latents [N, Z] → [N, hidden], or, of a genome net, [N, size]
 * (`genomeLayout`). As `readGenome` of `vnca/rule.ts`.
 */
export function readGenome(
  { genome }: Card['update'],
  parameters: Parameters,
  latents: Expression,
): Expression {
  const read = g.matMul(latents, parameters('update.genome.kernel'));
  if (!genome) return read;
  const row = (name: string): Expression => {
    const vector = parameters(name);
    return g.reshape(vector, [1, vector.shape[0]]);
  };
  const inner = g.elu(g.add(read, row('update.genome.bias')));
  const said = g.matMul(inner, parameters('update.modulation.kernel'));
  return g.multiply(g.add(said, row('update.modulation.bias')), genome.gain);
}

/**
 * What all steps of a run share: call once, then step many times.
 *
 * @returns a function from states [N, H, W, C] to the states one step later
 */
export function ruleSteps(
  update: Card['update'],
  parameters: Parameters,
  { genome, leak }: RuleInputs = {},
): (states: Expression, mask?: Expression) => Expression {
  const shapeOf = (layer: string) => parameters(`update.${layer}.kernel`).shape;
  const channels = shapeOf('perceive')[2];
  const said = update.standingInput ? genomeParts(update, channels, genome) : undefined;
  const activate = update.activation === 'relu' ? g.relu : g.elu;
  /** The layer's bias, [N | 1, 1, 1, units], with what the genome adds to it. */
  const bias = (layer: string, add?: Expression, scale?: Expression): Expression => {
    let own = overCells(parameters(`update.${layer}.bias`));
    if (scale) own = g.multiply(own, g.reshapeToMap(scale, mapOf(scale)));
    return add ? g.add(own, g.reshapeToMap(add, mapOf(add))) : own;
  };
  const dense = (layer: string, x: Expression): Expression =>
    g.add(g.pointwise(x, parameters(`update.${layer}.kernel`)), bias(layer));

  // Scales of a layer are worked into its weights, patch by patch: cells need not be multiplied.
  const perceptionScales = said?.perceive?.scales;
  const perceptionBias = bias('perceive', said?.perceive?.shifts, perceptionScales);
  const perceive = (states: Expression): Expression => {
    const seen = g.conv(states, parameters('update.perceive.kernel'), { pad: 1 });
    const scaled = perceptionScales
      ? g.multiply(seen, g.reshapeToMap(perceptionScales, mapOf(perceptionScales)))
      : seen;
    return g.add(scaled, perceptionBias);
  };
  const second =
    said?.hidden?.scales && ownWeights(parameters('update.hidden.kernel'), said.hidden.scales);
  const secondBias =
    update.kind === 'residual'
      ? bias('hidden', said?.hidden?.shifts, said?.hidden?.scales)
      : undefined;
  const hidden = (x: Expression): Expression =>
    g.add(
      second ? g.pointwiseEach(x, second) : g.pointwise(x, parameters('update.hidden.kernel')),
      secondBias!,
    );
  const last = said?.weights && g.add(inEach(parameters('update.out.kernel')), said.weights);
  const lastBias =
    update.kind !== 'simple' || update.outBias
      ? bias('out', said?.out)
      : said?.out && g.reshapeToMap(said.out, mapOf(said.out));
  const out = (x: Expression): Expression => {
    const change = last
      ? g.pointwiseEach(x, last)
      : g.pointwise(x, parameters('update.out.kernel'));
    return lastBias ? g.add(change, lastBias) : change;
  };
  const kept = leak
    ? g.subtract(g.constant(1), leak)
    : update.leak > 0
      ? g.constant(1 - update.leak)
      : undefined;

  return (states, mask) => {
    let h = perceive(states);
    switch (update.kind) {
      case 'simple':
        h = activate(h);
        break;
      case 'residual':
        h = activate(h);
        h = g.add(h, activate(hidden(h)));
        break;
      case 'res4':
        for (let i = 0; i < RES4_BLOCKS; i++) {
          h = g.add(h, dense(`block${i}.outer`, activate(dense(`block${i}.inner`, h))));
        }
    }
    const change = out(h);
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

/** A vector for each sample [N, C], over its cells. */
const mapOf = ({ shape }: Expression): number[] => [shape[0], 1, 1, shape[1]];

/** Weights [I, O] for each sample alike. */
const inEach = (weights: Expression): Expression => g.reshape(weights, [1, ...weights.shape]);

/** Weights [I, O], their outputs scaled by what each patch says [N, O]: [N, I, O]. */
const ownWeights = (weights: Expression, scales: Expression): Expression =>
  g.multiply(inEach(weights), g.reshape(scales, [scales.shape[0], 1, scales.shape[1]]));

interface LayerSaid {
  /** [N, hidden], 1 leaves the layer as it is. */
  readonly scales?: Expression;
  /** [N, hidden]. */
  readonly shifts: Expression;
}

/** What a genome says, part by part. */
interface GenomeParts {
  readonly perceive: LayerSaid;
  readonly hidden?: LayerSaid;
  /** Added to the change, [N, C]. */
  readonly out?: Expression;
  /** Added to the weights of the last layer, [N, hidden, C]. */
  readonly weights?: Expression;
}

function genomeParts(
  update: Card['update'],
  channels: number,
  said: Expression | undefined,
): GenomeParts {
  if (!said) throw new RangeError('a rule with a standing input needs what the genome says');
  const { hidden, genome } = update;
  if (!genome) return { perceive: { shifts: said } };
  const layout = genomeLayout({ channels, update });
  const part = (from: number, size: number): Expression => g.slice(said, from, from + size);
  const [perceive, second] = layout.layers.map(({ scales, shifts }) => ({
    ...(scales !== undefined && { scales: g.add(part(scales, hidden), 1) }),
    shifts: part(shifts, hidden),
  }));
  const { expressed } = genome;
  const weights =
    expressed > 0
      ? g.pad(
          g.reshape(part(layout.weights, hidden * expressed), [said.shape[0], hidden, expressed]),
          0,
          channels,
        )
      : undefined;
  return {
    perceive,
    ...(second && { hidden: second }),
    out: part(layout.shifts, channels),
    ...(weights && { weights }),
  };
}
