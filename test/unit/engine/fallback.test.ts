/** What replaces a lost thread, and when a GPU is given up. */
import type { BackendName } from '../../../server/engine/backend.ts';
import { EngineError, type EngineInfo } from '../../../server/engine/engine.ts';
import type { ThreadEngine } from '../../../server/engine/thread/protocol.ts';
import { Recovery } from '../../../server/engine/thread/replace-lost-thread.ts';
import { systemClock } from '../../../server/platform/clock.ts';

const threadOf = (name: string) =>
  ({ info: { name, device: 'CPU (none)' }, close: async () => {} }) as ThreadEngine;

/** @param broken backends that do not start */
function house(broken: readonly BackendName[], alternative?: BackendName) {
  const asked: BackendName[] = [];
  const told: [EngineInfo, string][] = [];
  const time = { now: 0 };
  const options = {
    start: async (name: BackendName) => {
      asked.push(name);
      if (broken.includes(name)) throw new EngineError('unavailable', `no ${name}`);
      return threadOf(name);
    },
    ...(alternative && { alternative }),
    onFallback: (...spoken: [EngineInfo, string]) => told.push(spoken),
    retryDelays: [0, 0, 0, 0],
    clock: { ...systemClock, now: () => time.now },
  };
  const recovery = new Recovery(threadOf('webgpu'), options, async () => {});
  /** Loses the GPU. @returns the backend that answers instead */
  const lose = (): Promise<string> => {
    let isLost = false;
    return recovery.submit(async ({ info }) => {
      if (isLost) return info.name;
      isLost = true;
      throw new EngineError('gpu-lost', 'reset');
    });
  };
  return { asked, told, time, lose };
}

test('a GPU that returns is used again, however often, if losses are far apart', async () => {
  const { lose, time, told } = house([], 'onnx');
  for (let k = 0; k < 9; k++) {
    time.now += 30_001;
    expect(await lose()).toBe('webgpu');
  }
  expect(told).toEqual([]);
});

test('a GPU that does not return is replaced by the alternative, which is reported once', async () => {
  const { lose, told, asked } = house(['webgpu'], 'onnx');
  expect(await lose()).toBe('onnx');
  expect(await lose()).toBe('onnx');
  expect(asked).toEqual(['webgpu', 'webgpu', 'webgpu', 'onnx', 'onnx']);
  expect(told).toEqual([
    [expect.objectContaining({ name: 'onnx' }), expect.stringMatching(/no webgpu/)],
  ]);
});

test('a GPU that is lost three times in a minute is replaced', async () => {
  const { lose, told } = house([], 'onnx');
  expect([await lose(), await lose(), await lose()]).toEqual(['webgpu', 'webgpu', 'onnx']);
  expect(told).toEqual([[expect.anything(), expect.stringMatching(/repeatedly/)]]);
});

test('an engine that was chosen by name is never replaced', async () => {
  const { lose, told, asked } = house(['webgpu']);
  await expect(lose()).rejects.toMatchObject({ reason: 'failed' });
  expect(asked).toEqual(['webgpu', 'webgpu', 'webgpu', 'webgpu']);
  expect(told).toEqual([]);
});
