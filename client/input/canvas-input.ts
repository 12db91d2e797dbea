/** Binds a canvas's DOM events to gestures. */
import { Gestures, type GestureTarget, type PointerSample } from './gestures.ts';

/** Receives what pointers do over a canvas. */
export interface CanvasHand extends GestureTarget {
  leave(now: number): void;
  /** Closes a panel that the visitor presses beside. @returns whether that is all the press does */
  dismiss?(): boolean;
}

/** CSS pixels per wheel delta unit: pixel, line, page. */
const WHEEL_UNITS = [1, 32, 400];

export function bindCanvas(canvas: HTMLCanvasElement, tools: CanvasHand): () => void {
  const gestures = new Gestures(tools);
  const stop = new AbortController();
  let space = false;

  const sample = (event: PointerEvent): PointerSample => {
    const { left, top } = canvas.getBoundingClientRect();
    return {
      id: event.pointerId,
      touch: event.pointerType === 'touch',
      x: event.clientX - left,
      y: event.clientY - top,
      // Any button but the first; moves have none.
      pan: event.button > 0 || space,
    };
  };
  const on = <K extends keyof HTMLElementEventMap>(
    name: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ): void => canvas.addEventListener(name, listener, { signal: stop.signal, passive: false });

  on('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (event.button === 1) event.preventDefault();
    const press = sample(event);
    const spent = !press.pan && tools.dismiss?.() === true;
    gestures.down({ ...press, spent }, event.timeStamp);
  });
  on('pointermove', (event) => {
    // During fast strokes browsers merge several pointer positions into one event.
    const all = gestures.active ? (event.getCoalescedEvents?.() ?? []) : [];
    for (const each of all.length > 0 ? all : [event]) gestures.move(sample(each), each.timeStamp);
  });
  on('pointerup', (event) => {
    gestures.up(sample(event), event.timeStamp);
    if (event.pointerType === 'touch') tools.leave(event.timeStamp);
  });
  on('pointercancel', (event) => gestures.cancel(event.pointerId, event.timeStamp));
  on('pointerleave', (event) => {
    if (!gestures.active) tools.leave(event.timeStamp);
  });
  on('contextmenu', (event) => event.preventDefault());
  on('wheel', (event) => {
    event.preventDefault();
    const { left, top } = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const unit = WHEEL_UNITS[event.deltaMode] ?? 1;
    // A trackpad pinch arrives as a wheel event with Ctrl held, in much smaller steps.
    const speed = event.ctrlKey ? 0.011 : 0.0016;
    const delta = Math.max(-240, Math.min(240, event.deltaY * unit));
    tools.zoomAbout(x, y, Math.exp(-delta * speed));
    tools.hover(x, y, event.timeStamp);
  });
  const { signal } = stop;
  // A key that is released outside the page is not heard.
  for (const name of ['keydown', 'keyup', 'blur'] as const) {
    const bar = ({ key = ' ', target }: Partial<KeyboardEvent>): void => {
      if (key !== ' ') return;
      space = name === 'keydown' && (target === document.body || canvas.matches(':focus'));
    };
    window.addEventListener(name, bar, { signal });
  }
  // Otherwise Safari's own gesture zooms the whole page.
  document.addEventListener('gesturestart', (event) => event.preventDefault(), { signal });
  return () => stop.abort();
}
