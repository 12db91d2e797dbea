/** Which events a wall shows from close by, and when. */
import { RoomModel } from '../../../client/room/room-model.ts';
import { WallNews } from '../../../client/wall/captions.ts';
import { Direction } from '../../../client/wall/direction.ts';
import type { LifeEvent, OrganismView } from '../../../shared/vocabulary.ts';
import { organismView, WELCOME } from '../../support/fake-server.ts';

const HALF = 35;
const PEOPLE = [1, 2, 3].map((id) => ({ id, name: `Visitor ${id}`, hue: 10 * id }));

/** A wall's page in a room where grown organisms stand in a row, 60 cells apart. */
class Wall {
  readonly model = new RoomModel(() => undefined);
  now = 0;
  readonly direction = new Direction(
    this.model,
    new WallNews(this.model, () => this.now),
    () => this.now,
  );

  constructor(rate = 2) {
    const { you: _you, resume: _resume, energy: _energy, ...opening } = WELCOME;
    const organisms = [1, 2, 3, 4, 5].map((id) => organismView(id, { x: 60 * id, y: 40 }));
    this.model.receive('wall', {
      ...opening,
      organisms,
      participants: PEOPLE,
      origin: '',
      build: '',
    });
    this.direction.rate = rate;
    this.pass(30);
  }

  lives(...events: LifeEvent[]): void {
    this.model.receive('life', { tick: 1_000_000, events });
  }

  born(id: number, changes: Partial<OrganismView> = {}): void {
    const organism = organismView(id, {
      x: 60 * (id % 5) + 60,
      y: 140,
      phase: 'growing',
      ...changes,
    });
    this.lives({ what: 'born', organism });
  }

  wound(id: number, by = 99): void {
    this.lives({ what: 'wounded', id, by, wounds: 1 });
  }

  /** @returns the organism that is shown after so many seconds */
  pass(seconds: number): number | undefined {
    let shown: number | undefined;
    for (const end = this.now + 1000 * seconds; this.now < end; this.now += 50) {
      shown = this.direction.at(this.now, HALF)?.organism.id;
    }
    return shown;
  }
}

test('a wound is shown until some time after it has healed, and then the whole room for a while', () => {
  const wall = new Wall();
  wall.wound(2);
  expect(wall.pass(0.1)).toBe(2);
  expect(wall.pass(4)).toBe(2);
  wall.lives({ what: 'healed', id: 2, healed: 1 });
  expect(wall.pass(7.5)).toBe(2);
  expect(wall.pass(1)).toBeUndefined();
  wall.wound(3);
  expect(wall.pass(4)).toBeUndefined();
  wall.lives({ what: 'healed', id: 3, healed: 1 });
  // The next event is due half a minute after the last one began.
  wall.pass(10);
  wall.wound(4);
  expect(wall.pass(4)).toBeUndefined();
  wall.lives({ what: 'healed', id: 4, healed: 1 });
  wall.wound(5);
  expect(wall.pass(0.1)).toBe(5);
});

test('an event that has ended or will soon end is not shown, nor any if the host wants none', () => {
  const wall = new Wall(0);
  wall.wound(1);
  expect(wall.pass(2)).toBeUndefined();
  wall.direction.rate = 2;
  expect(wall.pass(2)).toBeUndefined();
  wall.lives({ what: 'healed', id: 1, healed: 1 });
  expect(wall.pass(2)).toBeUndefined();
  wall.born(9);
  expect(wall.pass(1)).toBe(9);
});

test('kinds of events take turns, and a crossing counts as a kind of its own', () => {
  const wall = new Wall();
  wall.born(10);
  expect(wall.pass(0.1)).toBe(10);
  wall.lives({ what: 'grown', id: 10 });
  wall.pass(35);
  // Both begin at the same time.
  wall.lives(
    { what: 'born', organism: organismView(11, { phase: 'growing' }) },
    { what: 'born', organism: organismView(12, { phase: 'growing', parents: [1, 2] }) },
  );
  expect(wall.pass(0.1)).toBe(12);
});

test('it learns how long events last', () => {
  const wall = new Wall(0);
  for (let i = 0; i < 12; i++) {
    wall.born(20 + i);
    wall.pass(18);
    wall.lives({ what: 'grown', id: 20 + i });
  }
  wall.direction.rate = 2;
  // It would outlast the close-up, so the wall waits for a later part of it.
  wall.born(40);
  expect(wall.pass(1)).toBeUndefined();
  expect(wall.pass(5)).toBe(40);
});

test('while several visitors act elsewhere, the wall shows the whole room', () => {
  const wall = new Wall();
  wall.wound(5, 1);
  expect(wall.pass(0.1)).toBe(5);
  // Near by, nothing is hidden; one visitor is not several.
  wall.wound(5, 2);
  wall.wound(1, 3);
  expect(wall.pass(0.2)).toBe(5);
  wall.wound(1, 2);
  expect(wall.pass(0.2)).toBeUndefined();
});

test('a broken connection ends it', () => {
  const wall = new Wall();
  wall.born(9);
  expect(wall.pass(1)).toBe(9);
  const { you: _you, resume: _resume, energy: _energy, ...opening } = WELCOME;
  wall.model.receive('wall', { ...opening, participants: PEOPLE, origin: '', build: '' });
  expect(wall.pass(1)).toBeUndefined();
});
