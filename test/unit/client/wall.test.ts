/** Options of a wall page, its address for phones, its camera, and reloading. */

import { screenToWorld, worldToScreen } from '../../../client/render/camera.ts';
import { driftAt } from '../../../client/render/shaders/scene.ts';
import { mayRenew, visitorAddress } from '../../../client/room/connection.ts';
import { readOptions } from '../../../client/wall/wall-options.ts';
import {
  closeUpOf,
  drifted,
  frameOf,
  regionOf,
  wholeView,
} from '../../../client/wall/wall-view.ts';
import fc, { between, forAll } from '../../support/property.ts';

const NO_INSETS = { top: 0, right: 0, bottom: 0, left: 0 };
const grid = { width: 256, height: 160 };
const options = (search: string) => readOptions({ pathname: '/wall/garden', search });

describe('wall options', () => {
  test('without a query, a single wall shows the whole room, drifting, with its text', () => {
    expect(options('')).toEqual({
      ...{ room: 'garden', frame: 'drift', flip: 'none', rotate: 0, resolution: 'auto' },
      ...{ columns: 1, rows: 1, column: 0, row: 0, bezel: 0 },
      ...{ overlay: true, strip: true, url: '', pass: '', languages: [] },
    });
    expect(options('?pass=tnkmmpyyqkux').pass).toBe('tnkmmpyyqkux');
  });

  test('screens of a video wall do not drift, and only the first shows text by default', () => {
    const second = options('?columns=3&rows=2&column=1&row=1&bezel=40&flip=xy&rotate=270');
    expect(second).toMatchObject({ columns: 3, rows: 2, column: 1, row: 1, bezel: 40 });
    expect(second).toMatchObject({ flip: 'xy', rotate: 270, frame: 'fixed', overlay: false });
    expect(options('?columns=3').overlay).toBe(true);
    expect(options('?columns=3&column=2&overlay=on').overlay).toBe(true);
    expect(options('?overlay=off')).toMatchObject({ overlay: false, strip: false });
    // The lower left screen shows the text, and all screens leave its strip free.
    expect(options('?rows=2&row=1')).toMatchObject({ overlay: true, strip: true });
    expect(options('?rows=2&row=0')).toMatchObject({ overlay: false, strip: true });
  });

  test('invalid values are ignored', () => {
    forAll(
      fc.dictionary(
        fc.constantFrom('columns', 'rows', 'column', 'row', 'bezel', 'rotate', 'flip', 'url'),
        fc.oneof(fc.string(), fc.double().map(String), fc.constant('javascript:alert(1)')),
      ),
      (query) => {
        const read = options(`?${new URLSearchParams(query)}`);
        for (const side of [read.columns, read.rows]) expect(side).toBeGreaterThanOrEqual(1);
        expect(read.column).toBeLessThan(read.columns);
        expect(read.row).toBeLessThan(read.rows);
        expect([0, 90, 180, 270]).toContain(read.rotate);
        if (read.url !== '') expect(new URL(read.url).protocol).toMatch(/^https?:$/);
      },
    );
  });
});

describe('the address for phones', () => {
  const LAN = 'http://192.168.1.20:8080';
  const LOCAL = 'http://garden.local:8080';
  const MUSEUM = 'https://museum.example/x';

  test.each([
    ...[LAN, ''].map((known) => [LOCAL, known, '', `${LOCAL}/r/garden`, true] as const),
    // Walls on the server's own machine: a loopback address is not for phones unless it was given.
    ...['http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080'].flatMap(
      (page) =>
        [
          [page, LAN, MUSEUM, MUSEUM, true],
          [page, LAN, '', `${LAN}/r/garden`, true],
          [page, '', '', `${page}/r/garden`, false],
          [page, '', `${page}/r/garden`, `${page}/r/garden`, true],
        ] as const,
    ),
  ])(
    'of a page at %s, with “%s” known and “%s” given, is %s',
    (page, known, given, address, forPhones) => {
      expect(visitorAddress('garden', given, page, known)).toEqual({ address, forPhones });
    },
  );
});

const screens = fc.record({
  width: fc.integer({ min: 320, max: 7_680 }),
  height: fc.integer({ min: 320, max: 4_320 }),
});

