/** The messages of a step arrive as they were sent. */
import type { PatchStep, Readout } from '../../../server/engine/engine.ts';
import {
  packReadouts,
  packSteps,
  unpackReadouts,
  unpackSteps,
} from '../../../server/engine/thread/protocol.ts';

test('steps arrive with their masks and latents, also with those of a wrong size', () => {
  const steps: PatchStep[] = [
    { patch: 7, divide: false },
    { patch: 2 ** 40, divide: true, keep: Uint8Array.of(1, 0, 2, 1) },
    { patch: 3, divide: false, closed: Uint8Array.of(0, 9), express: Float32Array.of(0.5, -1) },
    { patch: 4, divide: false, keep: new Uint8Array(0), express: new Float32Array(0) },
  ];
  expect(unpackSteps(structuredClone(packSteps(steps)))).toEqual(steps);
  expect(unpackSteps(packSteps([]))).toEqual([]);
});

test('read-outs arrive as they were sent', () => {
  const readouts: Readout[] = [1, 2].map((stage) => ({
    ...{ patch: 10 + stage, stage, change: 100 + stage },
    rgba: Uint8Array.from({ length: 4 * stage ** 2 }, (_, i) => i),
    presence: Uint8Array.from({ length: stage ** 2 }, (_, i) => 50 + i),
    ...(stage === 2 && { broken: true as const }),
  }));
  expect(unpackReadouts(structuredClone(packReadouts(readouts)))).toEqual(readouts);
});
