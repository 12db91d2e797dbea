import { engineLine, lossLine } from '../../../server/app/startup-banner.ts';

const info = { name: 'onnx', device: 'CPU (ONNX Runtime, 2 threads)' };

test('the host hears which engine it is, and nothing of those that this machine cannot have', () => {
  const passed = [{ name: 'tensorflow', onlyGpu: true, reason: 'not installed' }] as const;
  for (const better of [[], passed]) {
    expect(engineLine(info, better)).toBe('Engine: onnx on CPU (ONNX Runtime, 2 threads).');
  }
});

test('the host hears, in the same line, what would be better and how to have it', () => {
  const passed = [
    { name: 'tensorflow', onlyGpu: true, reason: 'no CUDA', remedy: 'install CUDA' },
  ] as const;
  expect(engineLine(info, passed)).toBe(
    'Engine: onnx on CPU (ONNX Runtime, 2 threads); better: tensorflow on a GPU: no CUDA (to fix it: install CUDA).',
  );
});

test('the host hears what was lost, why, and how often', () => {
  expect(lossLine({ what: 'thread', why: 'out of memory', count: 3 })).toBe(
    'Warning: a thread of the engine was lost (out of memory). Another takes its place, and every organism goes on where it was. Losses so far: 3.',
  );
  expect(lossLine({ what: 'gpu', why: 'driver reset', count: 1 })).toContain('the GPU was lost');
  expect(lossLine({ what: 'gpu', why: 'no GPU answers', count: 2, replacement: info })).toBe(
    'Warning: the GPU does not come back (no GPU answers). onnx on CPU (ONNX Runtime, 2 threads) steps from now on, more slowly; every organism goes on where it was. Mend its driver, and start the server again.',
  );
});
