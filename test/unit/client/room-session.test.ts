/** What a visitor is told of refusals. */

import { RoomSession } from '../../../client/visitor/room-session.ts';
import { offlineText, reasonText } from '../../../client/visitor/text.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import { organismView, WELCOME } from '../../support/fake-server.ts';

/** A visit whose connection is never opened, and what its page shows. */
function open() {
  Object.assign(globalThis, {
    window: Object.assign(new EventTarget(), { history: { state: null } }),
    document: { documentElement: { dataset: {} } },
    matchMedia: () => ({ matches: false, addEventListener: () => undefined }),
    location: { pathname: '/r/garden', search: '', hostname: 'example.org', protocol: 'https:' },
  });
  const told: string[] = [];
  const refused: string[] = [];
  const page = {
    requestUpdate: () => undefined,
    tell: (text: string) => told.push(text),
    refuse: (text: string) => refused.push(text),
  };
  const session = new RoomSession(page as never);
  const { model, requests, state } = session;
  const reject = (reason: Reason, id?: number) =>
    model.receive('rejected', id === undefined ? { reason } : { reason, id });
  return { session, model, requests, state, told, refused, reject };
}

test('who is in a room that moves to another server is told nothing, but that a server ends', () => {
  const { model, told, refused, reject } = open();
  model.setConnection('live');
  reject('elsewhere');
  reject('not-joined');
  expect(told).toEqual([]);
  reject('shutting-down');
  expect(told).toEqual([reasonText('shutting-down')]);
  // A command did not get through meanwhile: nobody has forbidden it.
  reject('elsewhere', 7);
  expect(told[1]).not.toBe(reasonText('not-here'));
  expect(refused).toEqual([]);
});

test('who comes is told why they are not let in, but not what passes by itself', () => {
  const { told, refused, reject } = open();
  for (const reason of ['elsewhere', 'shutting-down', 'not-joined'] as const) reject(reason);
  expect(refused).toEqual([]);
  reject('sent-away');
  expect(refused).toEqual([reasonText('sent-away')]);
  expect(told).toEqual([]);
});

test('who loses the line with something unanswered is told; back in the room, that is sent again, but not after another welcome', () => {
  const { model, requests, told } = open();
  const resumed: number[] = [];
  const resume = requests.resume.bind(requests);
  requests.resume = (you) => {
    resumed.push(you);
    resume(you);
  };
  Object.assign(globalThis, { location: { ...location, reload: () => undefined } });
  model.receive('welcome', WELCOME);
  model.setConnection('live');
  model.setConnection('reconnecting');
  model.receive('welcome', WELCOME);
  model.setConnection('live');
  expect(told).toEqual([]);
  const answered: string[] = [];
  requests.ask('beacon', { organism: 1 }, { rejected: (reason) => answered.push(reason) });
  model.receive('welcome', WELCOME);
  expect(answered).toEqual([]);
  model.setConnection('reconnecting');
  expect(told).toEqual([offlineText()]);
  model.receive('welcome', WELCOME);
  expect(answered).toEqual(['elsewhere']);
  const { id } = WELCOME.you;
  expect(resumed).toEqual([id, id, id]);
});

test('TRF-1: a creature is transformed from where it was touched, or else from its middle', () => {
  const { session, model, requests, state } = open();
  model.receive('welcome', WELCOME);
  model.setConnection('live');
  const sent: unknown[] = [];
  Object.assign(requests, { ask: (_: string, command: object) => sent.push(command) });
  const seed = state.state.held;
  for (const at of [{ x: 3.5, y: 4 }, undefined]) {
    state.select(7, at);
    session.transform(organismView(7));
  }
  expect(sent).toEqual([
    { organism: 7, seed, at: { x: 3.5, y: 4 } },
    { organism: 7, seed },
  ]);
});

test('TRF-1: an organism is what its visitor has planted or transformed it with, until somebody else does', () => {
  const { session, model, requests, state } = open();
  const one = organismView(7, { x: 40, y: 90, kind: 'One of a kind' });
  model.receive('welcome', WELCOME);
  model.setConnection('live');
  Object.assign(requests, {
    ask: (_: string, __: object, { accepted }: { accepted(): void }) => accepted(),
  });
  const [spot, other] = [0.4, 0.5].map((x) => ({ from: 'map', x, y: 0.6 }) as const);
  const isHeld = () =>
    [spot, other].map((seed) => {
      state.hold(seed);
      return session.isHeld(one);
    });
  session.sown(one, spot);
  expect(isHeld()).toEqual([true, false]);
  session.transform(one);
  expect(isHeld()).toEqual([false, true]);
  const event = { what: 'transformed', id: 7, by: 1 };
  Reflect.get(model, 'listeners').emit('life', { event, organism: one });
  expect(isHeld()).toEqual([false, false]);
});

test('the answer to a cross that comes twice puts one seed into the hand', () => {
  const { model, requests, told, state } = open();
  model.receive('welcome', WELCOME);
  model.setConnection('live');
  const seed = { id: 4, origin: 'cross', parents: [1, 2] };
  const accepted = (): unknown => state.hold({ from: 'hand', seed: 4 });
  requests.ask('cross', { a: 1, b: 2, mix: 0.5 }, { accepted });
  model.setConnection('reconnecting');
  model.receive('welcome', { ...WELCOME, hand: [seed] });
  for (let i = 0; i < 2; i++) model.receive('accepted', { id: 1, seed });
  expect(model.seeds).toEqual([seed]);
  expect(state.state.held).toEqual({ from: 'hand', seed: 4 });
  expect(told).toEqual([offlineText()]);
});
