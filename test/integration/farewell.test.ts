/** The end of a room's day: what lives goes, nobody acts, a new day begins, and it can be undone. */
import type { Event } from '../../shared/protocol/events.ts';
import { suiteFolder } from '../support/closing.ts';
import { SMALL } from '../support/organisms.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import type { Visitor } from '../support/visitor.ts';

const { server, room, join, connect } = await suiteServer({
  ...{ ...SMALL, size: '160x96', 'tick-rate': 30, energy: 'off', data: suiteFolder(), snapshot: 1 },
});
const host = await hostOf(server);

const PLACES = [20, 50, 80, 110, 140].map((x) => ({ x, y: 40 }));

async function plantAll(visitor: Visitor): Promise<void> {
  for (const place of PLACES) {
    const answer = await visitor.ask('plant', { ...place, seed: { from: 'gallery', index: 2 } });
    expect(answer).not.toHaveProperty('reason');
  }
}

const settings = (visitor: Visitor) =>
  visitor.heard.flatMap(({ name, message }) =>
    name === 'settings' ? [message as Event<'settings'>] : [],
  );
const endsItsDay = (visitor: Visitor) => settings(visitor).at(-1)?.farewell === true;

/** The ticks at which organisms were grown, began to depart, or had departed. */
const ticksOf = ({ heard }: Visitor, what: 'grown' | 'departing' | 'died'): number[] =>
  heard.flatMap(({ name, message }) => {
    if (name !== 'life') return [];
    const { tick, events } = message as Event<'life'>;
    return events.flatMap((event) => (event.what === what ? [tick] : []));
  });

test('organisms dissolve one after another, nobody acts meanwhile, and the old day can be restored', async () => {
  const [ada, wall] = [await join('Ada'), connect()];
  wall.requestJoin({ as: 'wall' });
  await plantAll(ada);
  // A small organism dissolves at once.
  await ada.until(() => ticksOf(ada, 'grown').length === PLACES.length);
  await host.call('spotlight', PLACES[0]);
  const showing = async () => (await host.call('state')).rooms[0].walls.showing;
  expect(await showing()).toMatchObject({ what: 'closeUp' });
  const { kept } = await host.call('farewell', { seconds: 12 });
  expect(await showing()).toBeNull();
  expect(kept).toMatchObject({ organisms: 5 });
  await wall.until(() => endsItsDay(wall));
  expect(await ada.ask('damage', { radius: 1, points: [5, 5] })).toMatchObject({
    reason: 'paused',
  });
  expect(await host.refusal('farewell')).toBe('room-busy');
  expect((await host.call('state')).rooms[0].farewell).toBe(true);
  // Before the new day begins, walls show who came of whom.
  await wall.until(() => settings(wall).at(-1)?.tree === true);
  expect(endsItsDay(wall)).toBe(true);
  expect(room.lineage.ended).toHaveLength(5);
  await wall.until(() => !endsItsDay(wall));
  expect(room.size).toBe(0);
  expect(room.grid.planes.owner.every((owner) => owner === 0)).toBe(true);
  await ada.until(() => ticksOf(ada, 'died').length === 5);
  const begun = ticksOf(ada, 'departing');
  expect(new Set(begun).size).toBeGreaterThan(2);
  // None in a blink: each dissolves for seconds.
  const gone = ticksOf(ada, 'died');
  expect(Math.min(...gone.map((tick, i) => tick - begun[i]))).toBeGreaterThan(30);
  // The day is over for its planters too.
  expect(ada.heard.filter(({ name }) => name === 'affected')).toEqual([]);
  expect(await ada.ask('renew', { organism: kept!.organisms })).toMatchObject({
    reason: 'no-such-organism',
  });
  expect(await ada.ask('damage', { radius: 1, points: [5, 5] })).not.toHaveProperty('reason');
  await host.call('restore', {}, { tick: kept!.tick });
  expect(room.size).toBe(5);
});

test('a restore or the host stops it, and what still lives stays', async () => {
  const ada = await join('Ada');
  if (room.size === 0) await plantAll(ada);
  const { kept } = await host.call('farewell', { seconds: 600 });
  await host.call('restore', {}, { tick: kept!.tick });
  expect((await host.call('state')).rooms[0].farewell).toBe(false);
  expect(room.size).toBe(5);
  await host.call('farewell', { seconds: 600 });
  // An undo of nothing does not stop it; one of something does.
  expect(await host.refusal('undo', { seconds: 1, participant: 999 })).toBe('nothing-to-undo');
  expect((await host.call('state')).rooms[0].farewell).toBe(true);
  await host.call('stopFarewell');
  await ada.until(() => settings(ada).length > 0 && !endsItsDay(ada));
  expect(room.size).toBeGreaterThanOrEqual(3);
  expect(await host.refusal('farewell', { seconds: 0 })).toBe('bad-call');
});
