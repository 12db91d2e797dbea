import { ViewportReporter } from '../../../client/input/canvas-input.ts';
import { type Camera, CameraRig, screenToWorld } from '../../../client/render/camera.ts';
import { RoomBroadcaster } from '../../../server/realtime/streaming/room-broadcaster.ts';
import { RoomEncoders } from '../../../server/realtime/streaming/room-encoders.ts';
import type { Viewport } from '../../../server/realtime/streaming/viewer-stream.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';
import { FrameDecoder } from '../../../shared/codec/frame-decoder.ts';

const view = { width: 400, height: 800 };
const setUp = (best?: 'phone') => {
  const told: Record<string, unknown>[] = [];
  const reporter = new ViewportReporter((look) => told.push(look), best);
  const showsAt = (x: number, now: number) =>
    reporter.shows({ camera: { x, y: 100, zoom: 4 } }, view, 2, now);
  return { told, reporter, showsAt };
};

test('a report asks for the tier that the screen needs', () => {
  for (const best of [undefined, 'phone'] as const) {
    const { told, showsAt } = setUp(best);
    showsAt(100, 0);
    expect(told).toMatchObject([{ best: best ?? 'full' }]);
  }
});

test('reports are sent at once, then after a move, and at intervals', () => {
  const { told, showsAt } = setUp();
  showsAt(100, 0);
  expect(told).toEqual([
    { hidden: false, x: 50, y: 0, width: 100, height: 200, pixels: 8, best: 'full' },
  ]);
  showsAt(101, 500);
  expect(told).toHaveLength(1);
  for (let i = 0; i < 20; i++) showsAt(110 + 5 * i, 1_000 + i * 16);
  expect(told).toHaveLength(3);
  expect([showsAt(205, 1_350), showsAt(205, 1_500)]).toEqual([true, false]);
  expect(told[3]).toMatchObject({ x: 155 });
});
test('a hidden page is reported at once; a report that was waiting is dropped', () => {
  const { told, reporter, showsAt } = setUp();
  showsAt(100, 0);
  expect(showsAt(140, 50)).toBe(true);
  reporter.hide();
  expect(told.map(({ hidden }) => hidden)).toEqual([false, true]);
  showsAt(140, 900);
  expect(told.map(({ hidden }) => hidden)).toEqual([false, true, false]);
  expect(told[2]).toMatchObject({ x: 90 });
});

test('reports are sent again when a cell becomes smaller than a pixel, after hiding, and on a new connection', () => {
  const { told, reporter } = setUp();
  const camera = { x: 128, y: 128, zoom: 0.51 };
  reporter.shows({ camera }, view, 2, 0);
  reporter.shows({ camera: { ...camera, zoom: 0.499 } }, { width: 399, height: 798 }, 2, 500);
  expect(told).toHaveLength(2);
  reporter.hide();
  reporter.shows({ camera }, view, 2, 2_000);
  reporter.forget();
  reporter.shows({ camera }, view, 2, 3_000);
  expect(told.map(({ hidden }) => hidden)).toEqual([false, false, true, false, false]);
});

test('while the camera glides, the report covers all of its way', () => {
  const { told, reporter } = setUp();
  const [camera, heading] = [
    { x: 300, y: 100, zoom: 2 },
    { x: 100, y: 120, zoom: 8 },
  ];
  reporter.shows({ camera, heading }, view, 2, 0);
  expect(told).toEqual([
    { hidden: false, x: 75, y: -100, width: 325, height: 400, pixels: 16, best: 'full' },
  ]);
  reporter.shows({ camera: heading, heading }, view, 2, 1_000);
  expect(told[1]).toMatchObject({ x: 75, y: 70, width: 50, height: 100 });
});

const GRID = { width: 336, height: 192 };
const PHONE = { width: 390, height: 844 };
const PANELS = { top: 60, right: 14, bottom: 180, left: 14 };
const SIDE = 32;
const FRAME = 16;
const TICK = 1_000 / 15;

/** A phone at one end of a room that has changed everywhere since the phone came. */
function startGlide(delay: number) {
  const planes = createPlanes(GRID.width, GRID.height);
  const encoders = new RoomEncoders(planes, 0);
  const cast = new RoomBroadcaster(encoders);
  const decoder = new FrameDecoder(createPlanes(GRID.width, GRID.height));
  const rig = new CameraRig();
  rig.layout(GRID, PHONE, PANELS);
  let now = 0;
  let tick = 0;
  /** What is under way, in order of sending. */
  const mail: { at: number; arrive: () => void }[] = [];
  const send = (arrive: () => void): number => mail.push({ at: now + delay, arrive });
  const viewer = {
    writable: true,
    sendFrame: (frame: Uint8Array) => {
      send(() => {
        const { header } = decoder.decode(frame);
        send(() => cast.acknowledge(viewer, header.tick, now));
      });
    },
  };
  const reporter = new ViewportReporter((look) => {
    send(() => {
      if (!look.hidden) cast.setViewport(viewer, { ...look } as Viewport, now);
    });
  });
  /** Lets a picture's time pass; each tick, the room changes there. */
  const step = (changed: readonly number[] = []): void => {
    now += FRAME;
    while (mail[0]?.at <= now) mail.shift()!.arrive();
    if (now >= (tick + 1) * TICK) {
      encoders.follow(++tick, changed);
      encoders.advance();
      cast.publish(now);
    }
    rig.step(now);
    reporter.shows(rig, PHONE, 3, now);
  };
  return { planes, cast, decoder, rig, viewer, step };
}

/** Cells in view that the page does not show as the room has them. */
function holes(camera: Camera, room: Uint32Array, page: Uint32Array): number {
  const upper = screenToWorld(camera, PHONE, { x: 0, y: 0 });
  const lower = screenToWorld(camera, PHONE, { x: PHONE.width, y: PHONE.height });
  let count = 0;
  for (let j = Math.max(0, Math.floor(upper.y)); j < Math.min(GRID.height, lower.y); j++) {
    for (let i = Math.max(0, Math.floor(upper.x)); i < Math.min(GRID.width, lower.x); i++) {
      if (room[j * GRID.width + i] !== page[j * GRID.width + i]) count++;
    }
  }
  return count;
}

test('no cell is missing while the camera glides through the room, 30 ms from the server', () => {
  const { planes, cast, decoder, rig, viewer, step } = startGlide(30);
  rig.calm = true;
  rig.show({ x: 40, y: 96 }, SIDE);
  rig.calm = false;
  cast.add(viewer, { x: 0, y: 0, ...GRID, pixels: 3, best: 'full' }, 0);
  for (let i = 0; i < 60; i++) step();
  planes.owner.fill(7);
  planes.rgba.fill(200);
  const all = Array.from({ length: Math.ceil(336 / 32) * (192 / 32) }, (_, chunk) => chunk);
  for (let i = 0; i < 8; i++) step(all);
  for (let i = 0; i < 120; i++) step();
  expect(holes(rig.camera, planes.owner, decoder.planes.owner)).toBe(0);
  // The far end has not come: nobody looks at it.
  expect(decoder.planes.owner[96 * GRID.width + 320]).toBe(0);

  rig.show({ x: 300, y: 96 }, SIDE);
  let most = 0;
  let pictures = 0;
  do {
    step();
    pictures++;
    most = Math.max(most, holes(rig.camera, planes.owner, decoder.planes.owner));
  } while (rig.camera !== rig.heading && pictures < 600);
  expect(pictures).toBeGreaterThan(30);
  expect(most).toBe(0);
});
