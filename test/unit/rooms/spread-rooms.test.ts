/** Which server gives which room away, and when. */
import type { NodeLoad } from '../../../server/cluster/open-cluster.ts';
import { chooseMove, type Move, SpreadRooms } from '../../../server/rooms/draining.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const { spreadFrom, spreadAfter, report } = DEFAULTS.cluster;
/** A share of what counts as busy. */
const cells = (share: number): number => share * spreadFrom;

const node = (name: string, rooms: Record<string, number>, followed: string[] = []) => ({
  ...{ node: name, rooms, followed },
});

test('the busier of two servers gives the room that leaves both with the least', () => {
  const own = node('a', { attic: cells(1), cellar: cells(4), garden: cells(5) });
  const other = node('b', { meadow: cells(2) }, ['attic', 'cellar', 'garden']);
  expect(chooseMove(own, [other])).toEqual({ room: 'cellar', node: 'b' });
  // Only what the other one has followed, and to the one that is less busy.
  expect(chooseMove(own, [{ ...other, followed: ['attic'] }])).toBeUndefined();
  const third = node('c', {}, other.followed);
  expect(chooseMove(own, [other, third])).toEqual({ room: 'garden', node: 'c' });
});

test('a server that is not busy, or has one room, or little to gain, gives none', () => {
  const free = node('b', {}, ['attic', 'cellar']);
  expect(chooseMove(node('a', { attic: cells(0.4), cellar: cells(0.4) }), [free])).toBeUndefined();
  expect(chooseMove(node('a', { attic: cells(9) }), [free])).toBeUndefined();
  expect(chooseMove(node('a', { attic: cells(9), cellar: cells(1) }), [free])).toBeUndefined();
  expect(chooseMove(node('a', { attic: cells(2), cellar: cells(2) }), [])).toBeUndefined();
});

test('a room that has been given away is not given back', () => {
  for (const shares of [
    [1, 1],
    [2, 3],
    [5, 1, 1, 1],
    [4, 4, 4],
  ]) {
    const rooms = Object.fromEntries(shares.map((share, i) => [`r${i}`, cells(share)]));
    const names = Object.keys(rooms);
    const move = chooseMove(node('a', rooms), [node('b', {}, names)])!;
    const { [move.room]: given, ...left } = rooms;
    const [a, b] = [node('a', left, names), node('b', { [move.room]: given }, names)];
    expect(chooseMove(b, [a])?.room).not.toBe(move.room);
  }
});

test('a room is given once the server has been too busy for some time, whatever changes meanwhile', async () => {
  const clock = new FakeClock();
  const moves: Move[] = [];
  let rooms: Record<string, number> = { attic: cells(2), cellar: cells(2) };
  let isUp = true;
  const reports: NodeLoad[] = [];
  const spread = new SpreadRooms({
    ...{ clock, node: 'a', awake: () => rooms, followed: () => ['shed'] },
    draining: { isOn: false, look: async () => {} },
    describe: () => ({}),
    report: async (own) => {
      reports.push(own);
      if (!isUp) throw new Error('no answer');
      return [node('b', {}, ['attic', 'cellar'])];
    },
    give: async (move) => {
      moves.push(move);
      rooms = { cellar: cells(2) };
    },
  });
  await clock.advance(spreadAfter - report);
  // Whoever does not hear from the others starts again.
  isUp = false;
  await clock.advance(2 * report);
  isUp = true;
  await clock.advance(spreadAfter - report);
  expect(moves).toEqual([]);
  await clock.advance(5 * report);
  expect(moves).toEqual([{ room: 'attic', node: 'b' }]);
  await clock.advance(3 * spreadAfter);
  expect(moves).toHaveLength(1);
  expect(reports.at(-1)?.followed).toEqual(['shed']);
  // While it stops, it takes no room.
  spread.stop();
  spread.stop();
  await clock.advance(3 * report);
  const told = reports.filter(({ followed }) => followed.length === 0);
  expect(told).toEqual([reports.at(-1)]);
});
