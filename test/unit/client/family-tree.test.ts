/** How a family tree is laid out, which part of it is shown, and its pictures. */
import {
  CELL,
  layoutTree,
  nodeAt,
  TreeCamera,
  type TreeNode,
} from '../../../client/family-tree/layout.ts';
import { TreePictures } from '../../../client/family-tree/pictures.ts';
import { dateOf } from '../../../client/family-tree/tree-text.ts';
import type { LineageOrganism, LineageTree } from '../../../shared/lineage.ts';
import { createRandom } from '../../../shared/random.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { isFull } from '../../support/needs.ts';

const one = (id: number, born: number, more: Partial<LineageOrganism> = {}): LineageOrganism => ({
  ...{ id, born, kind: '', origin: 'prior', parents: [], wounds: 0, healed: 0 },
  planter: { id: 1, name: 'Ada', hue: 20 },
  ...more,
});

/** A day with children, and with more lives than fit beside one another. */
function day(count: number): LineageTree {
  const random = createRandom(3);
  const organisms: LineageOrganism[] = [];
  const any = () => 1 + Math.floor(random.uniform() * organisms.length);
  for (let id = 1; id <= count; id++) {
    const born = 100 * id;
    const parents = id > 2 && random.uniform() < 0.4 ? [...new Set([any(), any()])] : [];
    const died = born + Math.round(8_000 * random.uniform());
    organisms.push(one(id, born, { parents, ...(died < 100 * count && { died }) }));
  }
  return { organisms, forgotten: 0, tick: 100 * count, tickRate: 15 };
}

// Those of 1,500 fill their area below.
test.each(isFull ? [1, 3, 30, 150, 1_500] : [1, 3, 30, 150])(
  'no two of %i pictures overlap, and later ones stand further on',
  (count) => {
    const { nodes, width, height, trunk } = layoutTree(day(count), 1.6);
    expect(nodes).toHaveLength(count);
    const cells = new Set<string>();
    for (const [i, { x, y }] of nodes.entries()) {
      expect(x - CELL.width / 2).toBeGreaterThan(0);
      expect(x + CELL.width / 2).toBeLessThanOrEqual(width);
      expect(y - CELL.height / 2).toBeGreaterThanOrEqual(0);
      expect(y + CELL.height / 2).toBeLessThanOrEqual(height);
      // The trunk stays free.
      expect(Math.abs(y - trunk)).toBeGreaterThan(CELL.height / 2 + 0.1);
      if (i > 0) expect(x).toBeGreaterThan(nodes[i - 1].x - count);
      for (const other of nodes.slice(i + 1, i + 200)) {
        const isApart =
          Math.abs(x - other.x) > CELL.width - 0.15 || Math.abs(y - other.y) > CELL.height - 0.15;
        if (!isApart) cells.add(`${i}: ${x} ${y} / ${other.x} ${other.y}`);
      }
    }
    expect([...cells]).toEqual([]);
    const half = nodes.length >> 1;
    const mean = (some: readonly TreeNode[]) =>
      some.reduce((sum, { x }) => sum + x, 0) / some.length;
    if (count > 10) expect(mean(nodes.slice(half))).toBeGreaterThan(mean(nodes.slice(0, half)) + 1);
  },
);

test.each([
  [12, 1.5],
  [30, 1.5],
  [200, 1.5],
  [1_500, 1.5],
  [30, 0.6],
])('pictures of %i organisms fill most of an area of aspect %d', (count, aspect) => {
  const { width, height } = layoutTree(day(count), aspect);
  // Side of a picture, and of one if the area held nothing but pictures with their names.
  const side = Math.min(aspect / width, 1 / height);
  const most = Math.sqrt(aspect / count / (CELL.width * CELL.height));
  expect(side / most).toBeGreaterThan(0.72);
});

test('a child stands on its parents’ side of the trunk where there is room', () => {
  const organisms = Array.from({ length: 24 }, (_, i) => one(i + 1, i));
  organisms.push(one(25, 30, { parents: [1, 3] }), one(26, 31, { parents: [2, 4] }));
  const { nodes, trunk } = layoutTree({ organisms }, 1.6);
  const sideOf = (id: number) => Math.sign(nodes[id - 1].y - trunk);
  expect([sideOf(25), sideOf(26)]).toEqual([sideOf(1), sideOf(2)]);
  expect(nodes[24].generation).toBe(2);
});

