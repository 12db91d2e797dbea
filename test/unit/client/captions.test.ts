/** What a wall says of its room, and which events it shows from close by, and when. */

import { RoomModel } from '../../../client/room/room-model.ts';
import {
  type CaptionFacts,
  CaptionTurns,
  standingLines,
  WallNews,
} from '../../../client/wall/captions.ts';
import { CloseUps } from '../../../client/wall/close-ups.ts';
import { ENGLISH } from '../../../client/wall/text.ts';
import { GARDENER_NAME } from '../../../shared/names.ts';
import type { LifeEvent, OrganismView, ParticipantView } from '../../../shared/vocabulary.ts';
import { organismView, WELCOME } from '../../support/fake-server.ts';

const GALLERY = ['fox', 'hot_pepper', 'owl', 'bee', 'rose', 'tulip'].map((name, i) => ({
  name,
  kind: ['animal', 'food', 'animal', 'animal', 'plant', 'plant'][i],
}));
const GARDENER = { id: 9, name: GARDENER_NAME, hue: 5 };
const ALONE = { isAlone: true, hasCode: true };
const VISITED = { isAlone: false, hasCode: true };

/** A wall's page that has just joined a room. */
class Wall {
  readonly model = new RoomModel(() => undefined);
  now = 1_000;
  readonly news = new WallNews(this.model, () => this.now);
  readonly turns = new CaptionTurns();

  constructor(organisms: readonly OrganismView[] = []) {
    this.joins(organisms);
  }

  /** Receives the room. */
  joins(organisms: readonly OrganismView[], participants: readonly ParticipantView[] = []): void {
    const tick = 10_000;
    const { you: _you, resume: _resume, energy: _energy, ...opening } = WELCOME;
    this.model.receive('wall', {
      ...{ ...opening, organisms, participants, origin: '', build: '' },
      room: { ...WELCOME.room, width: 512, height: 512, tick, maxOrganisms: 64 },
      checkpoint: { ...WELCOME.checkpoint, gallery: GALLERY },
    });
    this.model.tick = tick;
  }

  lives(...events: LifeEvent[]): void {
    this.model.receive('life', { tick: 10_001, events });
  }

  facts(wall = ALONE): CaptionFacts {
    return this.news.facts(wall)!;
  }

  /** The captions of so many turns. */
  says(count: number, wall = ALONE): string[] {
    return Array.from({ length: count }, () => {
      this.now += 12_000;
      return this.turns.next(this.facts(wall))?.text(ENGLISH) ?? '';
    });
  }

  /** The next caption, at once. */
  get caption(): string {
    return this.turns.next(this.facts())?.text(ENGLISH) ?? '';
  }
}

const crowd = (count: number, changes: Partial<OrganismView> = {}) =>
  Array.from({ length: count }, (_, i) =>
    organismView(i + 1, { x: 40 * (i % 10) + 20, y: 40 * Math.floor(i / 10) + 20, ...changes }),
  );

test('over twenty creatures it says how many there are, and never that nobody is here yet', () => {
  const said = new Wall(crowd(20)).says(30);
  expect(said[0]).toBe('Only 20 creatures are here now. Join them.');
  expect(said.join(' ')).not.toContain('Nobody is here yet');
  expect(said).toContain('Point your phone at the code, and plant a seed.');
});

test('of an empty room it says only what is true there', () => {
  const wall = new Wall();
  expect(new Set(wall.says(6))).toEqual(
    new Set([
      'Nobody is here yet. Be the first.',
      'Point your phone at the code, and plant a seed.',
    ]),
  );
  expect(wall.says(2, VISITED)).toEqual(Array(2).fill('Scan. Plant a seed. Watch it grow.'));
  expect(wall.turns.next(wall.facts({ isAlone: false, hasCode: false }))).toBeUndefined();
  const one = new Wall(crowd(1));
  expect(one.caption).toBe('Only one creature is here now. Join it.');
  expect(one.says(20).join(' ')).not.toMatch(/press|Cross two/);
});

test('it says that creatures grow or press only while some do', () => {
  const ids = (organisms: OrganismView[]) =>
    standingLines(new Wall(organisms).facts()).map(({ id }) => id);
  expect(ids(crowd(3))).not.toContain('grows');
  expect(ids(crowd(3, { phase: 'growing' }))).toContain('grows');
  expect(ids(crowd(3, { phase: 'growing' }))).not.toContain('wound');
  expect(ids(crowd(3))).not.toContain('press');
  expect(ids(crowd(3, { x: 50, y: 50 }))).toContain('press');
});

