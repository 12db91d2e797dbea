import { createTfjsEngine } from '../../../server/engine/tfjs/engine.ts';
import { CONTRACT_MODELS, describeEngineContract } from './contract.ts';

for (const backend of ['wasm', 'cpu'] as const) {
  describeEngineContract(`TensorFlow.js on ${backend}`, () =>
    createTfjsEngine({ checkpoints: CONTRACT_MODELS, backend }),
  );
}

test('auto finds a backend that works, and says which', async () => {
  const engine = await createTfjsEngine({ checkpoints: [] });
  expect(['tensorflow', 'wasm']).toContain(engine.info.name);
  expect(engine.info.device).toMatch(/^(CPU|GPU) \(.+\)$/);
  await engine.close();
});

test('two checkpoints of one name are refused', async () => {
  const [model] = CONTRACT_MODELS;
  await expect(
    createTfjsEngine({ checkpoints: [model, model], backend: 'cpu' }),
  ).rejects.toMatchObject({
    reason: 'unavailable',
    message: 'engine: unavailable: two checkpoints are named "tiny"',
  });
});
