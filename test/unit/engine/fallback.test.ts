/** What replaces a lost thread, and when a GPU is given up. */
import type { BackendName } from '../../../server/engine/backend.ts';
import { EngineError, type EngineInfo } from '../../../server/engine/engine.ts';
import type { ThreadEngine } from '../../../server/engine/thread/protocol.ts';
import { Fallback } from '../../../server/engine/thread/recovery.ts';

/** @param broken backends that do not start */
function house(broken: readonly BackendName[], spare?: BackendName) {
  const asked: BackendName[] = [];
  const told: [EngineInfo, string][] = [];
  const time = { now: 0 };
  const successor = new Fallback({
    chosen: 'webgpu',
    ...(spare && { alternative: spare }),
    start: async (name) => {
      asked.push(name);
      if (broken.includes(name)) throw new EngineError('unavailable', `no ${name}`);
      return { info: { name, device: 'CPU (none)' } } as ThreadEngine;
    },
    onFallback: (...spoken) => told.push(spoken),
    now: () => time.now,
  });
  return { asked, told, time, next: () => successor.next() };
}

test('a GPU that returns is used again, however often, if losses are far apart', async () => {
  const { next, time, told } = house([], 'onnx');
  for (let k = 0; k < 9; k++) {
    time.now += 30_001;
    expect((await next()).info.name).toBe('webgpu');
  }
  expect(told).toEqual([]);
});

test('a GPU that does not return is replaced by the alternative, which is reported once', async () => {
  const { next, told, asked } = house(['webgpu'], 'onnx');
  for (let k = 0; k < 3; k++) await expect(next()).rejects.toThrow('no webgpu');
  expect((await next()).info.name).toBe('onnx');
  expect(told).toEqual([
    [expect.objectContaining({ name: 'onnx' }), expect.stringMatching(/no webgpu/)],
  ]);
  expect((await next()).info.name).toBe('onnx');
  expect(asked.slice(-2)).toEqual(['onnx', 'onnx']);
  expect(told).toHaveLength(1);
});

test('a GPU that is lost three times in a minute is replaced', async () => {
  const { next, told } = house([], 'onnx');
  const names = [];
  for (let k = 0; k < 3; k++) names.push((await next()).info.name);
  expect(names).toEqual(['webgpu', 'webgpu', 'onnx']);
  expect(told).toEqual([[expect.anything(), expect.stringMatching(/repeatedly/)]]);
});

test('repeated attempts to replace one thread count as one loss', async () => {
  const { next, time, told } = house(['webgpu'], 'onnx');
  for (let k = 0; k < 3; k++) {
    await expect(next()).rejects.toThrow('no webgpu');
    time.now += 40_000;
  }
  expect((await next()).info.name).toBe('onnx');
  expect(told).toEqual([[expect.anything(), expect.stringMatching(/no webgpu/)]]);
});

test('an engine that was chosen by name is never replaced', async () => {
  const { next, told, asked } = house(['webgpu']);
  for (let k = 0; k < 5; k++) await expect(next()).rejects.toThrow('no webgpu');
  expect(new Set(asked)).toEqual(new Set(['webgpu']));
  expect(told).toEqual([]);
});
