/** Grafts: strokes that make cells read the genome of another creature. */
import type { RoomCommand } from '../../../server/world/commands.ts';
import type { TickResult } from '../../../server/world/room.ts';
import type { RoomOptions } from '../../../server/world/room-contents.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import { HOUSE, type ParticipantView } from '../../../shared/vocabulary.ts';
import { ANNA, BERT, HandRoom, RELATED } from '../../support/rooms.ts';

const species = { ...RELATED, hasStandingInput: true, closing: 1 };
const CARL: ParticipantView = { id: 3, name: 'Carl', hue: 300 };
const OWN = [1, 0];
const OTHER = [0, 1];

/** Strokes over the upper half, the left half and all of a window around (10, 10). */
const UPPER = [4, 7, 16, 7];
const LEFT = [7, 4, 7, 16];
const CORNER = [13.5, 13.5];

class GraftRoom extends HandRoom {
  constructor(options: Partial<RoomOptions> = {}) {
    super({ species, life: { birth: 1, healing: 1, expressing: 1 }, ...options });
    this.plant(10, 10);
    this.untilRest();
  }

  untilRest() {
    this.change = 0;
    do this.tick();
    while (this.room.awake > 0);
  }

  graft(points: readonly number[], given: Partial<RoomCommand<'graft'>> = {}): TickResult {
    const seed = { from: 'gallery', index: 1 } as const;
    const by = ANNA;
    return this.act({ ...{ what: 'graft', by, points, radius: 3, seed }, ...given });
  }

  /** A genome that differs from all others. */
  static latent(value: number): RoomCommand<'graft'>['seed'] {
    return { from: 'latent', latent: [1, value] };
  }

  get only() {
    return this.room.export().organisms[0];
  }

  /** Latents that the cells read, in the order of the window's places. */
  get cells(): readonly (readonly number[])[] {
    const { grafts, latent } = this.only;
    const { genomes = [], labels = [], places = new Uint8Array(64) } = grafts ?? {};
    return [...places].map((label) => [
      ...(label === 0 ? latent : genomes[labels[label - 1].genome].latent),
    ]);
  }
}

const reasonOf = ({ answers }: TickResult) => answers[0].refused?.reason;

test('GRA-1: a stroke grafts its genome onto all places under it, living or bare, that others do not own', () => {
  const hand = new GraftRoom();
  const { life } = hand.graft(UPPER);
  const own = { kind: 'one', origin: 'gallery' };
  const part = { kind: 'two', origin: 'gallery', by: ANNA };
  expect(life.map(({ what }) => what)).toEqual(['awake', 'grafted']);
  expect(life[1]).toMatchObject({ id: 1, by: ANNA.id, kind: 'two', parts: [own, part] });
  hand.cells.forEach((latent, cell) => {
    expect(latent).toEqual(Math.floor(cell / 8) < 4 ? OTHER : OWN);
  });
  expect(hand.expressed[0].cells).toEqual(hand.cells);
  hand.untilRest();
  expect(hand.room.organisms[0]).toMatchObject({
    ...{ kind: 'one', phase: 'asleep' },
    parts: [
      { ...own, share: 0.5 },
      { ...part, share: 0.5 },
    ],
  });
  // The same stroke again changes nothing, and wakes nobody.
  expect(hand.graft(UPPER).life).toEqual([]);
});

test('GRA-1: a neighbour’s places keep its genome, and only organisms that own a place under the stroke get the graft', () => {
  const hand = new GraftRoom();
  hand.plant(17, 10, BERT);
  hand.ticks(40);
  hand.untilRest();
  // The windows share a column, which the older one owns.
  hand.graft([13.5, 4, 13.5, 16], { others: true, radius: 1.2 });
  const [one, two] = hand.room.export().organisms;
  expect([...one.grafts!.places].filter((label) => label > 0)).toHaveLength(16);
  const columns = [...two.grafts!.places].flatMap((label, cell) => (label > 0 ? [cell % 8] : []));
  expect(columns).toEqual(new Array(8).fill(1));
});

