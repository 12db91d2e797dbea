/** How much is painted in a frame, from how long frames take. */
import { Resolution, UnfinishedPictures } from '../../../client/render/frame-pacing.ts';
import { PaintPace } from '../../../client/render/paint/paint-pace.ts';

const STALE = 200;

/** A pace that knows how often a screen draws, past the frames that are not judged. */
function paceOf(usual: number) {
  const pace = new PaintPace(STALE);
  let now = 0;
  const frames = (count: number, gap: number, spent = 1e6, due = 2 * spent): void => {
    for (let i = 0; i < count; i++) {
      now += gap;
      pace.frame({ now, follows: true, spent, due });
    }
  };
  frames(30, usual, 0);
  expect(pace.isReady).toBe(true);
  frames(5, usual);
  return { pace, frames, rest: (pause: number) => (now += pause) };
}

test('the budget grows while frames are in time; late ones lower it, and then the scale', () => {
  const { pace, frames, rest } = paceOf(16);
  const first = pace.budget;
  frames(40, 16);
  expect(pace.budget).toBeGreaterThan(4 * first);
  frames(100, 60);
  expect(pace.scale).toBe(0);
  rest(20_000);
  frames(1, 16);
  expect(pace.scale).toBe(4);
});

test.each([24, 25, 30, 60, 144])('screens of %i Hz are not slow', (rate) => {
  const { pace, frames } = paceOf(1000 / rate);
  const { budget } = pace;
  frames(200, 1000 / rate);
  expect(pace.scale).toBe(8);
  expect(pace.budget).toBeGreaterThan(budget);
});

test('the first painted frames and a single long one are not judged, two in a row are', () => {
  const pace = new PaintPace(STALE);
  const record = (now: number): void => pace.frame({ now, follows: true, spent: 1e6, due: 1e6 });
  for (const now of [0, 300, 600, 900, 1_200, 1_216, 1_232, 1_700, 1_716]) record(now);
  expect(pace.scale).toBe(8);
  for (const now of [2_000, 2_300]) record(now);
  expect(pace.scale).toBe(0);
});

test('what was too long is tried again within half an hour, however often it fails', () => {
  const { pace, frames, rest } = paceOf(16);
  for (let i = 0; i < 12; i++) {
    frames(12, 300);
    expect(pace.scale).toBe(0);
    rest(1_800_000);
    frames(1, 16);
    expect(pace.scale).toBe(4);
  }
});

test('a scale at which paint is always too old gives way to a smaller one', () => {
  const { pace, frames } = paceOf(16);
  frames(32, 16);
  frames(3, 60);
  frames(50, 16, pace.budget, 40 * pace.budget);
  expect(pace.scale).toBe(8);
  frames(100, 16, pace.budget, 40 * pace.budget);
  expect(pace.scale).toBe(4);
});

test('a slow machine first does without what it can spare; only then its resolution becomes lower', () => {
  const resolution = new Resolution();
  let now = 0;
  const pass = (gap: number, hasSpare: boolean): void => {
    for (const end = now + 6_000; now < end; now += gap) resolution.frame(now, false, hasSpare);
  };
  pass(16, true);
  expect(resolution.isSteady).toBe(true);
  pass(60, true);
  expect(resolution.isSteady).toBe(false);
  expect(resolution.ratio(1)).toBe(1);
  pass(60, false);
  expect(resolution.ratio(1)).toBeLessThan(1);
});

test('a resolution waits longer after attempts that fail, not after each step of a slow spell', () => {
  const patience = 5_000;
  const resolution = new Resolution(patience);
  let now = 0;
  const pass = (ms: number, gap: number): void => {
    for (const end = now + ms; now < end; now += gap) resolution.frame(now);
  };
  const untilFull = (): number => {
    const start = now;
    while (resolution.ratio(1) < 1) pass(100, 16);
    return now - start;
  };
  // Some steps at once, each an hour after the last.
  for (let spell = 0; spell < 4; spell++) {
    pass(6_000, 60);
    expect(resolution.ratio(1)).toBeLessThan(0.6);
    expect(untilFull()).toBeLessThan(6 * patience);
    pass(3_600_000, 1_000);
  }
  // Attempts that fail again and again wait for ten minutes at most.
  for (let attempt = 0; attempt < 12; attempt++) {
    const before = resolution.ratio(1);
    pass(3_000, 60);
    while (before < 1 && resolution.ratio(1) <= before) pass(100, 16);
  }
  pass(3_000, 60);
  const lowered = resolution.ratio(1);
  pass(601_000, 16);
  expect(resolution.ratio(1)).toBeGreaterThan(lowered);
});

test('a resolution that was lowered rises again after its patience, also while all frames are excused', () => {
  const resolution = new Resolution(5_000);
  let now = 0;
  for (; now < 4_000; now += 60) resolution.frame(now);
  const lowered = resolution.ratio(1);
  expect(lowered).toBeLessThan(1);
  for (const end = now + 20_000; now < end; now += 16) {
    resolution.rest(now);
    resolution.frame(now);
  }
  expect(resolution.ratio(1)).toBeGreaterThan(lowered);
});

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
