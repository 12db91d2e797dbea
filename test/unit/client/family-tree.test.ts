/** How a family tree is laid out, and which part of it is shown. */
import { nodeAt, TreeCamera } from '../../../client/family-tree/camera.ts';
import {
  layoutTree,
  ROOM,
  type TimeScale,
  type TreeNode,
} from '../../../client/family-tree/layout.ts';
import { dateOf, momentIn, timeMarks } from '../../../client/family-tree/time-marks.ts';
import type { LineageOrganism, LineageTree } from '../../../shared/lineage.ts';
import { createRandom } from '../../../shared/random.ts';

const one = (id: number, born: number, more: Partial<LineageOrganism> = {}): LineageOrganism => ({
  ...{ id, born, kind: '', origin: 'prior', parents: [], wounds: 0, healed: 0 },
  planter: { id: 1, name: 'Ada', hue: 20 },
  ...more,
});

const UTC = () => 0;
/** A layout in which a tick takes one unit of room. */
const EVEN = {
  time: { tickAt: (place: number) => place, placeOf: (tick: number) => tick } as TimeScale,
  start: 0,
};

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

test('no two pictures overlap, no life runs through a picture, and time runs one way', () => {
  const { nodes, width, height } = layoutTree(day(150), 1.6);
  expect(width / height).toBeGreaterThan(1);
  expect(width / height).toBeLessThan(2.6);
  const covers = (a: TreeNode, b: TreeNode): boolean => {
    const isBeside = Math.abs(a.x - b.x) < ROOM.before + ROOM.after - 1e-6;
    const crossesRow = a.x < b.x && a.end > b.x - ROOM.before;
    const apart = Math.abs(a.y - b.y);
    return (isBeside && apart < ROOM.above + ROOM.below - 0.5) || (crossesRow && apart < 0.4);
  };
  for (const a of nodes) {
    expect(a.x).toBeGreaterThan(0);
    expect(a.end).toBeLessThan(width);
    expect(a.y).toBeGreaterThan(0);
    expect(a.y).toBeLessThan(height);
    expect(nodes.filter((b) => a !== b && covers(a, b))).toEqual([]);
    for (const parent of a.parents) {
      expect(parent.x).toBeLessThan(a.x);
      expect(a.generation).toBeGreaterThan(parent.generation);
    }
  }
});

test('a child of two lies between them where there is room', () => {
  const organisms = [one(1, 0), one(2, 10), one(3, 5_000, { parents: [1, 2] })];
  const { nodes } = layoutTree({ organisms, forgotten: 0, tick: 6_000, tickRate: 15 }, 1.6);
  const [a, b, child] = nodes;
  expect(child.y).toBeGreaterThanOrEqual(Math.min(a.y, b.y) - 1);
  expect(child.y).toBeLessThanOrEqual(Math.max(a.y, b.y) + 1);
  expect([a.generation, b.generation, child.generation]).toEqual([1, 1, 2]);
});

test('one that was turned into a child of younger ones, or of its own, keeps its family', () => {
  const organisms = [
    one(1, 0, { parents: [3, 4] }),
    one(2, 10, { parents: [2, 3] }),
    one(3, 500, { parents: [1] }),
    one(4, 600),
  ];
  const { nodes } = layoutTree({ organisms, forgotten: 0, tick: 900, tickRate: 15 }, 1.6);
  const ids = (kin: readonly TreeNode[]) => kin.map(({ organism }) => organism.id);
  expect(nodes.map(({ parents }) => ids(parents))).toEqual([[3, 4], [3], [1], []]);
  expect(nodes.map(({ children }) => ids(children))).toEqual([[3], [], [1, 2], [1]]);
  expect(nodes.map(({ generation }) => generation)).toEqual([2, 2, 1, 1]);
});

test('times are written in the given language, with the date of another day', () => {
  const now = new Date(2026, 10, 27, 17, 3).getTime();
  expect(momentIn('en-GB', { now }, now)).toBe('17:03');
  expect(momentIn('de', { now }, now - 24 * 3_600_000)).toContain('26. Nov');
  expect(momentIn('ar-EG', { now }, now)).not.toMatch(/[0-9]/);
});

test('a tree of one organism, and one of the most that a room remembers, are laid out', () => {
  const single = layoutTree({ organisms: [one(1, 5)], forgotten: 0, tick: 5, tickRate: 15 }, 1);
  expect(single.nodes).toHaveLength(1);
  expect(Number.isFinite(single.width * single.height)).toBe(true);
  expect(layoutTree(day(1_600), 0.5).nodes).toHaveLength(1_600);
});

test('a pause of a night takes no more room than a few births', () => {
  const organisms = [one(1, 0), one(2, 100), one(3, 200), one(4, 1e6), one(5, 1e6 + 100)];
  const { nodes } = layoutTree({ organisms, forgotten: 0, tick: 1e6 + 200, tickRate: 15 }, 1.6);
  expect(nodes[3].x - nodes[2].x).toBeLessThan(8 * (nodes[1].x - nodes[0].x));
});

test('round times are marked, apart from one another', () => {
  const tree = day(100);
  const layout = layoutTree(tree, 1.6);
  const now = Date.UTC(2026, 10, 27, 17, 3);
  const marks = timeMarks(layout, { now, tick: tree.tick, tickRate: 15, times: [] }, 3, UTC);
  expect(marks.length).toBeGreaterThan(1);
  for (const [i, { x, at }] of marks.entries()) {
    expect(at % 60_000).toBe(0);
    if (i > 0) expect(x - marks[i - 1].x).toBeGreaterThanOrEqual(3);
  }
});

test('times and marks are those of the wall clock, though the room stood still for a night and its rate has changed', () => {
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
  const marks = timeMarks(EVEN, clock, 2_000, UTC);
  const placeOf = (date: number) => marks.find((mark) => mark.at === date)?.x;
  expect(placeOf(at(26, 15))).toBe(3 * 3_600 * 15);
  expect(placeOf(at(27, 0))).toBe(evening);
  expect(placeOf(at(27, 10))).toBe(now);
});

test('marks are at round times of the clock that was in force, also on the day that summer time ends', () => {
  const [start, end] = [Date.UTC(2026, 9, 24, 16), Date.UTC(2026, 9, 25, 10)];
  const winter = Date.UTC(2026, 9, 25, 1);
  const zoneAt = (at: number) => (at < winter ? 2 : 1) * 3_600_000;
  const tick = (end - start) / 1_000;
  const marks = timeMarks(EVEN, { now: end, tick, tickRate: 1, times: [] }, 3_600, zoneAt).map(
    ({ at }) => at,
  );
  const local = (day: number, hour: number, zone: number) => Date.UTC(2026, 9, day, hour - zone);
  expect(marks).toEqual(
    expect.arrayContaining([
      ...[local(24, 18, 2), local(24, 21, 2), local(25, 0, 2)],
      ...[local(25, 3, 1), local(25, 6, 1), local(25, 9, 1)],
    ]),
  );
  for (const at of marks) expect((at + zoneAt(at)) % 60_000).toBe(0);
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