test('GRA-2: a fifth genome replaces the grafted one with the fewest cells; a ninth label likewise', () => {
  const hand = new GraftRoom();
  for (const [i, y] of [7, 9, 11].entries()) {
    hand.graft([4, y, 16, y], { seed: GraftRoom.latent(i + 1), radius: i === 1 ? 0.4 : 0.9 });
  }
  hand.untilRest();
  hand.graft([4, 13, 16, 13], { seed: GraftRoom.latent(4), radius: 0.9, by: BERT, others: true });
  const { genomes } = hand.only.grafts!;
  expect(genomes.map(({ latent }) => latent[1])).toEqual([1, 3, 4]);
});

test('GRA-3: the own genome stays while others have grafts; the planter’s own strokes can make another one its own', () => {
  const all = { radius: 12 };
  const hand = new GraftRoom();
  hand.graft(CORNER, { ...all, by: BERT, others: true });
  expect(hand.room.organisms[0]).toMatchObject({
    kind: 'one',
    parts: [{ share: 0 }, { share: 1 }],
  });
  const alone = new GraftRoom();
  const { life } = alone.graft(CORNER, all);
  expect(life.map(({ what }) => what)).toEqual(['awake', 'transformed', 'grafted']);
  expect(alone.room.organisms[0]).toMatchObject({ kind: 'two', was: ['one'] });
  expect(alone.room.organisms[0].parts).toBeUndefined();
});

test('GRA-4: one’s own, and the house’s, always; others’ only if the host allows it, and not for a while after a touch', () => {
  const hand = new GraftRoom();
  expect(reasonOf(hand.graft(UPPER, { by: BERT }))).toBe('not-yours');
  expect(hand.only.grafts).toBeUndefined();
  hand.room.change({ what: 'protect', seconds: 30 });
  expect(reasonOf(hand.graft(UPPER, { by: BERT, others: true }))).toBeUndefined();
  expect(reasonOf(hand.graft(LEFT, { by: CARL, others: true }))).toBe('protected');
  expect(reasonOf(hand.graft(LEFT))).toBeUndefined();
  hand.ticks(31 * ROOM_DEFAULTS.tickRate);
  expect(reasonOf(hand.graft(LEFT, { by: CARL, others: true }))).toBeUndefined();
  const house = new GraftRoom();
  house.plant(22, 10, HOUSE);
  house.untilRest();
  expect(reasonOf(house.graft([22, 10], { by: BERT }))).toBeUndefined();
});

test('GRA-5: what grows, departs, dies or does not read latents is refused, and nothing has changed', () => {
  const growing = new HandRoom({ species });
  growing.plant(10, 10);
  growing.tick();
  const stroke = { what: 'graft', by: ANNA, points: UPPER, radius: 4 } as const;
  const seed = { from: 'gallery', index: 1 } as const;
  expect(reasonOf(growing.act({ ...stroke, seed }))).toBe('not-grown');
  const hand = new GraftRoom();
  const before = hand.only;
  expect(reasonOf(hand.graft(UPPER, { seed: { from: 'prior' } }))).toBe('no-such-seed');
  expect(reasonOf(hand.graft(UPPER, { seed: { from: 'gallery', index: 7 } }))).toBe('no-such-seed');
  expect(reasonOf(hand.graft([-1, 3]))).toBe('bad-point');
  expect(hand.only).toEqual(before);
  expect(reasonOf(hand.act({ what: 'ungraft', by: ANNA, organism: 1 }))).toBe('no-graft');
  expect(reasonOf(hand.act({ what: 'ungraft', by: ANNA, organism: 5 }))).toBe('no-such-organism');
  hand.act({ what: 'depart', by: HOUSE, organism: 1, seconds: 8 });
  expect(reasonOf(hand.graft(UPPER))).toBe('no-such-organism');
  const plain = new GraftRoom({ species: RELATED });
  expect(reasonOf(plain.graft(UPPER))).toBe('not-here');
});

