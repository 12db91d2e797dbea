/** OSC that comes to one server of a cluster, for rooms that others run. */

import { encodeMessage } from '../../../server/cluster/bus/bus.ts';
import { openOsc } from '../../../server/osc/open-osc.ts';
import { int } from '../../../server/osc/osc-codec.ts';
import {
  DEFAULT_LIMITS,
  RejectionCounts,
} from '../../../server/realtime/limits/connection-limits.ts';
import { afterTest } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LocalBus } from '../../support/local-bus.ts';
import { OscReceiver } from '../../support/receivers.ts';

const names = ['hall', 'yard'];

test('it reaches a room wherever it runs, once; no server knows a room that there is not', async () => {
  const [clock, bus] = [new FakeClock(), new LocalBus()];
  const paused: string[] = [];
  const open = async (own: string) => {
    const rejections = new RejectionCounts();
    const osc = await openOsc({
      ...{ out: undefined, in: { host: '127.0.0.1', port: 0 }, bus, clock, rejections },
      ...{ hooks: {} as never, limits: DEFAULT_LIMITS as never, log: {} as never },
      rooms: {
        ...{ names, roomServers: new Map([[own, {} as never]]) },
        isElsewhere: (room) => room !== own && names.includes(room),
      },
      pause: (room) => void paused.push(`${room} at the server of ${own}`),
    });
    afterTest(() => osc.close());
    return { port: osc.port!, rejections };
  };
  const [hall, yard] = [await open('hall'), await open('yard')];
  const box = await OscReceiver.open();
  afterTest(() => box.close());
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((go) => setTimeout(go, 1));
  };
  for (const [room, all] of [
    ['yard', 1],
    ['hall', 2],
    ['*', 4],
  ] as const) {
    box.send(hall.port, `/vivarium/${room}/pause`, int(1));
    await until(() => paused.length >= all);
  }
  box.send(hall.port, '/vivarium/attic/pause', int(1));
  await until(() => hall.rejections.totals()['no-such-room'] > 0);
  // What is no datagram to this release is ignored.
  const datagram = Uint8Array.of(1, 2, 3);
  bus.publish('osc', encodeMessage({ node: 'other', datagram }));
  await new Promise(setImmediate);
  const [inHall, inYard] = ['hall at the server of hall', 'yard at the server of yard'];
  expect(paused.sort()).toEqual([inHall, inHall, inYard, inYard]);
  expect(yard.rejections.totals()['no-such-room']).toBe(0);
});