test('one that was turned into a child of younger ones, or of its own, keeps its family', () => {
  const organisms = [
    one(1, 0, { parents: [3, 4] }),
    one(2, 10, { parents: [2, 3] }),
    one(3, 500, { parents: [1] }),
    one(4, 600),
  ];
  const { nodes } = layoutTree({ organisms }, 1.6);
  const ids = (kin: readonly TreeNode[]) => kin.map(({ organism }) => organism.id);
  expect(nodes.map(({ parents }) => ids(parents))).toEqual([[3, 4], [3], [1], []]);
  expect(nodes.map(({ children }) => ids(children))).toEqual([[3], [], [1, 2], [1]]);
  expect(nodes.map(({ generation }) => generation)).toEqual([2, 2, 1, 1]);
});

test('times are those of the wall clock, though the room stood still for a night and its rate has changed', () => {
  const at = (day: number, hour: number, minute = 0) => Date.UTC(2026, 10, day, hour, minute);
  const [evening, now] = [6 * 3_600 * 15, 6 * 3_600 * 15 + 1_800 * 5];
  const times = [
    { tick: 0, at: at(26, 12) },
    { tick: evening, at: at(26, 18) },
    { tick: evening, at: at(27, 9, 30) },
    { tick: now, at: at(27, 10) },
  ];
  const clock = { now: at(27, 10), tick: now, tickRate: 5, times };
  expect(dateOf(clock, 4.5 * 3_600 * 15)).toBe(at(26, 16, 30));
  expect(dateOf(clock, evening)).toBe(at(26, 18));
  expect(dateOf(clock, evening + 900 * 5)).toBe(at(27, 9, 45));
  // Before what is known, at the rate of now.
  expect(dateOf(clock, -300)).toBe(at(26, 11, 59));
  expect(dateOf({ ...clock, times: [] }, now - 300)).toBe(at(27, 9, 59));
});

test('a window too low for anything shows a small tree, not an inverted one', () => {
  const camera = new TreeCamera({ width: 10, height: 5 });
  camera.resize({ width: 800, height: 90 }, { top: 84, bottom: 62, side: 8 });
  expect(camera.scale).toBeGreaterThan(0);
  camera.zoom(2);
  expect(camera.scale).toBeGreaterThan(0);
});

test.each([1, -1] as const)(
  'the camera keeps what it zooms about, and shows all (time runs %i)',
  (forward) => {
    const layout = layoutTree(day(60), 1.6);
    const camera = new TreeCamera(layout, forward);
    camera.resize({ width: 800, height: 500 }, { top: 60, bottom: 40, side: 10 });
    for (const { x, y } of layout.nodes) {
      const at = camera.toScreen(x, y);
      expect(at.x).toBeGreaterThan(0);
      expect(at.x).toBeLessThan(800);
      expect(at.y).toBeGreaterThan(60);
      expect(at.y).toBeLessThan(460);
    }
    expect(
      forward * (camera.toScreen(layout.width, 0).x - camera.toScreen(0, 0).x),
    ).toBeGreaterThan(0);
    const before = camera.toTree(300, 200);
    camera.zoomAbout(300, 200, 2);
    expect(camera.toTree(300, 200).x).toBeCloseTo(before.x);
    expect(camera.toTree(300, 200).y).toBeCloseTo(before.y);
    const [node] = layout.nodes;
    expect(nodeAt(layout.nodes, node, 0.6)).toBe(node);
    expect(nodeAt(layout.nodes, { x: -9, y: -9 }, 0.6)).toBeUndefined();
    camera.zoom(0.001);
    expect(camera.isWhole).toBe(true);
  },
);

const PAGE = { gallery: ['Fern'], sheet: { url: '/sheet.png', columns: 1 } };
const cross = (id: number) => ({ id, kind: '' }) as never;
const FERN = { id: 9, kind: 'Fern' } as never;
/** Of a picture, px. */
const SIDE = 32;

const answered = (status: number) => ({ ok: status === 200, status });
type Answer = ReturnType<typeof answered>;

