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
  const expected = { participants: [3, 4], held: 0, until: 500 };
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
  const queue = (who: string) => slots.enqueue(who, { address: '', date: 1 });
  const dropped = ['b', 'c', 'd'].map((who) => queue(who).dropped);
  expect(dropped).toEqual([undefined, undefined, 'd']);
  expect(slots.queued).toEqual(['b', 'c']);
  expect(slots.dequeue()).toBeUndefined();
  slots.leave('anna', 0);
  expect(slots.leaveQueue('b')).toBe(true);
  expect(slots.leaveQueue('b')).toBe(false);
  expect(slots.dequeue()).toBe('c');
});

test('for a while, newcomers get only places that are left by those who were present at the end', () => {
  const expected = { participants: [3, 4], held: 200, until: 500 };
  const { slots, take } = open(2, { first: 8, expected });
  slots.expire(0);
  expect(slots.isFull).toBe(true);
  slots.enqueue('zoe', { address: '', date: 1 });
  take('anna', '3/1');
  slots.expire(199);
  expect(slots.dequeue()).toBeUndefined();
  slots.expire(200);
  expect(slots.dequeue()).toBe('zoe');
  expect(slots.holdsSlotFor('4/1')).toBe(true);
});

test('who brings the token of a place in line gets that place, and no seat beside the line', () => {
  const before = open(1);
  const { you, token } = before.visit('anna');
  before.take('bo');
  const queue = (
    { slots }: Pick<typeof before, 'slots'>,
    date: number,
    who: string,
    token?: string,
  ) => slots.enqueue(who, { token, address: '', date }).token;
  const anna = queue(before, 1, 'anna', token);
  const carl = queue(before, 2, 'carl');
  // Anna is in line as herself, and her page may have either token.
  for (const known of [token, anna]) expect(before.slots.ownerOf(known)).toBe(you.id);
  expect(before.slots.ownerOf(carl)).toBeUndefined();

  const expected = { participants: [you.id, 2], held: 100, until: 500 };
  const after = open(1, { first: 3, maxWaiting: 4, expected });
  expect([anna, carl].map((one) => after.slots.holdsSlotFor(one))).toEqual([false, false]);
  queue(after, 3, 'new');
  queue(after, 4, 'carl', carl);
  queue(after, 5, 'anna', anna);
  expect(after.slots.queued).toEqual(['anna', 'carl', 'new']);
  expect(after.take('anna', anna)).toMatchObject({ you: { id: you.id }, isNew: false });
  // But not for ever.
  queue(after, 3_600_003, 'carl again', carl);
  expect(after.slots.queued.at(-1)).toBe('carl again');
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
