/** No text of a wall lies on a body: its strip lies beside the room, its labels on bare ground. */
import { type Camera, type Size, worldToScreen } from '../../../client/render/camera.ts';
import { placeBeside } from '../../../client/wall/label-layer.ts';
import {
  bodyOf,
  closeUpOf,
  drifted,
  frameOf,
  isBare,
  stripOf,
} from '../../../client/wall/wall-view.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';
import type { Rect } from '../../../shared/geometry.ts';
import { createRandom, type Random } from '../../../shared/random.ts';
import { organismView } from '../../support/fake-server.ts';
import { isFull } from '../../support/needs.ts';

const SIDE = 32;
const WALLS: readonly Size[] = [
  { width: 1920, height: 1080 },
  { width: 3840, height: 2160 },
  { width: 1080, height: 1920 },
];

/** A room with creatures of many shapes, which press against each other where they are many. */
function roomOf(count: number, random: Random) {
  const planes = createPlanes(336, 192);
  const organisms = Array.from({ length: count }, (_, i) => {
    const at = (length: number) => 16 + Math.floor(random.uniform() * (length - SIDE));
    const organism = organismView(i + 1, { x: at(336), y: at(192) });
    const waves = [2, 3, 5].map((n) => [n, 0.25 * random.uniform(), 6.3 * random.uniform()]);
    const reach = 6 + 9 * random.uniform();
    for (let y = organism.y - 16; y < organism.y + 16; y++) {
      for (let x = organism.x - 16; x < organism.x + 16; x++) {
        const [dx, dy] = [x + 0.5 - organism.x, y + 0.5 - organism.y];
        const angle = Math.atan2(dy, dx);
        const shape = waves.reduce(
          (sum, [n, by, from]) => sum + by * Math.sin(n * angle + from),
          1,
        );
        if (Math.hypot(dx, dy) < reach * shape) planes.owner[y * 336 + x] ||= i + 1;
      }
    }
    return organism;
  });
  return { planes, organisms };
}

/** Owned cells that lie under an area of the screen, each as it is drawn. */
function bodiesUnder(
  planes: ReturnType<typeof createPlanes>,
  camera: Camera,
  view: Size,
  area: Rect,
) {
  const under = new Set<number>();
  planes.owner.forEach((id, place) => {
    if (id === 0) return;
    const cell = { x: place % planes.width, y: Math.floor(place / planes.width) };
    const { x, y } = worldToScreen(camera, view, cell);
    const isApart =
      x + camera.zoom < area.x ||
      y + camera.zoom < area.y ||
      x > area.x + area.width ||
      y > area.y + area.height;
    if (!isApart) under.add(id);
  });
  return [...under];
}

/** More in a full run. */
const MOMENTS = isFull ? 200 : 48;

test(`in ${MOMENTS} random moments of three walls with 5 to 256 creatures no label lies on a body`, () => {
  const random = createRandom(7);
  const placed = new Map<string, number>();
  for (let moment = 0; moment < MOMENTS; moment++) {
    const wall = WALLS[moment % 3];
    const isUpright = wall.width < wall.height;
    const strip = stripOf(wall);
    const view = isUpright
      ? { width: wall.width, height: wall.height - strip }
      : { width: wall.width - strip, height: wall.height };
    const count = Math.round(5 * (256 / 5) ** random.uniform());
    const { planes, organisms } = roomOf(count, random);
    const gap = 0.025 * Math.min(view.width, view.height);
    const insets = { top: gap, right: gap, bottom: gap, left: gap };
    const scene = { grid: planes, view, insets, frame: 'drift' } as const;
    const home = frameOf('drift', planes, view, insets);
    const told = organisms[random.integer(count)];
    const isClose = random.uniform() < 0.4;
    const camera = isClose ? closeUpOf(told, SIDE, home, scene) : drifted(home, scene, moment);
    const em = 0.015 * 1.7 * Math.min(wall.width, wall.height);
    const text = {
      width: em * (4 + 10 * random.uniform()),
      height: em * (random.uniform() < 0.5 ? 1.2 : 2.4),
    };
    const toCells = (area: Rect): Rect => ({
      x: camera.x + (area.x - view.width / 2) / camera.zoom - 1.5,
      y: camera.y + (area.y - view.height / 2) / camera.zoom - 1.5,
      width: area.width / camera.zoom + 3,
      height: area.height / camera.zoom + 3,
    });
    const fits = (area: Rect) =>
      Math.min(area.x, area.y) >= 0 &&
      area.x + area.width <= view.width &&
      area.y + area.height <= view.height &&
      isBare(planes, toCells(area));
    const body = bodyOf(planes, told);
    const at = worldToScreen(camera, view, body);
    const seen = { ...at, width: body.width * camera.zoom, height: body.height * camera.zoom };
    const place = placeBeside(seen, text, 3 * camera.zoom, fits);
    const key = `${isClose ? 'close' : 'whole'}, ${count < 40 ? 'sparse' : 'dense'}`;
    placed.set(`${key}, all`, (placed.get(`${key}, all`) ?? 0) + 1);
    if (!place) continue;
    placed.set(key, (placed.get(key) ?? 0) + 1);
    const area = { ...place, ...text };
    expect(bodiesUnder(planes, camera, view, area)).toEqual([]);
    expect(area.x >= 0 && area.x + area.width <= view.width).toBe(true);
    expect(area.y >= 0 && area.y + area.height <= view.height).toBe(true);
  }
  if (process.env.VIVARIUM_FIGURES) console.log(placed);
  // Where there is room, it is found.
  expect(placed.get('whole, sparse')! / placed.get('whole, sparse, all')!).toBeGreaterThan(0.6);
});
