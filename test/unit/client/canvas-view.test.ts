/** A view of a room while something else is shown, and when its drawing context is lost. */

import { CanvasView } from '../../../client/render/canvas-view.ts';
import type { Resolution } from '../../../client/render/frame-pacing.ts';
import type { RoomModel } from '../../../client/room/room-model.ts';
import { Listeners } from '../../../client/state/browser-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const SIDE = 8;
const ALL = { x: 0, y: 0, width: SIDE, height: SIDE };

class View extends CanvasView {
  readonly camera = { x: 0, y: 0, zoom: 1 };
  /** How many grains of dust there have been. */
  grains = 0;
  protected move = () => false;
  protected frame = () => ({}) as never;

  /** Shows something else than the room, or the room again. */
  set away(isAway: boolean) {
    this.isAway = isAway;
  }

  countGrains(): void {
    this.happenings.effects.dust = () => void this.grains++;
  }
}

/** A view whose context does nothing, of a room that is full of one organism. */
function open() {
  const clock = new FakeClock();
  const gl = new Proxy(
    { isContextLost: () => false },
    {
      get: (own, name) =>
        Reflect.get(own, name) ?? (/[a-z]/.test(`${String(name)}`) ? () => ({}) : 1),
    },
  );
  const canvas = Object.assign(new EventTarget(), { getContext: () => gl });
  let reloads = 0;
  Object.assign(globalThis, {
    setTimeout: (call: () => void, ms: number) => clock.after(ms, call),
    clearTimeout: (cancel?: () => void) => cancel?.(),
    requestAnimationFrame: () => 1,
    cancelAnimationFrame: () => undefined,
    document: { hidden: false },
    location: { reload: () => reloads++, search: '' },
  });
  // Another one: the object itself is shared with all suites of this process.
  Object.defineProperty(globalThis, 'performance', {
    value: { now: () => clock.now() },
    configurable: true,
  });
  const planes = {
    ...{ width: SIDE, height: SIDE },
    rgba: new Uint8Array(4 * SIDE * SIDE).fill(255),
    owner: new Uint32Array(SIDE * SIDE).fill(1),
  };
  const listeners = new Listeners<{ picture: unknown }>();
  const model = { planes, tick: 1, organisms: new Map(), on: listeners.on.bind(listeners) };
  const resolution = { ratio: () => 1 } as unknown as Resolution;
  const view = new View(
    canvas as unknown as HTMLCanvasElement,
    model as unknown as RoomModel,
    resolution,
  );
  view.countGrains();
  return {
    ...{ view, planes, clock },
    reloads: () => reloads,
    tell: (name: string) => canvas.dispatchEvent(new Event(name, { cancelable: true })),
    arrive: () => listeners.emit('picture', { changed: [ALL], replaced: [] }),
  };
}

test('what dies is dust, but not while something else is shown, and not when the room is shown again', () => {
  const { view, planes, arrive } = open();
  arrive();
  view.away = true;
  planes.owner.fill(0);
  arrive();
  view.away = false;
  arrive();
  expect(view.grains).toBe(0);
  planes.owner.fill(1);
  arrive();
  planes.owner.fill(0);
  arrive();
  expect(view.grains).toBeGreaterThan(0);
});

test('a page whose context is not restored in time loads again, but not in its first minute', async () => {
  const { view, tell, clock, reloads } = open();
  tell('webglcontextlost');
  await clock.advance(14_000);
  tell('webglcontextrestored');
  await clock.advance(10_000);
  tell('webglcontextlost');
  await clock.advance(30_000);
  expect(reloads()).toBe(0);
  await clock.advance(10_000);
  expect(reloads()).toBe(1);
  tell('webglcontextlost');
  await clock.advance(14_000);
  expect(reloads()).toBe(1);
  await clock.advance(2_000);
  expect(reloads()).toBe(2);
  tell('webglcontextlost');
  view.dispose();
  await clock.advance(60_000);
  expect(reloads()).toBe(2);
});
