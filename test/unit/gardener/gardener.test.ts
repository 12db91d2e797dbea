/** When the gardener plays, with a fake clock and a room whose cells the test decides. */

import { GARDENING } from '../../../server/gardener/choose.ts';
import { Gardener } from '../../../server/gardener/gardener.ts';
import { nearestGround } from '../../../server/gardener/reefs.ts';
import type { Answer, RoomCommand } from '../../../server/world/commands.ts';
import { DEPARTURE } from '../../../server/world/departures.ts';
import { LIFE } from '../../../server/world/organisms/organism.ts';
import { GARDENER_NAME } from '../../../shared/names.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import { createRandom } from '../../../shared/random.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ANNA, BERT, GROWN, HandRoom, SPECIES } from '../../support/rooms.ts';

const MINUTE = 60_000;
const TICK = 200;
const GALLERY = Array.from({ length: 12 }, (_, i) => ({
  name: `kind ${i}`,
  kind: i < 6 ? 'animal' : 'plant',
  latent: new Float32Array([1, i]),
}));

/** A room with its gardener, and everything it has done. */
class Garden {
  readonly clock = new FakeClock();
  readonly hand: HandRoom;
  readonly gardener: Gardener;
  readonly acts: RoomCommand[] = [];
  watched = true;
  refuses = false;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private nextId = 1_000;

  constructor(
    seed = 1,
    readonly me = { id: 9, name: GARDENER_NAME, hue: 5 },
    size = 96,
    isNew = false,
    hasStandingInput = false,
  ) {
    const species = {
      ...{ ...SPECIES, gallery: GALLERY, hasStandingInput },
      latentBounds: { norm: 20, value: 20 },
    };
    this.hand = new HandRoom({ width: size, height: size, maxOrganisms: 64, species });
    this.gardener = new Gardener({
      room: this.hand.room,
      clock: this.clock,
      random: createRandom(seed),
      act: (act) => this.act({ ...act, by: this.me } as RoomCommand),
      watched: () => this.watched,
      after: MINUTE,
      isNew,
    });
  }

  get room() {
    return this.hand.room;
  }

  /** Lets time pass without visitors. */
  async pass(duration: number): Promise<void> {
    for (let left = duration; left > 0; left -= TICK) {
      await this.clock.advance(TICK);
      for (const answer of this.hand.tick().answers) {
        this.waiting.get(answer.id)?.(answer);
      }
      await this.clock.advance(0);
      this.gardener.tick();
    }
  }

  count(what: RoomCommand['what']): number {
    return this.acts.filter((act) => act.what === what).length;
  }

  private act(command: RoomCommand): Promise<Answer> {
    this.acts.push(command);
    if (this.refuses) return Promise.reject(new Refusal('not-here'));
    const id = this.nextId++;
    this.room.enqueue(id, command);
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }
}

/** Where four organisms do not touch in a room of side 64. */
const PLACES = [
  [10, 10],
  [30, 12],
  [12, 40],
  [50, 50],
] as const;

test('a new room is planted before anybody has come: many at once, all within two minutes, and only once', async () => {
  const garden = new Garden(1, undefined, 160, true);
  garden.watched = false;
  await garden.pass(3 * TICK);
  const { initialPlants } = GARDENING;
  expect(garden.room.organisms).toHaveLength(initialPlants);
  const kinds = garden.room.organisms.map(({ kind }) => kind);
  expect(new Set(kinds).size).toBe(initialPlants);
  // Its first visitors look around, and plant.
  for (const [i, [x, y]] of PLACES.entries()) garden.hand.plant(150 - x, 150 - y, i ? BERT : ANNA);
  garden.gardener.visitorActive();
  await garden.pass(2 * MINUTE);
  expect(garden.room.size).toBeGreaterThan(29);
  expect(garden.count('cross')).toBeGreaterThan(3);
  garden.watched = true;
  garden.gardener.visitorActive();
  const before = garden.acts.length;
  await garden.pass(MINUTE / 2);
  expect(garden.acts).toHaveLength(before);
  expect(garden.gardener.isActive).toBe(false);
});

