import type { LifeChange } from '../../../client/room/room-model.ts';
import { portraitText, Story } from '../../../client/visitor/elements/room-story.ts';
import { affectedText, type Change } from '../../../client/visitor/text.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { PAGE_DEFAULTS } from '../../../shared/page-defaults.ts';
import type { LifeEvent, OrganismView, ParticipantView } from '../../../shared/vocabulary.ts';
import { organismView } from '../../support/welcome.ts';

const BO: ParticipantView = { id: 2, name: 'Bo', hue: 0 };

/** A change of organism 1, which is in the room in this state. */
function textOf(
  change: Partial<Change>,
  state: Partial<OrganismView> | undefined = { hurt: true },
) {
  const room = {
    participants: new Map([[BO.id, BO]]),
    organisms: new Map(state ? [[1, organismView(1, { phase: 'awake', ...state })]] : []),
  };
  const changes = [{ id: 1, kind: 'horse', how: 'wounded', by: BO, others: 0, ...change } as const];
  return affectedText(changes, room);
}

test('it says who cut what, and how that is now', () => {
  expect(textOf({})).toBe('Bo cut your horse. It is healing.');
  expect(textOf({}, { hurt: false })).toBe('Bo cut your horse. It has healed.');
  expect(textOf({}, { hurt: true, phase: 'asleep' })).toBe('Bo cut your horse.');
  expect(textOf({ id: 7 })).toBe('Bo cut your horse. It is gone.');
  expect(textOf({ how: 'crossed' })).toBe('Bo planted a child of your horse.');
  expect(textOf({ how: 'transformed', into: 'rabbit' })).toBe(
    'Bo turned your horse into this: rabbit.',
  );
  expect(textOf({ how: 'transformed', into: '' })).toBe(
    'Bo turned your horse into this: creature.',
  );
  expect(textOf({ how: 'outgrown' })).toBe('Bo took ground from your horse.');
});

test('it says what leaves, and what has left', () => {
  expect(textOf({ how: 'departing' })).toBe('Your horse is leaving.');
  expect(textOf({ how: 'departing', id: 7 })).toBe('Your horse has left.');
  expect(textOf({ how: 'departed', id: 7 })).toBe('Your horse has left.');
});

