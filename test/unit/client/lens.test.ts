import { LENS_RADIUS, lensPlace } from '../../../client/render/camera.ts';
import { InteractionState } from '../../../client/state/interaction-state.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { sweptCells } from '../../../shared/geometry.ts';
import fc, { forAll } from '../../support/property.ts';

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

test('the blade for touch is wider than that for a mouse, no wider than the room allows, and cheap', () => {
  const { radius, touchRadius } = DEFAULTS.stroke;
  const blade = (state: InteractionState) => state.state.radius;
  expect(blade(new InteractionState())).toBe(radius);
  const touch = new InteractionState(touchRadius);
  expect(blade(touch)).toBeGreaterThan(radius);
  touch.setWidest(4);
  expect(blade(touch)).toBe(4);
  // Right across the largest organisms that are shipped.
  const stroke = { points: [0, 0, 32, 0], radius: touchRadius };
  const { damagePerCell, wake, newcomer } = DEFAULTS.energy;
  expect(sweptCells(stroke, false) * damagePerCell + wake).toBeLessThan(newcomer / 10);
});