test('a thousand commands of visitors a minute are never refused, and the gardener waits', async () => {
  const garden = new Garden(1, undefined, 160, true);
  const { room, hand } = garden;
  await garden.pass(2 * MINUTE);
  const { size } = room;
  expect(size).toBeGreaterThan(29);
  const before = garden.acts.length;
  const refused: unknown[] = [];
  const random = createRandom(4);
  for (let tick = 0; tick < MINUTE / TICK; tick++) {
    for (let i = tick % 3; i < 5; i++) {
      const near = { x: random.integer(160), y: random.integer(160) };
      const { x, y } = nearestGround(room.grid.planes, SPECIES.side, near)!;
      if (tick % 20 === 0 && room.size < 60) hand.plant(x, y);
      else hand.damage([near.x, near.y], 2);
      garden.gardener.visitorActive();
    }
    refused.push(...hand.tick().answers.filter((answer) => answer.refused));
    await garden.clock.advance(TICK);
    garden.gardener.tick();
  }
  expect(refused).toEqual([]);
  expect(garden.acts).toHaveLength(before);
  expect(room.size).toBeGreaterThan(size + 10);
});

test('a room that visitors have played in while it was off is not new any more', async () => {
  const garden = new Garden(1, undefined, 160, true);
  garden.watched = false;
  garden.gardener.configure({ after: 'off' });
  garden.hand.plant(80, 80, ANNA);
  await garden.pass(3 * TICK);
  // Nor is it new while the first organism of a visitor lives.
  garden.gardener.configure({ after: MINUTE });
  await garden.pass(3 * TICK);
  expect(garden.count('plant')).toBe(0);
  garden.room.enqueue(2, { what: 'remove', by: BERT, organism: 1 });
  await garden.pass(3 * TICK);
  expect(garden.room.size).toBe(0);
  garden.gardener.configure({ after: MINUTE });
  await garden.pass(MINUTE / 2);
  expect(garden.count('plant')).toBe(0);
});

test('the gardener begins at once in a new room, and a minute after the last visitor', async () => {
  const garden = new Garden();
  await garden.pass(1_000);
  expect(garden.count('plant')).toBe(1);
  garden.gardener.visitorActive();
  expect(garden.gardener.isActive).toBe(false);
  await garden.pass(MINUTE - 2 * TICK);
  expect(garden.acts).toHaveLength(1);
  expect(garden.gardener.isActive).toBe(false);
  // It rests while nobody watches.
  garden.watched = false;
  await garden.pass(MINUTE);
  expect(garden.acts).toHaveLength(1);
  garden.watched = true;
  await garden.pass(1_000);
  expect(garden.gardener.isActive).toBe(true);
  expect(garden.acts.length).toBeGreaterThan(1);
});

test('now and then it grafts another creature onto one of its own, never onto a visitor’s; the same from the same seed', async () => {
  const play = async (minutes: number, hasStandingInput: boolean) => {
    const garden = new Garden(3, undefined, 160, false, hasStandingInput);
    garden.hand.plant(80, 80, ANNA);
    const { room, acts } = garden;
    const wrong: unknown[] = [];
    for (let minute = 0; minute < minutes; minute++) {
      await garden.pass(MINUTE);
      for (const organism of room.organisms) {
        const { planter, kind, parts = [] } = organism;
        const isSame = parts.slice(1).some((part) => part.kind === kind);
        if (isSame || (planter.id === ANNA.id && parts.length > 0)) wrong.push(organism);
      }
    }
    expect(wrong).toEqual([]);
    const isChimera = room.organisms.some(({ parts = [] }) => parts.length > 1);
    return { grafts: acts.filter(({ what }) => what === 'graft'), all: acts.length, isChimera };
  };
  const { grafts, all, isChimera } = await play(15, true);
  expect(grafts.length).toBeGreaterThan(2);
  expect(grafts.length).toBeLessThan(0.15 * all);
  expect(isChimera).toBe(true);
  const again = (await play(6, true)).grafts;
  expect(again.length).toBeGreaterThan(0);
  expect(grafts.slice(0, again.length)).toEqual(again);
  expect((await play(6, false)).grafts).toEqual([]);
});

