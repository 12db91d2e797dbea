/** How planters keep what departs. */
import { DEPARTURE } from '../../../server/world/departures.ts';
import { HOUSE } from '../../../shared/vocabulary.ts';
import { ANNA, BERT, HandRoom } from '../../support/rooms.ts';
import {
  besideDeparting,
  CLEO,
  departing,
  held,
  phases,
  reasonOf,
  renew,
  rested,
  SLOW,
} from './departing-rooms.ts';

const { dissolveSeconds, protectedSeconds, renewSeconds } = DEPARTURE;

describe('renewing', () => {
  test('DEP-10, LIF-3: what a renewed organism does not take back wakes the neighbour that it blocked', () => {
    const hand = besideDeparting();
    hand.ticks(dissolveSeconds - 2);
    // There is room for all.
    hand.act({ what: 'remove', by: HOUSE, organism: 3 });
    for (let y = 4; y < 12; y++) expect([hand.owner(10, y), hand.owner(11, y)]).toEqual([0, 0]);
    hand.room.enqueue(10, { what: 'renew', by: ANNA, organism: 1 });
    const life = hand.ticks(4, ({ organism, x }) => (organism === 1 && x > 5 ? 0 : 255));
    expect(life.flatMap((result) => result.life)).toContainEqual({ what: 'awake', id: 2 });
  });

  test('DEP-10: brings a departing organism back, and another departs for it', () => {
    const hand = departing();
    hand.ticks(4);
    expect(held(hand, 1)).toBeLessThan(32);
    const energy = hand.room.energyOf(ANNA.id);
    const { answers, life } = renew(hand, 1);
    expect(answers[0]).toMatchObject({ what: 'renew', energy });
    expect(life).toContainEqual({ what: 'renewed', id: 1, phase: 'awake' });
    expect(life).toContainEqual({ what: 'departing', id: 2 });
    expect(phases(hand).slice(0, 2)).toEqual(['1 awake', '2 departing']);
    expect(held(hand, 1)).toBe(64);
    expect(hand.room.size).toBe(2);
    const later = hand.lives(30);
    expect(later).toContainEqual({ what: 'asleep', id: 1 });
    expect(later).toContainEqual({ what: 'died', id: 2, cause: 'departed' });
    expect(later).not.toContainEqual({ what: 'died', id: 1, cause: 'departed' });
  });

  /** A room in which Anna's departs while it grows, with the places in its middle. */
  function growing() {
    const hand = new HandRoom({ ...SLOW, maxOrganisms: 1 });
    hand.room.enter(ANNA.id, undefined, 1);
    hand.room.enter(CLEO.id, undefined, 2);
    hand.plant(6, 6, ANNA);
    hand.ticks(3);
    hand.plant(18, 6, CLEO);
    hand.tick();
    expect(phases(hand)).toEqual(['1 departing', '2 growing']);
    hand.room.change({ what: 'limit', maxOrganisms: 2 });
    const { grid } = hand.room;
    const middle = [grid.place(5, 5), grid.place(6, 5), grid.place(5, 6), grid.place(6, 6)];
    return { hand, grid, middle };
  }

  test('DEP-10, OWN-7: one that is still growing has the bare places in its middle again', () => {
    const { hand, grid, middle } = growing();
    for (const place of middle) grid.release(place);
    grid.claim(middle[0], 2);
    hand.act({ what: 'renew', by: ANNA, organism: 1 }, () => 0);
    expect(middle.map((place) => grid.ownerAt(place))).toEqual([2, 1, 1, 1]);
  });

  test('DEP-10, TIM-2: one that is still growing is not brought back where others own its middle', () => {
    const { hand, grid, middle } = growing();
    for (const place of middle) {
      grid.release(place);
      grid.claim(place, 2);
    }
    const { nextOrganism } = hand.room.export();
    expect(reasonOf(renew(hand, 1))).toBe('occupied');
    expect(phases(hand)).toEqual(['1 departing', '2 growing']);
    expect(hand.room.export().nextOrganism).toBe(nextOrganism);
  });

  test('DEP-2, DEP-10: what was renewed counts as just planted; where all is fresh, renewing is refused', () => {
    const hand = departing();
    renew(hand, 1);
    const refused = renew(hand, 2, BERT);
    expect(reasonOf(refused)).toBe('garden-full');
    expect(phases(hand)).toEqual(['1 awake', '2 departing', '3 growing']);
    // A minute later it may depart again.
    hand.ticks(protectedSeconds);
    hand.plant(30, 18, CLEO);
    hand.tick();
    expect(phases(hand)[0]).toBe('1 departing');
  });

  test('DEP-10: for a minute after its death, it is planted again at the same place, free', () => {
    const hand = departing();
    hand.ticks(dissolveSeconds);
    expect(hand.room.viewOf(1)).toBeUndefined();
    const renewable = { id: 1, kind: 'one', secondsLeft: expect.closeTo(renewSeconds, -1) };
    expect(hand.room.renewable(ANNA.id)).toEqual([renewable]);
    const energy = hand.room.energyOf(ANNA.id);
    const { answers, life } = renew(hand, 1);
    expect(answers[0].refused).toBeUndefined();
    expect(hand.room.energyOf(ANNA.id)).toBe(energy);
    const [born] = life.flatMap((event) => (event.what === 'born' ? [event.organism] : []));
    expect(born).toMatchObject({ x: 6, y: 6, kind: 'one', planter: ANNA, origin: 'gallery' });
    // Bert's departed for it, and now that one can be kept.
    expect(hand.room.renewable(ANNA.id)).toEqual([]);
    expect(hand.room.renewable(BERT.id)).toHaveLength(1);
    expect(reasonOf(renew(hand, 1))).toBe('no-such-organism');
  });

  test('DEP-10, TIM-2: by others, too late, or of what never was, it is refused and changes nothing', () => {
    const hand = departing();
    const roomNow = () => {
      const { planes, organisms, nextOrganism } = hand.room.export();
      return { owner: planes.owner, ids: organisms.map(({ id }) => id), nextOrganism };
    };
    expect(reasonOf(renew(hand, 1, BERT))).toBe('not-yours');
    expect(phases(hand)[0]).toBe('1 departing');
    expect(reasonOf(renew(hand, 99))).toBe('no-such-organism');
    hand.ticks(dissolveSeconds);
    expect(reasonOf(renew(hand, 1, BERT))).toBe('not-yours');
    hand.ticks(renewSeconds);
    const asItWas = roomNow();
    expect(reasonOf(renew(hand, 1))).toBe('no-such-organism');
    expect(roomNow()).toEqual(asItWas);
    expect(hand.room.export().departed).toBeUndefined();
  });

  test('DEP-13: what the host has depart dissolves within the time given, and cannot be renewed', () => {
    const hand = rested([ANNA, BERT]);
    const { answers, life } = hand.act({ what: 'depart', by: HOUSE, organism: 1, seconds: 4 });
    expect(answers[0].refused).toBeUndefined();
    expect(life).toContainEqual({ what: 'departing', id: 1 });
    expect(held(hand, 1)).toBe(48);
    expect(hand.room.renewable(ANNA.id)).toEqual([]);
    expect(reasonOf(renew(hand, 1))).toBe('no-such-organism');
    expect(held(hand, 1)).toBe(32);
    hand.tick();
    expect(hand.tick().life).toContainEqual({ what: 'died', id: 1, cause: 'departed' });
    expect(reasonOf(renew(hand, 1))).toBe('no-such-organism');
    const again = hand.act({ what: 'depart', by: HOUSE, organism: 1, seconds: 4 });
    expect(reasonOf(again)).toBe('no-such-organism');
  });
});
