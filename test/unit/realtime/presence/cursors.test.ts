import { Cursors } from '../../../../server/realtime/presence/cursors.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { unpackPointer } from '../../../../shared/protocol/pointers.ts';

const { cursorInterval, cursorPeople } = DEFAULTS.net;

test('the newest position of each cursor is sent, at most once per interval', () => {
  const pointers = new Cursors();
  pointers.move(1, { x: 1, y: 1, tool: 'plant' });
  pointers.move(2, { x: 5, y: 5, tool: 'look' });
  pointers.move(1, { x: 2, y: 3, tool: 'damage' });
  const due = (now: number) => pointers.due(now, 2)?.map(unpackPointer);
  expect(due(1_000)).toEqual([
    { id: 1, x: 2, y: 3, tool: 'damage' },
    { id: 2, x: 5, y: 5, tool: 'look' },
  ]);
  pointers.move(2, { x: 6, y: 5, tool: 'look' });
  expect(due(1_000 + cursorInterval - 1)).toBeUndefined();
  expect(due(1_000 + cursorInterval)).toEqual([{ id: 2, x: 6, y: 5, tool: 'look' }]);
  expect(due(9_000)).toBeUndefined();
});

test('a hidden cursor is announced without a position; that of a departed participant is not announced', () => {
  const pointers = new Cursors();
  pointers.move(1, { x: 1, y: 1, tool: 'plant' });
  pointers.move(2, { x: 1, y: 1, tool: 'plant' });
  pointers.hide(1);
  pointers.forget(2);
  expect(pointers.due(1_000, 2)?.map(unpackPointer)).toEqual([{ id: 1, tool: 'look' }]);
});

test('in a crowd cursors are sent less often, so that the total stays limited', () => {
  const told = (people: number): number => {
    const pointers = new Cursors();
    let count = 0;
    for (let now = 1_000; now < 11_000; now++) {
      pointers.move(1, { x: now, y: 0, tool: 'plant' });
      if (pointers.due(now, people)) count++;
    }
    return count * people;
  };
  const few = told(cursorPeople);
  expect(told(4 * cursorPeople)).toBeLessThan(1.01 * few);
  expect(told(4 * cursorPeople)).toBeGreaterThan(0.9 * few);
  expect(told(1)).toBeCloseTo(few / cursorPeople);
});
