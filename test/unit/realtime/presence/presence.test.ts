import {
  AFFECTED,
  AffectedOrganisms,
} from '../../../../server/realtime/presence/affected-organisms.ts';
import {
  CURSOR_PEOPLE,
  Cursors,
  EventQueue,
} from '../../../../server/realtime/presence/events-and-cursors.ts';
import { allNames, PresenceChanges } from '../../../../server/realtime/presence/presence.ts';
import { Visits } from '../../../../server/realtime/presence/visits.ts';
import type { Event } from '../../../../shared/protocol/events.ts';
import { POINTER_INTERVAL, unpackPointer } from '../../../../shared/protocol/pointers.ts';
import {
  HOUSE,
  type LifeEvent,
  type OrganismView,
  type ParticipantView,
} from '../../../../shared/vocabulary.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { organismView } from '../../../support/fake-server.ts';
import fc, { forAll } from '../../../support/property.ts';
import { ANNA, BERT, grown, type HandRoom, type Look } from '../../../support/rooms.ts';

const one = (id: number, name = `Guest ${id}`) => ({ id, name, hue: 0 });

test('arrivals and departures are announced once, with one shared message for equal changes', () => {
  const changes = new PresenceChanges();
  changes.enter(one(1));
  changes.enter(one(2));
  changes.leave(7);
  const people = changes.changesFor(5);
  expect(people).toEqual({ joined: [one(1), one(2)], left: [7] });
  expect(changes.changesFor(6)).toBe(people);
  expect(changes.changesFor()).toBe(people);
  changes.clear();
  expect(changes.changesFor(5)).toBeUndefined();
});

test('of a participant who joins and leaves between two updates, the last change is announced', () => {
  // Newcomers in between may know of an earlier one.
  const changes = new PresenceChanges();
  for (let i = 0; i < 2; i++) {
    changes.enter(one(1));
    expect(changes.changesFor(2)).toEqual({ joined: [one(1)], left: [] });
    changes.leave(1);
    expect(changes.changesFor(2)).toEqual({ joined: [], left: [1] });
  }
});

test('all names are those of present participants, and of absent planters and painters of living organisms', () => {
  const living = [one(1), one(9), HOUSE].map((planter) => ({ planter }));
  const part = { kind: '', origin: 'prior', share: 0.5 } as const;
  const parts = [part, ...[one(2), one(8)].map((by) => ({ ...part, by }))];
  expect(allNames([one(1), one(2)], [...living, { planter: one(1), parts }])).toEqual({
    joined: [one(1), one(2), one(9), one(8)],
    left: [9, 8],
  });
});

/** Records the events it receives. */
class Listener {
  readonly told: number[] = [];
  readonly writable = true;

  send(_: string, message: unknown): void {
    this.told.push((message as { organism: number }).organism);
  }

  sendFrame(): void {}
  disconnect(): void {}
}

const beacon = (organism: number) => ({ organism, hue: 0 });

test('every client receives every event once and in order, whenever it is their turn', () => {
  forAll(
    fc.array(fc.tuple(fc.nat(3), fc.boolean()), { minLength: 2, maxLength: 40 }),
    fc.nat(2),
    (rounds, turn) => {
      const news = new EventQueue();
      const [always, sometimes] = [new Listener(), new Listener()];
      let count = 0;
      rounds.forEach(([many, early], round) => {
        for (let i = 0; i < many; i++) news.add('beacon', beacon(++count));
        // This client's turn is every third round, and sometimes earlier.
        news.deliver([always, sometimes], (one) => one === always || early || round % 3 === turn);
      });
      news.deliver([sometimes], () => true);
      const all = Array.from({ length: count }, (_, i) => i + 1);
      expect(always.told).toEqual(all);
      expect(sometimes.told).toEqual(all);
    },
  );
});

test('a client that was just welcomed receives no earlier events', () => {
  const news = new EventQueue();
  const [here, newcomer] = [new Listener(), new Listener()];
  news.add('beacon', beacon(1));
  news.deliver([here], () => false);
  news.startFor(newcomer);
  news.add('beacon', beacon(2));
  news.deliver([here, newcomer], () => true);
  expect(here.told).toEqual([1, 2]);
  expect(newcomer.told).toEqual([2]);
});

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
  expect(due(1_000 + POINTER_INTERVAL - 1)).toBeUndefined();
  expect(due(1_000 + POINTER_INTERVAL)).toEqual([{ id: 2, x: 6, y: 5, tool: 'look' }]);
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
  const few = told(CURSOR_PEOPLE);
  expect(told(4 * CURSOR_PEOPLE)).toBeLessThan(1.01 * few);
  expect(told(4 * CURSOR_PEOPLE)).toBeGreaterThan(0.9 * few);
  expect(told(1)).toBeCloseTo(few / CURSOR_PEOPLE);
});

test('a visit has a duration, a count of acts, and a count of neighbours at the same address', () => {
  const visits = new Visits();
  visits.enter(1, 'a', 1_000);
  visits.enter(2, 'a', 2_000);
  visits.enter(3, 'b', 3_000);
  visits.enter(4, '', 3_000);
  visits.enter(5, '', 3_000);
  visits.countCommand(2);
  visits.countCommand(2);
  const about = (present: number[]) => {
    const counts = visits.participantsByAddress(present);
    return present.map((id) => visits.summaryOf(id, counts, 5_000));
  };
  expect(about([1, 2, 3, 4, 5])).toEqual([
    { stay: 4_000, acts: 0, neighbours: 1 },
    { stay: 3_000, acts: 2, neighbours: 1 },
    { stay: 2_000, acts: 0, neighbours: 0 },
    { stay: 2_000, acts: 0, neighbours: 0 },
    { stay: 2_000, acts: 0, neighbours: 0 },
  ]);
  // Participants who left do not count as neighbours, even while their slot is held. After a
  // return from another address they count there.
  expect(about([2]).map(({ neighbours }) => neighbours)).toEqual([0]);
  visits.enter(1, 'b', 6_000);
  expect(about([1, 2, 3]).map(({ neighbours }) => neighbours)).toEqual([1, 0, 1]);
  visits.leave(3);
  expect(about([3])).toEqual([{ stay: 0, acts: 0, neighbours: 0 }]);
});

/** Planters are told what others do to their organisms: gathered, seldom, and also afterwards. */

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
      const look: Look = ({ x, organism, tick }) =>
        organism === 1 && x >= 6 && tick < since + after ? 0 : 255;
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
