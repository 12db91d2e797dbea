import { affectedText, type Change } from '../../../client/visitor/text.ts';
import { PAGE_DEFAULTS } from '../../../shared/page-defaults.ts';
import type { OrganismView, ParticipantView } from '../../../shared/vocabulary.ts';
import { organismView } from '../../support/welcome.ts';

const BO: ParticipantView = { id: 2, name: 'Bo', hue: 0 };

/** A change of organism 1, which is in the room in this state. */
function told(change: Partial<Change>, state: Partial<OrganismView> | undefined = { hurt: true }) {
  const room = {
    participants: new Map([[BO.id, BO]]),
    organisms: new Map(state ? [[1, organismView(1, { phase: 'awake', ...state })]] : []),
  };
  const changes = [{ id: 1, kind: 'horse', how: 'wounded', by: BO, others: 0, ...change } as const];
  return affectedText(changes, room);
}

test('it says who cut what, and how that is now', () => {
  expect(told({})).toBe('Bo cut your horse. It is healing.');
  expect(told({}, { hurt: false })).toBe('Bo cut your horse. It has healed.');
  expect(told({}, { hurt: true, phase: 'asleep' })).toBe('Bo cut your horse.');
  expect(told({ id: 7 })).toBe('Bo cut your horse. It is gone.');
  expect(told({ how: 'crossed' })).toBe('Bo planted a child of your horse.');
  expect(told({ how: 'transformed', into: 'rabbit' })).toBe(
    'Bo turned your horse into this: rabbit.',
  );
  expect(told({ how: 'transformed', into: '' })).toBe('Bo turned your horse into this: creature.');
  expect(told({ how: 'outgrown' })).toBe('Bo took ground from your horse.');
});

test('it says what leaves, and what has left', () => {
  expect(told({ how: 'departing' })).toBe('Your horse is leaving.');
  expect(told({ how: 'departing', id: 7 })).toBe('Your horse has left.');
  expect(told({ how: 'departed', id: 7 })).toBe('Your horse has left.');
});

test('several people, people without a name, who have left, and the gardener', () => {
  const healing = 'cut your horse. It is healing.';
  expect(told({ others: 1 })).toBe(`Bo and one other ${healing}`);
  expect(told({ others: 4 })).toBe(`Bo and 4 others ${healing}`);
  expect(told({ by: { id: 9, name: '', hue: 0 } })).toBe(`Somebody ${healing}`);
  expect(told({ by: { id: 9, name: 'Cy', hue: 0 } })).toBe(`Cy ${healing}`);
  const gardener = { id: 9, name: PAGE_DEFAULTS.attract.name, hue: 0 };
  expect(told({ by: gardener })).toBe(`The gardener ${healing}`);
});

test('organisms without a kind, and more than anybody would read', () => {
  const room = { participants: new Map(), organisms: new Map() };
  const changes = Array.from({ length: 5 }, (_, i) => {
    return { id: i + 1, kind: i === 0 ? '' : 'horse', how: 'crossed', by: BO, others: 0 } as const;
  });
  expect(affectedText(changes, room)).toBe(
    'Bo planted a child of your creature. Bo planted a child of your horse. And 3 more things happened.',
  );
});
