/** The scene's shader with paint is made from the one without it. */
import { PAINTED_FRAGMENT } from '../../../client/render/shaders/paint.ts';

test.each([
  ['declares the paint', 'uniform sampler2D uAtlas;'],
  ['reads it', 'textureLod(uAtlas,'],
  ['lets single cells show through', 'close *= 1.0 - 0.25 * painted;'],
])('the scene %s', (_, part) => {
  expect(PAINTED_FRAGMENT).toContain(part);
});
