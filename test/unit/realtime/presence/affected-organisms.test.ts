/** Planters are told what others do to their organisms: gathered, seldom, and also afterwards. */
import {
  AFFECTED,
  AffectedOrganisms,
} from '../../../../server/realtime/presence/affected-organisms.ts';
import type { Event } from '../../../../shared/protocol/events.ts';
import {
  HOUSE,
  type LifeEvent,
  type OrganismView,
  type ParticipantView,
} from '../../../../shared/vocabulary.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { organismView } from '../../../support/fake-server.ts';
import { ANNA, BERT, grown, type HandRoom } from '../../../support/rooms.ts';

const { gather, interval, maxChanges } = AFFECTED;
const CARL: ParticipantView = { id: 3, name: 'Carl', hue: 90 };
const seats = { participants: [ANNA, BERT, CARL] };
/** Between two ticks, ms. */
const TICK = 100;

/** What Anna is told of a room, tick by tick. */
class Planter {
  readonly clock = new FakeClock();
  readonly told: Event<'affected'>['organisms'][] = [];
  /** Whether Anna is away, or the page hidden. */
  isAway = false;
  expected = [ANNA.id];
  readonly affected: AffectedOrganisms;

  constructor(room: ConstructorParameters<typeof AffectedOrganisms>[0]) {
    const visits = { isKnown: (id: number) => this.expected.includes(id) };
    this.affected = new AffectedOrganisms(room, visits, seats, (id, { organisms }) => {
      expect(id).toBe(ANNA.id);
      if (this.isAway) return false;
      this.told.push(organisms);
      return true;
    });
  }

  happen(life: readonly LifeEvent[] = [], died: readonly OrganismView[] = []): void {
    this.affected.follow({ life, died }, this.clock.now());
    this.affected.sendDue(this.clock.now());
    this.clock.spend(TICK);
  }

  /** Nothing happens for so many ms. */
  wait(duration: number): void {
    for (let passed = 0; passed < duration; passed += TICK) this.happen();
  }
}

const wound = (id: number, by = BERT): LifeEvent => {
  return { what: 'wounded', id, by: by.id, wounds: 1 };
};

/**
 * Anna in a room in which all organisms are Anna's.
 *
 * @param renewable those that depart, and Anna can renew
 * @param gone those that have departed for good
 */
const planter = (
  renewable: readonly number[] = [],
  gone: ReadonlySet<number> = new Set(),
): Planter =>
  new Planter({
    viewOf: (id) => (gone.has(id) ? undefined : horse(id)),
    blockersOf: () => new Map(),
    renewable: () => renewable.map((id) => ({ id, kind: 'horse', secondsLeft: 60 })),
  });

const horse = (id: number): OrganismView => organismView(id, { kind: 'horse', planter: ANNA });

const cut = { id: 1, kind: 'horse', how: 'wounded', by: BERT, others: 0 };

test('one that others turn is told of once, with what it was and what it is now', () => {
  const into = { origin: 'gallery', parents: [] } as const;
  const turn = (kind: string, by = BERT): LifeEvent => {
    return { what: 'transformed', id: 1, by: by.id, kind, ...into };
  };
  let shown = horse(1);
  const anna = new Planter({
    viewOf: () => shown,
    blockersOf: () => new Map(),
    renewable: () => [],
  });
  const happens = (kind: string, by = BERT) => {
    shown = { ...shown, kind, was: [...(shown.was ?? []), shown.kind] };
    anna.happen([turn(kind, by)]);
  };
  happens('cow', ANNA);
  anna.wait(gather);
  expect(anna.told).toEqual([]);
  happens('rabbit');
  happens('', CARL);
  anna.wait(gather);
  const turned = { id: 1, kind: 'cow', how: 'transformed', into: '', by: BERT, others: 1 };
  expect(anna.told).toEqual([[turned]]);
});