describe('the camera of a wall', () => {
  test('shows the whole dish at any aspect ratio, also while it drifts', () => {
    forAll(screens, between(0, 1e6), (view, seconds) => {
      const gap = 0.025 * Math.min(view.width, view.height);
      const insets = { top: gap, right: gap, bottom: gap, left: gap };
      const home = frameOf('drift', grid, view, insets);
      for (const camera of [home, drifted(home, { grid, view, frame: 'drift' }, seconds)]) {
        const upper = worldToScreen(camera, view, { x: 0, y: 0 });
        const lower = worldToScreen(camera, view, { x: grid.width, y: grid.height });
        expect(Math.min(upper.x, upper.y)).toBeGreaterThan(0);
        expect(lower.x).toBeLessThan(view.width);
        expect(lower.y).toBeLessThan(view.height);
      }
    });
  });

  test('that fills the screen shows only the dish, and all of it over time', () => {
    forAll(screens, between(0, 1e5), (view, seconds) => {
      const home = frameOf('fill', grid, view, NO_INSETS);
      const camera = drifted(home, { grid, view, frame: 'fill' }, seconds);
      const upper = screenToWorld(camera, view, { x: 0, y: 0 });
      const lower = screenToWorld(camera, view, { x: view.width, y: view.height });
      expect(Math.min(upper.x, upper.y)).toBeGreaterThan(-1e-6);
      expect(lower.x).toBeLessThan(grid.width + 1e-6);
      expect(lower.y).toBeLessThan(grid.height + 1e-6);
    });
    const view = { width: 1000, height: 200 };
    const home = frameOf('fill', grid, view, NO_INSETS);
    const tops = Array.from({ length: 200 }, (_, i) => {
      return screenToWorld(drifted(home, { grid, view, frame: 'fill' }, i), view, { x: 0, y: 0 }).y;
    });
    expect(Math.min(...tops)).toBeLessThan(1);
    expect(Math.max(...tops)).toBeGreaterThan(grid.height - 200 / home.zoom - 1);
  });

  test('comes so close to a place that an organism is large, and shows little beside the dish', () => {
    const place = fc.record({ x: fc.nat(grid.width), y: fc.nat(grid.height) });
    forAll(screens, place, (view, at) => {
      const home = frameOf('drift', grid, view, NO_INSETS);
      const camera = closeUpOf(at, 32, home, { grid, view, insets: NO_INSETS });
      expect(32 * camera.zoom).toBeGreaterThan(0.4 * Math.min(view.width, view.height));
      const { x, y } = worldToScreen(camera, view, at);
      for (const [place, side] of [[x, view.width] as const, [y, view.height] as const]) {
        expect(place).toBeGreaterThan(-1e-6);
        expect(place).toBeLessThan(side + 1e-6);
      }
      // In the middle, except near an edge.
      const upper = screenToWorld(camera, view, { x: 0, y: 0 });
      const lower = screenToWorld(camera, view, { x: view.width, y: view.height });
      const isInside = upper.x > 0 && upper.y > 0 && lower.x < grid.width && lower.y < grid.height;
      if (isInside)
        expect([x, y]).toEqual([
          expect.closeTo(view.width / 2, 4),
          expect.closeTo(view.height / 2, 4),
        ]);
      const axes = [
        [upper.x, lower.x, grid.width],
        [upper.y, lower.y, grid.height],
      ] as const;
      for (const [least, most, side] of axes) {
        const beside = Math.max(3, (most - least - side) / 2) + 1e-6;
        expect(Math.max(-least, most - side)).toBeLessThanOrEqual(beside);
      }
    });
  });

  test('of each screen of a video wall shows its part of the whole, without the gaps', () => {
    const side = fc.integer({ min: 1, max: 5 });
    const places = fc.record({ columns: side, rows: side, bezel: fc.nat(200) });
    const place = fc.record({ x: fc.nat(grid.width), y: fc.nat(grid.height) });
    forAll(screens, places, place, (view, { columns, rows, bezel }, at) => {
      const all = wholeView(view, { columns, rows, column: 0, row: 0, bezel });
      const whole = frameOf('fixed', grid, all, NO_INSETS);
      const there = worldToScreen(whole, all, at);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const camera = regionOf(whole, view, { columns, rows, column, row, bezel });
          const here = worldToScreen(camera, view, at);
          expect(camera.zoom).toBe(whole.zoom);
          expect(here.x + column * (view.width + bezel)).toBeCloseTo(there.x, 4);
          expect(here.y + row * (view.height + bezel)).toBeCloseTo(there.y, 4);
        }
      }
    });
  });
});

describe('a newer page', () => {
  test('is loaded at once, but at most once a minute', () => {
    const kept = new Map<string, string>();
    const memory = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    const mayRenewAt = (now: number) => mayRenew(now, () => memory);
    expect([1_000, 3_000, 62_000].map(mayRenewAt)).toEqual([true, false, true]);
    // A clock that was set back does not stop it for ever.
    expect(mayRenewAt(500)).toBe(true);
    const setItem = (): never => {
      throw new Error('refused');
    };
    expect(mayRenew(1_000, () => ({ getItem: () => null, setItem }))).toBe(false);
    // The browser blocks it altogether.
    expect(mayRenew(1_000, setItem)).toBe(false);
  });
});

test('what floats in the medium moves as smoothly after half a year as on the first day', () => {
  const [frame, day] = [16, 86_400_000];
  for (const days of [0, 30, 180]) {
    for (let hour = 0.05; hour < 24; hour += 0.7) {
      const now = days * day + hour * 3_600_000;
      // As the shader reads them.
      const [before, after] = [now, now + frame].map((at) => Math.fround(driftAt(at)));
      expect(Math.abs(after - before - frame / 1000)).toBeLessThan(0.001);
    }
  }
});