test('GRA-6: a painter takes back the last stroke, however many messages it took, but not what others have painted since', () => {
  const hand = new GraftRoom();
  hand.graft([4, 7, 10, 7], { seed: GraftRoom.latent(3) });
  const before = hand.cells;
  hand.graft([4, 5, 8, 5]);
  hand.graft([8, 5, 16, 5]);
  const by = { by: BERT, others: true, radius: 0.9, seed: GraftRoom.latent(4) };
  hand.graft([6.5, 4, 6.5, 16], by);
  const painted = hand.cells;
  hand.act({ what: 'ungraft', by: ANNA, organism: 1 });
  hand.cells.forEach((latent, cell) => {
    expect(latent).toEqual(painted[cell][1] === 4 ? painted[cell] : before[cell]);
  });
  expect(reasonOf(hand.act({ what: 'ungraft', by: ANNA, organism: 1 }))).toBe('no-graft');
  expect(reasonOf(hand.act({ what: 'ungraft', by: BERT, organism: 1, foreign: true }))).toBe(
    'not-yours',
  );
  hand.act({ what: 'ungraft', by: ANNA, organism: 1, foreign: true });
  expect(hand.cells.some(([, value]) => value === 4)).toBe(false);
});

test('TIM-2, GRA-6: what is refused changes nothing, not even what is remembered of strokes', () => {
  const hand = new GraftRoom();
  hand.graft(UPPER, { by: BERT, others: true });
  hand.graft(CORNER, { radius: 12, seed: GraftRoom.latent(2) });
  const { grafts } = hand.only;
  expect(grafts!.strokes).toHaveLength(2);
  for (const command of [
    { what: 'ungraft', by: ANNA, organism: 1, foreign: true },
    { what: 'ungraft', by: BERT, organism: 1 },
  ] as const) {
    expect(reasonOf(hand.act(command))).toBe('no-graft');
    expect(hand.only.grafts).toEqual(grafts);
  }
});

test('GRA-6: the host removes all grafts of a visitor', () => {
  const hand = new GraftRoom();
  hand.graft(UPPER, { by: BERT, others: true });
  hand.graft([13.5, 13.5], { radius: 1 });
  const { answers } = hand.act({ what: 'removeGrafts', by: HOUSE, painter: BERT.id });
  expect(answers[0].removed).toBe(1);
  expect(hand.room.organisms[0].parts).toMatchObject([{ kind: 'one' }, { by: ANNA }]);
});

test('GRA-7: a wound does not forget a graft; departing, renewing and planting again keep it', () => {
  const hand = new GraftRoom();
  hand.room.enter(ANNA.id);
  hand.graft(UPPER);
  hand.untilRest();
  const { places } = hand.only.grafts!;
  hand.damage(UPPER, 3);
  hand.tick();
  expect(hand.room.organisms[0].parts).toMatchObject([{ share: 0.5 }, { share: 0.5 }]);
  hand.untilRest();
  hand.room.change({ what: 'limit', maxOrganisms: 1 });
  hand.ticks(61 * ROOM_DEFAULTS.tickRate);
  hand.plant(24, 10);
  hand.tick();
  expect(hand.room.organisms[0].phase).toBe('departing');
  hand.ticks(9 * ROOM_DEFAULTS.tickRate);
  hand.room.change({ what: 'limit', maxOrganisms: 4 });
  hand.act({ what: 'renew', by: ANNA, organism: 1 });
  const again = hand.room.export().organisms.at(-1)!;
  expect(again.grafts!.places).toEqual(places);
});

test('GRA-8: turning into another ends all grafts; a chimera expresses no relatives, and a cross takes its largest genome', () => {
  const hand = new GraftRoom();
  hand.graft(CORNER, { by: BERT, others: true, radius: 9 });
  hand.untilRest();
  hand.room.change({ what: 'liveliness', share: 1 });
  hand.ticks(200);
  expect(hand.expressed).toEqual([]);
  expect(hand.room.awake).toBe(0);
  hand.plant(22, 10);
  hand.ticks(40);
  const { answers } = hand.act({ what: 'cross', by: ANNA, a: 1, b: 2, mix: 0 });
  const [held] = hand.room.seedsOf(ANNA.id).filter(({ id }) => id === answers[0].seed?.id);
  expect([...held.latent]).toEqual(OTHER);
  hand.room.change({ what: 'liveliness', share: 0 });
  hand.untilRest();
  hand.act({ what: 'transform', by: ANNA, organism: 1, seed: { from: 'gallery', index: 1 } });
  expect(hand.room.organisms[0].parts).toBeUndefined();
  hand.untilRest();
  expect(hand.latents.get(1)).toEqual(OTHER);
});
