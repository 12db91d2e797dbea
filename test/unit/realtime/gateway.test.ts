import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConnectionAdmission } from '../../../server/realtime/admission/connection-admission.ts';
import { RejectionCounts } from '../../../server/realtime/admission/rejection-counts.ts';
import { openGateway } from '../../../server/realtime/gateway.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/version.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Visitor } from '../../support/visitor.ts';

const { every } = DEFAULTS.cluster.moving;

test('pages whose join was refused for good hold nobody up when a server ends', async () => {
  const clock = new FakeClock();
  const rejections = new RejectionCounts();
  const limits = DEFAULTS.limits as never;
  const present = new Set<string>();
  const http = createServer();
  const gateway = openGateway(http, {
    ...{ clock, limits, rejections, trustProxy: 0, names: () => undefined },
    admission: new ConnectionAdmission({ limits, origins: [], trustProxy: 0, clock, rejections }),
    rooms: {
      open: (room, client) => {
        if (room === 'closed') throw new Refusal('room-closed');
        return {
          isOpen: true,
          join: () => {
            present.add(room);
            client.entered();
            client.send('accepted', { id: 0 });
          },
          handle: () => {},
          leave: () => present.delete(room),
        };
      },
      acceptsPass: () => false,
    },
  });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const { port } = http.address() as AddressInfo;
  const enter = (room: string) =>
    new Visitor(port, {}, { join: { protocol: PROTOCOL_VERSION, room } });
  try {
    for (let i = 0; i < 3; i++) expect(await enter('closed').refusal()).toBe('room-closed');
    const page = enter('open');
    await page.next(({ name }) => name === 'accepted');
    let isOver = false;
    const moved = gateway.moveAway(4 * every).then(() => {
      isOver = true;
    });
    // Nobody else is there, so it goes at once.
    expect(present).toEqual(new Set());
    expect(await page.refusal()).toBe('shutting-down');
    await clock.advance(every);
    expect(isOver).toBe(true);
    await moved;
  } finally {
    await gateway.close();
  }
});