test('it tells what has just happened, and by whom, once, and only while it holds', () => {
  const wall = new Wall(crowd(20, { kind: 'owl' }));
  const plant = (id: number, changes: Partial<OrganismView>) =>
    wall.lives({
      what: 'born',
      organism: organismView(id, { kind: 'fox', phase: 'growing', stage: 2, ...changes }),
    });
  plant(21, {});
  expect(wall.caption).toBe('Just planted by \u2068Ada\u2069: fox');
  plant(22, { planter: { id: 5, name: '', hue: 1 }, kind: 'hot_pepper' });
  // Never twice running, so that what holds is read too.
  expect(wall.caption).toBe('Only 22 creatures are here now. Join them.');
  expect(wall.caption).toBe('Just planted by a visitor: hot pepper');
  plant(23, { kind: '', origin: 'cross', parents: [1, 21] });
  expect(wall.caption).not.toContain('planted');
  expect(wall.caption).toBe('Crossed: owl and fox. Their child grows here.');
  plant(24, { planter: GARDENER, kind: '', origin: 'prior' });
  wall.caption;
  expect(wall.caption).toBe('Just planted by the gardener: A child of chance');

  wall.lives({ what: 'wounded', id: 3, by: 9, wounds: 1 });
  wall.caption;
  expect(wall.caption).toBe('Just wounded, and healing: owl');
  wall.lives({ what: 'wounded', id: 4, by: 9, wounds: 1 }, { what: 'healed', id: 4, healed: 1 });
  wall.caption;
  expect(wall.caption).toBe('Healed: owl');
  wall.lives({ what: 'departing', id: 5 });
  wall.caption;
  expect(wall.caption).toBe('Leaving to make room for others: owl');
  wall.lives({ what: 'departing', id: 6 }, { what: 'died', id: 6, cause: 'departed' });
  expect(wall.says(20).join(' ')).not.toMatch(/dust|Just/);
});

test('what has been planted and has turned is told as what it is, and not as planted', () => {
  const wall = new Wall(crowd(3, { kind: 'owl' }));
  const by = { id: 1, name: 'Bo', hue: 1 };
  wall.lives(
    { what: 'born', organism: organismView(4, { kind: 'bee', planter: by }) },
    { what: 'transformed', id: 4, by: 1, kind: 'fox', origin: 'latent', parents: [] },
  );
  expect(wall.caption).toBe('Just turned into another creature: fox');
  expect(wall.says(6).join(' ')).not.toContain('Just');
});

test('a graft is told with who painted it, while its part is there, and taking back is no news', () => {
  const wall = new Wall(crowd(3, { kind: 'panda' }));
  const bo = { id: 5, name: 'Bo', hue: 1 };
  const graft = (id: number, by: typeof bo, kind?: string): void => {
    const own = { kind: 'panda', origin: 'gallery', share: 0.8 } as const;
    const part = { kind: 'fox', origin: 'gallery', share: 0.2, by } as const;
    const parts = kind && { kind, parts: [own, part] };
    wall.lives({ what: 'grafted', id, by: by.id, ...parts });
  };
  graft(1, bo, 'fox');
  expect(wall.caption).toBe('Just grafted by \u2068Bo\u2069: panda · fox');
  graft(2, GARDENER, 'fox');
  wall.caption;
  expect(wall.caption).toBe('Just grafted by the gardener: panda · fox');
  graft(3, bo, 'fox');
  graft(3, bo);
  expect(wall.says(9).join(' ')).not.toContain('Just');
});

test('a caption that no longer holds is not repeated in the next language', () => {
  const wall = new Wall(crowd(2, { kind: 'owl' }));
  wall.lives({ what: 'wounded', id: 1, by: 9, wounds: 1 });
  const line = wall.turns.next(wall.facts())!;
  expect(wall.turns.again(line, wall.facts())).toBeDefined();
  wall.lives({ what: 'healed', id: 1, healed: 1 });
  expect(wall.turns.again(line, wall.facts())).toBeUndefined();
});

test('where names are hidden it names no planter', () => {
  const wall = new Wall();
  wall.model.settings = { names: false } as never;
  const planter = { id: 1, name: '', hue: 1 };
  wall.lives({ what: 'born', organism: organismView(1, { kind: 'fox', planter }) });
  expect(wall.caption).toBe('Just planted: fox');
});