test('it plants, cuts and crosses, within its limits', async () => {
  const garden = new Garden();
  await garden.pass(5 * MINUTE);
  const { acts } = garden;
  for (const what of ['plant', 'damage', 'cross'] as const) {
    expect(garden.count(what)).toBeGreaterThan(2);
  }
  expect(acts.length).toBeLessThan(300);
  const wounded = garden.room.organisms.filter(({ wounds }) => wounds > 0);
  expect(wounded.length).toBeGreaterThan(0);
  // Half of what the room takes, at most, and never a crowd.
  expect(garden.room.size).toBeLessThanOrEqual(32);
  expect(garden.room.size).toBeGreaterThan(5);
  // Children of two.
  expect(acts.some((act) => act.what === 'plant' && act.seed.from === 'hand')).toBe(true);
});

test('it stops in the middle of a stroke when a visitor arrives; what it has planted stays', async () => {
  const garden = new Garden();
  while (garden.count('damage') === 0) await garden.pass(TICK);
  const { size } = garden.room;
  garden.gardener.visitorActive();
  const before = garden.acts.length;
  await garden.pass(MINUTE / 2);
  expect(garden.acts).toHaveLength(before);
  expect(garden.room.size).toBe(size);
});

test("it follows the host's setting: off, on, sooner", async () => {
  const garden = new Garden();
  garden.gardener.configure({ after: 'off' });
  await garden.pass(2 * MINUTE);
  expect(garden.acts).toEqual([]);
  garden.gardener.visitorActive();
  garden.gardener.configure({ after: 5_000 });
  await garden.pass(4_000);
  expect(garden.acts).toEqual([]);
  await garden.pass(2_000);
  expect(garden.acts).toHaveLength(1);
});

test('DEP-4: it thins long unattended organisms in a crowded room, until there is space again', async () => {
  const garden = new Garden(2, undefined, 64);
  const { hand, room } = garden;
  room.change({ what: 'limit', maxOrganisms: 4 });
  for (const { id } of [ANNA, BERT]) room.enter(id);
  for (const [i, [x, y]] of PLACES.entries()) hand.plant(x, y, i === 0 ? BERT : ANNA);
  hand.ticks(GROWN);
  hand.change = 0;
  hand.ticks(LIFE.restSteps);
  expect(room.awake).toBe(0);
  // Ten minutes in the room's ticks are two here.
  room.setTickRate(2);
  const minutes = (DEPARTURE.unattendedSeconds * 2 * TICK) / MINUTE;
  // As long as they are here, nothing is unattended.
  await garden.pass(2 * minutes * MINUTE);
  expect(room.size).toBe(4);
  room.leave(ANNA.id);
  await garden.pass((minutes - 1) * MINUTE);
  expect(garden.count('thin')).toBe(0);
  await garden.pass(2 * minutes * MINUTE);
  expect(room.organisms.map(({ id }) => id)).toEqual([1, 3, 4]);
  expect(garden.count('thin')).toBe(1);
});

test('when it has planted enough, it replaces its oldest, also after a restart, whatever its participant number', async () => {
  const garden = new Garden(3, undefined, 40);
  await garden.pass(4 * MINUTE);
  const { room } = garden;
  const { size } = room;
  const [oldest] = room.organisms;
  garden.me.id = 12;
  await garden.pass(6 * MINUTE);
  expect(room.viewOf(oldest.id)).toBeUndefined();
  expect(Math.abs(room.size - size)).toBeLessThan(3);
});

test('after a refusal it waits, and tries again', async () => {
  const garden = new Garden();
  garden.refuses = true;
  await garden.pass(MINUTE);
  const tries = MINUTE / GARDENING.refusalDelay;
  expect(garden.acts.length).toBeGreaterThanOrEqual(tries - 1);
  expect(garden.acts.length).toBeLessThanOrEqual(tries + 1);
  garden.refuses = false;
  await garden.pass(MINUTE);
  expect(garden.room.size).toBeGreaterThan(0);
});
