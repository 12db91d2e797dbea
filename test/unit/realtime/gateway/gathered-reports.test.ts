/** What pages of other servers say many times a second, and what the room's owner hears of it. */

import { roomChannel } from '../../../../server/realtime/gateway/messages.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { unpackPointer } from '../../../../shared/protocol/pointers.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { LocalBus } from '../../../support/local-bus.ts';
import { arrived, Gateway, Owner, pass } from '../../../support/remote-rooms.ts';

test('where visitors point goes to the room together, and only the latest place of each', async () => {
  const clock = new FakeClock();
  const bus = new LocalBus();
  const owner = await Owner.start(bus, { clock });
  const gateway = new Gateway(bus, clock, 'a');
  await arrived(clock);
  const [anna, bert] = [gateway.join('Anna'), gateway.join('Bert')];
  const wall = await gateway.enter('', { as: 'wall' });
  let messages = 0;
  await bus.subscribe(roomChannel('test'), () => {
    messages++;
  });
  for (const x of [1, 2, 3.3]) {
    anna.say('cursor', { x, y: 4, tool: 'plant' });
    await bert.says('cursor', x < 3 ? { x: 9, y: 9, tool: 'damage' } : { tool: 'look' });
  }
  expect(messages).toBe(1);
  await pass(clock, DEFAULTS.net.cursorInterval);
  expect(messages).toBe(2);
  await owner.tick();
  expect(wall.all('cursors').map((told) => told.map(unpackPointer))).toEqual([
    [
      { id: anna.welcome!.you.id, x: 3.25, y: 4, tool: 'plant' },
      { id: bert.welcome!.you.id, tool: 'look' },
    ],
  ]);
});
