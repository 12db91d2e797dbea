/**
 * A loss that trains cells to show their position in the body, as waves in channels that are not
 * part of the picture (positional information, Wolpert 1969). Cells still see only their
 * neighbours; only the loss knows the positions.
 */
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';

/** Options of the position loss. */
export interface PositionLoss {
  /** First of the `4 · octaves` channels that show the position. */
  readonly channel: number;
  /** Waves of half a period over the body, one period, two, … */
  readonly octaves: number;
  /** Weight of a position channel relative to a colour channel. */
  readonly weight: number;
}

/** Number of position channels. */
export const positionChannels = ({ octaves }: Pick<PositionLoss, 'octaves'>): number => 4 * octaves;

/**
 * The expected position channels. For each octave: cos and sin of π·2^octave·u, then of v; u runs
 * across and v down, 0…1 from edge to edge.
 *
 * @returns [1, side, side, 4 · octaves]
 */
export function positionFields(side: number, octaves: number): Float32Array {
  const channels = positionChannels({ octaves });
  const fields = new Float32Array(side * side * channels);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = (y * side + x) * channels;
      for (let octave = 0; octave < octaves; octave++) {
        [x, y].forEach((place, axis) => {
          const phase = (Math.PI * 2 ** octave * (place + 0.5)) / side;
          fields[at + 4 * octave + 2 * axis] = Math.cos(phase);
          fields[at + 4 * octave + 2 * axis + 1] = Math.sin(phase);
        });
      }
    }
  }
  return fields;
}

/**
 * Log-likelihood of the positions that cells show, as if they were part of the picture: nats of a
 * Gaussian with `sigma`.
 *
 * @param states map [N, H, W, C]
 * @param fields map [1, H, W, 4 · octaves]
 * @returns map [N, 1, 1, 1]
 */
export function positionNats(
  states: Expression,
  fields: Expression,
  { channel, octaves, weight }: PositionLoss,
  sigma: number,
): Expression {
  const shown = g.slice(states, channel, channel + positionChannels({ octaves }));
  const errors = g.sum(g.square(g.subtract(shown, fields)), [1, 2, 3]);
  return g.multiply(errors, (-0.5 * weight) / sigma ** 2);
}