test('the season is what most of the gardener’s latest creatures have in common', () => {
  const latest = (kinds: string[], born = 9_000) =>
    kinds.map((kind, i) =>
      organismView(i + 1, { kind, planter: GARDENER, born, x: 20 + 40 * i, y: 20 }),
    );
  const season = (organisms: OrganismView[]) => new Wall(organisms).facts().season;
  expect(season(latest(['fox', 'owl', 'bee', 'rose']))).toEqual({ kind: 'animal' });
  expect(season(latest(['fox', 'owl', 'rose', 'tulip']))).toBeUndefined();
  expect(season(latest(['fox', 'owl']))).toBeUndefined();
  expect(season(latest(['fox', 'owl', 'bee'], 100))).toBeUndefined();
  expect(season(crowd(5, { kind: 'fox' }))).toBeUndefined();

  const wall = new Wall(latest(['rose', 'tulip', 'rose']));
  const { width, owner, rgba } = wall.model.planes!;
  for (let place = 0; place < 40 * width; place++) {
    const id = Math.floor((place % width) / 40) + 1;
    if (id > 3) continue;
    owner[place] = id;
    rgba.set([200, 20, 30, 255], 4 * place);
  }
  expect(wall.facts().season).toEqual({ kind: 'plant', colour: 'red' });
  expect(wall.says(12)).toContain('A season of plants, in red');
});

test('from close by, it tells of the organism that is shown, also if it has told that before', () => {
  const wall = new Wall(crowd(3, { kind: 'owl' }));
  wall.lives(
    { what: 'wounded', id: 1, by: 9, wounds: 1 },
    { what: 'departing', id: 2 },
    { what: 'wounded', id: 3, by: 9, wounds: 1 },
  );
  const facts = (shown?: number) => wall.news.facts(VISITED, ({ id }) => id !== 3, shown)!;
  const told = (shown?: number) => wall.turns.next(facts(shown))!;
  expect(told(1)).toMatchObject({ id: 'wounded 1', about: { id: 1 } });
  expect(told(1).id).toBe('wounded 1');
  // What is not in the picture is not told.
  expect(told(3).about).toBeUndefined();
  expect([told(), told(), told(), told()].map(({ id }) => id)).toContain('departing 2');
  expect(facts().news.map(({ organism }) => organism.id)).not.toContain(3);
});

const HALF = 35;
const PEOPLE = [1, 2, 3].map((id) => ({ id, name: `Visitor ${id}`, hue: 10 * id }));
const ROW = [1, 2, 3, 4, 5].map((id) => organismView(id, { x: 60 * id, y: 40 }));

/** A wall's page in a room where grown organisms stand in a row, 60 cells apart. */
class DirectedWall extends Wall {
  readonly closeUps = new CloseUps(this.model, this.news, () => this.now);

  constructor(rate = 2) {
    super();
    this.joins(ROW, PEOPLE);
    this.closeUps.rate = rate;
    this.pass(30);
  }

  born(id: number): void {
    const at = { x: 60 * (id % 5) + 60, y: 140 };
    this.lives({ what: 'born', organism: organismView(id, { ...at, phase: 'growing' }) });
  }

  wound(id: number, by = 99): void {
    this.lives({ what: 'wounded', id, by, wounds: 1 });
  }

  /** @returns the organism that is shown after so many seconds */
  pass(seconds: number): number | undefined {
    let shown: number | undefined;
    for (const end = this.now + 1000 * seconds; this.now < end; this.now += 50) {
      shown = this.closeUps.at(this.now, HALF)?.organism.id;
    }
    return shown;
  }
}

test('a wound is shown until some time after it has healed, and then the whole room for a while', () => {
  const wall = new DirectedWall();
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
  const wall = new DirectedWall(0);
  wall.wound(1);
  expect(wall.pass(2)).toBeUndefined();
  wall.closeUps.rate = 2;
  expect(wall.pass(2)).toBeUndefined();
  wall.lives({ what: 'healed', id: 1, healed: 1 });
  expect(wall.pass(2)).toBeUndefined();
  wall.born(9);
  expect(wall.pass(1)).toBe(9);
});

test('kinds of events take turns, and a crossing counts as a kind of its own', () => {
  const wall = new DirectedWall();
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
  const wall = new DirectedWall(0);
  for (let i = 0; i < 12; i++) {
    wall.born(20 + i);
    wall.pass(18);
    wall.lives({ what: 'grown', id: 20 + i });
  }
  wall.closeUps.rate = 2;
  // It would outlast the close-up, so the wall waits for a later part of it.
  wall.born(40);
  expect(wall.pass(1)).toBeUndefined();
  expect(wall.pass(5)).toBe(40);
});

test('while several visitors act elsewhere, the wall shows the whole room', () => {
  const wall = new DirectedWall();
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
  const wall = new DirectedWall();
  wall.born(9);
  expect(wall.pass(1)).toBe(9);
  wall.joins([], PEOPLE);
  expect(wall.pass(1)).toBeUndefined();
});
