import { StrokeSegmenter } from '../../../client/input/canvas-input.ts';
import { EnergyEstimate } from '../../../client/input/tool-hand.ts';
import { Listeners } from '../../../client/state/browser-store.ts';
import { Energy } from '../../../server/world/energy.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import fc, { forAll } from '../../support/property.ts';

const SETTINGS = {
  capacity: 100,
  newcomer: 60,
  refillPerSecond: 8,
  plant: 8,
  damagePerCell: 0.02,
  wake: 0,
};
const GRID = { width: 256, height: 256 };

/** An estimate, and the messages of a server. */
function start() {
  const listeners = new Listeners<{ energy: Event<'energy'>; welcome: Event<'welcome'> }>();
  const clock = { now: 0 };
  const on = listeners.on.bind(listeners) as never;
  const estimate = new EnergyEstimate({ on }, () => clock.now);
  const { newcomer, ...costs } = SETTINGS;
  const say = (level: number) => listeners.emit('energy', { ...costs, level });
  say(newcomer);
  const welcome = (): void => {
    listeners.emit('welcome', {} as Event<'welcome'>);
    say(newcomer);
  };
  return { estimate, clock, say, welcome };
}

test('the cost of a stroke shows while it is drawn, before any answer', () => {
  const { estimate } = start();
  estimate.draw(50, 5);
  expect(estimate.share).toBeCloseTo(0.5);
  estimate.draw(200, 10);
  expect(estimate.isEnough).toBe(false);
  expect(estimate.share).toBe(0);
});

test('what was drawn when the connection broke was never sent and costs nothing', () => {
  const { estimate, welcome } = start();
  estimate.draw(200, 10);
  welcome();
  expect(estimate.share).toBeCloseTo(0.6);
});

test('energy refills at the server’s rate', () => {
  const { estimate, clock } = start();
  clock.now = 2_500;
  expect(estimate.share).toBeCloseTo(0.8);
  clock.now = 60_000;
  expect(estimate.share).toBe(1);
});

test('however a stroke is split and answered, the estimate ends at the server’s energy', () => {
  const place = fc.integer({ min: 0, max: 256 });
  const stroke = fc.array(fc.tuple(place, place), { minLength: 1, maxLength: 20 });
  forAll(
    fc.array(fc.record({ stroke, radius: fc.constantFrom(0.5, 3, 12) }), { maxLength: 4 }),
    (strokes) => {
      const { estimate, say } = start();
      const server = new Energy(SETTINGS, 15);
      server.enter(1, 0);
      for (const { stroke: points, radius } of strokes) {
        const answers: (() => void)[] = [];
        const segments = new StrokeSegmenter(GRID, (piece) => {
          const sent = estimate.send({ points: piece, radius });
          let answer = sent.accepted;
          try {
            server.spend(1, server.priceOf({ points: piece, radius }), 0);
          } catch {
            answer = sent.rejected;
          }
          const level = server.level(1, 0);
          answers.push(() => {
            say(level);
            answer();
          });
        });
        segments.start(points[0][0], points[0][1], 0);
        points.slice(1).forEach(([x, y], i) => {
          segments.move(x, y, 20 * i);
        });
        segments.end(1e4);
        for (const answer of answers) answer();
        expect(estimate.share).toBeCloseTo(server.level(1, 0) / SETTINGS.capacity);
      }
    },
  );
});
