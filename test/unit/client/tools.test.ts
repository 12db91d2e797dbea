import { StrokeSegmenter } from '../../../client/input/canvas-input.ts';
import { EnergyEstimate } from '../../../client/input/tool-hand.ts';
import type { Speck } from '../../../client/render/effects.ts';
import { RequestTracker } from '../../../client/room/connection.ts';
import type { ConnectionState } from '../../../client/room/room-model.ts';
import { Listeners } from '../../../client/state/browser-store.ts';
import { InteractionState } from '../../../client/state/interaction-state.ts';
import { ownerColor, type Rgb } from '../../../client/style/fragments.ts';
import { Tools } from '../../../client/visitor/room-canvas.ts';
import { Energy } from '../../../server/world/energy.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import type { OrganismView, Tool } from '../../../shared/vocabulary.ts';
import { organismView } from '../../support/fake-server.ts';
import fc, { forAll } from '../../support/property.ts';

/** Tools on a grid whose cells are the screen's pixels, and everything that they do. */
function hold(tool: Tool) {
  Object.assign(globalThis, { matchMedia: () => ({ matches: false }) });
  const done: string[] = [];
  const drawn: Speck[] = [];
  const model = {
    planes: createPlanes(64, 64),
    organisms: new Map<number, OrganismView>(),
    checkpoint: { side: 32 },
    connection: 'live' as ConnectionState,
  };
  const view = {
    toWorld: (at: { x: number; y: number }) => at,
    toScreen: (at: { x: number; y: number }) => at,
    loop: { invalidate: () => undefined },
    effects: {
      sown: () => done.push('spark'),
      cut: () => done.push('wound'),
      grafted: (specks: readonly Speck[]) => drawn.push(...specks),
      refused: () => undefined,
    },
    chance: () => 0,
  };
  const estimate = {
    draw: () => undefined,
    isEnough: true,
    send: () => ({ accepted: () => undefined, rejected: () => undefined }),
  };
  const feedback = { play: () => undefined, cut: () => undefined };
  const sent: object[] = [];
  const requests = new RequestTracker((name, command) => {
    done.push(name);
    sent.push(command);
  });
  const state = new InteractionState();
  state.take(tool);
  const colours = { colours: [[1, 0, 0]] as Rgb[] };
  const actors = { model, state, requests, estimate, feedback, colours };
  const session = { ...actors, pause: '', pointAt: () => undefined };
  const tools = new Tools(session as never, view as never, { show: (text) => done.push(text) });
  return { tools, model, state, requests, colours, done, drawn, sent };
}

const OFFLINE = expect.stringMatching(/^The room cannot be reached/);

test('while disconnected, a stroke shows no wound, sends nothing, and is reported once', () => {
  const { tools, model, done } = hold('damage');
  model.connection = 'reconnecting';
  tools.toolStart(10, 10, 1_000);
  for (let i = 1; i < 9; i++) tools.toolMove(10 + 3 * i, 10, 1_000 + 60 * i);
  // A stroke that began while disconnected does not continue half-way.
  model.connection = 'live';
  tools.toolMove(50, 10, 2_000);
  tools.toolEnd(50, 10, false, 2_000);
  expect(done).toEqual([OFFLINE]);
});

test.each([
  ['goes on', (tools: Tools) => tools.toolMove(40, 10, 1_200)],
  ['ends', (tools: Tools) => tools.toolEnd(30, 10, false, 1_200)],
  ['is cancelled', (tools: Tools) => tools.toolCancel(1_200)],
])('a stroke that %s while disconnected stops damaging, and is reported once', (_, act) => {
  const { tools, model, done } = hold('damage');
  tools.toolStart(10, 10, 1_000);
  tools.toolMove(20, 10, 1_100);
  const before = [...done];
  expect(before.filter((what) => what === 'damage')).toHaveLength(2);
  tools.toolMove(30, 10, 1_110);
  const drawn = [...done];
  model.connection = 'reconnecting';
  act(tools);
  tools.toolMove(50, 10, 1_300);
  tools.toolEnd(50, 10, false, 1_400);
  expect(done).toEqual([...drawn, OFFLINE]);
});

