/** The host's page: its areas, statistics, hours and settings, its session, and the state that it fetches. */
import { type HostApi, HostModel, withDraft } from '../../../client/host/host-model.ts';
import { areaBetween, areaKey, organismsIn } from '../../../client/host/live-view.ts';
import {
  addressName,
  healthOf,
  locationHash,
  parseLocation,
} from '../../../client/host/navigation.ts';
import { offerUndo } from '../../../client/host/sections/saved-section.ts';
import {
  changeTo,
  energyStory,
  isOn,
  KNOBS,
  mostOf,
  type SettingId,
  shownValue,
} from '../../../client/host/sections/settings-section.ts';
import {
  bars,
  columnsOf,
  medianStay,
  ninths,
  roundUp,
  total,
} from '../../../client/host/sections/visit-statistics-section.ts';
import { lastCopy, stateBefore } from '../../../client/host/text.ts';
import { DEFAULT_ENERGY } from '../../../server/world/energy.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';
import type { Rect } from '../../../shared/geometry.ts';
import { ALWAYS_OPEN } from '../../../shared/host/opening-hours.ts';
import { HostRefusal } from '../../../shared/host/reasons.ts';
import {
  applyChange,
  ROOM_DEFAULTS,
  type RoomSettings,
  storedChange,
} from '../../../shared/host/room-settings.ts';
import type { HostState } from '../../../shared/host/state.ts';
import { DWELL_SPANS, HEAT_SIDE, type Statistics } from '../../../shared/host/visit-statistics.ts';
import fc, { between, forAll } from '../../support/property.ts';

/** UTC+1, in summer UTC+2. */
const ZONE = 'Europe/Copenhagen';
const GRID = { width: 96, height: 64 };
const finite = between(-200, 300);
const place = fc.record({ x: finite, y: finite });

const energy: RoomSettings['energy'] = DEFAULT_ENERGY;
const settings: RoomSettings = { ...ROOM_DEFAULTS, energy };

function expectOnGrid({ x, y, width, height }: Rect): void {
  for (const each of [x, y, width, height]) expect(Number.isInteger(each)).toBe(true);
  expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
  expect(Math.min(width, height)).toBeGreaterThanOrEqual(1);
  expect(x + width).toBeLessThanOrEqual(GRID.width);
  expect(y + height).toBeLessThanOrEqual(GRID.height);
}

test('an area between any two points lies on the grid and is not empty', () => {
  forAll(place, place, (a, b) => expectOnGrid(areaBetween(a, b, GRID)));
});

test('keys never move an area off the grid', () => {
  const press = fc.record({
    key: fc.constantFrom('ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'),
    shiftKey: fc.boolean(),
  });
  forAll(place, fc.array(press, { minLength: 1, maxLength: 60 }), (middle, presses) => {
    let area: ReturnType<typeof areaKey>;
    for (const each of presses) area = areaKey(each, area, middle, GRID);
    expectOnGrid(area!);
  });
  expect(areaKey({ key: 'a', shiftKey: false }, undefined, { x: 0, y: 0 }, GRID)).toBeUndefined();
});

test('an organism is counted once if it owns a cell of the area', () => {
  const planes = createPlanes(8, 8);
  planes.owner.set([7, 7, 0, 9], 8);
  expect(organismsIn({ x: 0, y: 0, width: 8, height: 8 }, planes)).toBe(2);
  expect(organismsIn({ x: 1, y: 1, width: 2, height: 1 }, planes)).toBe(1);
  expect(organismsIn({ x: 0, y: 2, width: 8, height: 6 }, planes)).toBe(0);
});

test.each([
  ['Blue Hall', 'blue-hall'],
  ['  --x--  ', 'x'],
  ['日本', ''],
  ['Großer Saal', 'grosser-saal'],
  ['Cœur, Æble, Łódź, Đà Nẵng', 'coeur-aeble-lodz-da-nang'],
  ['Þór ð ħ ŧ ı', 'thor-d-h-t-i'],
])('a room called “%s” has the address “%s”', (name, address) => {
  expect(addressName(name)).toBe(address);
});

