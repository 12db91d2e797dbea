import { DustFinder, Effects } from '../../../client/render/effects.ts';
import { MarkList } from '../../../client/render/marks.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';

const [WIDTH, HEIGHT] = [16, 8];
const all = [{ x: 0, y: 0, width: WIDTH, height: HEIGHT }];

/** Two organisms that share the grid lose some of their places in one tick. */
function lose(departs: (id: number) => boolean) {
  const planes = createPlanes(WIDTH, HEIGHT);
  planes.rgba.fill(255);
  planes.owner.fill(1).fill(2, (WIDTH * HEIGHT) / 2);
  const finder = new DustFinder();
  finder.find(planes, all, all, departs);
  for (const from of [0, (WIDTH * HEIGHT) / 2]) planes.owner.fill(0, from, from + 32);
  return finder.find(planes, all, [], departs);
}

test('every cell of an organism that departs leaves a grain, of a wounded one some do', () => {
  const grains = lose((id) => id === 2);
  const gentle = grains.filter(({ isGentle }) => isGentle);
  expect(gentle).toHaveLength(32);
  expect(gentle.every(({ y }) => y > HEIGHT / 2)).toBe(true);
  const others = grains.length - gentle.length;
  expect(others).toBeGreaterThan(0);
  expect(others).toBeLessThan(32);
});

test('grains of an organism that departs drift slowly, for longer, and fade in and out', () => {
  const traceOf = (isGentle: boolean) => {
    const effects = new Effects(false, () => 0.5);
    effects.dust({ x: 4, y: 4, color: [1, 1, 1], isGentle }, 0);
    const seen: { way: number; alpha: number }[] = [];
    for (let now = 0; ; now += 20) {
      const marks = new MarkList();
      effects.draw(now, marks);
      if (!effects.active || marks.count === 0) return seen;
      const [x, y] = marks.data;
      seen.push({ way: Math.hypot(x - 4, y - 4), alpha: marks.data[8] });
    }
  };
  const [gentle, other] = [traceOf(true), traceOf(false)];
  expect(gentle.length).toBeGreaterThan(other.length);
  expect(gentle[10].way).toBeLessThan(other[10].way);
  for (const trace of [gentle, other]) {
    const alphas = trace.map(({ alpha }) => alpha);
    expect(alphas[0]).toBe(0);
    expect(Math.max(...alphas)).toBeGreaterThan(0.5);
    expect(alphas.at(-1)).toBeLessThan(0.05);
  }
});

test('who wants no movement sees no dust', () => {
  const effects = new Effects(true);
  effects.dust({ x: 4, y: 4, color: [1, 1, 1], isGentle: true }, 0);
  expect(effects.active).toBe(false);
});
