import { DRAWINGS } from '../../../../server/realtime/drawings/drawing-review.ts';
import { Refusal } from '../../../../shared/protocol/reasons.ts';
import { openReview as open } from '../../../support/drawing-review.ts';
import fc from '../../../support/property.ts';

const { maxWaiting, maxWaitingEach, expires, sentAgain } = DRAWINGS;

test('a page that returns keeps its place, and one that was reloaded is answered too', async () => {
  const { review, given, told, come, send } = open();
  await send(1, 5);
  await send(1, 6);
  const [{ id }, other] = review.waiting;
  come(1);
  await send(1, 9, { pixels: Uint8Array.of(5, 0) });
  expect(review.waiting).toHaveLength(2);
  await review.decide(id, true);
  await review.decide(other.id, false);
  review.endTick(0, []);
  review.endTick(sentAgain, []);
  expect(given).toEqual(['1 9']);
  expect(told).toEqual([{ to: 1, id: 0, reason: 'drawing-declined' }]);
});

test('what is decided while a page is away is told once the page has sent its drawing again', async () => {
  const { review, given, told, members, come, send } = open();
  for (const request of [5, 6, 7]) await send(1, request);
  members.clear();
  const [first, second] = review.waiting;
  await review.decide(first.id, true);
  await review.decide(second.id, false);
  review.endTick(expires + 1_000, []);
  expect(review.waiting).toEqual([]);
  come(1);
  // A tick passes before the page has its first frame.
  review.endTick(expires + 2_000, []);
  expect([given, told]).toEqual([[], []]);
  for (const request of [5, 6, 7]) {
    await send(1, request + 10, { pixels: Uint8Array.of(request, 0) });
  }
  expect(review.waiting).toEqual([]);
  for (const at of [0, sentAgain]) review.endTick(expires + 2_050 + at, []);
  expect(given).toEqual(['1 15']);
  expect(told).toEqual([
    { to: 1, id: 16, reason: 'drawing-declined' },
    { to: 1, id: 17, reason: 'drawing-expired' },
  ]);
});

test('a seed approved while its visitor is away is given when they return, unless they do not', async () => {
  const { review, given, members, come, send } = open();
  for (const id of [1, 2]) await send(id, 5);
  const ids = review.waiting.map(({ id }) => id);
  members.clear();
  for (const id of ids) expect(await review.decide(id, true)).toBe(true);
  expect(review.waiting).toEqual([]);
  review.endTick(0, [2]);
  come(1);
  come(2);
  for (const after of [0, 1, 2]) review.endTick(1 + after * sentAgain, []);
  expect(given).toEqual(['1 0']);
});

test('a seed that the room cannot take yet is given once it can, and breaks no tick', async () => {
  const { review, given, refusal, members, set, come, send } = open();
  for (const id of [1, 2]) await send(id, 5);
  members.delete(1);
  await review.decide(review.waiting[0].id, true);
  come(1);
  refusal.reason = 'too-fast';
  review.endTick(0, []);
  set('on');
  review.endTick(sentAgain, []);
  expect([given, review.waiting]).toEqual([[], []]);
  delete refusal.reason;
  for (const after of [1, 2]) review.endTick(sentAgain + after, []);
  expect(given).toEqual(['1 0', '2 5']);
});

test('one address that fills the queue makes room for the drawings of others', async () => {
  const { review, told, come, send } = open();
  for (let i = 0; i < maxWaiting; i++) {
    come(100 + i);
    await send(100 + i, i);
  }
  come(200);
  await expect(send(200, 999)).rejects.toThrow(new Refusal('too-many-drawings'));
  await send(1, 1_000);
  expect(review.waiting).toHaveLength(maxWaiting);
  expect(review.waiting.at(-1)!.by.id).toBe(1);
  const last = maxWaiting - 1;
  expect(told).toEqual([{ to: 100 + last, id: last, reason: 'too-many-drawings' }]);
});

test('when the host changes the setting, nothing is left waiting', async () => {
  const { review, given, told, set, send } = open();
  await send(1, 5);
  set('on');
  review.endTick(0, []);
  expect(given).toEqual(['1 5']);
  set('ask');
  await send(1, 6);
  set('off');
  review.endTick(0, []);
  expect(told).toEqual([{ to: 1, id: 6, reason: 'no-drawings' }]);
  expect(review.waiting).toEqual([]);
});

