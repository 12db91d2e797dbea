import { seenCells, stepsLeft, wounded } from '../../../server/training/rollout/patients.ts';
import { createRandom } from '../../../shared/random.ts';

const SIDE = 16;
const CHANNELS = 2;
const config = { channels: CHANNELS, presence: { channel: 1, threshold: 0.1 }, closing: 1 };
const lives = (states: Float32Array, cell: number): boolean => states[cell * CHANNELS] !== 0;

/** A disc that lives on ground whose cells have a state, too. */
const body = {
  image: 3,
  age: 9,
  states: Float32Array.from({ length: SIDE * SIDE * CHANNELS }, (_, i) => {
    const cell = Math.floor(i / CHANNELS);
    const inside = Math.hypot((cell % SIDE) - 7.5, Math.floor(cell / SIDE) - 7.5) < 6;
    return i % CHANNELS === 0 || inside ? 1 : 0;
  }),
};

/** The cells beside a cell. */
const beside = (cell: number): number[] =>
  [
    cell % SIDE > 0 ? cell - 1 : -1,
    cell % SIDE < SIDE - 1 ? cell + 1 : -1,
    cell - SIDE,
    cell + SIDE < SIDE * SIDE ? cell + SIDE : -1,
  ].filter((other) => other >= 0);

test('a patient has lost what is closed, and each cell opens after one beside it', () => {
  let wounds = 0;
  for (let seed = 0; seed < 60; seed++) {
    const { states, closed, ...rest } = wounded(config, body, SIDE, createRandom(seed));
    expect(rest).toEqual({ image: 3, age: 9 });
    if (!closed) continue;
    wounds++;
    closed.forEach((steps, cell) => {
      expect(lives(states, cell)).toBe(steps === 0);
      if (steps === 1) expect(beside(cell).some((other) => closed[other] === 0)).toBe(true);
    });
    expect(closed.some((steps) => steps > 0)).toBe(true);
  }
  expect(wounds).toBeGreaterThan(50);
  expect(body.states.every((x, i) => i % CHANNELS === 1 || x === 1)).toBe(true);
});

test('a second wound closes after the first', () => {
  const random = createRandom(2);
  const once = wounded(config, body, SIDE, random);
  const twice = wounded(config, { ...once, closed: stepsLeft(once.closed!, 2) }, SIDE, random);
  const still = once.closed!.filter((steps) => steps > 2).length;
  expect(twice.closed!.filter((steps) => steps > 0).length).toBeGreaterThan(still);
});

test('ground of neighbours is neither closed nor counted', () => {
  const open = Uint8Array.from({ length: SIDE * SIDE }, (_, cell) => (cell % SIDE < 5 ? 0 : 1));
  const { closed } = wounded(config, { ...body, open }, SIDE, createRandom(1));
  const seen = seenCells(closed!, 100, open);
  open.forEach((is, cell) => {
    if (is === 0) expect(closed![cell]).toBe(0);
    expect(seen[cell]).toBe(is);
  });
});

test('cells count once they have lived for two steps', () => {
  expect([...seenCells(Uint8Array.of(0, 1, 2, 3), 3)]).toEqual([1, 1, 0, 0]);
  expect([...stepsLeft(Uint8Array.of(0, 1, 2, 9), 3)]).toEqual([0, 0, 0, 6]);
});
