/** What a cut and a death look, sound and feel like. */
import { Feedback } from '../../../client/feedback/feedback.ts';
import { cutOf, DustFinder, Effects, type Speck } from '../../../client/render/effects.ts';
import { MarkList } from '../../../client/render/marks.ts';
import type { RoomModel } from '../../../client/room/room-model.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';
import { coverage } from '../../../shared/geometry.ts';
import fc, { between, forAll } from '../../support/property.ts';

const [WIDTH, HEIGHT] = [24, 16];

/** A body from x 6 to 17, y 4 to 11. */
function body() {
  const planes = createPlanes(WIDTH, HEIGHT);
  for (let y = 4; y < 12; y++) planes.owner.fill(3, y * WIDTH + 6, y * WIDTH + 18);
  planes.rgba.fill(255);
  return planes;
}

const placesOf = (specks: readonly Speck[]) =>
  new Set(specks.map(({ x, y }) => Math.floor(y) * WIDTH + Math.floor(x)));

test('a predicted cut removes exactly the cells that the server will remove, each once', () => {
  const point = fc.record({ x: between(0, WIDTH), y: between(0, HEIGHT) });
  const ways = fc.array(point, { minLength: 2, maxLength: 6 });
  forAll(ways, between(0.5, 6), (points, radius) => {
    const planes = body();
    const taken = new Set<number>();
    const all = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
    const wanted = new Set<number>();
    let count = 0;
    points.slice(1).forEach((to, i) => {
      const stroke = { points: [points[i].x, points[i].y, to.x, to.y], radius };
      const { flesh, rim } = cutOf(stroke, planes, taken);
      count += flesh.length;
      coverage(stroke, all)?.forEach((covered, place) => {
        if (covered === 1 && planes.owner[place] !== 0) wanted.add(place);
      });
      for (const place of placesOf(rim)) {
        expect(planes.owner[place]).toBe(3);
        expect(taken.has(place)).toBe(false);
      }
    });
    expect(taken).toEqual(wanted);
    expect(count).toBe(wanted.size);
  });
});

const [COLUMNS, ROWS] = [16, 8];
const all = [{ x: 0, y: 0, width: COLUMNS, height: ROWS }];

/** Two organisms that share the grid lose some of their places in one tick. */
function lose(departs: (id: number) => boolean) {
  const planes = createPlanes(COLUMNS, ROWS);
  planes.rgba.fill(255);
  planes.owner.fill(1).fill(2, (COLUMNS * ROWS) / 2);
  const finder = new DustFinder();
  finder.find(planes, all, all, departs);
  for (const from of [0, (COLUMNS * ROWS) / 2]) planes.owner.fill(0, from, from + 32);
  return finder.find(planes, all, [], departs);
}

test('every cell of an organism that departs leaves a grain, of a wounded one some do', () => {
  const grains = lose((id) => id === 2);
  const gentle = grains.filter(({ isGentle }) => isGentle);
  expect(gentle).toHaveLength(32);
  expect(gentle.every(({ y }) => y > ROWS / 2)).toBe(true);
  const others = grains.length - gentle.length;
  expect(others).toBeGreaterThan(0);
  expect(others).toBeLessThan(32);
});

test('who wants no movement sees no dust', () => {
  const effects = new Effects(true);
  effects.dust({ x: 4, y: 4, color: [1, 1, 1], isGentle: true }, 0);
  expect(effects.active).toBe(false);
});

const FLESH = Array.from({ length: 20 }, (_, i) => ({
  x: 10.5 + i,
  y: 10.5,
  color: [0.8, 0.4, 0.4] as const,
}));
const WAY = { x: 8, y: 10, x2: 32, y2: 10 };

/** Marks that a cut shows after this many ms. */
function marksOf(calm: boolean, after: number): MarkList {
  const effects = new Effects(calm, () => 0.1);
  const marks = new MarkList();
  effects.cut({ flesh: FLESH, rim: FLESH.slice(0, 4) }, WAY, 2, 0);
  effects.draw(0, marks);
  marks.clear();
  effects.draw(after, marks);
  return marks;
}

test('a cut shows at once, with particles unless motion is reduced, and ends within two seconds', () => {
  expect(marksOf(false, 0).count).toBeGreaterThan(FLESH.length);
  // The hole, its lines and its rim stay where they are.
  const calm = marksOf(true, 0);
  expect(calm.count).toBeLessThan(10);
  const later = marksOf(true, 300);
  expect(later.data.slice(0, 4)).toEqual(calm.data.slice(0, 4));
  expect(marksOf(false, 2_000).count).toBe(0);
});

test('on a slow machine a cut starts late, and is left out when it is seconds old', () => {
  const opened = marksOf(true, 0);
  for (const [late, shown] of [
    [900, opened.count],
    [5_000, 0],
  ]) {
    const effects = new Effects(true);
    const marks = new MarkList();
    effects.cut({ flesh: FLESH, rim: FLESH.slice(0, 4) }, WAY, 2, 0);
    effects.draw(late, marks);
    expect(marks.count).toBe(shown);
  }
});

/** Feedback that is on, the events that reach it, and what is heard and felt. */
function listen() {
  const played: string[] = [];
  const felt: (number | number[])[] = [];
  let hear: (change: unknown) => void = () => {};
  const model = { you: { id: 1 }, on: (_: string, listener: typeof hear) => (hear = listener) };
  const vibrate = (pattern: number | number[]) => felt.push(pattern);
  Object.defineProperty(globalThis, 'navigator', { value: { vibrate }, configurable: true });
  const feedback = new Feedback(model as unknown as RoomModel);
  const sound = { play: (name: string) => played.push(name), cut: () => {}, divided: () => {} };
  Object.assign(feedback, { context: {}, sound });
  const happens = (event: object, by = 1) => hear({ event, organism: { planter: { id: by } } });
  return { feedback, happens, played, felt };
}

test('vibration is as strong as the cut, with pauses in between', () => {
  const { feedback, felt } = listen();
  for (let now = 0; now < 100; now += 10) feedback.cut(now / 2 + 1, 3, now);
  expect(felt).toHaveLength(2);
  expect(felt[1]).toBeGreaterThan(felt[0] as number);
});

test('births, healing, departing, and what has departed is heard and felt; deaths otherwise not', () => {
  const { feedback, happens, played, felt } = listen();
  for (const what of ['born', 'departing', 'renewed']) happens({ what });
  happens({ what: 'died', cause: 'departed' });
  happens({ what: 'died', cause: 'removed' });
  happens({ what: 'departing' }, 2);
  expect(played).toEqual(['planted', 'departing', 'healed', 'departed']);
  // That it departs does not end the vibration by which the page says so.
  expect(felt).toHaveLength(3);
  feedback.calm = true;
  feedback.affected();
  expect(felt).toHaveLength(3);
});
