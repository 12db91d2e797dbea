import {
  countParameters,
  macPerCellStep,
  updateShapes,
} from '../../../server/vnca/architecture.ts';
import { tinyCard } from './tiny-model.ts';

const residual = (standingInput: boolean) =>
  tinyCard({
    channels: 48,
    latentSize: 48,
    update: { kind: 'residual', hidden: 72, standingInput },
  });

// The counts of published nets are tested with the configurations that train them.
test('a standing input costs parameters, and nothing per cell', () => {
  const [plain, standing] = [residual(false), residual(true)];
  expect(updateShapes(standing).get('update.genome.kernel')).toEqual([48, 72]);
  expect(countParameters(plain)).toBe(39_936);
  expect(countParameters(standing)).toBe(39_936 + 48 * 72);
  expect([macPerCellStep(plain), macPerCellStep(standing)]).toEqual([39_744, 39_744]);
});
