/** When a page fetches what paints. */
import { hasPainter, mayPaint } from '../../../client/render/paint/may-paint.ts';

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
