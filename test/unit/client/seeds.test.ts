import { Drawing } from '../../../client/visitor/drawing/drawing.ts';
import { mapProjectionOf, placeAt } from '../../../client/visitor/seeds/latent-map.ts';
import { betweenText, isMeant, seedTitle } from '../../../client/visitor/seeds/seed-tray.ts';

describe('drawing', () => {
  test('the last line or all lines can be removed', () => {
    const drawing = new Drawing();
    drawing.begin('red', 0.1, 0.5, 0.5);
    drawing.move(0.6, 0.5);
    drawing.end();
    drawing.begin('blue', 0.2, 0.1, 0.1);
    expect(drawing.lines.map(({ colour }) => colour)).toEqual(['red', 'blue']);
    drawing.undo();
    expect(drawing.lines).toEqual([{ colour: 'red', width: 0.1, points: [0.5, 0.5, 0.6, 0.5] }]);
    drawing.undo();
    drawing.undo();
    expect(drawing.lines).toEqual([]);
    drawing.begin('red', 0.1, 0.5, 0.5);
    drawing.clear();
    expect(drawing.lines).toEqual([]);
    drawing.move(0.2, 0.2);
    expect(drawing.lines).toEqual([]);
  });

  test('a trembling finger adds nothing, and a drawing has a largest size', () => {
    const drawing = new Drawing();
    drawing.begin('red', 0.1, 0.5, 0.5);
    for (let i = 0; i < 100; i++) drawing.move(0.5 + 0.001 * (i % 2), 0.5);
    expect(drawing.lines[0].points).toHaveLength(2);
    for (let i = 0; i < 30_000; i++) {
      // Each move copies its line.
      if (i % 100 === 0) drawing.begin('red', 0.1, 0.5, 0.5);
      drawing.move(i % 2, 0.5);
    }
    const numbers = drawing.lines.reduce((sum, { points }) => sum + points.length, 0);
    expect(numbers).toBeLessThan(50_000);
  });
});

describe('words', () => {
  test.each([
    ['Hot Pepper', 'pep', true],
    ['Hot Pepper', 'hot pep', true],
    ['Hot Pepper', 'PEPPER', true],
    ['Hot Pepper', 'pepper hot', true],
    ['Hot Pepper', 'cold pepper', false],
    ['Piñata', 'pinata', true],
    ['Fox Face', 'ox', false],
    ['Wolf Face', '', true],
  ])('%s is meant by "%s": %s', (name, typed, is) => {
    expect(isMeant(name, typed)).toBe(is);
  });

  test('a seed in the hand is named after its origin', () => {
    const organisms = new Map([
      [1, { kind: 'Fox', origin: 'gallery' }],
      [2, { kind: '', origin: 'prior' }],
    ]) as never;
    const cross = { id: 1, origin: 'cross', parents: [1, 2] } as const;
    expect(seedTitle(cross, organisms)).toBe('Child of Fox and A child of chance');
    expect(seedTitle({ ...cross, parents: [1, 9] }, organisms)).toBe('A child of two');
    expect(seedTitle({ id: 2, origin: 'drawing', parents: [] }, organisms)).toBe('Your drawing');
    expect(betweenText(['Fox', 'Cat', 'Owl'])).toBe('Between Fox, Cat and Owl');
    expect(betweenText(['Fox'])).toBe('Fox');
  });
});

test('the map with its pictures fits the screen, and screen positions map back to places', () => {
  const places = [
    { x: 0, y: 0.2 },
    { x: 0.7, y: 1 },
    { x: 0.3, y: 0 },
  ];
  for (const [width, height] of [
    [360, 560],
    [900, 500],
  ]) {
    const chart = mapProjectionOf(places, width, height);
    for (const place of places) {
      const { x, y } = chart.toScreen(place);
      expect(x).toBeGreaterThanOrEqual(chart.tile / 3);
      expect(x).toBeLessThanOrEqual(width - chart.tile / 3);
      expect(y).toBeGreaterThanOrEqual(chart.tile / 3);
      expect(y).toBeLessThanOrEqual(height - chart.tile / 3);
      const again = placeAt(chart, x, y);
      expect(again.x).toBeCloseTo(place.x, 9);
      expect(again.y).toBeCloseTo(place.y, 9);
    }
  }
});