test('GRA-9: grafts of others are told of once, with the last creature; not what is taken back', () => {
  const anna = planter();
  const graft = (by: ParticipantView, kind?: string): LifeEvent => {
    return { what: 'grafted', id: 1, by: by.id, ...(kind !== undefined && { kind }) };
  };
  anna.happen([graft(ANNA, 'fox'), graft(BERT)]);
  anna.wait(gather);
  expect(anna.told).toEqual([]);
  for (let i = 0; i < 8; i++) anna.happen([graft(BERT, 'fox')]);
  anna.happen([graft(CARL, '')]);
  anna.wait(gather);
  const grafted = { id: 1, kind: 'horse', how: 'grafted', into: '', by: BERT, others: 1 };
  expect(anna.told).toEqual([[grafted]]);
});

test('however much happens, messages keep their distance, and tell of everything', () => {
  const anna = planter();
  const organisms = new Set<number>();
  for (let i = 0; i < 600; i++) anna.happen([wound(1 + (i % 7))]);
  anna.wait(interval);
  for (const changes of anna.told) for (const { id } of changes) organisms.add(id);
  const most = Math.ceil((600 * TICK + interval) / interval) + 1;
  expect(anna.told.length).toBeGreaterThan(2);
  expect(anna.told.length).toBeLessThanOrEqual(most);
  expect(organisms.size).toBe(7);
});

test('what planters do to their own organisms is not told, nor anything to those who do not come back', () => {
  const anna = planter();
  anna.happen([wound(1, ANNA)]);
  anna.wait(gather + interval);
  anna.expected = [];
  anna.happen([wound(1)]);
  anna.expected = [ANNA.id];
  anna.wait(gather + interval);
  expect(anna.told).toEqual([]);
});

test('what happens while the planter is away is told once, when they are back', () => {
  const anna = planter();
  anna.isAway = true;
  anna.happen([wound(1)]);
  anna.wait(20_000);
  anna.happen([wound(2, CARL)]);
  anna.wait(20_000);
  anna.affected.returned(ANNA.id);
  anna.isAway = false;
  anna.happen();
  expect(anna.told).toEqual([[cut, { ...cut, id: 2, by: CARL }]]);
  anna.wait(3 * interval);
  expect(anna.told).toHaveLength(1);
});

test('a child that somebody else plants is told to the planters of its parents', () => {
  const anna = planter();
  const child = (by: ParticipantView): LifeEvent => {
    return { what: 'born', organism: organismView(9, { parents: [1, 2], planter: by }) };
  };
  anna.happen([child(ANNA)]);
  anna.wait(gather + TICK);
  expect(anna.told).toEqual([]);
  anna.happen([child(BERT)]);
  anna.wait(gather + TICK);
  expect(anna.told).toEqual([[1, 2].map((id) => ({ ...cut, id, how: 'crossed' }))]);
});

test.each(['no-cell-left', 'killed'] as const)(
  'an organism that dies of a wound which its planter has been told of is told of again: %s',
  (cause) => {
    const anna = planter();
    const dies: LifeEvent = { what: 'died', id: 1, cause };
    anna.happen([wound(1)]);
    anna.wait(gather + interval);
    anna.happen([dies], [horse(1)]);
    anna.wait(gather + TICK);
    expect(anna.told).toEqual([[cut], [cut]]);
    // One that has healed in between did not die of it.
    anna.happen([wound(2)]);
    anna.wait(gather + interval);
    anna.happen([{ what: 'healed', id: 2, healed: 1 }]);
    anna.happen([{ ...dies, id: 2 }]);
    anna.wait(gather + interval);
    expect(anna.told).toHaveLength(3);
  },
);