test('of the drawings in a hand, only approved ones can be planted where the host looks first', async () => {
  const { review, seeds, set } = open();
  const seed = (id: number, origin = 'drawing') => ({ id, origin, parents: [] });
  seeds.push(seed(1), { ...seed(2), approved: true }, seed(3, 'cross'));
  const plant = (id: number) => () => review.requirePlantable(1, id);
  expect(plant(1)).toThrow(new Refusal('drawing-unseen'));
  for (const id of [2, 3, 99]) expect(plant(id)).not.toThrow();
  set('off');
  for (const id of [1, 2]) expect(plant(id)).toThrow(new Refusal('no-drawings'));
  expect(plant(3)).not.toThrow();
  set('on');
  for (const id of [1, 2, 3]) expect(plant(id)).not.toThrow();
});

test('whatever is sent and decided, the queue is bounded and every drawing has at most one answer', async () => {
  const step = fc.oneof(
    fc.record({ by: fc.integer({ min: 1, max: 30 }), request: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ decide: fc.integer({ min: 1, max: 90 }), approve: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 300 }), async (steps) => {
      const { review, given, told, come, send, tick } = open();
      for (let id = 1; id <= 30; id++) come(id);
      const sent = new Set<string>();
      for (const one of steps) {
        if ('decide' in one) {
          await review.decide(one.decide, one.approve);
          tick();
        } else if (!sent.has(`${one.by} ${one.request}`)) {
          const outcome = await send(one.by, one.request).then(
            () => 'waits',
            ({ reason }) => reason,
          );
          expect(['waits', 'drawings-waiting', 'too-many-drawings']).toContain(outcome);
          if (outcome === 'waits') sent.add(`${one.by} ${one.request}`);
        }
        expect(review.waiting.length).toBeLessThanOrEqual(maxWaiting);
        for (let id = 1; id <= 30; id++) {
          const each = review.waiting.filter(({ by }) => by.id === id);
          expect(each.length).toBeLessThanOrEqual(maxWaitingEach);
        }
      }
      const answers = [
        ...given,
        ...told.map((one) => `${(one as { to: number }).to} ${(one as { id: number }).id}`),
      ];
      expect(new Set(answers).size).toBe(answers.length);
      expect(answers.length + review.waiting.length).toBe(sent.size);
    }),
    { numRuns: 60 },
  );
});

test('a decision holds over a restart before its visitor knows it, also if the setting has changed', async () => {
  const { stored, review, send } = open();
  for (const id of [1, 2]) await send(id, 5);
  await review.decide(review.waiting[0].id, false);
  const again = open('off', undefined, stored);
  expect(again.review.waiting).toEqual([]);
  for (const id of [1, 2]) again.come(id);
  for (const at of [0, sentAgain]) again.tick(at);
  expect(again.told).toEqual([
    { to: 1, id: 0, reason: 'drawing-declined' },
    { to: 2, id: 0, reason: 'no-drawings' },
  ]);
  expect(stored.size).toBe(0);
});

test('a seed that the room refuses leaves nothing behind, and its visitor may draw as many again', async () => {
  const { review, stored, come, send } = open();
  come(1);
  for (let i = 0; i < 3 * maxWaitingEach; i++) {
    await send(1, i);
    await review.decide(review.waiting[0].id, true);
    review.endTick(0, []);
    const refused = { reason: 'room-busy', detail: '' } as const;
    review.answered({ by: 1, id: i, what: 'hold', energy: 0, refused });
  }
  expect(stored.size).toBe(0);
});

test('a drawing that cannot be stored does not wait', async () => {
  const { review, lease, come, send } = open();
  come(1);
  lease.isLost = true;
  await expect(send(1, 5)).rejects.toThrow(new Refusal('elsewhere'));
  expect(review.waiting).toEqual([]);
  lease.isLost = false;
  await send(1, 5);
  expect(review.waiting).toHaveLength(1);
});

test('a mute holds for a drawing that an extension judges meanwhile', async () => {
  for (const mode of ['on', 'ask'] as const) {
    const room: ReturnType<typeof open> = open(mode, async () => {
      room.mute();
      return true;
    });
    await expect(room.send(1, 5)).rejects.toThrow(new Refusal('muted'));
    expect([room.given, room.review.waiting]).toEqual([[], []]);
  }
});
