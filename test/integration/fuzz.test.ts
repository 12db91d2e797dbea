/**
 * Seeded random messages against a whole server: 8,000 here, a million when VIVARIUM_TEST_FULL is
 * set.
 */
import { createRandom } from '../../shared/random.ts';
import { copyPlanes, equalPlanes } from '../support/compare.ts';
import { isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { UNLIMITED } from '../support/server.ts';
import { malformed } from '../support/strangers.ts';
import { suiteServer } from '../support/suite.ts';

const MESSAGES = isFull ? 1_000_000 : 8_000;
const BATCH = 500;

const { server, room, join } = await suiteServer({
  ...{ ...SMALL, size: '128x96', 'tick-rate': 60, limits: UNLIMITED },
});

test(`${MESSAGES} random messages: each is refused, the room is unchanged, a neighbour is answered`, async () => {
  const random = createRandom(31);
  const [visitor, neighbour] = [await join(), await join()];
  const organisms = JSON.stringify(room.organisms);
  const planes = copyPlanes(room.grid.planes);
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
    neighbour.heard.length = 0;
  }
  expect(refused).toBe(MESSAGES);
  expect([...reasons.keys()].sort()).toEqual(['bad-message', 'unknown-message']);
  expect(JSON.stringify(room.organisms)).toBe(organisms);
  expect(equalPlanes(room.grid.planes, planes)).toBe(true);
  expect(server.rejectionCounts.totals()).toMatchObject(Object.fromEntries(reasons));
  const tick = neighbour.tick!;
  await neighbour.until(() => neighbour.tick! > tick);
  const answer = await neighbour.ask('cross', { a: 4_000, b: 4_001, mix: 0.5 });
  expect(answer).toMatchObject({ reason: 'no-such-organism' });
}, 1_800_000);