test('every name becomes an address that the server accepts, or none', () => {
  forAll(fc.string({ unit: 'grapheme', maxLength: 80 }), (name) => {
    expect(addressName(name)).toMatch(/^([a-z0-9-]{1,32})?$/);
  });
});

test('a location survives the round trip through the address', () => {
  const here = { room: 'garden', section: 'hours' } as const;
  expect(parseLocation(locationHash(here))).toEqual(here);
  expect(parseLocation('#/UPPER/nonsense')).toEqual({ room: '', section: 'watch' });
});

test('each knob reads what it writes, and changes its own setting alone', () => {
  for (const [name, [min, max, step]] of Object.entries(KNOBS)) {
    const id = name as keyof typeof KNOBS;
    expect([id, mostOf(id) >= max]).toEqual([id, true]);
    const changed = applyChange(settings, changeTo(id, min + step));
    expect([id, shownValue(id, changed)]).toEqual([id, min + step]);
    expect(applyChange(changed, changeTo(id, shownValue(id, settings)))).toEqual(settings);
  }
  const switches: SettingId[] = ['names', 'generations', 'attract-on', 'attract-wounds'];
  for (const id of switches) {
    const was = isOn(id, settings);
    const changed = applyChange(settings, changeTo(id, !was));
    expect([id, isOn(id, changed)]).toEqual([id, !was]);
    expect(applyChange(changed, changeTo(id, was))).toEqual(settings);
  }
  const { attract } = applyChange(settings, { attract: { after: 60 } });
  expect(storedChange({ ...settings, attract }, { attract: { after: 60 } })).toEqual({ attract });
});

test.each<[change: Partial<typeof energy>, cooldown: number, story: string]>([
  [
    {},
    0,
    'A visitor can plant 8 seeds at the start. After that, each visitor can plant one seed every 1 second.',
  ],
  [
    {},
    30,
    'A visitor can plant 8 seeds at the start. After that, each visitor can plant one seed every 30 seconds.',
  ],
  [
    { newcomer: 4 },
    0,
    'Visitors wait a little before their first seed. After that, each visitor can plant one seed every …',
  ],
  [{ refillPerSecond: 0 }, 0, 'A visitor can plant 8 seeds at the start. After that, none.'],
  [{ plant: 0 }, 0, 'Visitors can plant as many seeds as they like.'],
  [{ plant: 101 }, 0, 'Nobody can plant: a seed costs more energy than anyone can have.'],
])('energy %j with a wait of %d s is explained in a sentence', (change, cooldown, story) => {
  const told = energyStory({ ...settings, cooldown, energy: { ...energy, ...change } });
  expect(told.slice(0, story.replace('…', '').length)).toBe(story.replace('…', ''));
});

test('of what is wrong, the worst is said, whatever room has it', () => {
  const lost = [{ walls: { up: 0, lost: 1, showing: null } }] as HostState['rooms'];
  const aside = [{ room: 'annex', what: 'room' }] as HostState['aside'];
  const machine = { diskFree: null, load: 9, memoryFree: 1 };
  const good = { keeping: true, aside: [], machine, dim: false, rooms: [] };
  expect(healthOf(good, true).kind).toBe('good');
  const said: [Partial<typeof good | HostState>, string][] = [
    [{ rooms: lost }, 'a wall is lost'],
    [{ rooms: lost, dim: true }, 'outside opening hours'],
    [{ dim: true, machine: { ...machine, diskFree: 1e9 } }, 'the disk is almost full'],
    [{ dim: true, clockSetBack: true }, 'the clock was set back'],
    [{ clockSetBack: true, aside }, 'data were damaged'],
    [{ aside, keeping: false }, 'cannot save to disk'],
  ];
  for (const [more, text] of said) expect(healthOf({ ...good, ...more }, true).text).toBe(text);
  expect(healthOf(good, false).text).toBe('no connection');
  const replaced = [{ what: 'replaced' }] as HostState['aside'];
  expect(healthOf({ ...good, aside: replaced }, true).kind).toBe('good');
});