test('a seed that arrives during a drag is not planted where the finger lifts', () => {
  const { tools, state, done } = hold('damage');
  tools.toolStart(10, 10, 1_000);
  tools.toolMove(20, 10, 1_100);
  state.hold({ from: 'hand', seed: 1 });
  tools.toolMove(30, 10, 1_200);
  tools.toolEnd(30, 10, false, 1_300);
  expect(state.state.tool).toBe('plant');
  expect(done).toContain('damage');
  expect(done).not.toContain('plant');
  tools.use({ x: 20, y: 20 }, 2_000);
  expect(done.at(-1)).toBe('plant');
});

test('a key’s wound of a hollow organism takes its nearest cell, and that of bare ground stays where it is', () => {
  const { tools, model, sent } = hold('damage');
  model.organisms.set(1, organismView(1, { x: 30, y: 30 }));
  for (const [x, y] of [
    [20, 30],
    [37, 30],
    [30, 44],
  ]) {
    model.planes.owner[64 * y + x] = 1;
  }
  // A neighbour that is nearer, but not around the place.
  model.planes.owner[64 * 30 + 33] = 2;
  model.organisms.set(2, organismView(2, { x: 45, y: 30, side: 26 }));
  tools.use({ x: 30, y: 30 }, 1_000);
  expect(sent.at(-1)).toMatchObject({ points: [37.5, 30.5] });
  tools.use({ x: 8, y: 60 }, 2_000);
  expect(sent.at(-1)).toMatchObject({ points: [8, 60] });
});

test('a tap of the looking tool selects a creature, and says where it was touched', () => {
  const { tools, model, state } = hold('look');
  model.organisms.set(1, organismView(1, { x: 30, y: 30 }));
  model.planes.owner[64 * 20 + 31] = 1;
  tools.toolStart(31.5, 20.5, 1_000);
  tools.toolEnd(31.5, 20.5, true, 1_100);
  expect(state.state.selection).toMatchObject({ organism: 1, at: { x: 31.5, y: 20.5 } });
});

test('a stroke grafts the seed that was in hand when it began, in pieces that continue each other', () => {
  const { tools, state, requests, done, sent } = hold('graft');
  const seed = { from: 'prior', throw: 77 } as const;
  state.hold(seed);
  expect(state.state.tool).toBe('graft');
  tools.toolStart(10, 10, 1_000);
  for (let i = 1; i < 9; i++) {
    if (i === 4) state.hold({ from: 'hand', seed: 1 });
    tools.toolMove(10 + 3 * i, 10, 1_000 + 60 * i);
  }
  tools.toolEnd(34, 10, false, 1_500);
  expect(new Set(done)).toEqual(new Set(['graft']));
  const messages = sent as { id: number; seed: object; radius: number; points: number[] }[];
  expect(messages.length).toBeGreaterThan(3);
  for (const [i, message] of messages.entries()) {
    expect(message).toMatchObject({ seed, radius: state.state.radius });
    if (i > 0) expect(message.points.slice(0, 2)).toEqual(messages[i - 1].points.slice(-2));
  }
  expect(messages.at(-1)?.points.slice(-2)).toEqual([34, 10]);
  // The dice are not thrown again, and the hint ends with the first graft.
  expect(state.state).toMatchObject({ held: { from: 'hand', seed: 1 }, grafted: false });
  requests.accepted({ id: messages[0].id });
  expect(state.state.grafted).toBe(true);
});

test('a graft shows the seed’s colours, or the visitor’s until they are known, at each place once', () => {
  const { tools, model, colours, drawn } = hold('graft');
  tools.toolStart(20, 20, 1_000);
  tools.toolMove(26, 20, 1_100);
  tools.toolMove(20, 20, 1_200);
  tools.toolEnd(20, 20, false, 1_300);
  const places = drawn.map(({ x, y }) => `${x} ${y}`);
  expect(places.length).toBeGreaterThan(6 * 6);
  expect(new Set(places).size).toBe(places.length);
  expect(drawn.every(({ color }) => color.join() === '1,0,0')).toBe(true);
  colours.colours = [];
  drawn.length = 0;
  Object.assign(model, { you: { id: 1, name: '', hue: 148 } });
  tools.use({ x: 40, y: 40 }, 2_000);
  expect(drawn[0].color).toEqual(ownerColor(148));
});

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
