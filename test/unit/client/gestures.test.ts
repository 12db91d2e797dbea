import { bindCanvas, type CanvasHand } from '../../../client/input/canvas-input.ts';
import {
  Gestures,
  type GestureTarget,
  type PointerSample,
  StrokeSegmenter,
} from '../../../client/input/gestures.ts';
import { STROKE_LIMITS, strokeLength } from '../../../shared/geometry.ts';
import fc, { between, forAll } from '../../support/property.ts';

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

test('a finger waits, then starts where it was put down; a quick tap uses the tool once', () => {
  const { gestures, calls } = harness();
  gestures.down(finger(1, 10, 10), 0);
  gestures.move(finger(1, 13, 10), 20);
  expect(calls).toEqual([]);
  gestures.move(finger(1, 30, 10), 40);
  expect(calls).toEqual([
    ['toolStart', 10, 10, 40],
    ['toolMove', 30, 10, 40],
  ]);
  const tap = harness();
  tap.gestures.down(finger(1, 10, 10), 0);
  tap.gestures.up(finger(1, 11, 10), 60);
  expect(tap.calls).toEqual([
    ['toolStart', 10, 10, 60],
    ['toolEnd', 11, 10, true, 60],
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

const grid = { width: 2000, height: 1500 };

function drag(points: readonly (readonly [number, number])[], gap: number): number[][] {
  const messages: number[][] = [];
  const stroke = new StrokeSegmenter(grid, (message) => messages.push(message));
  let now = 1_000;
  stroke.start(...points[0], now);
  for (const point of points.slice(1)) stroke.move(...point, (now += gap));
  stroke.end(now);
  return messages;
}

const anywhere = fc.tuple(between(-100, 2100), between(-100, 1600));

test('a stroke keeps the limits, stays on the grid, and is sent whole', () => {
  forAll(
    fc.array(anywhere, { minLength: 1, maxLength: 200 }),
    fc.integer({ min: 0, max: 60 }),
    (points, gap) => {
      const messages = drag(points, gap);
      for (const message of messages) {
        expect(message.length / 2).toBeLessThanOrEqual(STROKE_LIMITS.maxPoints);
        expect(strokeLength(message)).toBeLessThanOrEqual(STROKE_LIMITS.maxLength);
        for (let i = 0; i < message.length; i += 2) {
          expect(message[i]).toBeGreaterThanOrEqual(0);
          expect(message[i]).toBeLessThanOrEqual(grid.width);
          expect(message[i + 1]).toBeGreaterThanOrEqual(0);
          expect(message[i + 1]).toBeLessThanOrEqual(grid.height);
        }
      }
      for (let i = 1; i < messages.length; i++) {
        expect(messages[i].slice(0, 2)).toEqual(messages[i - 1].slice(-2));
      }
      const on = (x: number, size: number): number => Math.max(0, Math.min(size, x));
      const way = points.flatMap(([x, y]) => [on(x, grid.width), on(y, grid.height)]);
      const sent = messages.reduce((sum, message) => sum + strokeLength(message), 0);
      // Steps too small to see are left out, each shorter than a sixth of a cell.
      expect(sent).toBeLessThanOrEqual(strokeLength(way) + 1e-6);
      expect(sent).toBeGreaterThan(strokeLength(way) - 0.31 * points.length);
    },
  );
});

test('the first message is sent at once, then at most 20 a second', () => {
  const points = Array.from({ length: 101 }, (_, i) => [i, 10] as const);
  const messages = drag(points, 10);
  expect(messages[0]).toEqual([0, 10]);
  expect(messages.length).toBeLessThanOrEqual(22);
  expect(messages.at(-1)?.slice(-2)).toEqual([100, 10]);
});

test('a tap is one point', () => {
  expect(drag([[5, 6]], 0)).toEqual([[5, 6]]);
});

/** A canvas without a browser, and the names of what its pointers do. */
function bind() {
  const names: string[] = [];
  const tools = new Proxy({} as CanvasHand, {
    get: (_, name: string) => () => {
      names.push(name);
      return false;
    },
  });
  const canvas = Object.assign(new EventTarget(), {
    getBoundingClientRect: () => ({ left: 0, top: 0 }),
    setPointerCapture: () => undefined,
    matches: (): boolean => false,
  });
  Object.assign(globalThis, { window: new EventTarget(), document: new EventTarget() });
  bindCanvas(canvas as unknown as HTMLCanvasElement, tools);
  const fire = (name: string, clientX: number, button: number): void => {
    const about = { pointerId: 1, pointerType: 'mouse', clientX, clientY: 0, button };
    canvas.dispatchEvent(Object.assign(new Event(name, { cancelable: true }), about));
  };
  /** Drags with a button; between press and release, events name no button. */
  const drag = (button: number): string[] => {
    names.length = 0;
    fire('pointerdown', 0, button);
    fire('pointermove', 40, -1);
    fire('pointerup', 40, button);
    return [...names];
  };
  return { drag, canvas };
}

test('the first button uses the tool; the wheel, the right button, Back and Forward move the view', () => {
  const { drag } = bind();
  expect(drag(0)).toEqual(['dismiss', 'toolStart', 'toolMove', 'toolEnd']);
  for (const button of [1, 2, 3, 4]) expect(drag(button)).toEqual(['panBy', 'panEnd']);
});

test('the space bar makes the first button move the view, until it is released or the window is left', () => {
  const { drag, canvas } = bind();
  canvas.matches = () => true;
  const key = (name: string) => window.dispatchEvent(Object.assign(new Event(name), { key: ' ' }));
  for (const end of ['keyup', 'blur']) {
    key('keydown');
    expect(drag(0)).toEqual(['panBy', 'panEnd']);
    key(end);
    expect(drag(0)).toEqual(['dismiss', 'toolStart', 'toolMove', 'toolEnd']);
  }
});
