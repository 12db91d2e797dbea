/** A connection that turns out to be lost while its welcome message is sent. */
import { LocalSession } from '../../server/realtime/commands/client-messages.ts';
import type { RoomClient } from '../../server/realtime/sessions/room-client.ts';
import { SMALL } from '../support/organisms.ts';
import { suiteServer } from '../support/suite.ts';

const { server } = await suiteServer({ ...SMALL, size: '96x96' });
const roomServer = server.roomServers.get('garden')!;

/** @param hears called with the name of each event that is sent to the client */
function sessionOf(hears: (event: string, session: LocalSession) => void): LocalSession {
  const session: LocalSession = new LocalSession(() => roomServer, {
    ...{ address: '192.0.2.1', writable: true, sendFrame: () => {}, entered: () => {} },
    send: (event: string) => hears(event, session),
  } as unknown as RoomClient);
  return session;
}

const sizes = () => {
  const { seats, spectators, broadcaster } = roomServer;
  return [seats.size, spectators.size, broadcaster.size];
};

test.each([
  ['participant', {}],
  ['spectator', { as: 'spectator' }],
] as const)('a %s who is lost then keeps no place', (_, how) => {
  const before = sizes();
  const session = sessionOf((_event, own) => own.leave());
  session.join({ ...how, name: 'Ada' });
  expect(sizes()).toEqual(before);
  expect(session.isOpen).toBe(false);
});

test('nor does one who is lost when a seat becomes free', () => {
  const before = sizes();
  const { capacity } = roomServer.seats;
  roomServer.admission.setCapacity(1);
  const first = sessionOf(() => {});
  first.join({ name: 'Ada' });
  const second = sessionOf((event, own) => event === 'welcome' && own.leave());
  second.join({ name: 'Bert' });
  expect(second.isOpen).toBe(true);
  first.leave();
  expect(sizes()).toEqual(before);
  roomServer.admission.setCapacity(capacity);
});
