/** Whose names others see. */

import { BANS, Bans } from '../../../../server/realtime/policy/bans.ts';
import { HALL, Hall } from '../../../../server/realtime/policy/hall-sensors.ts';
import { LIVELINESS, Liveliness } from '../../../../server/realtime/policy/liveliness.ts';
import { RoomPolicy } from '../../../../server/realtime/policy/room-policy.ts';
import { ROOM_DEFAULTS } from '../../../../shared/host/room-settings.ts';
import { GARDENER_NAME, OSC_NAME } from '../../../../shared/names.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { organismView } from '../../../support/fake-server.ts';
import { ANNA, BERT, HandRoom, SPECIES } from '../../../support/rooms.ts';

test('where names are hidden, the gardener and the house keep theirs: they are nobody', () => {
  const policy = new RoomPolicy({ ...ROOM_DEFAULTS, names: false } as never);
  const shown = (name: string) => {
    const planter = { id: 7, name, hue: 1 };
    const organism = organismView(1, { planter });
    const life = { tick: 1, events: [{ what: 'born' as const, organism }] };
    const [event] = policy.redactNames('life', life as never).events;
    return event.what === 'born' && event.organism.planter.name;
  };
  expect(shown('Ada')).toBe('');
  expect(shown(GARDENER_NAME)).toBe(GARDENER_NAME);
  expect(shown(OSC_NAME)).toBe(OSC_NAME);
});

test('GRA-9: names of muted painters are hidden in every message, and nobody else’s', () => {
  const policy = new RoomPolicy(ROOM_DEFAULTS as never);
  policy.muted.add(BERT.id);
  const part = { kind: 'fox', origin: 'gallery', share: 0.25 } as const;
  const parts = [part, ...[ANNA, BERT].map((by) => ({ ...part, by }))];
  const organism = organismView(1, { planter: ANNA, parts });
  const events = [
    { what: 'born', organism },
    { what: 'grafted', id: 1, by: BERT.id, kind: 'fox', parts },
    { what: 'grafted', id: 1, by: BERT.id },
  ] as const;
  const life = policy.redactNames('life', { tick: 1, events } as never).events;
  const wall = policy.redactNames('wall', { participants: [], organisms: [organism] } as never);
  const hidden = { ...BERT, name: '' };
  const shown = [part, { ...part, by: ANNA }, { ...part, by: hidden }];
  expect(wall.organisms).toEqual([{ ...organism, parts: shown }]);
  expect(life).toEqual([
    { ...events[0], organism: { ...organism, parts: shown } },
    { ...events[1], parts: shown },
    events[2],
  ]);
});

const { unmarkedSeconds, slowedSeconds } = BANS;
const HOUR = 3_600_000;

test('newcomers after a ban come in as slowly, and for as long, when the wall clock is set', () => {
  const clock = new FakeClock();
  let date = 1_000 * HOUR;
  const bans = new Bans({ secret: new Uint8Array(32), date: () => date, clock });
  const address = '10.1.1.1';
  bans.add({ room: 'garden', participant: 1, name: 'Eve', address, wholeAddress: false });
  const knock = (): boolean => bans.admitsUnmarked(address);
  expect([knock(), knock()]).toEqual([true, false]);
  date -= HOUR;
  clock.spend(1_000 * unmarkedSeconds);
  expect([knock(), knock()]).toEqual([true, false]);
  date += 2 * HOUR;
  expect(knock()).toBe(false);
  clock.spend(1_000 * slowedSeconds);
  expect([knock(), knock()]).toEqual([true, true]);
});

const { slowAfter, quickAfter, unwatchedAfter } = LIVELINESS;
const relatives = { lentSteps: 3, homeSteps: 4, of: [[]] };

/** A room, and what its journal says of its liveliness. */
function lively(species = { ...SPECIES, relatives }) {
  const { room } = new HandRoom({ species });
  const liveliness = new Liveliness(room);
  let now = 0;
  const moment = { setting: 0.2, isWatched: false, isSlow: false };
  return {
    room,
    moment,
    /** Goes on for some time. @returns the shares that are journalled */
    pass(ms: number): number[] {
      const shares: number[] = [];
      for (const end = now + ms; now < end; now += 100) {
        liveliness.update(moment.setting, moment.isWatched, moment.isSlow, now);
        const { events } = room.beginTick();
        room.endTick([]);
        shares.push(...events.flatMap((one) => (one.what === 'liveliness' ? [one.share] : [])));
      }
      return shares;
    },
  };
}

