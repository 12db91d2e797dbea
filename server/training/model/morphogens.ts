/**
 * A rule that can measure before it has learnt anything: from each edge of the patch a wave of phase runs inwards, a cell a
 * step, as morphogens tell the cells of an embryo where they are. It is a choice of first weights and no more: all of
 * them are trained like any other, and whatever a wound erases comes in again from the edges.
 *
 * A wave is a phasor p(x) = R(θ) p(x − 1) in two channels. Outside a patch states read as zero, so the channels hold p − p₀
 * with p₀ = (1, 0), the phase at the edge.
 */
import type { Card } from '../../vnca/card.ts';
import type { Shape } from '../autodiff/graph.ts';

type Tensors = ReadonlyMap<string, { readonly shape: Shape; readonly data: Float32Array }>;

export interface Wave {
  /** The edge that it comes from. */
  readonly from: 'left' | 'right' | 'top' | 'bottom';
  /** Cells a turn. */
  readonly period: number;
}

/** Taps [row, column] of the 3×3 kernel that look towards an edge. */
const TOWARDS = { left: [1, 0], right: [1, 2], top: [0, 1], bottom: [2, 1] } as const;
/** Keeps the argument of the ELU above zero, where it is straight. */
const OFFSET = 4;

/**
 * Writes waves into the first weights of a rule: each takes two channels from `first` on, and two hidden units.
 *
 * @param tensors as `initialise` draws them; changed in place
 * @throws RangeError the rule has no room for the waves, or is not of the kind that they are made for
 */
export function beginWithMorphogens(
  { channels, update }: Pick<Card, 'channels' | 'update'>,
  tensors: Tensors,
  waves: readonly Wave[],
  first: number,
): void {
  const { hidden, leak, kind } = update;
  if (kind === 'res4') throw new RangeError('morphogens are for the nets "simple" and "residual"');
  if (first + 2 * waves.length > channels || 2 * waves.length > hidden) {
    throw new RangeError(`${waves.length} waves do not fit ${channels} channels`);
  }
  const data = (name: string): Float32Array => tensors.get(`update.${name}`)!.data;
  const perceive = data('perceive.kernel');
  const perceiveBias = data('perceive.bias');
  const out = data('out.kernel');
  const outBias = data('out.bias');
  const tap = ([row, column]: readonly [number, number], from: number, unit: number): number =>
    ((row * 3 + column) * channels + from) * hidden + unit;

  waves.forEach(({ from, period }, w) => {
    const angle = (2 * Math.PI) / period;
    const rotation = [
      [Math.cos(angle), -Math.sin(angle)],
      [Math.sin(angle), Math.cos(angle)],
    ];
    for (let i = 0; i < 2; i++) {
      const unit = 2 * w + i;
      const channel = first + 2 * w + i;
      for (let row = 0; row < 3; row++) {
        for (let column = 0; column < 3; column++) {
          for (let c = 0; c < channels; c++) perceive[tap([row, column], c, unit)] = 0;
        }
      }
      for (let j = 0; j < 2; j++) {
        perceive[tap(TOWARDS[from], first + 2 * w + j, unit)] = rotation[i][j];
      }
      // What is left of the old state goes away again.
      perceive[tap([1, 1], channel, unit)] -= 1 - leak;
      perceiveBias[unit] = rotation[i][0] - (i === 0 ? 1 : 0) + OFFSET;
      for (let c = 0; c < channels; c++) out[unit * channels + c] = c === channel ? 1 : 0;
      for (let h = 0; h < hidden; h++) if (h !== unit) out[h * channels + channel] = 0;
      outBias[channel] = -OFFSET;
      if (kind === 'residual') {
        for (let h = 0; h < hidden; h++) data('hidden.kernel')[h * hidden + unit] = 0;
        data('hidden.bias')[unit] = 0;
      }
    }
  });
}
