import { type WallSeat, WallSeats } from '../../../../server/realtime/policy/wall-seats.ts';
import { FrameRate, wallStates } from '../../../../server/realtime/sessions/walls.ts';
import { takeSeat, type WatcherSeat } from '../../../../server/realtime/sessions/watchers.ts';
import type { LanguageCode } from '../../../../shared/languages.ts';
import { Refusal } from '../../../../shared/protocol/reasons.ts';
import fc, { forAll } from '../../../support/property.ts';

const FULL = new Refusal('too-many-walls');

/** Walls by name; who has to leave has left. */
function wallsOf<M>(most: number) {
  const seats = new Map<M, WatcherSeat>();
  const add = (wall: M, address: string, place?: number): M | undefined => {
    const gone = takeSeat(seats, wall, { address, place }, { most, full: FULL.reason });
    if (gone !== undefined) seats.delete(gone);
    return gone;
  };
  const hasPlace = (id: number) => [...seats.values()].some(({ place }) => place === id);
  return { seats, add, hasPlace };
}

describe('places', () => {
  /** What is stored, and the wall clock. */
  const store = () => ({ now: 1_000, stored: [] as readonly WallSeat[] });
  const open = (memory: ReturnType<typeof store>) =>
    new WallSeats(
      () => memory.now,
      memory.stored,
      (all) => {
        memory.stored = all;
      },
    );

  test('a pass opens one place in one room, until the place is taken back', () => {
    const memory = store();
    const places = open(memory);
    const foyer = places.add('garden', 'Foyer');
    const stairs = places.add('garden', 'Stairs');
    expect(foyer.pass).toMatch(/^[a-z2-9]{12}$/);
    expect(places.find('garden', foyer.pass)).toMatchObject({ name: 'Foyer' });
    expect(places.find('attic', foyer.pass)).toBeUndefined();
    expect(places.find('garden', '')).toBeUndefined();
    const again = open(memory);
    expect(again.find('garden', stairs.pass)).toMatchObject({ id: stairs.id });
    again.remove(stairs.id);
    expect(open(memory).of('garden')).toMatchObject([{ name: 'Foyer' }]);
    again.forget('garden');
    expect(open(memory).of('garden')).toEqual([]);
  });

  test('it is known since when a wall is lost, also after the server was restarted or killed', () => {
    const memory = store();
    const places = open(memory);
    const { id } = places.add('garden', 'Foyer');
    const lost = (from: WallSeats) => from.of('garden')[0].lost;
    memory.now = 2_000;
    // One that was never up cannot be lost.
    expect(lost(open(memory))).toBeNull();
    places.appeared(id);
    expect(lost(places)).toBeNull();
    memory.now = 3_000;
    places.vanished(id);
    memory.now = 4_000;
    expect(lost(open(memory))).toBe(3_000);
    places.appeared(id);
    memory.now = 5_000;
    expect(lost(open(memory))).toBe(5_000);
  });
});

describe('a full room', () => {
  test('a second address, or a second IPv6 site, gets up to half of the walls', () => {
    for (const far of ['far', '2001:db8:1:a::/64']) {
      const walls = wallsOf<string>(8);
      for (let i = 0; i < 8; i++) walls.add(`stranger ${i}`, far.replace('a::', `${i}::`));
      expect(walls.add('house 0', 'here')).toBe('stranger 7');
      for (let i = 1; i < 4; i++) walls.add(`house ${i}`, 'here');
      expect(() => walls.add('house', 'here')).toThrow(FULL);
      expect(() => walls.add('stranger', far)).toThrow(FULL);
      expect(walls.seats.size).toBe(8);
    }
  });

  test('whatever others do, walls with places get in and stay, and others give way only to smaller groups', () => {
    const guest = fc.record({ address: fc.nat(3), place: fc.constant(null) });
    const wish = fc.record({ address: fc.nat(3), place: fc.option(fc.nat(3)) });
    // Many lists begin with more guests than there are seats, so that some have to give way.
    const lists = fc
      .tuple(fc.array(guest, { maxLength: 40 }), fc.array(wish, { maxLength: 40 }))
      .map(([guests, wishes]) => [...guests, ...wishes]);
    let replaced = 0;
    forAll(lists, (wishes) => {
      const walls = wallsOf<number>(5);
      const opened = new Set<number>();
      const guests = (address: number, seats: Map<number, WatcherSeat>) =>
        [...seats.values()].filter((seat) => !seat.place && seat.address === `${address}`).length;
      wishes.forEach(({ address, place }, wall) => {
        const before = new Map(walls.seats);
        try {
          const gone = walls.add(wall, `${address}`, place ?? undefined);
          const larger = gone === undefined ? undefined : Number(before.get(gone)!.address);
          if (larger !== undefined && opened.size === 0 && place === null) {
            replaced++;
            expect(guests(larger, before)).toBeGreaterThan(guests(address, before) + 1);
          }
        } catch (error) {
          expect(error).toEqual(FULL);
          expect(before.size).toBe(5);
          // Only a further screen of a wall that is up may be refused.
          if (place !== null) expect(opened).toContain(place);
        }
        if (place !== null) opened.add(place);
        for (const one of opened) expect(walls.hasPlace(one)).toBe(true);
        expect(walls.seats.size).toBeLessThanOrEqual(5);
      });
    });
    expect(replaced).toBeGreaterThan(0);
  });
});

describe('what the host sees', () => {
  test('a frame rate over the last seconds, and none when nothing is shown any more', () => {
    const rate = new FrameRate(0);
    let now = 0;
    const show = (seconds: number, frames: number) => {
      for (let i = 0; i < seconds * frames; i++) rate.confirm((now += 1_000 / frames));
    };
    show(3, 20);
    expect(rate.at(now)).toBeCloseTo(20);
    show(20, 15);
    expect(rate.at(now)).toBeCloseTo(15, 0);
    show(20, 1);
    expect(rate.at(now)).toBeCloseTo(1, 0);
    expect(rate.at(now + 10_000)).toBe(0);
  });

  test('walls and tables with places come first, with all their screens; the slowest screen counts', () => {
    const place = (id: number, name: string, lost: number | null): WallSeat => {
      return { id, room: 'garden', name, pass: `pass${id}`, seen: true, lost };
    };
    const screen = (since: number, frames: number, of?: number, lacks: LanguageCode[] = []) => {
      const frameRate = new FrameRate(9_000);
      for (let i = 0; i < frames; i++) frameRate.confirm(9_500);
      return { since, frameRate, place: of, unwritable: lacks };
    };
    const places = [
      place(1, 'Foyer', null),
      { ...place(2, 'Stairs', 5), table: true, blocked: true },
    ];
    const connected = [
      screen(4_000, 3),
      screen(2_000, 15, 1, ['ja']),
      screen(3_000, 12, 1, ['ja', 'ar']),
    ];
    const wall = { table: false, blocked: false };
    expect(wallStates(places, connected, 10_000)).toEqual([
      {
        ...{ ...wall, id: 1, name: 'Foyer', path: '/wall/garden?pass=pass1', screens: 2 },
        ...{ upFor: 8_000, lost: null, frameRate: 12, unwritable: ['ja', 'ar'] },
      },
      {
        ...{ id: 2, name: 'Stairs', path: '/table/garden?pass=pass2', screens: 0 },
        ...{ table: true, blocked: true },
        ...{ upFor: null, lost: 5, frameRate: 0, unwritable: [] },
      },
      {
        ...{ ...wall, id: null, name: '', path: '', screens: 1 },
        upFor: 6_000,
        lost: null,
        frameRate: 3,
        unwritable: [],
      },
    ]);
  });
});
