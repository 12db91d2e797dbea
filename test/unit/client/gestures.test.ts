import {
  Gestures,
  type GestureTarget,
  type PointerSample,
} from '../../../client/input/gestures.ts';

function harness() {
  const calls: unknown[][] = [];
  const target = new Proxy({} as GestureTarget, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        calls.push([name, ...args]),
  });
  return { gestures: new Gestures(target), calls, names: () => calls.map(([name]) => name) };
}

const finger = (id: number, x: number, y: number): PointerSample => {
  return { id, x, y, touch: true, pan: false };
};
const mouse = (x: number, y: number, pan = false): PointerSample => {
  return { id: 1, x, y, touch: false, pan };
};

test('a mouse press uses the tool at once', () => {
  const { gestures, calls } = harness();
  gestures.move(mouse(1, 1), 0);
  gestures.down(mouse(1, 2), 1);
  gestures.move(mouse(40, 2), 2);
  gestures.up(mouse(40, 2), 3);
  expect(calls).toEqual([
    ['hover', 1, 1, 0],
    ['toolStart', 1, 2, 1],
    ['toolMove', 40, 2, 2],
    ['toolEnd', 40, 2, false, 3],
  ]);
});

test('a finger waits, then starts where it was put down', () => {
  const { gestures, calls } = harness();
  gestures.down(finger(1, 10, 10), 0);
  gestures.move(finger(1, 13, 10), 20);
  expect(calls).toEqual([]);
  gestures.move(finger(1, 30, 10), 40);
  expect(calls).toEqual([
    ['toolStart', 10, 10, 40],
    ['toolMove', 30, 10, 40],
  ]);
});

test('a press that has closed a panel uses no tool, but a second finger still zooms', () => {
  const { gestures, names } = harness();
  for (const press of [finger(1, 10, 10), mouse(10, 10)]) {
    gestures.down({ ...press, spent: true }, 0);
    gestures.move({ ...press, x: 60 }, 200);
    gestures.up({ ...press, x: 60 }, 210);
  }
  expect(names()).toEqual([]);
  gestures.down({ ...finger(1, 10, 10), spent: true }, 300);
  gestures.down(finger(2, 90, 10), 320);
  gestures.move(finger(2, 190, 10), 340);
  expect(names()).toEqual(['panBy', 'zoomAbout']);
});

test('a quick tap uses the tool once', () => {
  const { gestures, calls } = harness();
  gestures.down(finger(1, 10, 10), 0);
  gestures.up(finger(1, 11, 10), 60);
  expect(calls).toEqual([
    ['toolStart', 10, 10, 60],
    ['toolEnd', 11, 10, true, 60],
  ]);
});

test('two fingers move the view and never the tool', () => {
  const { gestures, calls, names } = harness();
  gestures.down(finger(1, 100, 100), 0);
  gestures.down(finger(2, 200, 100), 30);
  gestures.move(finger(2, 300, 100), 50);
  expect(calls).toEqual([
    ['panBy', 50, 0, 50],
    ['zoomAbout', 200, 100, 2],
  ]);
  gestures.up(finger(2, 300, 100), 400);
  gestures.move(finger(1, 150, 150), 420);
  gestures.up(finger(1, 150, 150), 440);
  expect(names()).toEqual(['panBy', 'zoomAbout', 'panEnd']);
  expect(gestures.active).toBe(false);
});

test('a second finger cancels a stroke', () => {
  const { gestures, names } = harness();
  gestures.down(finger(1, 0, 0), 0);
  gestures.move(finger(1, 50, 0), 20);
  gestures.down(finger(2, 90, 0), 300);
  expect(names()).toEqual(['toolStart', 'toolMove', 'toolCancel']);
});

test('two fingers tapping, and one tapping twice, are double taps', () => {
  const { gestures, calls } = harness();
  gestures.down(finger(1, 0, 0), 0);
  gestures.down(finger(2, 50, 0), 20);
  gestures.up(finger(2, 50, 0), 90);
  gestures.up(finger(1, 0, 0), 95);
  expect(calls).toEqual([['doubleTap', 50, 0, 2]]);
  calls.length = 0;
  for (const at of [1_000, 1_200]) {
    gestures.down(mouse(5, 5), at);
    gestures.up(mouse(5, 5), at + 30);
  }
  expect(calls.at(-1)).toEqual(['doubleTap', 5, 5, 1]);
});

test('the pan button drags the view', () => {
  const { gestures, calls } = harness();
  gestures.down(mouse(0, 0, true), 0);
  gestures.move(mouse(7, 3), 10);
  gestures.up(mouse(7, 3), 20);
  expect(calls).toEqual([
    ['panBy', 7, 3, 10],
    ['panEnd', 20],
  ]);
});

test('a cancelled pointer cancels the tool', () => {
  const { gestures, names } = harness();
  gestures.down(mouse(0, 0), 0);
  gestures.cancel(1, 10);
  expect(names()).toEqual(['toolStart', 'toolCancel']);
  expect(gestures.active).toBe(false);
});
