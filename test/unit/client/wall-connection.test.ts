import type { Socket } from 'socket.io-client';
import { WallConnection } from '../../../client/room/connection.ts';
import { ENGLISH, refusedText } from '../../../client/wall/text.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeSocket } from '../../support/fake-socket.ts';
import { WELCOME } from '../../support/welcome.ts';

function open() {
  const line = new FakeSocket();
  const clock = new FakeClock();
  const renew = (): void => undefined;
  const connection = new WallConnection(
    { room: 'gardn', as: 'wall', pass: '', build: '', renew },
    {
      dial: () => line as unknown as Socket,
      random: () => 0,
      after: (ms, call) => clock.after(ms, call),
    },
  );
  line.connected = true;
  return { line, clock, connection };
}

test.each([
  ['no-such-room', 'There is no room with that name.'],
  ['too-many-walls', 'This room has no place for another wall.'],
] as const)(
  'a wall that is refused (%s) says why, also when the server has hung up, until it is let in',
  async (reason, text) => {
    const { line, clock, connection } = open();
    const said = () => refusedText(ENGLISH.say, connection.refusal);
    expect(said()).toBe('');
    line.refuse(reason);
    expect(said()).toBe(text);
    await clock.advance(3_000);
    expect(line.joins).toBe(1);
    line.refuse('join-timeout', true);
    expect(said()).toBe(text);
    await clock.advance(3_000);
    expect(line.dialled).toBe(1);
    line.refuse('room-closed');
    expect(said()).toBe('');
    line.refuse(reason);
    const { room, checkpoint, organisms, participants, engine } = WELCOME;
    const wall = { room, checkpoint, organisms, participants, engine, origin: '', build: '' };
    line.say('wall', { ...wall, protocol: 1 });
    expect(connection.refusal).toBeUndefined();
  },
);
