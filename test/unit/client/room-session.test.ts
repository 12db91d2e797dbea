/** What a visitor is told of refusals. */
import { reasonText } from '../../../client/visitor/refusal-text.ts';
import { RoomSession } from '../../../client/visitor/room-session.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';

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
    refresh: () => undefined,
    tell: (text: string) => told.push(text),
    refuse: (text: string) => refused.push(text),
  };
  const { model } = new RoomSession(page as never);
  const reject = (reason: Reason, id?: number) =>
    model.receive('rejected', id === undefined ? { reason } : { reason, id });
  return { model, told, refused, reject };
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
