/**
 * Seeded random messages against a whole server: 8,000 here, a million when VIVARIUM_TEST_FULL is
 * set.
 */

import { pack } from 'msgpackr';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import { copyPlanes, equalPlanes } from '../support/compare.ts';
import { isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { startServer, UNLIMITED } from '../support/server.ts';
import { closed, greetedSocket, malformed } from '../support/strangers.ts';
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

/** What a page of ours may send, at random places. */
function wellFormed(random: Random): [string, unknown] {
  const id = random.integer(1_000);
  const [x, y] = [random.integer(140) - 5, random.integer(100)];
  const messages: [string, unknown][] = [
    ['plant', { id, x, y, seed: { from: 'prior' } }],
    ['plant', { id, x, y, seed: { from: 'gallery', index: random.integer(600) } }],
    ['damage', { id, radius: 0.5 + random.uniform() * 11, points: [x, y, y, x] }],
    ['cross', { id, a: 1 + random.integer(9), b: 1 + random.integer(9), mix: random.uniform() }],
    ['cursor', { x, y, tool: 'damage' }],
    ['received', { tick: random.integer(10_000) }],
    ['resync', {}],
  ];
  return messages[random.integer(messages.length)];
}

describe('with the default limits', () => {
  test('valid and invalid messages at full speed: abusers are disconnected and reconnect, a neighbour never notices', async () => {
    server = await startServer({ ...settings, 'max-organisms': 4 });
    watcher = await Visitor.join(server.port);
    const random = createRandom(34);
    let cut = 0;
    for (let left = isFull ? 200_000 : 6_000; left > 0; ) {
      const visitor = await Visitor.join(server.port);
      let gone = false;
      visitor.socket.on('disconnect', () => {
        gone = true;
      });
      while (!gone && left > 0) {
        for (let i = 0; i < 50; i++, left--) {
          visitor.say(...(random.uniform() < 0.7 ? wellFormed(random) : malformed(random)));
        }
        await new Promise(setImmediate);
      }
      if (gone) cut++;
      visitor.leave();
    }
    expect(cut).toBeGreaterThan(0);
    const totals = server.rejectionCounts.totals();
    expect(totals.abuse).toBeGreaterThanOrEqual(cut);
    for (const reason of ['bad-message', 'unknown-message', 'too-fast'] as const) {
      expect(totals[reason]).toBeGreaterThan(0);
    }
    // None was alone on the address: the watcher is there too.
    expect(totals.banned).toBe(0);
    await expectAlive();
    await watcher.sees(room().grid.planes);
  }, 1_800_000);
});
