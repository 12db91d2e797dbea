import type { Speck } from '../../../client/render/effects.ts';
import { RequestTracker } from '../../../client/room/connection.ts';
import type { ConnectionState } from '../../../client/room/room-model.ts';
import { InteractionState } from '../../../client/state/interaction-state.ts';
import { ownerColor, type Rgb } from '../../../client/style/fragments.ts';
import { Tools } from '../../../client/visitor/room-canvas.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';
import type { OrganismView, Tool } from '../../../shared/vocabulary.ts';
import { organismView } from '../../support/fake-server.ts';

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
