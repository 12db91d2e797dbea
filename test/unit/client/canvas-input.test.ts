import { bindCanvas, type CanvasHand } from '../../../client/input/canvas-input.ts';

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
