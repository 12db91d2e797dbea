/** The cell rule as expressions: the same nets as `vnca/rule.ts`, which is the reference. */
import { RES4_BLOCKS } from '../../vnca/architecture.ts';
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
  const modulate = modulation(update, parameters, latents);
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
    let change = modulate('out', dense('out', h, outBias));
    if (update.leak > 0) change = g.subtract(change, g.multiply(states, update.leak));
    const moved = g.add(states, mask ? g.multiply(change, mask) : change);
    const limit = update.stateLimit;
    return limit === undefined ? moved : g.clip(moved, -limit, limit);
  };
}

/** Lets the genome speak to a layer, as in `vnca/rule.ts`. */
type Modulate = (layer: 'perceive' | 'hidden' | 'out', x: Expression) => Expression;

function modulation(
  update: Card['update'],
  parameters: Parameters,
  latents?: Expression,
): Modulate {
  if (!update.standingInput) return (_, x) => x;
  if (!latents) throw new RangeError('a rule with a standing input needs the latents');
  const { hidden, genome } = update;
  const read = g.matMul(latents, parameters('update.genome.kernel'));
  if (!genome) {
    const shift = overEach(read);
    return (layer, x) => (layer === 'perceive' ? g.add(x, shift) : x);
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
  const part = (from: number, to: number): Expression => overEach(g.slice(said, from, to));
  const scaleAndShift = (from: number) => ({
    scale: g.add(part(from, from + hidden), 1),
    shift: part(from + hidden, from + 2 * hidden),
  });
  const layers = {
    perceive: scaleAndShift(0),
    ...(update.kind === 'residual' && { hidden: scaleAndShift(2 * hidden) }),
  };
  const [, size] = said.shape;
  const shiftOut = part(2 * hidden * Object.keys(layers).length, size);
  return (layer, x) => {
    if (layer === 'out') return g.add(x, shiftOut);
    const { scale, shift } = layers[layer as 'perceive'];
    return g.add(g.multiply(x, scale), shift);
  };
}
