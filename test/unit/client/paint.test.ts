/** When a page fetches what paints. */
import { hasPainter, mayPaint } from '../../../client/render/paint/may-paint.ts';
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