test('several people, people without a name, who have left, and the gardener', () => {
  const healing = 'cut your horse. It is healing.';
  expect(textOf({ others: 1 })).toBe(`Bo and one other ${healing}`);
  expect(textOf({ others: 4 })).toBe(`Bo and 4 others ${healing}`);
  expect(textOf({ by: { id: 9, name: '', hue: 0 } })).toBe(`Somebody ${healing}`);
  expect(textOf({ by: { id: 9, name: 'Cy', hue: 0 } })).toBe(`Cy ${healing}`);
  const gardener = { id: 9, name: PAGE_DEFAULTS.attract.name, hue: 0 };
  expect(textOf({ by: gardener })).toBe(`The gardener ${healing}`);
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

const YOU = {
  you: { id: 7, name: '', hue: 0 },
  participants: new Map<number, ParticipantView>(),
  organisms: new Map<number, OrganismView>(),
};

const organism = (id: number, kind: string, planter: number, name = ''): OrganismView =>
  organismView(id, { kind, planter: { id: planter, name, hue: 0 } });

const change = (what: LifeEvent['what'], of: OrganismView): LifeChange => ({
  event: { what, id: of.id } as LifeEvent,
  organism: of,
});

const rose = organism(1, 'Rose', 2, 'Ada');
const fox = organism(2, 'Fox Face', 3);
const mine = organism(3, 'Penguin', 7, 'Bo');

/** What a story tells of these changes. */
function told(...changes: LifeChange[]): string {
  const story = new Story();
  for (const one of changes) story.happened(one);
  return story.take(YOU)();
}

test('the facts of an organism are said in plain words, and none twice', () => {
  const facts = (more: Partial<OrganismView>) => portraitText({ ...mine, ...more }, YOU);
  expect(facts({ phase: 'growing' })).toBe('Penguin: planted by you · growing · never wounded');
  const open = { phase: 'awake', hurt: true, wounds: 1, healed: 0 } as const;
  expect(facts(open)).toBe('Penguin: planted by you · healing');
  expect(facts({ ...open, wounds: 2, healed: 1 })).toBe(
    'Penguin: planted by you · healing · one wound healed',
  );
});

test('the story tells who planted what, and what happened to it, in order', () => {
  const story = new Story();
  for (const what of ['born', 'wounded', 'healed'] as const) story.happened(change(what, rose));
  expect(story.take(YOU)()).toBe(
    'Ada planted a seed: Rose. Rose (planted by Ada) was wounded. Rose (planted by Ada) has healed.',
  );
  expect(story.hasNews).toBe(false);
  expect(story.take(YOU)()).toBe('');
});

test('it tells which organism has left', () => {
  const event = { what: 'died', id: rose.id, cause: 'departed' } as const;
  expect(told({ event, organism: rose })).toBe('Rose (planted by Ada) has left.');
});

test('it tells which one is leaving, and what became of it instead once that is known', () => {
  const [leaving, stays] = [change('departing', rose), change('renewed', rose)];
  const left = { event: { what: 'died', id: rose.id, cause: 'departed' } as const, organism: rose };
  expect(told(leaving)).toBe('Rose (planted by Ada) is leaving.');
  expect(told(leaving, stays)).toBe('Rose (planted by Ada) stays.');
  expect(told(leaving, left)).toBe('Rose (planted by Ada) has left.');
  // Last in importance.
  const others = [change('grown', fox), change('healed', mine), change('wounded', mine)];
  expect(told(leaving, ...others)).not.toContain('leaving');
});

test('it tells what turns into what', () => {
  const event = { what: 'transformed', id: 1, by: 7, kind: 'Cow', origin: 'gallery' } as const;
  const cow = { ...rose, kind: 'Cow', was: ['Tulip', 'Rose'] };
  expect(told({ event: { ...event, parents: [] }, organism: cow })).toBe(
    'Rose (planted by Ada) turns into this: Cow.',
  );
});

test('it names anonymous participants “Somebody” and the visitor “you”', () => {
  expect(told(change('born', fox), change('born', mine), change('grown', mine))).toBe(
    'Somebody planted a seed: Fox Face. You planted a seed: Penguin. Penguin (planted by you) has grown up.',
  );
});

test('it names the gardener and the house in the language of the page', () => {
  const shrub = organism(4, 'Cactus', 9, DEFAULTS.attract.name);
  const gift = organism(5, 'Tulip', 0);
  expect(told(change('born', shrub), change('born', gift))).toBe(
    'The gardener planted a seed: Cactus. The house planted a seed: Tulip.',
  );
  expect(told(change('grown', shrub), change('grown', gift))).toBe(
    'Cactus (planted by the gardener) has grown up. Tulip (planted by the house) has grown up.',
  );
});

test('it stays short: own organisms first, the rest as a number', () => {
  const story = new Story();
  for (let id = 10; id < 40; id++) story.happened(change('born', organism(id, 'Rose', 2, 'Ada')));
  story.happened(change('grown', mine));
  const text = story.take(YOU)();
  expect(text).toContain('Penguin (planted by you) has grown up.');
  expect(text).toMatch(/ And 28 more things happened\.$/);
  expect(text.split('. ')).toHaveLength(4);
});

test('it uses the names that are current when the text is read', () => {
  const story = new Story();
  const participants = new Map([[2, { id: 2, name: 'Ada', hue: 0 }]]);
  story.happened(change('born', rose));
  const say = story.take({ ...YOU, participants });
  expect(say()).toBe('Ada planted a seed: Rose.');
  participants.set(2, { id: 2, name: '', hue: 0 });
  expect(say()).toBe('Somebody planted a seed: Rose.');
});

test('it tells a repeated event once, and leaves out what is only visible', () => {
  const story = new Story();
  for (const what of ['divided', 'asleep', 'awake'] as const) story.happened(change(what, rose));
  expect(story.hasNews).toBe(false);
  for (let i = 0; i < 5; i++) story.happened(change('wounded', rose));
  expect(story.take(YOU)()).toBe('Rose (planted by Ada) was wounded.');
});
