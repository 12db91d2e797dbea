import { organismName, partsText } from '../../../client/elements/text.ts';
import type { LifeChange } from '../../../client/room/room-model.ts';
import { portraitText, Story } from '../../../client/visitor/elements/announcements.ts';
import { affectedText, type Change } from '../../../client/visitor/text.ts';
import { GARDENER_NAME } from '../../../shared/names.ts';
import type { LifeEvent, OrganismView, Part, ParticipantView } from '../../../shared/vocabulary.ts';
import { organismView } from '../../support/fake-server.ts';

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

const HEALING = 'cut your horse. It is healing.';

test.each<[string, Partial<Change>, Partial<OrganismView>?]>([
  [`Bo ${HEALING}`, {}],
  ['Bo cut your horse. It has healed.', {}, { hurt: false }],
  ['Bo cut your horse.', {}, { hurt: true, phase: 'asleep' }],
  ['Bo cut your horse. It is gone.', { id: 7 }],
  ['Bo planted a child of your horse.', { how: 'crossed' }],
  ['Bo turned your horse into this: rabbit.', { how: 'transformed', into: 'rabbit' }],
  ['Bo grafted this onto your horse: owl.', { how: 'grafted', into: 'owl' }],
  ['Bo took ground from your horse.', { how: 'outgrown' }],
  ['Your horse is leaving.', { how: 'departing' }],
  ['Your horse has left.', { how: 'departing', id: 7 }],
  ['Your horse has left.', { how: 'departed', id: 7 }],
  [`Bo and one other ${HEALING}`, { others: 1 }],
  [`Bo and 4 others ${HEALING}`, { others: 4 }],
  [`Somebody ${HEALING}`, { by: { id: 9, name: '', hue: 0 } }],
  [`Cy ${HEALING}`, { by: { id: 9, name: 'Cy', hue: 0 } }],
  [`The gardener ${HEALING}`, { by: { id: 9, name: GARDENER_NAME, hue: 0 } }],
])('a planter reads “%s”', (text, ...about) => {
  expect(textOf(...about)).toBe(text);
});

test('a chimera is named after its largest parts, and its parts say who painted them', () => {
  const part = (kind: string, share: number, by?: ParticipantView): Part => ({
    ...{ kind, origin: kind ? 'gallery' : 'prior', share },
    ...(by && { by }),
  });
  const you = { id: 3, name: 'Cy', hue: 0 };
  const parts = [part('panda', 0.3), part('', 0.1, BO), part('fox', 0.6, you)];
  const chimera = organismView(1, { kind: 'panda', parts });
  expect(organismName(chimera)).toBe('fox · panda');
  const named = (...shares: Part[]) => organismName({ ...chimera, parts: shares });
  expect(named(part('', 0.5), part('', 0.5))).toBe('A child of chance');
  expect(named(part('panda', 0.3), part('fox', 0.2, BO), part('fox', 0.5, you))).toBe(
    'fox · panda',
  );
  expect(named(part('panda', 0), part('fox', 1, BO))).toBe('fox');
  expect(partsText(parts, { participants: new Map(), you })).toBe(
    'panda · A child of chance (Bo) · fox (you)',
  );
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
  for (const one of changes) story.add(one);
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
  for (const what of ['born', 'wounded', 'healed'] as const) story.add(change(what, rose));
  expect(story.take(YOU)()).toBe(
    'Ada planted a seed: Rose. Rose (planted by Ada) was wounded. Rose (planted by Ada) has healed.',
  );
  expect(story.hasNews).toBe(false);
  expect(story.take(YOU)()).toBe('');
});

const [leaving, stays] = [change('departing', rose), change('renewed', rose)];
const left = { event: { what: 'died', id: 1, cause: 'departed' } as const, organism: rose };
const cow: LifeChange = {
  event: { what: 'transformed', id: 1, by: 7, kind: 'Cow', origin: 'gallery', parents: [] },
  organism: { ...rose, kind: 'Cow', was: ['Tulip', 'Rose'] },
};
const shrub = organism(4, 'Cactus', 9, GARDENER_NAME);
const gift = organism(5, 'Tulip', 0);

test.each<[string, LifeChange[], string]>([
  ['which organism has left', [left], 'Rose (planted by Ada) has left.'],
  ['which organism is leaving', [leaving], 'Rose (planted by Ada) is leaving.'],
  ['that it stays, instead', [leaving, stays], 'Rose (planted by Ada) stays.'],
  ['that it has left, instead', [leaving, left], 'Rose (planted by Ada) has left.'],
  ['what turns into what', [cow], 'Rose (planted by Ada) turns into another creature: Cow.'],
  [
    '“somebody” of people without a name, and “you”',
    [change('born', fox), change('born', mine), change('grown', mine)],
    'Somebody planted a seed: Fox Face. You planted a seed: Penguin. Penguin (planted by you) has grown up.',
  ],
  [
    'of the gardener and the house',
    [change('born', shrub), change('born', gift)],
    'The gardener planted a seed: Cactus. The house planted a seed: Tulip.',
  ],
  [
    'who had planted it',
    [change('grown', shrub), change('grown', gift)],
    'Cactus (planted by the gardener) has grown up. Tulip (planted by the house) has grown up.',
  ],
])('it tells %s', (_, changes, text) => {
  expect(told(...changes)).toBe(text);
});

test('a departure is the least important', () => {
  const others = [change('grown', fox), change('healed', mine), change('wounded', mine)];
  expect(told(leaving, ...others)).not.toContain('leaving');
});

test('it stays short: own organisms first, the rest as a number', () => {
  const story = new Story();
  for (let id = 10; id < 40; id++) story.add(change('born', organism(id, 'Rose', 2, 'Ada')));
  story.add(change('grown', mine));
  const text = story.take(YOU)();
  expect(text).toContain('Penguin (planted by you) has grown up.');
  expect(text).toMatch(/ And 28 more things happened\.$/);
  expect(text.split('. ')).toHaveLength(4);
});

test('it uses the names that are current when the text is read', () => {
  const story = new Story();
  const participants = new Map([[2, { id: 2, name: 'Ada', hue: 0 }]]);
  story.add(change('born', rose));
  const say = story.take({ ...YOU, participants });
  expect(say()).toBe('Ada planted a seed: Rose.');
  participants.set(2, { id: 2, name: '', hue: 0 });
  expect(say()).toBe('Somebody planted a seed: Rose.');
});

test('it tells a repeated event once, and leaves out what is only visible', () => {
  const story = new Story();
  for (const what of ['divided', 'asleep', 'awake'] as const) story.add(change(what, rose));
  expect(story.hasNews).toBe(false);
  for (let i = 0; i < 5; i++) story.add(change('wounded', rose));
  expect(story.take(YOU)()).toBe('Rose (planted by Ada) was wounded.');
});