describe('departing', () => {
  const departs = (id: number): LifeEvent => ({ what: 'departing', id });
  const departed = { ...cut, how: 'departed', by: HOUSE };
  const departing = { ...departed, how: 'departing', secondsLeft: 60 };

  test('DEP-12: is told at once; more within seconds are one message, with what else has happened', () => {
    const anna = planter([2, 3, 4]);
    anna.happen([departs(2)]);
    expect(anna.told).toEqual([[{ ...departing, id: 2 }]]);
    anna.happen([wound(1)]);
    for (const id of [3, 4]) anna.happen([departs(id)]);
    expect(anna.told).toHaveLength(1);
    anna.wait(gather);
    expect(anna.told[1]).toEqual([cut, { ...departing, id: 3 }, { ...departing, id: 4 }]);
    anna.wait(3 * interval);
    expect(anna.told).toHaveLength(2);
  });

  test('DEP-12: is told of one that departs while a crowd cuts everything', () => {
    const anna = planter([7]);
    anna.isAway = true;
    anna.happen(Array.from({ length: maxChanges }, (_, i) => wound(100 + i)));
    anna.happen([departs(7)]);
    anna.isAway = false;
    anna.happen();
    expect(anna.told[0]).toHaveLength(maxChanges);
    expect(anna.told[0].at(-1)).toEqual({ ...departing, id: 7 });
  });

  test('DEP-12: waits for those who are away, and says whether it is over', () => {
    const renewable = [1, 2];
    const gone = new Set<number>();
    const anna = planter(renewable, gone);
    anna.isAway = true;
    anna.happen([departs(1)]);
    anna.happen([departs(2)]);
    anna.wait(interval);
    gone.add(renewable.shift()!);
    anna.isAway = false;
    anna.happen();
    expect(anna.told).toEqual([[departed, { ...departing, id: 2 }]]);
  });

  test('DEP-12: is not told of an organism that lives on', () => {
    const renewable = [1];
    const anna = planter(renewable);
    anna.isAway = true;
    anna.happen([departs(1)]);
    renewable.pop();
    anna.isAway = false;
    anna.wait(interval);
    expect(anna.told).toEqual([]);
  });

  test('DEP-12: is told again to those who come back while they can renew it', () => {
    const renewable = [1];
    const gone = new Set<number>();
    const anna = planter(renewable, gone);
    anna.happen([departs(1)]);
    for (let i = 0; i < 2; i++) {
      anna.affected.returned(ANNA.id);
      anna.happen();
    }
    expect(anna.told).toEqual([[departing], [departing], [departing]]);
    gone.add(renewable.pop()!);
    anna.affected.returned(ANNA.id);
    anna.wait(interval);
    expect(anna.told).toHaveLength(3);
  });
});

test('CLO-6: who kills an organism with one stroke is named once', () => {
  const anna = planter();
  anna.happen([wound(1), { what: 'died', id: 1, cause: 'killed' }], [horse(1)]);
  anna.wait(gather + interval);
  expect(anna.told).toEqual([[{ ...cut, id: 1, kind: 'horse' }]]);
});

describe('ground', () => {
  /** Anna's organism, in columns 4…11, and Bert's, whose columns 10 and 11 it blocks. */
  function neighbours(): { hand: HandRoom; anna: Planter } {
    const hand = grown([8, 8]);
    hand.regrows = true;
    hand.plant(14, 8, BERT);
    hand.ticks(20);
    hand.rest();
    expect(hand.room.organisms.map(({ phase }) => phase)).toEqual(['asleep', 'asleep']);
    return { hand, anna: new Planter(hand.room) };
  }

  /** Bert cuts the columns between them; Anna's cells there come back after so many ticks. */
  function cutBetween(hand: HandRoom, anna: Planter, after: number): void {
    hand.change = 255;
    hand.damage([11, 4, 11, 12], 1.2, BERT);
    const since = hand.room.tick;
    for (let i = 0; i < 30; i++) {
      if (i === after + 2) hand.change = 0;
      const look = ({
        x,
        organism,
        tick,
      }: {
        x: number;
        organism: number;
        tick: number;
      }): number => (organism === 1 && x >= 6 && tick < since + after ? 0 : 255);
      const { life, died } = hand.tick(look);
      anna.happen(life, died);
    }
  }

  test('ground that a neighbour takes after a wound is told, with the planter of the neighbour', () => {
    const { hand, anna } = neighbours();
    cutBetween(hand, anna, 4);
    expect(hand.owner(10, 8)).toBe(2);
    expect(hand.room.organisms[0]).toMatchObject({ hurt: true, phase: 'asleep' });
    anna.wait(gather + interval);
    expect(anna.told.flat().map(({ how }) => how)).toEqual(['wounded', 'outgrown']);
    expect(anna.told.flat().at(-1)).toMatchObject({ id: 1, by: { id: BERT.id, name: 'Bert' } });
  });
});
