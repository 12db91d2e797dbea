import { engineLine, lossLine } from '../../../server/composition/listen.ts';

const info = { name: 'onnx', device: 'CPU (ONNX Runtime)' };

test('the engine in use is named, without engines that this machine cannot have', () => {
  const passed = [{ name: 'tensorflow', onlyGpu: true, reason: 'not installed' }] as const;
  for (const better of [[], passed]) {
    expect(engineLine(info, better)).toBe('Engine: onnx on CPU (ONNX Runtime).');
  }
});

test('the same line names a better engine and how to enable it', () => {
  const passed = [
    { name: 'tensorflow', onlyGpu: true, reason: 'no CUDA', remedy: 'install CUDA' },
  ] as const;
  expect(engineLine(info, passed)).toBe(
    'Engine: onnx on CPU (ONNX Runtime); better: tensorflow on a GPU: no CUDA (to fix it: install CUDA).',
  );
});

test('a loss is named with its cause and count', () => {
  expect(lossLine({ what: 'thread', why: 'out of memory', count: 3 })).toBe(
    'Warning: an engine thread was lost (out of memory) and has been replaced, without losing any organism. Losses so far: 3.',
  );
  expect(lossLine({ what: 'gpu', why: 'driver reset', count: 1 })).toContain('the GPU was lost');
  expect(lossLine({ what: 'gpu', why: 'no GPU answers', count: 2, replacement: info })).toBe(
    'Warning: the GPU does not recover (no GPU answers). The server continues on onnx on CPU (ONNX Runtime), more slowly, without losing any organism. Repair the GPU driver and restart the server.',
  );
});
