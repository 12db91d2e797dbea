import { RoomModel } from '../../../../client/net/room-model.ts';
import { RoomPolicy } from '../../../../server/realtime/policy/room-policy.ts';
import {
  allNames,
  PresenceChanges,
} from '../../../../server/realtime/presence/presence-changes.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { HOUSE } from '../../../../shared/vocabulary.ts';

const one = (id: number, name = `Guest ${id}`) => ({ id, name, hue: 0 });

test('arrivals and departures are announced once, with one shared message for equal changes', () => {
  const comings = new PresenceChanges();
  expect(comings.hasChanges).toBe(false);
  comings.enter(one(1));
  comings.enter(one(2));
  comings.leave(7);
  const news = comings.changesFor(5);
  expect(news).toEqual({ joined: [one(1), one(2)], left: [7] });
  expect(comings.changesFor(6)).toBe(news);
  expect(comings.changesFor()).toBe(news);
  comings.clear();
  expect(comings.hasChanges).toBe(false);
  expect(comings.changesFor(5)).toBeUndefined();
});

test('participants are not told of their own arrival', () => {
  const comings = new PresenceChanges();
  comings.enter(one(1));
  expect(comings.changesFor(1)).toBeUndefined();
  comings.enter(one(2));
  expect(comings.changesFor(1)).toEqual({ joined: [one(2)], left: [] });
});

test('joining and leaving between two updates is announced as left: a newcomer in between has seen the participant', () => {
  const comings = new PresenceChanges();
  comings.enter(one(1));
  comings.leave(1);
  expect(comings.changesFor(2)).toEqual({ joined: [], left: [1] });
});

test('leaving and returning between two updates is announced as joined: a newcomer in between does not know the participant', () => {
  const comings = new PresenceChanges();
  comings.leave(1);
  comings.enter(one(1));
  expect(comings.changesFor(2)).toEqual({ joined: [one(1)], left: [] });
  comings.leave(1);
  expect(comings.changesFor(2)).toEqual({ joined: [], left: [1] });
});

test('a new name is announced to everybody, including its owner; leaving is then announced as usual', () => {
  const comings = new PresenceChanges();
  comings.rename(one(1, 'Ada'));
  expect(comings.changesFor(1)).toEqual({ joined: [one(1, 'Ada')], left: [] });
  expect(comings.changesFor(2)).toEqual({ joined: [one(1, 'Ada')], left: [] });
  comings.leave(1);
  expect(comings.changesFor(2)).toEqual({ joined: [], left: [1] });
});

describe('names', () => {
  const organism = (id: number, planter: { id: number; name: string; hue: number }) => ({
    ...{ id, planter, x: 8, y: 8, side: 8, stage: 8, phase: 'awake', origin: 'gallery', kind: '' },
    ...{ parents: [], born: 1, wounds: 0, healed: 0, hurt: false },
  });
  const living = [organism(7, one(1)), organism(8, one(9)), organism(9, HOUSE)];

  test('are told of those who are here, and of those who are not but have planted what lives', () => {
    expect(allNames([one(1), one(2)], living)).toEqual({
      joined: [one(1), one(2), one(9)],
      left: [9],
    });
  });

  test('are gone from a page when they are veiled, and there again when they are not', () => {
    const energy = { newcomer: 1, capacity: 1, refillPerSecond: 1, plant: 1, damagePerCell: 0 };
    const rules = new RoomPolicy({ ...DEFAULTS.room, ...DEFAULTS.house, energy });
    const model = new RoomModel(() => undefined);
    const here = [one(1), one(2)];
    const people = () => rules.redactNames('people', allNames(here, living));
    model.receive('wall', {
      ...{ protocol: 1, engine: { name: '', device: '' }, participants: here, organisms: living },
      ...{ origin: '', build: '' },
      room: { name: 'a', width: 16, height: 16, tickRate: 1, tick: 1, maxOrganisms: 3 },
      checkpoint: {
        ...{ name: '', title: '', side: 8, latentSize: 1, growthTicks: 1, gallery: [] },
        sheet: { url: '', columns: 1 },
      },
    });
    const names = () => [
      [...model.participants.values()].map(({ name }) => name),
      [...model.organisms.values()].map(({ planter }) => planter.name),
    ];
    const all = [
      ['Guest 1', 'Guest 2'],
      ['Guest 1', 'Guest 9', ''],
    ];
    expect(names()).toEqual(all);
    rules.muted.add(9);
    model.receive('people', people());
    expect(names()).toEqual([all[0], ['Guest 1', '', '']]);
    rules.settings = { ...rules.settings, names: false };
    model.receive('people', people());
    expect(names()).toEqual([
      ['', ''],
      ['', '', ''],
    ]);
    rules.settings = { ...rules.settings, names: true };
    rules.muted.clear();
    model.receive('people', people());
    expect(names()).toEqual(all);
  });
});
