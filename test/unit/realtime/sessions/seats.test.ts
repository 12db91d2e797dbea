import {
  chooseYielding,
  countSeats,
  SEATS,
  type SeatOptions,
  Seats,
} from '../../../../server/realtime/sessions/seats.ts';
import fc, { forAll } from '../../../support/property.ts';

function open(capacity = 2, more: Partial<SeatOptions> = {}) {
  let tokens = 0;
  const seats = new Seats<string>({
    capacity,
    grace: 1_000,
    maxWaiting: 2,
    first: 1,
    expected: { participants: [], held: 0, until: 0 },
    tokens: {
      issue: ({ participant, since }) => `${participant}/${++tokens}/${since}`,
      read: (token) => {
        const [participant, number, since = 0] = token.split('/').map(Number);
        return number > 0 ? { participant, since } : undefined;
      },
    },
    ...more,
  });
  const newcomer = (id: number) => ({ id, name: `visitor ${id}`, hue: 0 });
  const take = (who: string, token?: string) =>
    seats.claim(who, { token, address: '', now: 0, newcomer });
  /** A visitor who has come and gone, and the token they were given. */
  const visit = (who: string) => {
    const { you } = take(who);
    const token = seats.tokenOf(who)!;
    seats.leave(who, 0);
    return { you, token };
  };
  return { seats, take, visit };
}

test('a token is valid once, and for a while', () => {
  const { seats, take, visit } = open(9);
  const { you, token } = visit('anna');
  take('anna again', token);
  seats.confirm('anna again');
  expect(take('mallory', token)).toMatchObject({ you: { id: 2 }, isNew: true });
  seats.leave('anna again', 5_000);
  expect(seats.expire(5_999)).toEqual([]);
  expect(seats.expire(6_000)).toEqual([you.id]);
  expect(seats.expire(9_000)).toEqual([]);
});

test('a participant who left before receiving the new token returns with the previous one', () => {
  const { seats, take, visit } = open();
  const { you, token } = visit('anna');
  for (const again of ['a reload', 'another', 'and one more']) {
    expect(take(again, token)).toEqual({ you, isNew: false });
    seats.leave(again, 0);
  }
  take('at last', token);
  seats.confirm('at last');
  expect(seats.holdsSeatFor(token)).toBe(false);
  expect(seats.holdsSeatFor(seats.tokenOf('at last')!)).toBe(true);
  expect(seats.size).toBe(1);
});

test('held seats do not raise the number of participants above the limit', () => {
  const { seats, take, visit } = open(1);
  const tokens = ['a', 'b', 'c', 'd'].map((who) => visit(who).token);
  const admitted = tokens.filter((token, i) => {
    if (seats.isFull && (!seats.holdsSeatFor(token) || seats.isCrowded)) return false;
    take(`again ${i}`, token);
    return true;
  });
  expect(admitted).toHaveLength(2);
});

test('a participant whose slot has expired gets the same number, but counts as new', () => {
  const { seats, take, visit } = open();
  const { you, token } = visit('anna');
  expect(take('mallory', 'token of my own')).toMatchObject({ you: { id: 2 } });
  seats.expire(1_000);
  expect(seats.holdsSeatFor(token)).toBe(false);
  expect(take('anna again', token)).toEqual({ you, isNew: true });
  expect(take('nobody', '99/1')).toMatchObject({ you: { id: 3 }, isNew: true });
});

test('participants who were present when the server stopped keep their seats for a while', () => {
  const expected = { participants: [3, 4], held: 0, until: 500 };
  const { seats, take } = open(2, { first: 8, expected });
  expect(seats.expire(499)).toEqual([]);
  expect(seats.holdsSeatFor('3/1')).toBe(true);
  expect(take('anna', '3/1')).toMatchObject({ you: { id: 3 }, isNew: false });
  expect(seats.expire(500)).toEqual([4]);
  expect(seats.holdsSeatFor('4/1')).toBe(false);
  expect(take('bo', '4/1')).toMatchObject({ you: { id: 4 }, isNew: true });
  expect(take('zoe')).toMatchObject({ you: { id: 8 }, isNew: true });
});

