import { Feedback } from '../../../client/feedback/feedback.ts';
import { Effects } from '../../../client/render/effects.ts';
import { MarkList } from '../../../client/render/marks.ts';
import type { RoomModel } from '../../../client/room/room-model.ts';

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
