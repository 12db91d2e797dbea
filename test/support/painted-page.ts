/**
 * Runs in a page: paints the same cells on the GPU and with the reference, and compares them. Built
 * as one script by `browsers.test.ts`.
 */
import { createTarget, createTexture } from '../../client/render/gl.ts';
import { mayPaint } from '../../client/render/paint/may-paint.ts';
import { PaintPlan } from '../../client/render/paint/paint-plan.ts';
import { createPaintPrograms, PaintPasses } from '../../client/render/paint/scene-paint.ts';
import { CHUNK } from '../../client/render/shaders/paint.ts';
import { paint } from '../../shared/painter/paint.ts';
import { createRandom } from '../../shared/random.ts';
import { chanceNet } from './painter-net.ts';

/** Cells that begin and end within a chunk, of two owners and none. */
const [WIDTH, HEIGHT] = [40, 36];

function someCells(seed: number) {
  const { uniform } = createRandom(seed);
  const rgba = new Uint8Array(4 * WIDTH * HEIGHT);
  const owner = new Uint32Array(WIDTH * HEIGHT);
  for (let i = 0; i < owner.length; i++) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    if (Math.hypot(x - 20, y - 18) > 15) continue;
    owner[i] = x < 17 ? 3 : 70_000;
    const alpha = uniform() < 0.8 ? 255 : 255 * uniform();
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = alpha * uniform();
    rgba[4 * i + 3] = alpha;
  }
  return { rgba, owner };
}

/** @returns largest difference, 0…255; undefined where this browser can draw no floats */
function largestDifference(scale: number): number | undefined {
  const gl = document.createElement('canvas').getContext('webgl2')!;
  if (!mayPaint(gl, {}, true)) return undefined;
  const { rgba, owner } = someCells(scale);
  const size = { width: WIDTH, height: HEIGHT, filter: gl.NEAREST };
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  const uCells = createTexture(gl, size);
  const { RGBA, UNSIGNED_BYTE, RED_INTEGER, UNSIGNED_INT, TEXTURE_2D } = gl;
  gl.texSubImage2D(TEXTURE_2D, 0, 0, 0, WIDTH, HEIGHT, RGBA, UNSIGNED_BYTE, rgba);
  const uOwner = createTexture(gl, { ...size, format: gl.R32UI });
  gl.texSubImage2D(TEXTURE_2D, 0, 0, 0, WIDTH, HEIGHT, RED_INTEGER, UNSIGNED_INT, owner);

  const plan = new PaintPlan(size, { columns: 3, rows: 3 });
  const [width, height] = [scale * CHUNK * 3, scale * CHUNK * 3];
  const target = createTarget(gl, { width, height });
  const net = chanceNet(7);
  const passes = new PaintPasses(gl, createPaintPrograms(gl), net);
  const planes = { width: WIDTH, height: HEIGHT, rgba, owner };
  const jobs = plan.due({ x: 0, y: 0, width: 3, height: 3 }, planes, 0);
  passes.paint(jobs, { uCells, uOwner }, { target, scale });
  const pixels = new Uint8Array(4 * width * height);
  gl.bindFramebuffer(gl.FRAMEBUFFER, target.framebuffer);
  gl.readPixels(0, 0, width, height, RGBA, UNSIGNED_BYTE, pixels);

  const right = paint({ cells: rgba, owners: owner, width: WIDTH, height: HEIGHT, net, scale });
  let largest = 0;
  let sum = 0;
  for (let y = 0; y < scale * HEIGHT; y++) {
    for (let i = 0; i < 4 * scale * WIDTH; i++) {
      const value = right[y * 4 * scale * WIDTH + i];
      sum += value;
      largest = Math.max(largest, Math.abs(value - pixels[y * 4 * width + i]));
    }
  }
  // A picture without anything in it would agree as well.
  if (sum === 0 || jobs.length < 5) throw new Error('nothing was painted');
  return largest;
}

Object.assign(globalThis, { largestDifference });
