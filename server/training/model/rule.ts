/** The cell rule as expressions: the same nets as `vnca/rule.ts`, which is the reference. */
import { RES4_BLOCKS } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Expression } from '../autodiff/graph.ts';
import * as g from '../autodiff/graph.ts';
import type { Parameters } from './parameters.ts';

/** A vector [C] over all cells of a map. */
export const overCells = (vector: Expression): Expression =>
  g.reshapeToMap(vector, [1, 1, 1, vector.shape[0]]);

/** A vector for each sample [N, C] over its cells. */
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
  let standing = bias('perceive');
  if (update.standingInput) {
    if (!latents) throw new RangeError('a rule with a standing input needs the latents');
    standing = g.add(overEach(g.matMul(latents, parameters('update.genome.kernel'))), standing);
  }
  const outBias = update.kind !== 'simple' || update.outBias;

  return (states, mask) => {
    const perceived = g.conv(states, parameters('update.perceive.kernel'), { pad: 1 });
    let h = g.add(perceived, standing);
    switch (update.kind) {
      case 'simple':
        h = g.elu(h);
        break;
      case 'residual':
        h = g.elu(h);
        h = g.add(h, g.elu(dense('hidden', h)));
        break;
      case 'res4':
        for (let i = 0; i < RES4_BLOCKS; i++) {
          h = g.add(h, dense(`block${i}.outer`, g.elu(dense(`block${i}.inner`, h))));
        }
    }
    const change = dense('out', h, outBias);
    const moved = g.add(states, mask ? g.multiply(change, mask) : change);
    const limit = update.stateLimit;
    return limit === undefined ? moved : g.clip(moved, -limit, limit);
  };
}
