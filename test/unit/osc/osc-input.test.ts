import { encodeMessage, int } from '../../../server/osc/osc-codec.ts';
import { OscInput } from '../../../server/osc/osc-input.ts';
import {
  DEFAULT_LIMITS,
  RejectionCounts,
} from '../../../server/realtime/limits/connection-limits.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function open(allowed?: readonly string[]) {
  const rejections = new RejectionCounts();
  const paused: string[] = [];
  const input = new OscInput({
    ...{ allowed, rejections, clock: new FakeClock(), limits: DEFAULT_LIMITS },
    rooms: {
      roomServers: new Map(['hall', 'yard'].map((room) => [room, {} as never])),
      ...{ names: ['hall', 'yard'], isElsewhere: () => false },
    },
    // It is never done.
    pause: (room) => {
      paused.push(room);
      return new Promise(() => {});
    },
  });
  const send = (from: string): void =>
    void input.receive(encodeMessage({ address: '/vivarium/*/pause', args: [int(1)] }), from);
  return { rejections, paused, send };
}

test('what is for all rooms reaches each, also while one does not answer', () => {
  const { paused, send } = open();
  send('127.0.0.1');
  expect(paused).toEqual(['hall', 'yard']);
});

test.each([
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
  ['192.0.2.7', '::ffff:192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['fe80::1', 'fe80::1%eth0'],
])('%s allows the sender %s, and no other', (allowed, sender) => {
  const { rejections, paused, send } = open(['192.0.2.9', allowed]);
  for (const other of ['192.0.2.8', '2001:db8::2', '::ffff:192.0.2.8']) send(other);
  expect([rejections.totals()['wrong-sender'], paused]).toEqual([3, []]);
  send(sender);
  expect(paused).toHaveLength(2);
});
