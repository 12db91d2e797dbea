/** How organisms depart: they dissolve from the rim. */

import { type Engine, EngineError } from '../../../server/engine/engine.ts';
import { dissolvingPlaces } from '../../../server/world/closing.ts';
import { DEPARTURE } from '../../../server/world/departures.ts';
import { GridPlanes } from '../../../server/world/grid-planes.ts';
import { chance } from '../../../server/world/room-rules.ts';
import { type TickEvents, World } from '../../../server/world/world.ts';
import { ANNA, BERT, GROWN, HandRoom } from '../../support/rooms.ts';
import {
  besideDeparting,
  CLEO,
  departing,
  held,
  PEOPLE,
  phases,
  reasonOf,
  renew,
  rested,
  SLOW,
  words,
} from './departing-rooms.ts';

const { dissolveSeconds, maxDissolving, protectedSeconds, outlivedSeconds } = DEPARTURE;

describe('dissolving', () => {
  test('DEP-7: places go from the rim inwards, raggedly, so many a tick, and none is left at the end', () => {
    const grid = new GridPlanes(24, 24);
    const window = { x: 4, y: 4, width: 16, height: 16 };
    const whole = { id: 7, window, stage: 16, seen: new Uint8Array(4 * 256).fill(255) };
    grid.each(window, (place) => grid.claim(place, 7));
    const depthOf = (place: number) => {
      const [x, y] = [(place % 24) - 4, Math.floor(place / 24) - 4];
      return Math.min(x, y, 15 - x, 15 - y);
    };
    const gone: number[][] = [];
    for (let left = 32; left > 0; left--) {
      const places = dissolvingPlaces(whole, grid, left, (place) => chance(5, place, 0));
      for (const place of places) grid.release(place);
      gone.push(places);
    }
    expect(new Set(gone.flat()).size).toBe(256);
    for (const places of gone) expect(places).toHaveLength(8);
    const [early, late] = [gone.slice(0, 8), gone.slice(-8)].map((some) =>
      some.flat().map(depthOf),
    );
    expect(Math.max(...early)).toBeLessThanOrEqual(2);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(3);
    // Not ring by ring: while some of the outermost ring is left, places behind it are gone.
    const lastOuter = gone.findLastIndex((places) => places.some((place) => depthOf(place) === 0));
    expect(gone.slice(0, lastOuter).flat().map(depthOf)).toContain(2);
    expect(dissolvingPlaces({ ...whole, id: 8 }, grid, 3, () => 0)).toEqual([]);
  });

  test('DEP-7: a departing organism loses its places over eight seconds, without steps, then dies', () => {
    const hand = departing();
    const [seconds, places] = [dissolveSeconds, 64];
    expect(hand.room.size).toBe(2);
    const left = [held(hand, 1)];
    expect(left[0]).toBe(places - places / seconds);
    const age = hand.room.export().organisms[0].age;
    for (let tick = 2; tick < seconds; tick++) {
      expect(words(hand.tick())).not.toContain('died');
      left.push(held(hand, 1));
    }
    expect(left).toEqual(Array.from({ length: seconds - 1 }, (_, i) => places - 8 * (i + 1)));
    expect(hand.room.export().organisms[0].age).toBe(age);
    expect(hand.tick().life).toContainEqual({ what: 'died', id: 1, cause: 'departed' });
    expect(held(hand, 1)).toBe(0);
    expect(hand.room.viewOf(1)).toBeUndefined();
  });

  test('DEP-8: of more than eight that depart at once, the one nearest its end dies at once', () => {
    const hand = rested(
      Array.from({ length: 12 }, () => ANNA),
      { maxOrganisms: 12, height: 80 },
    );
    const plants = (count: number, y: number) => {
      for (let i = 0; i < count; i++) hand.plant(6 + 9 * i, y, CLEO);
      return hand.tick();
    };
    plants(2, 44);
    plants(4, 56);
    const full = plants(2, 68);
    expect(words(full)).not.toContain('died');
    expect(phases(hand).filter((one) => one.endsWith('departing'))).toHaveLength(maxDissolving);
    hand.plant(33, 68, CLEO);
    const more = hand.tick();
    expect(more.life.filter(({ what }) => what === 'died')).toEqual([
      { what: 'died', id: 1, cause: 'departed' },
    ]);
    expect(phases(hand).filter((one) => one.endsWith('departing'))).toHaveLength(maxDissolving);
  });

  test('DEP-8: an engine without memory for one more lets those go that dissolve', () => {
    const hand = rested([ANNA, BERT]);
    const { room } = hand;
    room.enqueue(1, { what: 'plant', by: CLEO, x: 6, y: 18, seed: { from: 'gallery', index: 0 } });
    room.beginTick();
    expect(room.refusePending()).toBe(true);
    const { answers, life } = room.endTick([]);
    expect(answers[0].refused?.reason).toBe('garden-full');
    expect(life).toContainEqual({ what: 'died', id: 1, cause: 'departed' });
    expect(room.beginTick().dispose).toHaveLength(2);
    room.endTick([]);
  });

  test('TIM-5, DEP-8: where nothing was planted, what dissolves goes on although another room lacks memory', async () => {
    const hand = rested([ANNA, BERT], {
      life: { birth: 1, healing: 1, expressing: 1, lifetime: protectedSeconds },
    });
    while (phases(hand)[0] !== '1 departing') hand.tick();
    const engine = {
      plant: async () => {
        throw new EngineError('out-of-memory');
      },
      dispose: async () => {},
    } as Partial<Engine> as Engine;
    const world = new World(engine);
    const from = structuredClone(hand.room.export());
    const place = { width: 48, height: 24, maxOrganisms: 2, seed: 1, species: hand.room.species };
    const calm = world.open({ ...place, name: 'calm', from });
    const full = world.open({ ...place, name: 'full' });
    const journal: TickEvents[] = [];
    world.journal = async (ticks) => {
      journal.push(...ticks);
    };
    const seed = { from: 'gallery', index: 0 } as const;
    full.enqueue(1, { what: 'plant', by: ANNA, x: 6, y: 6, seed });
    const [, { result }] = await world.tick([calm, full]);
    expect(reasonOf(result)).toBe('garden-full');
    expect(journal.map(({ events }) => events.map(({ what }) => what))).toEqual([
      [],
      ['command', 'no-memory'],
    ]);
    hand.tick();
    expect(calm.export()).toEqual(hand.room.export());
  });

  test('DEP-8, DEP-10: a seed that memory is missing for cannot be renewed, even if it would have departed at once', () => {
    const hand = new HandRoom({ ...SLOW, maxOrganisms: 1 });
    const { room } = hand;
    room.enter(ANNA.id, undefined, 1);
    room.enter(CLEO.id, undefined, 2);
    hand.plant(6, 6, ANNA);
    hand.plant(18, 6, CLEO);
    room.beginTick();
    expect(phases(hand)).toEqual(['1 departing', '2 growing']);
    expect(room.refusePending()).toBe(true);
    expect(room.endTick([]).life).toEqual([]);
    expect(room.renewable(ANNA.id)).toEqual([]);
  });

  test('DEP-9: strokes do not wound a departing organism, and it can be crossed', () => {
    const hand = departing();
    hand.damage([3, 6, 9, 6], 2, BERT);
    const { answers, life } = hand.act({ what: 'cross', by: BERT, a: 1, b: 2, mix: 0.5 });
    expect(answers.map(({ refused }) => refused)).toEqual([undefined, undefined]);
    expect(life.filter(({ what }) => what === 'wounded')).toEqual([]);
    expect(hand.room.viewOf(1)).toMatchObject({ phase: 'departing', wounds: 0, hurt: false });
    expect(words(hand.ticks(dissolveSeconds).at(-3)!)).toContain('died');
  });

  test('DEP-9: a neighbour that it blocked rests until it is gone, then grows into what it has left', () => {
    const hand = besideDeparting();
    const life = hand.lives(dissolveSeconds - 1);
    expect(life).toContainEqual({ what: 'departing', id: 1 });
    expect(life).not.toContainEqual({ what: 'awake', id: 2 });
    expect([hand.owner(10, 8), hand.owner(11, 8)]).not.toContain(2);
    expect(hand.tick().life).toContainEqual({ what: 'awake', id: 2 });
    hand.tick();
    expect([hand.owner(10, 8), hand.owner(11, 8), hand.owner(9, 8)]).toEqual([2, 2, 0]);
  });
});

