/**
 * Cells that learn where they are. Beside its picture a rule may be taught to show, in channels that nobody sees, the place of
 * each cell in its body, as waves over it: what a tissue needs to know before it can make, keep and mend a form
 * (positional information, Wolpert 1969). Cells still see their neighbours alone; only the judge knows the places.
 */
import type { Expression } from '../autodiff/graph.ts';
import * as g from '../autodiff/graph.ts';

export interface PositionLoss {
  /** First of the channels that show places; there are `4 · octaves`. */
  readonly channel: number;
  /** Waves of half a period over the body, one period, two, … */
  readonly octaves: number;
  /** What a place counts beside a colour. */
  readonly weight: number;
}

/** Channels that places take. */
export const positionChannels = ({ octaves }: Pick<PositionLoss, 'octaves'>): number => 4 * octaves;

/**
 * For each octave cos and sin of π·2^octave·u, for u across and v down, 0…1 from edge to edge.
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
 * How well cells show their places, as if it were a part of the picture: nats with a Gaussian of `sigma`.
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
