/** Calls of the host on one server for a room that another one runs. */

import { RemoteCalls } from '../../../server/host/remote-calls.ts';
import { pause } from '../../../server/platform/clock.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { CallName } from '../../../shared/host/api.ts';
import { HostRefusal } from '../../../shared/host/reasons.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LocalBus } from '../../support/local-bus.ts';

const PARTS = { room: 'garden' };
const ANSWERS: Partial<Record<CallName, object>> = {
  changeSettings: { names: 'all' },
  createRoom: { name: 'new' },
};

async function open() {
  const clock = new FakeClock();
  const bus = new LocalBus();
  const done: unknown[] = [];
  const node = (name: string, owns: boolean) =>
    RemoteCalls.open({
      ...{ bus, clock, films: { states: [] } },
      cluster: {
        name,
        knows: (server: string) => server !== 'gone',
        filmsElsewhere: new Map(),
        roomServers: new Map(owns ? [[PARTS.room, {}]] : []),
        isElsewhere: (room: string) => !owns && room === PARTS.room,
        ownedElsewhere: () => (owns ? undefined : PARTS.room),
      } as never,
      handle: async (call, body, parts) => {
        if (call === 'openRoom') throw new HostRefusal('room-busy', 'opening');
        if (call === 'removeRoom') {
          await pause(clock, 5 * DEFAULTS.cluster.hostCalls.patience);
          return { name: 'removed' };
        }
        done.push([name, body, parts]);
        return ANSWERS[call];
      },
    });
  return { clock, done, node };
}

test('a call is done once, where the room runs, and answered as there', async () => {
  const { done, node } = await open();
  await node('owner', true);
  const gateway = await node('gateway', false);
  await node('other', false);
  const answer = await gateway.call('changeSettings', { cooldown: 3 }, PARTS);
  expect(answer).toEqual({ names: 'all' });
  expect(done).toEqual([['owner', { cooldown: 3 }, PARTS]]);
  await expect(async () => gateway.call('openRoom', {}, PARTS)).rejects.toMatchObject({
    reason: 'room-busy',
    detail: 'opening',
  });
});

test('a call that nobody does is refused, and a body of the wrong form too', async () => {
  const { clock, done, node } = await open();
  const gateway = await node('gateway', false);
  const refused = expect(gateway.call('changeSettings', {}, PARTS)).rejects.toMatchObject({
    reason: 'elsewhere',
  });
  await clock.advance(DEFAULTS.cluster.hostCalls.patience);
  await refused;
  await node('owner', true);
  await expect(gateway.call('changeSettings', { cooldown: 'x' }, PARTS)).rejects.toMatchObject({
    reason: 'bad-call',
  });
  expect(done).toEqual([]);
});

test('a room is created by a server that runs rooms, wherever the host asks for it', async () => {
  const { done, node } = await open();
  const owner = await node('owner', true);
  const gateway = await node('gateway', false);
  const request = { name: 'new', width: 256, height: 256, checkpoint: 'garden' };
  expect(await gateway.call('createRoom', request, {})).toEqual({ name: 'new' });
  await owner.call('createRoom', request, {});
  expect(done).toEqual([
    ['owner', request, {}],
    ['owner', request, {}],
  ]);
  await expect(async () => gateway.call('openRoom', {}, { room: 'new' })).rejects.toMatchObject({
    reason: 'room-busy',
  });
});

test('a call for a server is done there, whatever runs where', async () => {
  const { clock, done, node } = await open();
  const owner = await node('owner', true);
  const gateway = await node('gateway', false);
  await owner.call('drain', {}, { server: 'gateway' });
  await gateway.call('drain', {}, { server: 'owner' });
  await gateway.call('drain', {}, { server: 'gateway' });
  expect(done.map((one) => (one as string[])[0])).toEqual(['gateway', 'owner', 'gateway']);
  await expect(async () => gateway.call('drain', {}, { server: 'gone' })).rejects.toMatchObject({
    reason: 'no-such-server',
  });
  // It has ended meanwhile.
  const refused = expect(gateway.call('drain', {}, { server: 'late' })).rejects.toMatchObject({
    reason: 'no-such-server',
  });
  await clock.advance(DEFAULTS.cluster.hostCalls.patience);
  await refused;
});

test('a call that takes long is waited for while its server is at work', async () => {
  const { clock, node } = await open();
  const owner = await node('owner', true);
  const gateway = await node('gateway', false);
  const { patience, beat } = DEFAULTS.cluster.hostCalls;
  const asked = gateway.call('removeRoom', { confirm: 'garden' }, PARTS);
  for (let time = 0; time <= 5 * patience; time += beat) await clock.advance(beat);
  expect(await asked).toEqual({ name: 'removed' });
  const cut = expect(
    gateway.call('removeRoom', { confirm: 'garden' }, PARTS),
  ).rejects.toMatchObject({
    reason: 'elsewhere',
  });
  await clock.advance(beat);
  // It ends meanwhile.
  owner.close();
  for (let time = 0; time <= patience; time += beat) await clock.advance(beat);
  await cut;
});
