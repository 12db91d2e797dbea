import {
  bindCanvas,
  type CanvasHand,
  Gestures,
  type PointerSample,
  StrokeSegmenter,
} from '../../../client/input/canvas-input.ts';
import { strokeLength } from '../../../shared/geometry.ts';
import { STROKE_LIMITS } from '../../../shared/limits.ts';
import fc, { between, forAll } from '../../support/property.ts';

function harness() {
  const calls: unknown[][] = [];
  const target = new Proxy({} as CanvasHand, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        calls.push([name, ...args]),
  });
  return { gestures: new Gestures(target), calls };
}

const finger = (id: number, x: number, y: number): PointerSample => {
  return { id, x, y, touch: true, pan: false };
};
const mouse = (x: number, y: number): PointerSample => {
  return { id: 1, x, y, touch: false, pan: false };
};

type Act = (gestures: Gestures) => void;
const [down, move, up] = (['down', 'move', 'up'] as const).map(
  (how) =>
    (sample: PointerSample, now: number): Act =>
    (gestures) =>
      gestures[how](sample, now),
);
/** A press that has closed a panel. */
const spent = { ...finger(1, 10, 10), spent: true };

test.each<[string, Act[], unknown[][]]>([
  [
    'a mouse press uses the tool at once',
    [move(mouse(1, 1), 0), down(mouse(1, 2), 1), move(mouse(40, 2), 2), up(mouse(40, 2), 3)],
    [
      ['hover', 1, 1, 0],
      ['toolStart', 1, 2, 1],
      ['toolMove', 40, 2, 2],
      ['toolEnd', 40, 2, false, 3],
    ],
  ],
  [
    'a finger waits, then starts where it was put down',
    [down(finger(1, 10, 10), 0), move(finger(1, 13, 10), 20), move(finger(1, 30, 10), 40)],
    [
      ['toolStart', 10, 10, 40],
      ['toolMove', 30, 10, 40],
    ],
  ],
  [
    'a quick tap of a finger uses the tool once',
    [down(finger(1, 10, 10), 0), up(finger(1, 11, 10), 60)],
    [
      ['toolStart', 10, 10, 60],
      ['toolEnd', 11, 10, true, 60],
    ],
  ],
  [
    'a press that has closed a panel uses no tool',
    [down(spent, 0), move({ ...spent, x: 60 }, 200), up({ ...spent, x: 60 }, 210)],
    [],
  ],
  [
    'after a press that has closed a panel, a second finger still zooms',
    [down(spent, 300), down(finger(2, 90, 10), 320), move(finger(2, 190, 10), 340)],
    [
      ['panBy', 50, 0, 340],
      ['zoomAbout', 100, 10, 2.25],
    ],
  ],
  [
    'two fingers move the view and never the tool, also while one of them is lifted',
    [
      ...[down(finger(1, 100, 100), 0), down(finger(2, 200, 100), 30)],
      ...[move(finger(2, 300, 100), 50), up(finger(2, 300, 100), 400)],
      ...[move(finger(1, 150, 150), 420), up(finger(1, 150, 150), 440)],
    ],
    [
      ['panBy', 50, 0, 50],
      ['zoomAbout', 200, 100, 2],
      ['panEnd', 400],
    ],
  ],
  [
    'a second finger cancels a stroke',
    [down(finger(1, 0, 0), 0), move(finger(1, 50, 0), 20), down(finger(2, 90, 0), 300)],
    [
      ['toolStart', 0, 0, 20],
      ['toolMove', 50, 0, 20],
      ['toolCancel', 300],
    ],
  ],
  [
    'two fingers tapping are a double tap',
    [
      ...[down(finger(1, 0, 0), 0), down(finger(2, 50, 0), 20)],
      ...[up(finger(2, 50, 0), 90), up(finger(1, 0, 0), 95)],
    ],
    [['doubleTap', 50, 0, 2]],
  ],
  [
    'one pointer tapping twice is a double tap',
    [
      ...[down(mouse(5, 5), 1_000), up(mouse(5, 5), 1_030)],
      ...[down(mouse(5, 5), 1_200), up(mouse(5, 5), 1_230)],
    ],
    [
      ...[1_000, 1_200].flatMap((at) => [
        ['toolStart', 5, 5, at],
        ['toolEnd', 5, 5, true, at + 30],
      ]),
      ['doubleTap', 5, 5, 1],
    ],
  ],
  [
    'a cancelled pointer cancels the tool',
    [down(mouse(0, 0), 0), (gestures) => gestures.cancel(1, 10)],
    [
      ['toolStart', 0, 0, 0],
      ['toolCancel', 10],
    ],
  ],
])('%s', (_, acts, calls) => {
  const made = harness();
  for (const act of acts) act(made.gestures);
  expect(made.calls).toEqual(calls);
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
