/**
 * Runs in a page: paints the same cells on the GPU and with the reference, and compares them. Built
 * as one script by `browsers.test.ts`.
 */
import { createTarget, createTexture } from '../../client/render/gl.ts';
import { mayPaint } from '../../client/render/paint/may-paint.ts';
import { PaintPlan } from '../../client/render/paint/paint-plan.ts';
import {
  createPaintPrograms,
  MapTextures,
  PaintPasses,
} from '../../client/render/paint/scene-paint.ts';
import { CHUNK, MAPS } from '../../client/render/shaders/paint.ts';
import { createMap, type GenomeMap } from '../../shared/painter/genome-map.ts';
import { KEY, MAP_SIDE, type PainterNet } from '../../shared/painter/net.ts';
import { paint } from '../../shared/painter/paint.ts';
import { createRandom } from '../../shared/random.ts';
import { chanceNet, learnedNet } from './painter-net.ts';

/** Cells that begin and end within a chunk, of two owners and none. */
const [WIDTH, HEIGHT] = [40, 36];
const OWNER = 70_000;

function someCells(seed: number) {
  const { uniform } = createRandom(seed);
  const rgba = new Uint8Array(4 * WIDTH * HEIGHT);
  const owner = new Uint32Array(WIDTH * HEIGHT);
  for (let i = 0; i < owner.length; i++) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    if (Math.hypot(x - 20, y - 18) > 15) continue;
    owner[i] = x < 17 ? 3 : OWNER;
    const alpha = uniform() < 0.8 ? 255 : 255 * uniform();
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = alpha * uniform();
    rgba[4 * i + 3] = alpha;
  }
  return { rgba, owner };
}

/** The map of a chimera: half of its places have a genome that is not known. */
function someMap(net: PainterNet): GenomeMap {
  if (!net.learned) return { side: 0, values: new Float32Array() };
  const latents = [0, 9].map((value) => new Float32Array(KEY).fill(value));
  const labels = Uint8Array.from({ length: MAP_SIDE ** 2 }, (_, i) => +(i % MAP_SIDE > 12));
  const work = createMap(net, { latents, labels });
  for (;;) {
    const { done, value } = work.next();
    if (done) return value!;
  }
}

/**
 * @param knows whether the painter has learned a genome
 * @returns largest difference, 0…255; undefined where this browser can draw no floats
 */
function largestDifference(scale: number, knows: boolean): number | undefined {
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
  const net = knows ? learnedNet(7) : chanceNet(7);
  const passes = new PaintPasses(gl, createPaintPrograms(gl, net), net);
  // One owner has a map that begins outside the room, some places of which are not known; its slot
  // is taken by another organism.
  const map = { ...someMap(net), x: 12, y: -3 };
  const maps = knows ? new MapTextures(gl, 8) : undefined;
  maps?.set(OWNER - MAPS, { ...map, values: map.values.map((value) => -value) });
  maps?.set(OWNER, map);
  const mapOf = (owner: number) => (knows && owner === OWNER ? map : undefined);
  const planes = { width: WIDTH, height: HEIGHT, rgba, owner };
  const jobs = plan.due({ x: 0, y: 0, width: 3, height: 3 }, planes, 0);
  passes.paint(jobs, { uCells, uOwner, ...maps?.textures }, { target, scale });
  const pixels = new Uint8Array(4 * width * height);
  gl.bindFramebuffer(gl.FRAMEBUFFER, target.framebuffer);
  gl.readPixels(0, 0, width, height, RGBA, UNSIGNED_BYTE, pixels);

  const grid = { cells: rgba, owners: owner, width: WIDTH, height: HEIGHT };
  const right = paint({ ...grid, net, scale, mapOf });
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
