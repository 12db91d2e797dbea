/** Calls of the host on one server for a room that another one runs. */

import type { Handlers } from '../../../server/host/api.ts';
import { RemoteCalls } from '../../../server/host/remote-calls.ts';
import { pause } from '../../../server/platform/clock.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { HostRefusal } from '../../../shared/host/reasons.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LocalBus } from '../../support/local-bus.ts';

const PARTS = { room: 'garden' };

async function open() {
  const clock = new FakeClock();
  const bus = new LocalBus();
  const done: unknown[] = [];
  const node = (name: string, owns: boolean) =>
    RemoteCalls.open({
      ...{ bus, clock, name },
      serverFor: ({ server }) => {
        if (server === 'gone') throw new HostRefusal('no-such-server');
        return server;
      },
      isHere: (room) => owns && room === PARTS.room,
      isElsewhere: (room) => !owns && room === PARTS.room,
      ledElsewhere: () => (owns ? undefined : PARTS.room),
      handlers: {
        changeSettings: (body: unknown, parts: unknown) => {
          done.push([name, body, parts]);
          return { names: 'all' };
        },
        createRoom: (body: unknown, parts: unknown) => {
          done.push([name, body, parts]);
          return { name: 'new' };
        },
        drain: (_: unknown, parts: unknown) => {
          done.push([name, 'drain', parts]);
          return {};
        },
        removeRoom: async () => {
          await pause(clock, 5 * DEFAULTS.cluster.hostCalls.patience);
          return { name: 'removed' };
        },
        openRoom: () => {
          throw new HostRefusal('room-busy', 'opening');
        },
      } as unknown as Handlers,
    });
  return { clock, done, node };
}

test('a call is done once, where the room runs, and answered as there', async () => {
  const { done, node } = await open();
  await node('owner', true);
  const { handlers } = await node('gateway', false);
  await node('other', false);
  const answer = await handlers.changeSettings({ cooldown: 3 }, PARTS);
  expect(answer).toEqual({ names: 'all' });
  expect(done).toEqual([['owner', { cooldown: 3 }, PARTS]]);
  await expect(async () => handlers.openRoom({}, PARTS)).rejects.toMatchObject({
    reason: 'room-busy',
    detail: 'opening',
  });
});

test('a call that nobody does is refused, and a body of the wrong form too', async () => {
  const { clock, done, node } = await open();
  const { handlers } = await node('gateway', false);
  const refused = expect(handlers.changeSettings({}, PARTS)).rejects.toMatchObject({
    reason: 'elsewhere',
  });
  await clock.advance(DEFAULTS.cluster.hostCalls.patience);
  await refused;
  await node('owner', true);
  await expect(handlers.changeSettings({ cooldown: 'x' } as never, PARTS)).rejects.toMatchObject({
    reason: 'bad-call',
  });
  expect(done).toEqual([]);
});

test('a room is created by a server that runs rooms, wherever the host asks for it', async () => {
  const { done, node } = await open();
  const owner = await node('owner', true);
  const { handlers } = await node('gateway', false);
  const request = { name: 'new', width: 256, height: 256, checkpoint: 'garden' };
  expect(await handlers.createRoom(request as never, {} as never)).toEqual({ name: 'new' });
  await owner.handlers.createRoom(request as never, {} as never);
  expect(done).toEqual([
    ['owner', request, {}],
    ['owner', request, {}],
  ]);
  await expect(async () => handlers.openRoom({}, { room: 'new' })).rejects.toMatchObject({
    reason: 'room-busy',
  });
});

test('a call for a server is done there, whatever runs where', async () => {
  const { clock, done, node } = await open();
  const owner = await node('owner', true);
  const gateway = await node('gateway', false);
  await owner.handlers.drain({}, { server: 'gateway' });
  await gateway.handlers.drain({}, { server: 'owner' });
  await gateway.handlers.drain({}, { server: 'gateway' });
  expect(done.map((one) => (one as string[])[0])).toEqual(['gateway', 'owner', 'gateway']);
  await expect(async () => gateway.handlers.drain({}, { server: 'gone' })).rejects.toMatchObject({
    reason: 'no-such-server',
  });
  // It has ended meanwhile.
  const refused = expect(gateway.handlers.drain({}, { server: 'late' })).rejects.toMatchObject({
    reason: 'no-such-server',
  });
  await clock.advance(DEFAULTS.cluster.hostCalls.patience);
  await refused;
});

test('a call that takes long is waited for while its server is at work', async () => {
  const { clock, node } = await open();
  const owner = await node('owner', true);
  const { handlers } = await node('gateway', false);
  const { patience, beat } = DEFAULTS.cluster.hostCalls;
  const asked = handlers.removeRoom({ confirm: 'garden' }, PARTS);
  for (let time = 0; time <= 5 * patience; time += beat) await clock.advance(beat);
  expect(await asked).toEqual({ name: 'removed' });
  const cut = expect(handlers.removeRoom({ confirm: 'garden' }, PARTS)).rejects.toMatchObject({
    reason: 'elsewhere',
  });
  await clock.advance(beat);
  // It ends meanwhile.
  owner.close();
  for (let time = 0; time <= patience; time += beat) await clock.advance(beat);
  await cut;
});
