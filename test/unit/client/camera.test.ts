/** What a camera shows, and where a first view is. */
import {
  type Camera,
  CameraRig,
  fitGrid,
  panBy,
  screenToWorld,
  worldToScreen,
  zoomAbout,
} from '../../../client/render/camera.ts';
import { firstView, type Sights, type Stage } from '../../../client/render/first-view.ts';
import { LENS_RADIUS, lensPlace } from '../../../client/render/lens.ts';
import { contains } from '../../../shared/geometry.ts';
import { createRandom } from '../../../shared/random.ts';
import { randomRoom, shownIn } from '../../support/first-views.ts';
import { isFull } from '../../support/needs.ts';
import fc, { between, forAll } from '../../support/property.ts';

const cameras = fc.record({ x: between(-500, 500), y: between(-500, 500), zoom: between(0.2, 60) });
const views = fc.record({ width: between(100, 4000), height: between(100, 4000) });
const points = fc.record({ x: between(0, 4000), y: between(0, 4000) });

const expectNear = (a: { x: number; y: number }, b: { x: number; y: number }, digits = 6) => {
  expect(a.x).toBeCloseTo(b.x, digits);
  expect(a.y).toBeCloseTo(b.y, digits);
};

describe('camera', () => {
  test('screen to world and back is the same point', () => {
    forAll(cameras, views, points, (camera, view, point) => {
      expectNear(worldToScreen(camera, view, screenToWorld(camera, view, point)), point);
    });
  });

  test('zooming keeps the point under the pointer in place; panning moves it by that many pixels', () => {
    forAll(cameras, views, points, between(0.1, 10), (camera, view, point, factor) => {
      const held = screenToWorld(camera, view, point);
      expectNear(screenToWorld(zoomAbout(camera, view, point, { factor }), view, point), held);
      const moved = worldToScreen(panBy(camera, 30, -12), view, held);
      expectNear(moved, { x: point.x + 30, y: point.y - 12 });
    });
  });

  test('fitting shows the whole grid inside the insets', () => {
    const view = { width: 390, height: 844 };
    const insets = { top: 60, right: 10, bottom: 180, left: 10 };
    const camera = fitGrid({ width: 256, height: 128 }, view, insets);
    const height = (128 * (380 - 10)) / 256;
    // As wide as may be, in the middle of what is free.
    const top = (60 + 844 - 180 - height) / 2;
    expectNear(worldToScreen(camera, view, { x: 0, y: 0 }), { x: 10, y: top });
    expectNear(worldToScreen(camera, view, { x: 256, y: 128 }), { x: 380, y: top + height });
  });
});

