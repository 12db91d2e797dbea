import {
  ParticipantSlots,
  type SlotOptions,
} from '../../../../server/realtime/sessions/participant-slots.ts';

function open(capacity = 2, more: Partial<SlotOptions> = {}) {
  let tokens = 0;
  const slots = new ParticipantSlots<string>({
    capacity,
    grace: 1_000,
    maxWaiting: 2,
    newToken: (participant) => `${participant}/${++tokens}`,
    readToken: (token) => Number(/^(\d+)\/\d+$/.exec(token)?.[1] ?? Number.NaN) || undefined,
    ...more,
  });
  const newcomer = (id: number) => ({ id, name: `visitor ${id}`, hue: 0 });
  const take = (who: string, token?: string) =>
    slots.claim(who, { token, address: '', now: 0, newcomer });
  /** A visitor who has come and gone, and the token they were given. */
  const visit = (who: string) => {
    const { you } = take(who);
    const token = slots.tokenOf(who)!;
    slots.leave(who, 0);
    return { you, token };
  };
  return { slots, take, visit };
}

test('a token is valid once, and for a while', () => {
  const { slots, take, visit } = open(9);
  const { you, token } = visit('anna');
  take('anna again', token);
  slots.confirm('anna again');
  expect(take('mallory', token)).toMatchObject({ you: { id: 2 }, isNew: true });
  slots.leave('anna again', 5_000);
  expect(slots.expire(5_999)).toEqual([]);
  expect(slots.expire(6_000)).toEqual([you.id]);
  expect(slots.expire(9_000)).toEqual([]);
});

test('a participant who left before receiving the new token returns with the previous one', () => {
  const { slots, take, visit } = open();
  const { you, token } = visit('anna');
  for (const again of ['a reload', 'another', 'and one more']) {
    expect(take(again, token)).toEqual({ you, isNew: false });
    slots.leave(again, 0);
  }
  take('at last', token);
  slots.confirm('at last');
  expect(slots.holdsSlotFor(token)).toBe(false);
  expect(slots.holdsSlotFor(slots.tokenOf('at last')!)).toBe(true);
  expect(slots.size).toBe(1);
});

test('held slots do not raise the number of participants above the limit', () => {
  const { slots, take, visit } = open(1);
  const tokens = ['a', 'b', 'c', 'd'].map((who) => visit(who).token);
  const admitted = tokens.filter((token, i) => {
    if (slots.isFull && (!slots.holdsSlotFor(token) || slots.isCrowded)) return false;
    take(`again ${i}`, token);
    return true;
  });
  expect(admitted).toHaveLength(2);
});

test('a participant whose slot has expired gets the same number, but counts as new', () => {
  const { slots, take, visit } = open();
  const { you, token } = visit('anna');
  expect(take('mallory', 'token of my own')).toMatchObject({ you: { id: 2 } });
  slots.expire(1_000);
  expect(slots.holdsSlotFor(token)).toBe(false);
  expect(take('anna again', token)).toEqual({ you, isNew: true });
  expect(take('nobody', '99/1')).toMatchObject({ you: { id: 3 }, isNew: true });
});

test('participants who were present when the server stopped keep their slots for a while', () => {
  const expected = { participants: [3, 4], until: 500 };
  const { slots, take } = open(2, { first: 8, expected });
  expect(slots.expire(499)).toEqual([]);
  expect(slots.holdsSlotFor('3/1')).toBe(true);
  expect(take('anna', '3/1')).toMatchObject({ you: { id: 3 }, isNew: false });
  expect(slots.expire(500)).toEqual([4]);
  expect(slots.holdsSlotFor('4/1')).toBe(false);
  expect(take('bo', '4/1')).toMatchObject({ you: { id: 4 }, isNew: true });
  expect(take('zoe')).toMatchObject({ you: { id: 8 }, isNew: true });
});

test('a full room has a queue, first come, first served', () => {
  const { slots, take } = open(1);
  take('anna');
  expect(slots.isFull).toBe(true);
  const dropped = ['b', 'c', 'd'].map((who) => slots.enqueue(who, ''));
  expect(dropped).toEqual([undefined, undefined, 'd']);
  expect(slots.queued).toEqual(['b', 'c']);
  expect(slots.dequeue()).toBeUndefined();
  slots.leave('anna', 0);
  expect(slots.leaveQueue('b')).toBe(true);
  expect(slots.leaveQueue('b')).toBe(false);
  expect(slots.dequeue()).toBe('c');
});

test('a participant is busy until they say otherwise, for a while, and not after they have left', () => {
  const { slots, take, visit } = open();
  const { token } = visit('anna');
  take('anna again', token);
  expect(slots.isBusy(0)).toBe(false);
  slots.setBusy('anna again', 1_000);
  expect([slots.isBusy(999), slots.isBusy(1_000)]).toEqual([true, false]);
  slots.setBusy('anna again', 0);
  expect(slots.isBusy(0)).toBe(false);
  slots.setBusy('anna again', 1_000);
  slots.leave('anna again', 0);
  expect(slots.isBusy(500)).toBe(false);
});
