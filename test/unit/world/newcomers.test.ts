/** Visitors who come and go in a full room, in simulated time. */

import {
  AFFECTED,
  AffectedOrganisms,
} from '../../../server/realtime/presence/affected-organisms.ts';
import { SEATS } from '../../../server/realtime/sessions/seats.ts';
import { DEFAULT_ENERGY } from '../../../server/world/energy.ts';
import { hueOf } from '../../../shared/hues.ts';
import { createRandom } from '../../../shared/random.ts';
import { HandRoom } from '../../support/rooms.ts';

const TICK_RATE = 15;
const SECONDS = process.env.VIVARIUM_TEST_FULL === '1' ? 600 : 150;
const BOTS = 12;
const GRACE = SEATS.grace / 1000;
/** Within which visitors are told that theirs departs, ticks. */
const SOON = (AFFECTED.gather / 1000) * TICK_RATE + 1;

interface Visit {
  readonly id: number;
  readonly arrived: number;
  /** Tick at which the page closes, and at which the place is given up. */
  readonly leaves: number;
  /** Tick of the first organism. */
  planted?: number;
  /** Organisms that the visitor was told of. */
  readonly told: Set<number>;
}

test('DEP-1, DEP-12: twelve visitors in a full room: each newcomer plants within ten seconds, and no organism departs without a word', () => {
  const random = createRandom(12);
  const hand = new HandRoom({
    ...{ width: 64, height: 48, maxOrganisms: 24, tickRate: TICK_RATE, energy: DEFAULT_ENERGY },
    life: { birth: 3, healing: 2, expressing: 2, lifetime: 90 },
  });
  const { room } = hand;
  const visits = new Map<number, Visit>();
  const waits: number[] = [];
  const refusals: string[] = [];
  /** By departed organism: its planter, if they could still come back then, and stayed a while. */
  const departed = new Map<number, { visit: Visit | undefined; wasHere: boolean }>();
  const isHere = ({ leaves }: Visit) => room.tick < leaves;
  const affected = new AffectedOrganisms({
    room,
    isExpected: (id) => visits.has(id),
    personOf: () => undefined,
    send: (id, { organisms }) => {
      const visit = visits.get(id)!;
      if (!isHere(visit)) return false;
      for (const { id: organism, how } of organisms) {
        if (how.startsWith('depart')) visit.told.add(organism);
      }
      return true;
    },
  });
  let nextId = 1;
  const come = () => {
    const id = nextId++;
    const stay = Math.round((20 + 70 * random.uniform()) * TICK_RATE);
    visits.set(id, { id, arrived: room.tick, leaves: room.tick + stay, told: new Set() });
    room.enter(id, undefined, 1 + (id % 5));
  };
  const act = ({ id, told, planted }: Visit) => {
    const by = { id, name: `${id}`, hue: hueOf(id) };
    const [x, y] = [4 + random.integer(57), 4 + random.integer(41)];
    const draw = random.uniform();
    if (planted === undefined || draw < 0.15) {
      const isBare = [0, 1].every((i) => [0, 1].every((j) => !hand.owner(x - i, y - j)));
      if (isBare) hand.plant(x, y, by);
    } else if (draw < 0.2) hand.damage([x, y, x + 2, y], 1.5, by);
    else if (draw < 0.5) {
      for (const organism of told) {
        if (random.uniform() < 0.1) room.enqueue(99, { what: 'renew', by, organism });
      }
    }
  };
  let isFull = false;
  for (let tick = 0; tick < SECONDS * TICK_RATE; tick++) {
    for (const visit of visits.values()) {
      if (room.tick >= visit.leaves + GRACE * TICK_RATE) {
        visits.delete(visit.id);
        room.leave(visit.id);
        affected.forget([visit.id]);
      }
    }
    const here = [...visits.values()].filter(isHere);
    if (here.length < BOTS) come();
    // Half of a second between two tries; each at another tick.
    for (const visit of here) if ((tick + visit.id) % 8 === 0) act(visit);
    const result = hand.tick();
    isFull ||= room.size === room.maxOrganisms;
    for (const { by, what, refused } of result.answers) {
      const visit = visits.get(by);
      if (what !== 'plant' || !visit) continue;
      if (refused?.reason === 'garden-full') refusals.push(refused.reason);
      else if (!refused && visit.planted === undefined) {
        visit.planted = result.tick;
        waits.push((result.tick - visit.arrived) / TICK_RATE);
      }
    }
    for (const event of result.life) {
      if (event.what === 'departing') {
        const visit = visits.get(room.viewOf(event.id)!.planter.id);
        const until = Math.min(visit?.leaves ?? 0, SECONDS * TICK_RATE);
        departed.set(event.id, { visit, wasHere: room.tick + SOON < until });
      }
    }
    affected.follow(result, (1000 * tick) / TICK_RATE);
    affected.send(result.tick, (1000 * tick) / TICK_RATE);
    const late = here.filter((one) => one.planted === undefined && isHere(one));
    for (const { arrived } of late) waits.push((room.tick - arrived) / TICK_RATE);
  }
  expect(isFull).toBe(true);
  expect(refusals).toEqual([]);
  expect(departed.size).toBeGreaterThan(20);
  expect(Math.max(...waits)).toBeLessThan(10);
  const toTell = [...departed].filter(([, { wasHere }]) => wasHere);
  expect(toTell.length).toBeGreaterThan(5);
  expect(toTell.filter(([id, { visit }]) => !visit!.told.has(id))).toEqual([]);
});