test('IDL-3: organisms express only while somebody watches; a moment without anybody does not count', () => {
  const { moment, pass } = lively();
  expect(pass(20_000)).toEqual([]);
  moment.isWatched = true;
  expect(pass(1_000)).toEqual([0.2]);
  moment.isWatched = false;
  expect(pass(unwatchedAfter - 1_000)).toEqual([]);
  moment.isWatched = true;
  expect(pass(60_000)).toEqual([]);
  moment.isWatched = false;
  expect(pass(unwatchedAfter + 1_000)).toEqual([0]);
});

test('IDL-3: half as many express in a slow room, and a room that wavers is not journalled each time', () => {
  const { moment, pass } = lively();
  moment.isWatched = true;
  expect(pass(1_000)).toEqual([0.2]);
  for (let i = 0; i < 20; i++) {
    moment.isSlow = !moment.isSlow;
    expect(pass(1_000)).toEqual([]);
  }
  moment.isSlow = true;
  expect(pass(slowAfter + 1_000)).toEqual([0.1]);
  for (let i = 0; i < 20; i++) {
    moment.isSlow = !moment.isSlow;
    expect(pass(1_000)).toEqual([]);
  }
  moment.isSlow = false;
  expect(pass(quickAfter + 1_000)).toEqual([0.2]);
});

test("IDL-3: the host's share counts at once; a room without a table journals nothing", () => {
  const { moment, pass } = lively();
  moment.isWatched = true;
  pass(1_000);
  moment.setting = 0.5;
  expect(pass(1_000)).toEqual([0.5]);
  moment.setting = 0;
  expect(pass(1_000)).toEqual([0]);
  const { moment: other, pass: passOther } = lively(SPECIES as never);
  other.isWatched = true;
  expect(passOther(30_000)).toEqual([]);
});

test('an empty hall halves the liveliness, a full one doubles it, and silent sensors change nothing', () => {
  const woken: number[] = [];
  const grid = { width: 256, height: 128 };
  const hall = new Hall({ grid, species: { side: 32 } } as never, ({ x, radius }) => {
    woken.push(x, radius);
  });
  let now = 0;
  /** Goes on for some seconds, in which sensors report these strengths at places of their own. */
  const pass = (seconds: number, ...strengths: number[]): number => {
    let factor = 0;
    for (const end = now + 1_000 * seconds; now < end; now += 1_000) {
      for (const [i, strength] of strengths.entries())
        hall.sense({ x: 40 * i, y: 9, strength }, now);
      factor = hall.crowding(now);
    }
    return factor;
  };
  expect(pass(700)).toBe(1);
  expect(pass(20, 0)).toBe(1);
  expect(pass(20, 0)).toBe(HALL.emptyShare);
  expect(woken).toEqual([]);
  expect(pass(1, 0.5)).toBe(1);
  expect(woken).toEqual([0, 16]);
  // Four people have to stay for a while; somebody who stays wakes the creatures again.
  expect(pass(4, 1, 1, 1, 1)).toBe(1);
  expect(pass(4, 1, 1, 1, 1)).toBe(HALL.fullShare);
  expect(woken.filter((x, i) => i % 2 === 0 && x === 120)).toHaveLength(4);
  expect(pass(30, 1)).toBe(1);
  // Sensors that are silent because nobody is there; and that are switched off.
  expect(pass(60)).toBe(HALL.emptyShare);
  expect(pass(HALL.silent / 1_000)).toBe(1);
  expect(hall.sense({ x: 256, y: 0, strength: 1 }, now)).toBe(false);
  expect(hall.sense({ x: 0, y: 128, strength: 1 }, now)).toBe(false);
});

test('after a restart, those who watched get time to come back', () => {
  const { room } = new HandRoom({ species: { ...SPECIES, relatives } });
  room.change({ what: 'liveliness', share: 0.2 });
  const liveliness = new Liveliness(room);
  for (let now = 0; now < unwatchedAfter; now += 1_000) {
    liveliness.update(0.2, false, false, now);
  }
  expect(room.rules.liveliness).toBe(0.2);
  liveliness.update(0.2, false, false, unwatchedAfter);
  expect(room.rules.liveliness).toBe(0);
});