test('what a server does not store is not promised', () => {
  const alone = { cluster: null };
  expect(stateBefore({ keeping: null })).toContain('cannot be undone');
  expect(lastCopy({ ...alone, keeping: null })).toContain('cannot be undone');
  for (const keeping of [true, false]) {
    expect(stateBefore({ keeping })).toContain('you can restore it');
    expect(lastCopy({ ...alone, keeping })).toBe(
      'A last copy of the room stays in the server’s data folder.',
    );
    const cluster = { own: 'a', current: true, servers: [] };
    expect(lastCopy({ cluster, keeping })).toMatch(/^If .* has a data folder/);
  }
  const offered = (keeping: boolean | null) =>
    offerUndo('garden', '', { tick: 1, id: 0 }, keeping).action;
  expect(offered(true)).toBeDefined();
  expect(offered(null)).toBeUndefined();
});

test('unsaved hours are only what was changed: the rest is as it is by now', () => {
  const draft = { outside: 'close', days: { 1: null } } as const;
  const friday = { from: '12:00', to: '20:00' };
  const days = ALWAYS_OPEN.days.map((day, i) => (i === 4 ? friday : day));
  const hours = withDraft({ ...ALWAYS_OPEN, on: true, days }, draft);
  expect(hours).toMatchObject({ on: true, outside: 'close' });
  expect([hours.days[0], hours.days[1], hours.days[4]]).toEqual([days[0], null, friday]);
  expect(withDraft(ALWAYS_OPEN)).toEqual(ALWAYS_OPEN);
});

test('the scale of a chart is round and fits all values', () => {
  forAll(fc.integer({ min: 1, max: 1e7 }), (most) => {
    const top = roundUp(most);
    expect(top).toBeGreaterThanOrEqual(most);
    expect(top).toBeLessThanOrEqual(2 * most);
  });
});

test('the busiest places are named, with their share', () => {
  const counts = Array.from({ length: 81 }, (_, i) => (i === 80 ? 3 : i === 40 ? 1 : 0));
  const [first, second, third] = ninths(counts);
  expect(first).toEqual({ where: 'at the bottom right', share: 0.75 });
  expect(second).toEqual({ where: 'in the middle', share: 0.25 });
  expect(third!.share).toBe(0);
});

describe('statistics', () => {
  const sums = (visits: number) => ({
    ...{ visits, seeds: 2 * visits, wounds: 0, crosses: 1, grafts: 0, refused: 0, most: visits },
    dwell: [visits, ...DWELL_SPANS.map(() => 0)],
    heat: Array.from({ length: HEAT_SIDE * HEAT_SIDE }, () => 1),
  });
  /** 14:30 at the server, which is at UTC+1. */
  const now = Date.UTC(2026, 10, 25, 13, 30);
  const all: Statistics = {
    room: 'garden',
    hours: [
      { hour: '2026-11-24T23', ...sums(9) },
      { hour: '2026-11-25T10', ...sums(3) },
      { hour: '2026-11-25T14', ...sums(4) },
    ],
    days: [
      { day: '2026-11-18', ...sums(50) },
      { day: '2026-11-24', ...sums(9) },
      { day: '2026-11-25', ...sums(7) },
    ],
  };

  test('of today follow the server’s clock', () => {
    const columns = columnsOf(all, 'today', now, ZONE);
    expect(columns).toHaveLength(24);
    expect(bars(columns, 'visits')[14]).toMatchObject({ label: '14:00–15:00', value: 4 });
    expect(total(columns)).toMatchObject({ visits: 7, seeds: 14, most: 4 });
    expect(total(columnsOf(all, 'yesterday', now, ZONE)).visits).toBe(9);
  });

  test('of days leave out older days', () => {
    expect(total(columnsOf(all, 'week', now, ZONE)).visits).toBe(16);
    expect(total(columnsOf(all, 'month', now, ZONE)).visits).toBe(66);
  });

  test('show the duration of the median visit', () => {
    expect(medianStay([0, 0, 0, 0, 0, 0, 0, 0, 0])).toBeUndefined();
    expect(medianStay([1, 0, 0, 2, 0, 0, 0, 0, 0])).toBe('1 min to 2 min');
    expect(medianStay([0, 0, 0, 0, 0, 0, 0, 0, 1])).toBe('more than 60 min');
  });
});

