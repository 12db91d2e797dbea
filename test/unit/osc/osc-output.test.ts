import { decodeOsc, int } from '../../../server/osc/osc-codec.ts';
import { OscOutput, OUTPUT } from '../../../server/osc/osc-output.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const { messagesPerSecond, datagramBytes } = OUTPUT;

test('a flood is limited to the rate, and the number of dropped messages is sent', async () => {
  const clock = new FakeClock();
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), clock);
  const tick = (): void => out.onTick({ room: 'garden' } as never);
  const flood = 10_000;
  for (let id = 1; id <= flood; id++) {
    out.onLife({ room: 'garden', tick: 1, event: { what: 'grown', id } });
  }
  tick();
  const heard = () => sent.flatMap(decodeOsc);
  expect(heard().length).toBe(2 * messagesPerSecond);
  for (const bytes of sent) expect(bytes.length).toBeLessThanOrEqual(datagramBytes);
  // Full datagrams: not one for each message.
  expect(sent.length).toBeLessThan(heard().length / 20);
  await clock.advance(100);
  tick();
  expect(heard().at(-1)).toEqual({
    address: '/vivarium/garden/dropped',
    args: [int(flood - 2 * messagesPerSecond)],
  });
});

test('while no room ticks, the queue does not grow without end', async () => {
  const clock = new FakeClock();
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), clock);
  const refusals = 10 * messagesPerSecond;
  for (let i = 0; i < refusals; i++) {
    out.refused('garden', 'plant', 'no-such-room');
    await clock.advance(1_000 / messagesPerSecond);
  }
  out.onTick({ room: 'garden' } as never);
  const heard = sent.flatMap(decodeOsc);
  expect(heard).toHaveLength(2 * messagesPerSecond + 1);
  expect(heard.at(-1)!.args).toEqual([int(refusals - 2 * messagesPerSecond)]);
});

test('falling asleep and waking up are not sent', () => {
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), new FakeClock());
  for (const what of ['asleep', 'awake'] as const) {
    out.onLife({ room: 'garden', tick: 1, event: { what, id: 1 } });
  }
  out.onTick({ room: 'garden' } as never);
  expect(sent).toEqual([]);
});
