/** When a page fetches what paints, and how much is painted in a frame. */

import { Resolution, UnfinishedPictures } from '../../../client/render/frame-pacing.ts';
import { hasPainter, mayPaint } from '../../../client/render/paint/may-paint.ts';
import { PaintPace } from '../../../client/render/paint/paint-pace.ts';
import { PaintPlan } from '../../../client/render/paint/paint-plan.ts';

/** @param extensions that a browser has beside the name of what draws */
const glOf = (renderer: string, extensions: readonly string[]) =>
  ({
    RENDERER: 1,
    getExtension: (name: string) => {
      if (name === 'WEBGL_debug_renderer_info') return { UNMASKED_RENDERER_WEBGL: 2 };
      return extensions.includes(name) ? {} : null;
    },
    getParameter: (which: number) => (which === 2 ? renderer : 'WebKit WebGL'),
  }) as unknown as WebGL2RenderingContext;

const FLOATS = ['EXT_color_buffer_float'];
const PHONE = 'ANGLE (Qualcomm, Adreno (TM) 740, OpenGL ES 3.2)';

test.each([
  ['a GPU that draws floats', PHONE, FLOATS, {}, true],
  ['half floats', PHONE, ['EXT_color_buffer_half_float'], {}, true],
  ['no floats', PHONE, [], {}, false],
  ['a processor', 'ANGLE (Google, SwiftShader driver)', FLOATS, {}, false],
  ['another one', 'llvmpipe (LLVM 19.1.7, 256 bits)', FLOATS, {}, false],
  ['a user who saves data', PHONE, FLOATS, { connection: { saveData: true } }, false],
  ['one who does not', PHONE, FLOATS, { connection: { saveData: false } }, true],
])('%s', (_, renderer, extensions, user, expected) => {
  expect(mayPaint(glOf(renderer, extensions), user, false)).toBe(expected);
});

test('a page of which pictures are taken paints on a processor, but never without floats', () => {
  expect(mayPaint(glOf('SwiftShader', FLOATS), {}, true)).toBe(true);
  expect(mayPaint(glOf('SwiftShader', []), {}, true)).toBe(false);
});

test('a checkpoint without a painter, or the smallest tier, is not painted', () => {
  const checkpoint = { painter: '/painters/a' } as Parameters<typeof hasPainter>[0]['checkpoint'];
  const quality = (tier: 'phone' | 'thrifty') => ({ tier, scale: 1 as const });
  expect(hasPainter({ checkpoint, quality: quality('phone') }, false)).toBe(true);
  expect(hasPainter({ checkpoint, quality: quality('thrifty') }, false)).toBe(false);
  expect(hasPainter({ checkpoint, quality: quality('thrifty') }, true)).toBe(true);
  const { painter: _, ...without } = checkpoint!;
  expect(hasPainter({ checkpoint: without, quality: quality('phone') }, true)).toBe(false);
});

const SIZE = { width: 64, height: 32 };
const ALL = { x: 0, y: 0, width: 4, height: 2 };

function living() {
  const owner = new Uint32Array(SIZE.width * SIZE.height).fill(1);
  return { ...SIZE, owner, rgba: new Uint8Array(4 * owner.length).fill(255) };
}

test('a chunk is painted again until it has come to rest, with those it reaches', () => {
  const plan = new PaintPlan(SIZE, { columns: 4, rows: 2 });
  const planes = living();
  for (const job of plan.due(ALL, planes, 0)) plan.paint(job, 0);
  expect(plan.due(ALL, planes, 1)).toEqual([]);
  plan.change([{ x: 15, y: 3, width: 1, height: 1 }], 100, 2);
  for (const now of [3, 99, 100]) {
    const due = plan.due(ALL, planes, now);
    expect(due.map(({ column, row }) => [column, row])).toEqual([
      [0, 0],
      [1, 0],
    ]);
    for (const job of due) plan.paint(job, now);
  }
  expect(plan.due(ALL, planes, 101)).toEqual([]);
});

test('paint appears and fades away little by little, also where it grows old', () => {
  const plan = new PaintPlan(SIZE, { columns: 4, rows: 2 });
  for (const job of plan.due(ALL, living(), 0)) plan.paint(job, 0);
  plan.change([{ x: 0, y: 0, ...SIZE }], 5_000, 1_000);
  let before = 0;
  for (let now = 16; now < 3_000; now += 16) {
    plan.fade(now);
    expect(Math.abs(plan.shares[0] - before)).toBeLessThan(16);
    before = plan.shares[0];
    if (now === 992) expect(before).toBe(255);
  }
  expect(before).toBe(0);
});

test('bare ground beside what never rests does not keep a scale from being complete', () => {
  const plan = new PaintPlan(SIZE, { columns: 4, rows: 2 });
  const planes = living();
  planes.rgba.fill(0, 0, 4 * SIZE.width * SIZE.height);
  planes.rgba[4 * 40 + 3] = 255;
  for (let now = 0; now < 100; now += 16) {
    plan.change([{ x: 0, y: 0, ...SIZE }], now + 400, now);
    for (const job of plan.due(ALL, planes, now)) plan.paint(job, now);
    plan.fade(now);
  }
  expect(plan.covers(ALL)).toBe(true);
  expect(plan.shares[0]).toBe(0);
});

test('bare ground is painted once where its slot held something else', () => {
  const plan = new PaintPlan(SIZE, { columns: 2, rows: 2 });
  const at = (x: number) => ({ x, y: 0, width: 2, height: 2 });
  const planes = living();
  for (let y = 0; y < SIZE.height; y++) planes.rgba.fill(0, 4 * 64 * y, 4 * (64 * y + 32));
  const bare = { ...at(0), width: 1 };
  expect(plan.due(bare, planes, 0)).toEqual([]);
  for (const job of plan.due(at(2), planes, 1)) plan.paint(job, 1);
  const due = plan.due(bare, planes, 2);
  expect(due.map(({ column, row }) => [column, row])).toEqual([
    [0, 0],
    [0, 1],
  ]);
  for (const job of due) plan.paint(job, 2);
  plan.fade(64);
  expect(plan.due(bare, planes, 64)).toEqual([]);
  expect([plan.shares[0], plan.shares[4]]).toEqual([0, 0]);
});

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
