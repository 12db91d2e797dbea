import { GROWN, HandRoom, sown } from '../../support/rooms.ts';

test('TIM-6: an organism restored while coming to rest falls asleep when it would have', () => {
  const first = sown([16, 12]);
  first.ticks(GROWN + 1);
  first.change = 0;
  first.ticks(3);
  const second = new HandRoom({ from: first.room.export() });
  second.ages.set(1, first.ages.get(1)!);
  // After an import, an engine has nothing to compare the state with.
  second.change = 255;
  const asleep = (hand: HandRoom): boolean[] => {
    return Array.from({ length: 8 }, () => {
      hand.tick();
      hand.change = 0;
      return hand.room.organisms[0].phase === 'asleep';
    });
  };
  const wanted = asleep(first);
  expect(wanted).toContain(true);
  expect(asleep(second)).toEqual(wanted);
  expect(second.room.export()).toEqual(first.room.export());
});

test('TIM-3: a seed refused for lack of engine memory is refused again in a replay', () => {
  const [first, second] = [new HandRoom(), new HandRoom()];
  for (const { room } of [first, second]) room.enter(1);
  first.plant(16, 12);
  const { events } = first.room.beginTick();
  expect(first.room.refusePending()).toBe(true);
  const result = first.room.endTick([]);
  expect(result.answers[0].refused?.reason).toBe('garden-full');
  second.room.redo([...events.slice(1), { what: 'no-memory' }]);
  const { plant, step } = second.room.beginTick();
  expect([plant, step]).toEqual([[], []]);
  expect(second.room.endTick([])).toEqual(result);
  expect(second.room.export()).toEqual(first.room.export());
});

test('events that a restored state contains are not applied again', () => {
  const first = new HandRoom();
  first.ticks(3);
  first.room.enter(5);
  const state = first.room.export();
  expect(state.acted).toBe(1);
  first.plant(8, 8, { id: 5, name: 'Eve', hue: 1 });
  const again = new HandRoom({ from: state });
  const { events } = first.room.beginTick();
  again.room.redo(events);
  expect(again.room.beginTick().events).toEqual(events.slice(1));
  expect(again.room.energyOf(5)).toBe(first.room.energyOf(5));
});
