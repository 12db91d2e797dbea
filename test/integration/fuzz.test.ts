/**
 * Seeded random messages against a whole server: 8,000 here, a million when VIVARIUM_TEST_FULL is
 * set.
 */

import { pack } from 'msgpackr';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { createRandom } from '../../shared/random.ts';
import { isFull } from '../support/full.ts';
import { malformed } from '../support/malformed.ts';
import { SMALL } from '../support/organisms.ts';
import { copyPlanes, equalPlanes } from '../support/planes.ts';
import { closed, greetedSocket } from '../support/raw-socket.ts';
import { startServer, UNLIMITED } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const MESSAGES = isFull ? 1_000_000 : 8_000;
const PACKETS = isFull ? 20_000 : 400;
const BATCH = 500;

let server: VivariumServer;
let watcher: Visitor;

const settings = { size: '128x96', 'tick-rate': 60, ...SMALL };
const room = () => server.world.rooms.get('garden')!;

/** The server is alive: one who did nothing wrong goes on getting frames, and answers. */
async function expectAlive(): Promise<void> {
  const tick = watcher.tick!;
  await watcher.until(() => watcher.tick! > tick);
  expect(await watcher.ask('cross', { a: 4_000, b: 4_001, mix: 0.5 })).toMatchObject({
    reason: 'no-such-organism',
  });
  watcher.heard.length = 0;
}

afterEach(async () => {
  watcher.leave();
  await server.close();
});

describe('without limits', () => {
  beforeEach(async () => {
    server = await startServer({ ...settings, limits: UNLIMITED });
    watcher = await Visitor.join(server.port);
  });

  test(`${MESSAGES} random messages: each is refused, the room is unchanged, the server goes on`, async () => {
    const random = createRandom(31);
    const visitor = await Visitor.join(server.port);
    const organisms = JSON.stringify(room().organisms);
    const planes = copyPlanes(room().grid.planes);
    const reasons = new Map<string, number>();
    let refused = 0;
    visitor.socket.prependAny((name: string, { reason }: { reason: string }) => {
      if (name !== 'rejected') return;
      refused++;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    });
    for (let sent = 0; sent < MESSAGES; sent += BATCH) {
      for (let i = 0; i < BATCH; i++) visitor.say(...malformed(random));
      await visitor.until(() => refused >= sent + BATCH || !visitor.socket.connected);
      expect(visitor.socket.connected).toBe(true);
      visitor.heard.length = 0;
    }
    expect(refused).toBe(MESSAGES);
    expect([...reasons.keys()].sort()).toEqual(['bad-message', 'unknown-message']);
    expect(JSON.stringify(room().organisms)).toBe(organisms);
    expect(equalPlanes(room().grid.planes, planes)).toBe(true);
    const counted = server.rejectionCounts.totals();
    for (const [reason, count] of reasons) {
      expect(counted[reason as keyof typeof counted]).toBe(count);
    }
    visitor.leave();
    await expectAlive();
  }, 1_800_000);

  test(`${PACKETS} packets with random bytes changed: what cannot be read closes its own connection`, async () => {
    const random = createRandom(33);
    let ended = 0;
    let left = PACKETS;
    while (left > 0) {
      const socket = await greetedSocket(server.port);
      const gone = closed(socket);
      for (let i = 0; i < 20 && left > 0; i++, left--) {
        const bytes = pack({ type: 2, nsp: '/', data: malformed(random) });
        const changes = 1 + random.integer(4);
        for (let k = 0; k < changes; k++) bytes[random.integer(bytes.length)] = random.integer(256);
        socket.send(bytes);
      }
      socket.close();
      await gone;
      ended++;
    }
    // Most changed packets are none any more; some still are, and are refused by name.
    const { malformed: broken, 'unknown-message': unknown } = server.rejectionCounts.totals();
    expect(broken).toBeGreaterThan(ended / 2);
    expect(unknown).toBeGreaterThan(0);
    await expectAlive();
  }, 1_800_000);
});
