import { openSender } from '../../../server/osc/open-osc.ts';
import { encodeMessage } from '../../../server/osc/osc-codec.ts';
import { silentLog } from '../../../server/platform/log.ts';
import { afterTest } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { OscReceiver } from '../../support/receivers.ts';

const LOOK_UP_INTERVAL = 15_000;

test('a host that is unknown at first is found later, and followed to another address', async () => {
  const box = await OscReceiver.open();
  afterTest(() => box.close());
  const clock = new FakeClock();
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (event: string) => void warnings.push(event) };
  let address: string | undefined;
  const find = async () => {
    if (address === undefined) throw new Error('unknown');
    return { address, family: 4 };
  };
  const sender = openSender({ host: 'lights.local', port: box.port }, clock, log, find);
  const say = (word: string): void => sender.send(encodeMessage({ address: word, args: [] }));
  await clock.advance(3 * LOOK_UP_INTERVAL);
  say('/lost');
  expect(warnings).toEqual(['osc-not-sent']);

  address = '192.0.2.1';
  await clock.advance(LOOK_UP_INTERVAL);
  address = '127.0.0.1';
  await clock.advance(LOOK_UP_INTERVAL);
  say('/first');
  await box.next('/first');

  // Names are unknown again; the address is still the right one.
  address = undefined;
  await clock.advance(3 * LOOK_UP_INTERVAL);
  say('/second');
  await box.next('/second');
  expect(box.heard.map((message) => message.address)).toEqual(['/first', '/second']);
  expect(warnings).toHaveLength(1);
  await sender.close();
  expect(clock.waiting).toBe(0);
});

test('an address is not looked up again', async () => {
  const clock = new FakeClock();
  const sender = openSender({ host: '::1', port: 9 }, clock, silentLog);
  await clock.advance(LOOK_UP_INTERVAL);
  expect(clock.waiting).toBe(0);
  await sender.close();
});
