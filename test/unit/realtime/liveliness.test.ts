import { Liveliness } from '../../../server/realtime/policy/liveliness.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { HandRoom, SPECIES } from '../../support/rooms.ts';

const { slowAfter, quickAfter, unwatchedAfter } = DEFAULTS.liveliness;
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
        liveliness.update({ ...moment, now });
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

test('after a restart, those who watched get time to come back', () => {
  const { room } = new HandRoom({ species: { ...SPECIES, relatives } });
  room.setLiveliness(0.2);
  const liveliness = new Liveliness(room);
  const moment = { setting: 0.2, isSlow: false };
  for (let now = 0; now < unwatchedAfter; now += 1_000) {
    liveliness.update({ ...moment, isWatched: false, now });
  }
  expect(room.liveliness).toBe(0.2);
  liveliness.update({ ...moment, isWatched: false, now: unwatchedAfter });
  expect(room.liveliness).toBe(0);
});
