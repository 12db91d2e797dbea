import {
  countParameters,
  macPerCellStep,
  updateShapes,
} from '../../../server/vnca/architecture.ts';
import type { Card } from '../../../server/vnca/card.ts';

function architecture(kind: Card['update']['kind'], size: number, hidden: number, extra = {}) {
  const update = { kind, hidden, standingInput: false, updateProbability: 1, outBias: false };
  return {
    channels: size,
    latentSize: size,
    update: { ...update, ...extra } as Card['update'],
  };
}

// Published counts: VNCA (Palm et al. 2022) and its reproduction (Aillet and Sondén 2023).
test.each([
  ['res4 256/256', architecture('res4', 256, 256), 1_182_208],
  ['res4 256/128', architecture('res4', 256, 128), 460_160],
  ['simple 128/128', architecture('simple', 128, 128), 163_968],
  ['simple 128/128 with bias', architecture('simple', 128, 128, { outBias: true }), 164_096],
  ['residual 48/72', architecture('residual', 48, 72), 39_936],
])('%s has as many parameters as published', (_, card, parameters) => {
  expect(countParameters(card)).toBe(parameters);
});

test('a standing input costs parameters, and nothing per cell', () => {
  const plain = architecture('residual', 48, 72);
  const standing = architecture('residual', 48, 72, { standingInput: true });
  expect(updateShapes(standing).get('update.genome.kernel')).toEqual([48, 72]);
  expect(countParameters(standing) - countParameters(plain)).toBe(48 * 72);
  expect(macPerCellStep(plain)).toBe(39_744);
  expect(macPerCellStep(standing)).toBe(39_744);
});