describe('camera rig', () => {
  const grid = { width: 256, height: 256 };
  const view = { width: 800, height: 600 };
  const none = { top: 0, right: 0, bottom: 0, left: 0 };

  const rigged = (): CameraRig => {
    const rig = new CameraRig();
    rig.layout(grid, view, none);
    return rig;
  };

  test('stays fitted while the window is resized, until the view is moved', () => {
    const rig = rigged();
    rig.layout(grid, { width: 400, height: 300 }, none);
    expect(rig.camera.zoom).toBeCloseTo(300 / 256);
    rig.zoomAbout(200, 150, 2);
    const { zoom } = rig.camera;
    rig.layout(grid, view, none);
    expect(rig.camera.zoom).toBe(zoom);
  });

  test('glides home and then rests', () => {
    const rig = rigged();
    const home: Camera = rig.camera;
    rig.zoomAbout(10, 10, 6);
    rig.fit();
    let now = 0;
    rig.step(now);
    while (rig.step((now += 16)) && now < 5_000);
    expect(now).toBeLessThan(2_000);
    expectNear(rig.camera, home);
  });

  test('pinching does not fling the picture; dragging with two fingers does', () => {
    for (const apart of [0, 1, 4]) {
      const rig = rigged();
      rig.zoomAbout(400, 300, 4);
      for (let t = 0; t < 10; t++) {
        rig.panBy(-4, 0, t * 16);
        rig.zoomAbout(400, 300, 1.02);
        rig.panBy(4, 0, t * 16 + apart);
        rig.zoomAbout(400, 300, 1.02);
      }
      rig.release(9 * 16 + apart);
      rig.step(160);
      expect([apart, rig.step(176)]).toEqual([apart, false]);
    }
    const along = rigged();
    along.zoomAbout(400, 300, 4);
    for (let t = 0; t < 10; t++) for (const at of [0, 1]) along.panBy(6, 0, t * 16 + at);
    along.release(9 * 16 + 1);
    along.step(160);
    expect(along.step(176)).toBe(true);
  });

  test('a flung picture coasts to a stop, except with reduced motion', () => {
    const rig = rigged();
    rig.zoomAbout(400, 300, 4);
    for (let t = 0; t < 5; t++) rig.panBy(12, 0, t * 16);
    const before = rig.camera.x;
    rig.release(70);
    rig.step(70);
    expect(rig.step(86)).toBe(true);
    expect(rig.camera.x).toBeLessThan(before);
    let now = 86;
    while (rig.step((now += 16)) && now < 5_000);
    expect(now).toBeLessThan(2_500);

    const calm = rigged();
    calm.calm = true;
    calm.zoomAbout(400, 300, 4);
    calm.panBy(40, 0, 0);
    calm.release(1);
    expect(calm.step(16)).toBe(false);
  });

  test('keeps the view on the grid', () => {
    const rig = rigged();
    rig.panBy(1e6, -1e6, 0);
    expect(rig.camera.x).toBe(0);
    expect(rig.camera.y).toBe(256);
  });

  const phone = { width: 390, height: 844 };
  const panels = { top: 60, right: 14, bottom: 180, left: 14 };
  const wide = { width: 336, height: 192 };
  const SIDE = 32;
  const place = { x: 200, y: 90 };
  const onPhone = (): CameraRig => {
    const rig = new CameraRig();
    rig.layout(wide, phone, panels);
    return rig;
  };
  /** Time that it takes to rest, ms. */
  const rest = (rig: CameraRig, since = 0): number => {
    let now = since;
    rig.step(now);
    while (rig.step((now += 16)) && now < since + 10_000);
    return now - since;
  };

  /** Moves at once. */
  const openAt = (rig: CameraRig, at: { x: number; y: number }): void => {
    rig.calm = true;
    rig.show(at, SIDE);
    rig.calm = false;
  };

  test('shows an organism at half of a phone’s free width, between the panels', () => {
    const rig = onPhone();
    openAt(rig, place);
    expect(rig.step(16)).toBe(false);
    expect(rig.camera.zoom * SIDE).toBeCloseTo((390 - 28) / 2);
    expectNear(worldToScreen(rig.camera, phone, place), rig.middle);
    expect(rig.shown.width * rig.camera.zoom).toBeCloseTo(390 - 28);
    expect(rig.isFitted).toBe(false);
  });

  test('reveals an organism beside a card by the shortest way, and zooms out only if it must', () => {
    const half = { top: 60, right: 14, bottom: 844 - 420, left: 14 };
    forAll(between(0, wide.width), between(0, wide.height), (x, y) => {
      const rig = onPhone();
      openAt(rig, { x: 150, y: 100 });
      const before = rig.camera;
      rig.reveal({ x, y }, SIDE, half);
      const { heading } = rig;
      expect(heading.zoom).toBe(before.zoom);
      const at = worldToScreen(heading, phone, { x, y });
      const was = worldToScreen(before, phone, { x, y });
      const reach = (SIDE / 2) * heading.zoom;
      const nearest = (from: number, least: number, most: number): number =>
        Math.max(least + reach, Math.min(most - reach, from));
      expectNear(at, { x: nearest(was.x, 14, 390 - 14), y: nearest(was.y, 60, 420) });
    });
    const rig = onPhone();
    openAt(rig, place);
    const { zoom } = rig.camera;
    rig.reveal(place, SIDE, { ...half, bottom: 844 - 160 });
    expect(rig.heading.zoom).toBeLessThan(zoom);
    expect(rig.heading.zoom * SIDE).toBeCloseTo(100);
  });

  test('glides to an organism, and zooms out only until it is seen whole', () => {
    const rig = onPhone();
    const fitted = rig.camera.zoom;
    rig.show(place, SIDE);
    expect(rig.camera.zoom).toBe(fitted);
    expectNear(worldToScreen(rig.heading, phone, place), rig.middle);
    expect(rest(rig)).toBeLessThan(4_000);
    expect(rig.camera).toEqual(rig.heading);
    for (const [factor, shown] of [
      [1.3, 1.3],
      [10, 2],
    ]) {
      const closer = onPhone();
      openAt(closer, place);
      const { zoom } = closer.camera;
      closer.zoomAbout(0, 0, factor);
      closer.show(place, SIDE);
      rest(closer);
      expect(closer.camera.zoom / zoom).toBeCloseTo(shown);
    }
  });

  test('follows an organism that grows: close to the seed, farther with each stage', () => {
    const rig = onPhone();
    const zooms = [2, 4, 8, 16, 32].map((stage) => {
      rig.follow(place, SIDE, stage);
      rest(rig);
      expectNear(worldToScreen(rig.camera, phone, place), rig.middle, 0);
      expect(rig.isFollowing).toBe(true);
      return rig.camera.zoom;
    });
    expect(zooms).toEqual([...zooms].sort((a, b) => b - a));
    expect(zooms.at(-1)! * SIDE).toBeCloseTo((390 - 28) / 2, 0);
  });

  test.each([
    ['a drag', (rig: CameraRig) => rig.panBy(3, 0, 1_000)],
    ['a pinch', (rig: CameraRig) => rig.zoomAbout(100, 100, 1.1)],
    ['a key', (rig: CameraRig) => rig.glideBy(90, 0, 1)],
    ['a finger on the room', (rig: CameraRig) => rig.stay()],
    ['going elsewhere', (rig: CameraRig) => rig.centre({ x: 30, y: 30 })],
    ['the whole room', (rig: CameraRig) => rig.fit()],
  ] as const)('%s ends following', (_, move) => {
    const rig = onPhone();
    rig.follow(place, SIDE, 2);
    rig.step(0);
    rig.step(64);
    move(rig);
    expect(rig.isFollowing).toBe(false);
  });

  test('goes on gliding while the window is resized; a finger on the room stops it where it is', () => {
    const rig = onPhone();
    rig.show(place, SIDE);
    rig.step(0);
    rig.step(64);
    rig.layout(wide, phone, { ...panels, bottom: 190 });
    expect(rig.step(128)).toBe(true);
    const before = rig.camera;
    rig.stay();
    expect(rig.step(192)).toBe(false);
    expect(rig.camera).toEqual(before);
  });
  test('with reduced motion jumps to an organism, once, and stays while it grows', () => {
    const rig = onPhone();
    rig.calm = true;
    rig.follow(place, SIDE, 2);
    const { camera } = rig;
    expect(rig.step(16)).toBe(false);
    for (const stage of [4, 8, 16, 32]) rig.follow(place, SIDE, stage);
    expect(rig.camera).toEqual(camera);
    expect(camera.zoom * SIDE).toBeCloseTo((390 - 28) / 2);
  });
});

