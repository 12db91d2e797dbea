/** A page waits for a slow GPU, and not for one that never tells when a picture is finished. */
import { UnfinishedPictures } from '../../../client/render/frame-pacing.ts';

/** A GPU whose fences this test finishes. */
function openGpu() {
  const alive = new Set<object>();
  const finished = new Set<object>();
  const gl = {
    ...{ SYNC_GPU_COMMANDS_COMPLETE: 1, SYNC_STATUS: 2, SIGNALED: 3 },
    isContextLost: () => false,
    fenceSync: () => {
      const fence = {};
      alive.add(fence);
      return fence;
    },
    getSyncParameter: (fence: object) => (finished.has(fence) ? 3 : 4),
    deleteSync: (fence: object) => alive.delete(fence),
  };
  const finish = () => {
    for (const fence of alive) finished.add(fence);
  };
  return { alive, finish, pictures: new UnfinishedPictures(gl as never) };
}

test('the next picture waits while the GPU is more than one behind', () => {
  const { finish, pictures } = openGpu();
  pictures.add(0);
  expect(pictures.isMany(16)).toBe(true);
  finish();
  expect(pictures.isMany(32)).toBe(false);
  pictures.add(32);
  expect(pictures.isMany(48)).toBe(false);
  pictures.add(48);
  expect(pictures.isMany(64)).toBe(true);
});

test('a GPU that never tells is waited for once, and nothing piles up', () => {
  const { alive, finish, pictures } = openGpu();
  pictures.add(0);
  expect(pictures.isMany(9_000)).toBe(true);
  for (let now = 10_000; now < 20_000; now += 16) {
    expect(pictures.isMany(now)).toBe(false);
    pictures.add(now);
  }
  expect(alive.size).toBe(1);
  // It tells after all.
  finish();
  expect(pictures.isMany(20_000)).toBe(false);
  for (const now of [20_016, 20_032]) pictures.add(now);
  expect(pictures.isMany(20_048)).toBe(true);
  pictures.dispose();
  expect(alive.size).toBe(0);
});