test('a full room has a queue, first come, first served', () => {
  const { seats, take } = open(1);
  take('anna');
  expect(seats.isFull).toBe(true);
  const queue = (who: string) => seats.enqueue(who, { address: '', date: 1 });
  const dropped = ['b', 'c', 'd'].map((who) => queue(who).dropped);
  expect(dropped).toEqual([undefined, undefined, 'd']);
  expect(seats.queued).toEqual(['b', 'c']);
  expect(seats.dequeue()).toBeUndefined();
  seats.leave('anna', 0);
  expect(seats.leaveQueue('b')).toBe(true);
  expect(seats.leaveQueue('b')).toBe(false);
  expect(seats.dequeue()).toBe('c');
});

test('for a while, newcomers get only places that are left by those who were present at the end', () => {
  const expected = { participants: [3, 4], held: 200, until: 500 };
  const { seats, take } = open(2, { first: 8, expected });
  seats.expire(0);
  expect(seats.isFull).toBe(true);
  seats.enqueue('zoe', { address: '', date: 1 });
  take('anna', '3/1');
  seats.expire(199);
  expect(seats.dequeue()).toBeUndefined();
  seats.expire(200);
  expect(seats.dequeue()).toBe('zoe');
  expect(seats.holdsSeatFor('4/1')).toBe(true);
});

test('who brings the token of a place in line gets that place, and no seat beside the line', () => {
  const before = open(1);
  const { you, token } = before.visit('anna');
  before.take('bo');
  const queue = (
    { seats }: Pick<typeof before, 'seats'>,
    date: number,
    who: string,
    token?: string,
  ) => seats.enqueue(who, { token, address: '', date }).token;
  const anna = queue(before, 1, 'anna', token);
  const carl = queue(before, 2, 'carl');
  // Anna is in line as herself, and her page may have either token.
  for (const known of [token, anna]) expect(before.seats.ownerOf(known)).toBe(you.id);
  expect(before.seats.ownerOf(carl)).toBeUndefined();

  const expected = { participants: [you.id, 2], held: 100, until: 500 };
  const after = open(1, { first: 3, maxWaiting: 4, expected });
  expect([anna, carl].map((one) => after.seats.holdsSeatFor(one))).toEqual([false, false]);
  queue(after, 3, 'new');
  queue(after, 4, 'carl', carl);
  queue(after, 5, 'anna', anna);
  expect(after.seats.queued).toEqual(['anna', 'carl', 'new']);
  expect(after.take('anna', anna)).toMatchObject({ you: { id: you.id }, isNew: false });
  // But not for ever.
  queue(after, 3_600_003, 'carl again', carl);
  expect(after.seats.queued.at(-1)).toBe('carl again');
});

const NOW = 1_000_000;
const IDLE = SEATS.idleYields;

const anySeat = fc.record({
  address: fc.constantFrom('a', 'b', 'c'),
  activeAt: fc.integer({ min: NOW - IDLE + 1, max: NOW }),
});
const anySeats = fc.array(anySeat, { minLength: 1, maxLength: 30 });

describe('who gives way', () => {
  test('the longest idle, whatever their address', () => {
    const idle = { address: 'b', activeAt: NOW - IDLE - 1 };
    const scene = [
      { address: 'a', activeAt: NOW - IDLE },
      idle,
      { address: 'a', activeAt: NOW },
      { address: 'a', activeAt: NOW },
    ];
    expect(chooseYielding(scene, 'b', NOW)).toBe(idle);
  });

  test('otherwise one of the address with most, as long as that does not make it the poorer one', () => {
    forAll(anySeats, fc.constantFrom('a', 'b', 'd'), (scene, waiting) => {
      const before = countSeats(scene);
      const chosen = chooseYielding(scene, waiting, NOW);
      const most = Math.max(...before.values());
      expect(chosen !== undefined).toBe(most >= (before.get(waiting) ?? 0) + 2);
      if (!chosen) return;
      expect(before.get(chosen.address)).toBe(most);
      for (const other of scene.filter(({ address }) => address === chosen.address)) {
        expect(other.activeAt).toBeGreaterThanOrEqual(chosen.activeAt);
      }
    });
  });
});
