/** The example extension: what it replants. Its clearing is tested in a server that lives. */
import remembrance from '../../../server/extensions/examples/remembrance.ts';
import type { Hand, RoomLifeEvent } from '../../../server/extensions/extension.ts';

const room = 'garden';
const [BORN, DIED] = [
  { what: 'born', organism: { id: 1, x: 20, y: 30, kind: 'Taco' } as never },
  { what: 'died', id: 1, cause: 'killed' },
] as const satisfies readonly RoomLifeEvent[];

/** What it plants after these events. */
async function plantedAfter(...events: readonly RoomLifeEvent[]): Promise<unknown[]> {
  const planted: unknown[] = [];
  const due: (() => void)[] = [];
  const plant: Hand['plant'] = async (_, act) => {
    planted.push(act);
    return {};
  };
  const extension = remembrance({ plant, say() {} } as Partial<Hand> as Hand, (run) =>
    due.push(run),
  );
  extension.onRoomOpened?.({
    ...{ room, width: 100, height: 100, tickRate: 15, checkpoint: 'organisms' },
    ...{ gallery: ['Owl', 'Taco'], organisms: [] },
  });
  for (const event of events) extension.onLife?.({ room, tick: 1, event });
  for (const run of due) run();
  return planted;
}

test('an organism that was killed is replanted where it lived, and no other one', async () => {
  const taco = { x: 20, y: 30, seed: { from: 'gallery', index: 1 } };
  expect(await plantedAfter(BORN, DIED)).toEqual([taco]);
  expect(await plantedAfter(BORN, { ...DIED, cause: 'removed' })).toEqual([]);
  expect(await plantedAfter(DIED)).toEqual([]);
});