/** From the middle of a finger to where it hides nothing, CSS pixels. */
const FINGER = 20;

test('the lens lies in the window, beside the finger, and nowhere below it', () => {
  forAll(
    fc.integer({ min: 320, max: 1_440 }),
    fc.integer({ min: 320, max: 1_180 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (width, height, across, down) => {
      const finger = { x: across * width, y: down * height };
      const { x, y } = lensPlace(finger, { width, height });
      expect(x).toBeGreaterThanOrEqual(LENS_RADIUS);
      expect(x).toBeLessThanOrEqual(width - LENS_RADIUS);
      expect(y).toBeGreaterThanOrEqual(LENS_RADIUS);
      expect(y).toBeLessThanOrEqual(Math.max(LENS_RADIUS, finger.y));
      const distance = Math.hypot(x - finger.x, y - finger.y);
      expect(distance).toBeGreaterThan(LENS_RADIUS + FINGER);
    },
  );
});

test('the lens moves with the finger, without a jump on either half of the window', () => {
  const view = { width: 390, height: 844 };
  for (const x of [60, 330]) {
    let last = lensPlace({ x, y: 400 }, view);
    for (let y = 400; y >= 0; y--) {
      const at = lensPlace({ x, y }, view);
      expect(Math.hypot(at.x - last.x, at.y - last.y)).toBeLessThan(20);
      last = at;
    }
  }
});

const GRID = { width: 336, height: 192 };
const SIDE = 32;

/** A phone held upright: buttons and the map cover the upper right corner. */
const PHONE: Stage = {
  view: { width: 390, height: 844 },
  free: { x: 14, y: 69, width: 362, height: 547 },
  covers: [
    { x: 234, y: 70, width: 148, height: 44 },
    { x: 284, y: 124, width: 98, height: 57 },
  ],
};
const SMALL: Stage = {
  view: { width: 320, height: 568 },
  free: { x: 14, y: 69, width: 292, height: 271 },
  covers: [
    { x: 164, y: 70, width: 148, height: 44 },
    { x: 227, y: 124, width: 85, height: 50 },
  ],
};
const sights = (organisms: Sights['organisms']): Sights => ({ grid: GRID, side: SIDE, organisms });

test.each([
  ['phone', PHONE],
  ['small phone', SMALL],
])(
  'on a %s, a whole creature and a free place beside it are shown in every random room',
  (_, stage) => {
    for (let seed = 1; seed <= (isFull ? 100 : 25); seed++) {
      const { uniform } = createRandom(seed);
      const room = sights(randomRoom(GRID, SIDE, uniform));
      const camera = firstView(room, stage, uniform);
      expect({ seed, ...shownIn(room, stage, camera) }).toMatchObject({ whole: true, free: true });
    }
  },
);

const middle = (stage: Stage, camera: Camera) => ({
  x: camera.x + (stage.free.x + stage.free.width / 2 - stage.view.width / 2) / camera.zoom,
  y: camera.y + (stage.free.y + stage.free.height / 2 - stage.view.height / 2) / camera.zoom,
});

test('an empty room opens in its middle', () => {
  const camera = firstView(sights([]), PHONE, Math.random);
  expect(middle(PHONE, camera).x).toBeCloseTo(168);
  expect(middle(PHONE, camera).y).toBeCloseTo(96);
});

test('the view is close where that is enough, and farther off where free ground is scarce', () => {
  const alone = firstView(sights([{ x: 100, y: 90 }]), PHONE, createRandom(1).uniform);
  expect(alone.zoom).toBeGreaterThan(4);
  // Free ground only around the middle of the room.
  const dense = [];
  for (let x = 16; x < 336; x += 30)
    for (let y = 16; y < 192; y += 30)
      if (Math.abs(x - 168) > 40 || Math.abs(y - 96) > 40) dense.push({ x, y });
  const room = sights(dense);
  const camera = firstView(room, SMALL, createRandom(1).uniform);
  expect(shownIn(room, SMALL, camera)).toMatchObject({ whole: true, free: true });
  expect(camera.zoom).toBeLessThanOrEqual(alone.zoom);
});

test('the ground in the middle touches a reef, not the open water', () => {
  // A reef in a corner, and a single creature far from it.
  const reef = [20, 48, 76].flatMap((x) => [20, 48, 76].map((y) => ({ x, y })));
  const room = sights([...reef, { x: 300, y: 100 }]);
  for (let seed = 1; seed <= 10; seed++) {
    const { x, y } = middle(PHONE, firstView(room, PHONE, createRandom(seed).uniform));
    const near = reef.filter(
      (one) => Math.max(Math.abs(one.x - x), Math.abs(one.y - y)) < 1.8 * SIDE,
    );
    expect({ seed, isAtRim: near.length > 1 }).toEqual({ seed, isAtRim: true });
  }
});

test('not everybody opens at the same place', () => {
  const room = sights([
    { x: 60, y: 60 },
    { x: 250, y: 120 },
  ]);
  const views = Array.from({ length: 20 }, (_, seed) => {
    const { x, y } = firstView(room, PHONE, createRandom(seed).uniform);
    return `${Math.round(x)} ${Math.round(y)}`;
  });
  expect(new Set(views).size).toBeGreaterThan(10);
});

test('as little as possible of the space outside the grid is shown', () => {
  for (let seed = 0; seed < 20; seed++) {
    const camera = firstView(sights([{ x: 20, y: 20 }]), PHONE, createRandom(seed).uniform);
    const { x, y } = middle(PHONE, camera);
    const half = PHONE.free.width / 2 / camera.zoom;
    const inner = {
      x: half - 1e-6,
      y: 0,
      width: GRID.width - 2 * half + 2e-6,
      height: GRID.height,
    };
    expect(contains(inner, { x, y, width: 0, height: 0 })).toBe(true);
  }
});