type Answers = Readonly<Record<string, () => unknown>>;

// The model asks whether the page is hidden.
Object.assign(globalThis, { document: { hidden: true } });

/** A model that is signed in, and what it has shown. @param answers may change between calls */
async function signedIn(answers: Record<string, () => unknown>) {
  const shown: string[] = [];
  const api = {
    key: '',
    touched: false,
    call: async (name: string) => (answers as Answers)[name]!(),
  } as unknown as HostApi;
  const model = new HostModel(api);
  model.show = ({ text }) => void shown.push(text);
  answers.session ??= () => ({ key: 'key', until: 0 });
  await model.start();
  model.stop();
  return { model, shown };
}

const summary = { name: 'garden', open: true, busy: null };
const state = () => ({ rooms: [summary] });
const detail = { ...summary, visitors: [{ id: 1 }], drawings: [], reports: [{ organism: 3 }] };
const room = () => detail;

const refuse = (reason: 'no-session' | 'elsewhere') => () => {
  throw new HostRefusal(reason);
};
const fail = () => {
  throw new Error('no answer');
};

test('signing out ends the session only if the server says so, or if there is none', async () => {
  const answers = { state, room, logout: fail as () => unknown };
  const { model, shown } = await signedIn(answers);
  await model.signOut();
  expect([model.signedIn, model.reachable]).toEqual([true, false]);
  expect(shown).toEqual([expect.stringMatching(/^You are still signed in\. The server does not/)]);
  answers.logout = () => ({});
  await model.signOut();
  expect([model.signedIn, model.signOutReason]).toEqual([false, '']);

  const ended = await signedIn({ state, room, logout: refuse('no-session') });
  await ended.model.signOut();
  expect([ended.model.signedIn, ended.model.signOutReason]).toEqual([false, '']);
  expect(ended.shown).toEqual([]);
});

test('a page without a session asks to sign in, and does not say that one has ended', async () => {
  const { model } = await signedIn({ session: refuse('no-session') });
  expect([model.signedIn, model.signOutReason]).toEqual([false, '']);
});

test('while a room is busy, who is there stays listed', async () => {
  const answers = { state, room: room as () => unknown };
  const { model } = await signedIn(answers);
  answers.room = () => ({ ...detail, busy: 'undoing', visitors: [], reports: [] });
  await model.refresh();
  expect(model.detail).toMatchObject({ ...detail, busy: 'undoing' });
  answers.room = () => ({ ...detail, visitors: [], reports: [] });
  await model.refresh();
  expect(model.detail!.visitors).toEqual([]);
  model.stop();
});

test('a room whose server is away is told apart from a server that does not answer', async () => {
  const answers = { state, room: room as () => unknown };
  const { model } = await signedIn(answers);
  answers.room = refuse('elsewhere');
  await model.refresh();
  expect([model.reachable, model.detail]).toEqual([true, undefined]);
  expect(model.detailRefused).toMatch(/^The server that runs this room does not answer/);
  answers.room = room;
  await model.refresh();
  expect([model.detail?.name, model.detailRefused]).toEqual(['garden', '']);
  answers.room = refuse('no-session');
  await model.refresh();
  expect(model.signedIn).toBe(false);
  model.stop();
});
