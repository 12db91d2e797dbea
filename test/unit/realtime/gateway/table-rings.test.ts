/** A touch table at one server, whose room another server runs. */
import { GATEWAY_TIMES } from '../../../../server/realtime/gateway/messages.ts';
import { RemoteSession } from '../../../../server/realtime/gateway/remote-room.ts';
import { Allowance, DEFAULT_LIMITS } from '../../../../server/realtime/limits/connection-limits.ts';
import { TableRings } from '../../../../server/realtime/sessions/table-rings.ts';
import type { Event } from '../../../../shared/protocol/events.ts';
import { arrived, Owner, pass, TABLE } from '../../../support/remote-rooms.ts';
import { startLinked } from './linked-rooms.ts';

const seed = { from: 'gallery', index: 0 } as const;

async function setUp() {
  const linked = await startLinked();
  const { a, clock } = linked;
  const table = await a.enter('', { ...TABLE, session: 7 });
  const told: Event<'ring'>[] = [];
  let connections = 100;
  const rings = new TableRings({
    rooms: { open: (_, client) => new RemoteSession(++connections, client, a.room) },
    ...{ room: 'test', pass: TABLE.pass },
    newAllowance: () => new Allowance(DEFAULT_LIMITS, clock),
    send: (message) => told.push(message),
  });
  const of = <N extends Event<'ring'>['name']>(ring: number, name: N) =>
    told
      .filter((one) => one.ring === ring && one.name === name)
      .map(({ message }) => message as Record<string, unknown>);
  const plant = (ring: number, id: number, x: number): void =>
    rings.handle('ring', { ring, name: 'plant', message: { id, x, y: 10, seed } });
  for (const ring of [0, 1]) rings.handle('enter', { ring, session: 3 });
  await arrived(clock);
  return { ...linked, table, rings, told, of, plant };
}

test('after a fail-over, rings go on as who they were, and their commands are executed once', async () => {
  const { clock, bus, owner, table, of, plant } = await setUp();
  const before = [0, 1].map((ring) => of(ring, 'seated')[0].you);
  // The owner ends before it has answered.
  plant(1, 5, 20);
  await arrived(clock);
  owner.isHere = false;
  owner.access!.close();
  const next = await Owner.start(bus, { clock, epoch: 2, hand: owner.hand });
  await pass(clock, GATEWAY_TIMES.beat);
  expect(table.all('wall')).toHaveLength(2);
  expect([0, 1].map((ring) => of(ring, 'seated').at(-1)!.you)).toEqual(before);
  expect(next.server.seats.participants).toEqual(before);
  await next.tick();
  expect(of(1, 'accepted')).toMatchObject([{ id: 5 }]);
  expect(next.room.organisms).toHaveLength(1);
});
