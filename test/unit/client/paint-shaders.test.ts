/** The scene's shader with paint is made from the one without it. */
import { PAINTED_FRAGMENT } from '../../../client/render/shaders/paint.ts';

test.each([
  ['declares the paint', 'uniform sampler2D uAtlas;'],
  ['reads it', 'textureLod(uAtlas,'],
  ['lets it take the place of the look at single cells', 'close *= 1.0 - painted;'],
])('the scene %s', (_, part) => {
  expect(PAINTED_FRAGMENT).toContain(part);
});
