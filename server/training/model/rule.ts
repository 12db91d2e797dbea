/** The cell rule as expressions: the same nets as `vnca/rule.ts`, which is the reference. */
import { genomeLayout, RES4_BLOCKS } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Expression } from '../autodiff/graph.ts';
import * as g from '../autodiff/graph.ts';
import type { Parameters } from './parameters.ts';

/** A vector [C] over all cells of a map. */
export const overCells = (vector: Expression): Expression =>
  g.reshapeToMap(vector, [1, 1, 1, vector.shape[0]]);

/** A vector for each sample [N, C], over its cells. */
const overEach = (vectors: Expression): Expression =>
  g.reshapeToMap(vectors, [vectors.shape[0], 1, 1, vectors.shape[1]]);

/**
 * What all steps of a run share: call once, then step many times.
 *
 * @returns a function from states [N, H, W, C] to the states one step later
 */
export function ruleSteps(
  update: Card['update'],
  parameters: Parameters,
  latents?: Expression,
): (states: Expression, mask?: Expression) => Expression {
  const bias = (layer: string): Expression => overCells(parameters(`update.${layer}.bias`));
  const dense = (layer: string, x: Expression, withBias = true): Expression => {
    const product = g.pointwise(x, parameters(`update.${layer}.kernel`));
    return withBias ? g.add(product, bias(layer)) : product;
  };
  const { modulate, express } = modulation(update, parameters, latents);
  const outBias = update.kind !== 'simple' || update.outBias;

  return (states, mask) => {
    const perceived = g.conv(states, parameters('update.perceive.kernel'), { pad: 1 });
    let h = modulate('perceive', g.add(perceived, bias('perceive')));
    switch (update.kind) {
      case 'simple':
        h = g.elu(h);
        break;
      case 'residual':
        h = g.elu(h);
        h = g.add(h, g.elu(modulate('hidden', dense('hidden', h))));
        break;
      case 'res4':
        for (let i = 0; i < RES4_BLOCKS; i++) {
          h = g.add(h, dense(`block${i}.outer`, g.elu(dense(`block${i}.inner`, h))));
        }
    }
    let change = express(h, modulate('out', dense('out', h, outBias)));
    if (update.leak > 0) change = g.subtract(change, g.multiply(states, update.leak));
    const moved = g.add(states, mask ? g.multiply(change, mask) : change);
    const limit = update.stateLimit;
    return limit === undefined ? moved : g.clip(moved, -limit, limit);
  };
}

/** What the genome says, as in `vnca/rule.ts`. */
interface Modulation {
  /** Lets it speak to a layer. */
  readonly modulate: (layer: 'perceive' | 'hidden' | 'out', x: Expression) => Expression;
  /** Adds to the change what the patch's own weights make of the hidden cells. */
  readonly express: (hidden: Expression, change: Expression) => Expression;
}

function modulation(
  update: Card['update'],
  parameters: Parameters,
  latents?: Expression,
): Modulation {
  const silent = (_: Expression, x: Expression): Expression => x;
  if (!update.standingInput) return { modulate: (_, x) => x, express: silent };
  if (!latents) throw new RangeError('a rule with a standing input needs the latents');
  const { hidden, genome } = update;
  const read = g.matMul(latents, parameters('update.genome.kernel'));
  if (!genome) {
    const shift = overEach(read);
    return {
      modulate: (layer, x) => (layer === 'perceive' ? g.add(x, shift) : x),
      express: silent,
    };
  }
  const row = (name: string): Expression => {
    const vector = parameters(name);
    return g.reshape(vector, [1, vector.shape[0]]);
  };
  const inner = g.elu(g.add(read, row('update.genome.bias')));
  const said = g.add(
    g.matMul(inner, parameters('update.modulation.kernel')),
    row('update.modulation.bias'),
  );
  const part = (from: number, size: number): Expression =>
    overEach(g.slice(said, from, from + size));
  const channels = parameters('update.out.kernel').shape[1];
  const layout = genomeLayout({ channels, update });
  const layers = layout.layers.map((from) => ({
    scale: g.add(part(from, hidden), 1),
    shift: part(from + hidden, hidden),
  }));
  const shifts = part(layout.shifts, channels);
  const { expressed } = genome;
  const [patches, size] = said.shape;
  const weights =
    expressed > 0
      ? g.reshape(g.slice(said, layout.weights, size), [patches, hidden, expressed])
      : undefined;
  return {
    modulate(layer, x) {
      if (layer === 'out') return g.add(x, shifts);
      const { scale, shift } = layers[layer === 'perceive' ? 0 : 1];
      return g.add(g.multiply(x, scale), shift);
    },
    express: (h, change) =>
      weights ? g.add(change, g.pad(g.pointwiseEach(h, weights), 0, channels)) : change,
  };
}
