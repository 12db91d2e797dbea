import { allNames, PresenceChanges } from '../../../../server/realtime/presence/presence.ts';
import { HOUSE } from '../../../../shared/vocabulary.ts';

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

test('participants are not told of their own arrival', () => {
  const changes = new PresenceChanges();
  changes.enter(one(1));
  expect(changes.changesFor(1)).toBeUndefined();
  changes.enter(one(2));
  expect(changes.changesFor(1)).toEqual({ joined: [one(2)], left: [] });
});

test('when many join at once, all of them are told the same, their own join too', () => {
  const changes = new PresenceChanges();
  for (let id = 1; id <= 100; id++) changes.enter(one(id));
  const people = changes.changesFor();
  expect(people!.joined).toHaveLength(100);
  for (const id of [1, 50, 100]) expect(changes.changesFor(id)).toBe(people);
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

test('a new name is announced to everybody, including its owner; leaving is then announced as usual', () => {
  const changes = new PresenceChanges();
  changes.rename(one(1, 'Ada'));
  expect(changes.changesFor(1)).toEqual({ joined: [one(1, 'Ada')], left: [] });
  expect(changes.changesFor(2)).toEqual({ joined: [one(1, 'Ada')], left: [] });
  changes.leave(1);
  expect(changes.changesFor(2)).toEqual({ joined: [], left: [1] });
});

test('all names are those of present participants, and of absent planters of living organisms', () => {
  const living = [one(1), one(9), HOUSE].map((planter) => ({ planter }));
  expect(allNames([one(1), one(2)], living)).toEqual({
    joined: [one(1), one(2), one(9)],
    left: [9],
  });
});
