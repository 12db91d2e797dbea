/**
 * The decoder of a convolutional variational autoencoder, which cell rules are measured against: the
 * baseline of Palm et al. 2022.
 */
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import type { Parameters } from '../../autodiff/parameters.ts';
import { overCells } from '../../autodiff/rule.ts';
import { DECODER_KERNEL } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';

type Decoder = Extract<Card['update'], { kind: 'decoder' }>;

const PAD = (DECODER_KERNEL - 1) / 2;

/**
 * Decodes latents in one step.
 *
 * @param latents [N, Z]
 * @returns map [N, S, S, C], S = 2^(doublings + 1)
 */
export function decode(
  { hidden, doublings, activation }: Pick<Decoder, 'hidden' | 'doublings' | 'activation'>,
  parameters: Parameters,
  latents: Expression,
): Expression {
  const n = latents.shape[0];
  const activate = activation === 'relu' ? g.relu : g.elu;
  const bias = parameters('update.dense.bias');
  const row = g.add(
    g.matMul(latents, parameters('update.dense.kernel')),
    g.reshape(bias, [1, bias.shape[0]]),
  );
  let x = g.reshapeToMap(row, [n, 2, 2, hidden]);
  for (let i = 0; i <= doublings; i++) {
    const kernel = parameters(`update.convolution${i}.kernel`);
    const stride = i < doublings ? 2 : 1;
    const side = x.shape[1] * stride;
    const spread = g.convInput(x, kernel, [n, side, side, kernel.shape[2]], { stride, pad: PAD });
    const shifted = g.add(spread, overCells(parameters(`update.convolution${i}.bias`)));
    x = i < doublings ? activate(shifted) : shifted;
  }
  return x;
}