/** Pictures whose sheet and organisms arrive as the test says, in time that it advances. */
function open(answer: (path: string) => Answer | undefined) {
  const clock = new FakeClock();
  const asked: string[] = [];
  /** Bitmaps that take memory. */
  const kept = new Set<{ width: number }>();
  Object.assign(globalThis, {
    fetch: async (path: string) => {
      asked.push(path.split('/').at(-1)!);
      const response = answer(path);
      if (!response) throw new Error('offline');
      return { ...response, blob: async () => undefined };
    },
    createImageBitmap: async () => {
      const bitmap = { width: SIDE, height: SIDE, close: () => kept.delete(bitmap) };
      kept.add(bitmap);
      return bitmap;
    },
  });
  let changes = 0;
  const pictures = new TreePictures(
    'garden',
    PAGE,
    () => changes++,
    (ms, call) => void clock.after(ms, call),
  );
  return { pictures, clock, asked, kept, changes: () => changes };
}

test('a tree is drawn again for each picture that arrives, and no more once it is closed', async () => {
  const here = open(() => answered(404));
  here.pictures.of(cross(1));
  await here.clock.advance(0);
  expect(here.changes()).toBe(2);
  const closed = open(() => answered(404));
  closed.pictures.of(cross(1));
  closed.pictures.close();
  await closed.clock.advance(60_000);
  expect(closed.changes()).toBe(0);
});

test('pictures are asked for until they come, one after another, if the server was busy or not reached', async () => {
  let outage: Answer | undefined;
  const { pictures, clock, asked } = open(() => outage);
  const ids = [1, 2, 3, 4, 5];
  for (const id of ids) pictures.of(cross(id));
  await clock.advance(120_000);
  // No more than a few are asked for in vain at a time, and in longer and longer intervals.
  expect(asked.length).toBeLessThan(30);
  outage = answered(429);
  await clock.advance(60_000);
  outage = answered(503);
  await clock.advance(60_000);
  outage = answered(200);
  await clock.advance(30_000);
  expect(ids.map((id) => pictures.of(cross(id))?.side)).toEqual(ids.map(() => SIDE));
});

test('what the server does not have is asked for once', async () => {
  const { pictures, clock, asked } = open(() => answered(404));
  for (let draw = 0; draw < 3; draw++) {
    pictures.of(cross(1));
    await clock.advance(60_000);
  }
  expect(asked).toEqual(['sheet.png', '1.png']);
});

test('GRA-9: a chimera of gallery creatures is shown as it grows, or without its parts if the host has removed it', async () => {
  const { pictures, clock, asked } = open(() => answered(200));
  await clock.advance(0);
  const chimera = { id: 3, kind: 'Fern', parts: [] };
  pictures.of({ ...chimera, cause: 'removed' } as never);
  expect(asked).toEqual(['sheet.png']);
  pictures.of({ ...chimera, cause: 'killed' } as never);
  expect(asked).toEqual(['sheet.png', '3.png']);
});

test('the sheet of the gallery is asked for again', async () => {
  let outage = true;
  const { pictures, clock } = open(() => (outage ? undefined : answered(200)));
  await clock.advance(0);
  expect(pictures.of(FERN)).toBeUndefined();
  outage = false;
  await clock.advance(10_000);
  expect(pictures.of(FERN)).toMatchObject({ x: 0, y: 0, side: SIDE });
});

test('of a growth only its last picture stays in memory, and none once the tree is closed', async () => {
  const { pictures, clock, kept } = open(() => answered(200));
  pictures.of(cross(1));
  await clock.advance(0);
  expect(pictures.of(cross(1))).toMatchObject({ x: 0, y: 0, side: SIDE });
  expect([...kept].map(({ width }) => width)).toEqual([SIDE, SIDE]);
  pictures.close();
  expect(kept.size).toBe(0);
});

test('who waits for all pictures waits through a pause, but not for a closed tree', async () => {
  let outage = true;
  const { pictures, clock } = open(() => (outage ? undefined : answered(200)));
  let isDone = false;
  const wait = () => {
    isDone = false;
    void pictures.all([cross(1), cross(2)], 600_000).then(() => {
      isDone = true;
    });
  };
  wait();
  await clock.advance(10_000);
  expect(isDone).toBe(false);
  outage = false;
  await clock.advance(30_000);
  expect(isDone).toBe(true);
  outage = true;
  pictures.of(cross(3));
  await clock.advance(1_000);
  wait();
  await clock.advance(1_000);
  expect(isDone).toBe(false);
  pictures.close();
  await clock.advance(0);
  expect(isDone).toBe(true);
});
