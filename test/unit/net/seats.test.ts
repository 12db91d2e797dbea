import { type SeatRules, Seats } from '../../../server/net/seats.ts';

function open(capacity = 2, more: Partial<SeatRules> = {}) {
  let tokens = 0;
  const seats = new Seats<string>({
    capacity,
    grace: 1_000,
    maxWaiting: 2,
    newToken: (participant) => `${participant}/${++tokens}`,
    readToken: (token) => Number(/^(\d+)\/\d+$/.exec(token)?.[1] ?? Number.NaN) || undefined,
    ...more,
  });
  const newcomer = (id: number) => ({ id, name: `visitor ${id}`, hue: 0 });
  return { seats, take: (who: string, token?: string) => seats.take(who, token, newcomer) };
}

describe('seats', () => {
  test('one who comes back in time is who she was, with a new token', () => {
    const { seats, take } = open();
    const { you } = take('anna');
    const token = seats.tokenOf('anna')!;
    expect(seats.leave('anna', 0)).toEqual(you);
    expect(seats.size).toBe(0);
    expect(take('anna again', token)).toEqual({ you, isNew: false });
    expect(seats.tokenOf('anna again')).not.toBe(token);
  });

  test('a token is good once, and for a while', () => {
    const { seats, take } = open(9);
    const { you } = take('anna');
    const token = seats.tokenOf('anna')!;
    seats.leave('anna', 0);
    take('anna again', token);
    seats.confirm('anna again');
    expect(take('mallory', token)).toMatchObject({ you: { id: 2 }, isNew: true });
    seats.leave('anna again', 5_000);
    expect(seats.expire(5_999)).toEqual([]);
    expect(seats.expire(6_000)).toEqual([you.id]);
    expect(seats.expire(9_000)).toEqual([]);
  });

  test('who is gone before she has heard of her new token comes back with the one before', () => {
    const { seats, take } = open();
    const { you } = take('anna');
    const token = seats.tokenOf('anna')!;
    seats.leave('anna', 0);
    for (const again of ['a reload', 'another', 'and one more']) {
      expect(take(again, token)).toEqual({ you, isNew: false });
      seats.leave(again, 0);
    }
    take('at last', token);
    seats.confirm('at last');
    expect(seats.knows(token)).toBe(false);
    expect(seats.knows(seats.tokenOf('at last')!)).toBe(true);
    expect(seats.size).toBe(1);
  });

  test('seats that are kept do not let in any number beyond those that there are', () => {
    const { seats, take } = open(1);
    const tokens = ['a', 'b', 'c', 'd'].map((who) => {
      take(who);
      const token = seats.tokenOf(who)!;
      seats.leave(who, 0);
      return token;
    });
    const admitted = tokens.filter((token, i) => {
      if (seats.isFull && (!seats.knows(token) || seats.isCrowded)) return false;
      take(`again ${i}`, token);
      return true;
    });
    expect(admitted).toHaveLength(2);
  });

  test('one whose seat was not kept has her number again, but comes anew', () => {
    const { seats, take } = open();
    const { you } = take('anna');
    const token = seats.tokenOf('anna')!;
    seats.leave('anna', 0);
    expect(take('mallory', 'token of my own')).toMatchObject({ you: { id: 2 } });
    seats.expire(1_000);
    expect(seats.knows(token)).toBe(false);
    expect(take('anna again', token)).toEqual({ you, isNew: true });
    expect(take('nobody', '99/1')).toMatchObject({ you: { id: 3 }, isNew: true });
  });

  test('those whom the server had when it ended have their seats for a while', () => {
    const expected = { participants: [3, 4], until: 500 };
    const { seats, take } = open(2, { first: 8, expected });
    expect(seats.expire(499)).toEqual([]);
    expect(seats.knows('3/1')).toBe(true);
    expect(take('anna', '3/1')).toMatchObject({ you: { id: 3 }, isNew: false });
    expect(seats.expire(500)).toEqual([4]);
    expect(seats.knows('4/1')).toBe(false);
    expect(take('bo', '4/1')).toMatchObject({ you: { id: 4 }, isNew: true });
    expect(take('zoe')).toMatchObject({ you: { id: 8 }, isNew: true });
  });

  test('one who comes back while her old connection hangs takes its place', () => {
    const { seats, take } = open();
    const { you } = take('hanging');
    const { you: same, replaced } = take('fresh', seats.tokenOf('hanging'));
    expect([same, replaced]).toEqual([you, 'hanging']);
    expect(seats.leave('hanging', 0)).toBeUndefined();
    expect(seats.memberOf(you.id)).toBe('fresh');
  });

  test('a full room has a line, in which places move up', () => {
    const { seats, take } = open(1);
    take('anna');
    expect(seats.isFull).toBe(true);
    expect([seats.wait('b'), seats.wait('c'), seats.wait('d')]).toEqual([0, 1, undefined]);
    expect(seats.next()).toBeUndefined();
    seats.leave('anna', 0);
    expect(seats.giveUp('b')).toBe(true);
    expect(seats.giveUp('b')).toBe(false);
    expect(seats.next()).toBe('c');
  });
});
