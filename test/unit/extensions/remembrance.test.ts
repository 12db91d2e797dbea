/** The example extension: what it replants. Its clearing is tested in a server that lives. */
import remembrance from '../../../server/extensions/examples/remembrance.ts';
import type { Hand, RoomLifeEvent } from '../../../server/extensions/extension.ts';

const room = 'garden';
const [BORN, WOUNDED, TURNED, DIED] = [
  { what: 'born', organism: { id: 1, x: 20, y: 30, kind: 'Taco', wounds: 0 } as never },
  { what: 'wounded', id: 1, by: 1, wounds: 1 },
  { what: 'transformed', id: 1, by: 1, kind: 'Owl', origin: 'gallery', parents: [] },
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

const at = (index: number) => ({ x: 20, y: 30, seed: { from: 'gallery', index } });

test.each<[string, readonly RoomLifeEvent[], object[]]>([
  ['dies of a wound is replanted where it lived', [BORN, WOUNDED, DIED], [at(1)]],
  ['has turned into another is replanted as that', [BORN, WOUNDED, TURNED, DIED], [at(0)]],
  ['was never wounded is not', [BORN, DIED], []],
  ['the host removed is not', [BORN, WOUNDED, { ...DIED, cause: 'removed' }], []],
])('one that %s', async (_, events, planted) => {
  expect(await plantedAfter(...events)).toEqual(planted);
});