describe('lifetime', () => {
  const life = (lifetime: number) => ({ birth: 1, healing: 1, expressing: 1, lifetime });
  const FIVE = [ANNA, ANNA, BERT, BERT, CLEO];

  /** When each organism has begun to depart, in seconds. */
  function departures(hand: HandRoom, seconds: number): [at: number, id: number][] {
    return hand.ticks(seconds).flatMap(({ tick, life: events }) => {
      const gone = events.filter(({ what }) => what === 'departing') as { id: number }[];
      return gone.map(({ id }): [number, number] => [tick, id]);
    });
  }

  test('DEP-11: in a room more than half full, those at rest depart one by one when it is over', () => {
    const hand = rested(FIVE, { maxOrganisms: 6, life: life(100) });
    hand.room.leave(BERT.id);
    expect(departures(hand, 100 - protectedSeconds - 1)).toEqual([]);
    const gone = departures(hand, 60);
    // Of an absent planter first, then of who has most; three are not more than half of six.
    expect(gone.map(([, id]) => id)).toEqual([3, 4]);
    expect(gone[1][0] - gone[0][0]).toBe(outlivedSeconds);
    expect(hand.room.size).toBe(3);
  });

  test('DEP-2, DEP-11: none departs before a minute, and none where lives last for ever', () => {
    const hand = new HandRoom({ ...SLOW, width: 48, maxOrganisms: 3, life: life(5) });
    for (const { id } of PEOPLE) hand.room.enter(id);
    for (const [i, by] of PEOPLE.entries()) hand.plant(6 + 12 * i, 6, by);
    hand.ticks(GROWN);
    hand.change = 0;
    expect(departures(hand, protectedSeconds - GROWN)).toEqual([]);
    expect(departures(hand, 2 * outlivedSeconds)).not.toEqual([]);
    const eternal = rested(FIVE, { maxOrganisms: 5, life: life(0) });
    expect(departures(eternal, 600)).toEqual([]);
  });

  test('DEP-11: a life begins anew when its planter brings it back', () => {
    const hand = rested(FIVE, { maxOrganisms: 6, life: life(80) });
    hand.ticks(80 - protectedSeconds + outlivedSeconds + 2);
    expect(hand.room.viewOf(1)?.phase).toBe('departing');
    expect(words(renew(hand, 1))).toContain('renewed');
    hand.ticks(70);
    expect(hand.room.viewOf(1)?.phase).toBe('asleep');
    expect(hand.room.size).toBe(3);
  });
});
