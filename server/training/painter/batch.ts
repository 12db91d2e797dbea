/** Draws the cells of an update from scenes. */
import { INPUTS } from '../../../shared/painter/net.ts';
import { readNeighbourhood } from '../../../shared/painter/paint.ts';
import type { Random } from '../../../shared/random.ts';
import type { PainterConfig } from './config.ts';
import { JUDGED, type PainterBatch } from './graph.ts';
import { ENLARGED } from './originals.ts';
import { drawScene, type Material, type Scene } from './scenes.ts';

const WINDOW = JUDGED * JUDGED * 4;

/** The batch of an update; cells are drawn from those whose neighbourhood shows anything. */
export function drawBatch(
  { batch: { scenes, cells } }: Pick<PainterConfig, 'batch'>,
  material: Material,
  random: Random,
): Omit<PainterBatch, 'energy'> {
  const count = scenes * cells;
  const batch = {
    inputs: new Float32Array(count * INPUTS),
    target: new Float32Array(count * WINDOW),
  };
  let at = 0;
  while (at < count) {
    const scene = drawScene(material, random);
    if (!scene.owners.some((owner) => owner !== 0)) continue;
    for (const end = at + cells; at < end; ) {
      const place = random.integer(scene.owners.length);
      if (readCell(scene, place, batch, at)) at++;
    }
  }
  return batch;
}

/** Writes row `at`, unless nothing is to be seen around the place. */
function readCell(
  scene: Scene,
  place: number,
  batch: ReturnType<typeof drawBatch>,
  at: number,
): boolean {
  const { side, picture } = scene;
  const [x, y] = [place % side, Math.floor(place / side)];
  const inputs = batch.inputs.subarray(at * INPUTS, (at + 1) * INPUTS);
  const grid = { ...scene, width: side, height: side };
  if (!readNeighbourhood(grid, x, y, inputs)) return false;
  const target = batch.target.subarray(at * WINDOW, (at + 1) * WINDOW);
  const row = ENLARGED * side;
  for (let v = 0, to = 0; v < JUDGED; v++) {
    const j = y * ENLARGED + v - 1;
    for (let u = 0; u < JUDGED; u++, to += 4) {
      const i = x * ENLARGED + u - 1;
      if (i < 0 || j < 0 || i >= row || j >= row) continue;
      const from = 4 * (j * row + i);
      for (let c = 0; c < 4; c++) target[to + c] = picture[from + c] / 255;
    }
  }
  return true;
}
