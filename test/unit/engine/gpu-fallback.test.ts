/** What takes the place of a lost thread, and when a GPU is given up. */
import type { BackendName } from '../../../server/engine/backend.ts';
import { EngineError, type EngineInfo } from '../../../server/engine/engine.ts';
import { Fallback } from '../../../server/engine/thread/gpu-fallback.ts';
import type { ThreadEngine } from '../../../server/engine/thread/worker-engine.ts';

/** @param broken backends that do not start */
function house(broken: readonly BackendName[], spare: readonly BackendName[]) {
  const asked: BackendName[] = [];
  const told: [EngineInfo, string][] = [];
  const time = { now: 0 };
  const successor = new Fallback({
    chosen: 'webgpu',
    alternatives: spare,
    start: async (name) => {
      asked.push(name);
      if (broken.includes(name)) throw new EngineError('unavailable', `no ${name}`);
      return { info: { name, device: 'CPU (none)' } } as ThreadEngine;
    },
    onFallback: (...spoken) => told.push(spoken),
    now: () => time.now,
  });
  return { asked, told, time, next: () => successor.next(), lost: () => successor.recordLoss() };
}

test('a GPU that comes back is taken, however often, where losses lie far apart', async () => {
  const { next, time, told } = house([], ['onnx', 'wasm']);
  for (let k = 0; k < 9; k++) {
    time.now += 30_001;
    expect((await next()).info.name).toBe('webgpu');
  }
  expect(told).toEqual([]);
});

test('one that does not come back is replaced by the best of the spare ones, which is told once, with the reason', async () => {
  const { next, told, asked } = house(['webgpu', 'onnx'], ['onnx', 'wasm']);
  for (let k = 0; k < 3; k++) await expect(next()).rejects.toThrow('no webgpu');
  expect((await next()).info.name).toBe('wasm');
  expect(told).toEqual([
    [expect.objectContaining({ name: 'wasm' }), expect.stringMatching(/no webgpu/)],
  ]);
  expect((await next()).info.name).toBe('wasm');
  expect(asked.slice(-2)).toEqual(['wasm', 'wasm']);
  expect(told).toHaveLength(1);
});

test('so is one that starts and is lost three times in a minute', async () => {
  const { next, told } = house([], ['onnx']);
  const names = [];
  for (let k = 0; k < 3; k++) names.push((await next()).info.name);
  expect(names).toEqual(['webgpu', 'webgpu', 'onnx']);
  expect(told).toEqual([[expect.anything(), expect.stringMatching(/repeatedly/)]]);
});

test('devices that its thread has lost count too', async () => {
  const { next, lost, time, told } = house([], ['onnx']);
  for (let k = 0; k < 5; k++) {
    lost();
    time.now += 25_000;
  }
  expect((await next()).info.name).toBe('onnx');
  expect(told).toHaveLength(1);
});

test('tries of one search are one loss, however long each takes', async () => {
  const { next, time, told } = house(['webgpu'], ['onnx']);
  for (let k = 0; k < 3; k++) {
    await expect(next()).rejects.toThrow('no webgpu');
    time.now += 40_000;
  }
  expect((await next()).info.name).toBe('onnx');
  expect(told).toEqual([[expect.anything(), expect.stringMatching(/no webgpu/)]]);
});

test('an engine that was asked for by name is never replaced by another', async () => {
  const { next, told, asked } = house(['webgpu'], []);
  for (let k = 0; k < 5; k++) await expect(next()).rejects.toThrow('no webgpu');
  expect(new Set(asked)).toEqual(new Set(['webgpu']));
  expect(told).toEqual([]);
});
