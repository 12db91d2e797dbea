import { RequestTracker } from '../../../client/net/request-tracker.ts';
import type { ConnectionState } from '../../../client/net/room-model.ts';
import { InteractionState } from '../../../client/state/interaction-state.ts';
import { Tools } from '../../../client/visitor/tools.ts';
import { createPlanes } from '../../../shared/codec/planes.ts';
import type { Tool } from '../../../shared/vocabulary.ts';

/** Tools over a grid whose places are the screen's, and all that they do. */
function hold(tool: Tool) {
  Object.assign(globalThis, { matchMedia: () => ({ matches: false }) });
  const done: string[] = [];
  const model = {
    planes: createPlanes(64, 64),
    checkpoint: { side: 8 },
    connection: 'live' as ConnectionState,
  };
  const director = {
    toWorld: (at: { x: number; y: number }) => at,
    loop: { invalidate: () => undefined },
    effects: {
      sown: () => done.push('spark'),
      cut: () => done.push('wound'),
      refused: () => undefined,
    },
    chance: () => 0,
  };
  const effort = {
    draw: () => undefined,
    isEnough: true,
    send: () => ({ accepted: () => undefined, rejected: () => undefined }),
  };
  const senses = { refused: () => undefined, cut: () => undefined };
  const requests = new RequestTracker((name) => done.push(name));
  const state = new InteractionState();
  state.take(tool);
  const tools = new Tools(
    ...([model, state, requests, director] as unknown as [
      never,
      InteractionState,
      RequestTracker,
      never,
    ]),
    () => undefined,
    (text) => done.push(text),
    effort as never,
    senses as never,
  );
  return { tools, model, done };
}

const WORD = expect.stringMatching(/^Nothing reaches the room/);

test('while the line is broken a tap plants nothing, shows no spark, and says so', () => {
  const { tools, model, done } = hold('plant');
  model.connection = 'reconnecting';
  tools.use({ x: 20, y: 20 }, 1_000);
  expect(done).toEqual([WORD]);
  model.connection = 'live';
  tools.use({ x: 20, y: 20 }, 2_000);
  expect(done).toEqual([WORD, 'spark', 'plant']);
});

test('while disconnected, a stroke shows no wound, sends nothing, and is reported once', () => {
  const { tools, model, done } = hold('damage');
  model.connection = 'reconnecting';
  tools.toolStart(10, 10, 1_000);
  for (let i = 1; i < 9; i++) tools.toolMove(10 + 3 * i, 10, 1_000 + 60 * i);
  // What began without being heard does not go on in the midst.
  model.connection = 'live';
  tools.toolMove(50, 10, 2_000);
  tools.toolEnd(50, 10, false, 2_000);
  expect(done).toEqual([WORD]);
});

test.each([
  ['goes on', (tools: Tools) => tools.toolMove(40, 10, 1_200)],
  ['ends', (tools: Tools) => tools.toolEnd(30, 10, false, 1_200)],
  ['is taken away', (tools: Tools) => tools.toolCancel(1_200)],
])('a stroke that %s after the line broke cuts no further, and is told of once', (_, act) => {
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
  expect(done).toEqual([...drawn, WORD]);
});
