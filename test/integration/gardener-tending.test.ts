/**
 * The gardener in a room full of visitors' organisms, with the real automaton: ten minutes in which
 * nobody plays and a wall shows the room.
 */

import { GARDENING } from '../../server/gardener/choose.ts';
import { Gardener } from '../../server/gardener/gardener.ts';
import { loadGalleryColours } from '../../server/vnca/gallery.ts';
import type { Answer, RoomCommand } from '../../server/world/commands.ts';
import { DEFAULT_ENERGY } from '../../server/world/energy.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import type { GardenerWounds } from '../../shared/common-schemas.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import { createRandom } from '../../shared/random.ts';
import type { LifeEvent, OrganismId } from '../../shared/vocabulary.ts';
import { afterSuite } from '../support/closing.ts';
import { sharedEngine, startEngine } from '../support/engine.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** Few ticks, so that ten minutes are soon over. */
const RATE = 5;
const VISITORS = 20;
/** Who stays, and only watches. */
const PIA = 20;
const GARDENER = { id: 99, name: GARDENER_NAME, hue: 100 };
/** Seconds after which organisms are unattended. */
const TEN_MINUTES = 600;

const { engine, checkpoint, species } = await startEngine();
const colours = await loadGalleryColours(checkpoint);
afterSuite(() => engine.close());

interface Happened {
  readonly event: LifeEvent;
  /** Seconds since the gardener began. */
  readonly at: number;
}

/** A room in which visitors have planted twenty organisms, and its gardener. */
class VisitedRoom {
  readonly room: Room;
  readonly life: Happened[] = [];
  readonly sizes: number[] = [];
  private readonly world = new World(sharedEngine(engine));
  private readonly clock = new FakeClock();
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private gardener: Gardener | undefined;
  private acts = 0;
  private seconds = 0;

  constructor(maxOrganisms: number = ROOM_DEFAULTS.maxOrganisms) {
    this.room = this.world.open({
      ...{ name: 'hall', width: 336, height: 192, maxOrganisms, seed: 4, tickRate: RATE },
      species: { ...species, colours },
      energy: DEFAULT_ENERGY,
    });
  }

  /** Everybody plants, all rests, and all but Pia leave. */
  async visit(): Promise<void> {
    const { room } = this;
    for (let id = 1; id <= VISITORS; id++) {
      room.enter(id);
      const [column, row] = [(id - 1) % 5, Math.floor((id - 1) / 5)];
      room.enqueue(1, {
        what: 'plant',
        by: { id, name: `Visitor ${id}`, hue: 10 },
        ...{ x: 40 + 62 * column, y: 24 + 48 * row },
        seed: { from: 'gallery', index: 20 * id },
      });
    }
    do await this.world.tick([room]);
    while (room.awake > 0);
    expect(room.size).toBe(VISITORS);
    for (let id = 1; id <= VISITORS; id++) if (id !== PIA) room.leave(id);
  }

  begin(wounds: GardenerWounds): void {
    this.gardener = new Gardener({
      ...{ room: this.room, clock: this.clock, random: createRandom(11), wounds },
      act: (act) => {
        const id = ++this.acts;
        this.room.enqueue(id, { ...act, by: GARDENER } as RoomCommand);
        return new Promise((resolve) => this.waiting.set(id, resolve));
      },
      watched: () => true,
      after: 60_000,
    });
  }

  async pass(seconds: number): Promise<void> {
    for (let tick = 0; tick < seconds * RATE; tick++) {
      const [{ result }] = await this.world.tick([this.room]);
      for (const answer of result.answers) this.waiting.get(answer.id)?.(answer);
      if (!this.gardener) continue;
      this.seconds += 1 / RATE;
      this.life.push(...result.life.map((event) => ({ event, at: this.seconds })));
      this.sizes.push(this.room.size);
      await this.clock.advance(1000 / RATE);
      this.gardener.tick();
    }
  }

  /** When the gardener did something that can be seen; seconds. Nobody else does anything. */
  get seen(): number[] {
    return this.life.flatMap(({ event, at }) =>
      ['born', 'wounded', 'departing'].includes(event.what) ? [at] : [],
    );
  }

  /** Whom the gardener has wounded. */
  get wounded(): Set<OrganismId> {
    return new Set(
      this.life.flatMap(({ event }) =>
        event.what === 'wounded' && event.by === GARDENER.id ? [event.id] : [],
      ),
    );
  }

  /** The wounded that live, and have not healed within a minute of their last wound. */
  get scarred(): OrganismId[] {
    return [...this.wounded].filter((id) => {
      const mine = this.life.filter(({ event }) => 'id' in event && event.id === id);
      const last = mine.findLast(({ event }) => event.what === 'wounded')!;
      const isOver = mine.some(
        ({ event, at }) => at >= last.at && ['healed', 'departing'].includes(event.what),
      );
      return !isOver && this.seconds - last.at > 60;
    });
  }

  /** Kinds that it planted, in order, of gallery creatures. */
  get categories(): { readonly at: number; readonly kind: string }[] {
    return this.life.flatMap(({ event, at }) => {
      if (event.what !== 'born' || event.organism.kind === '') return [];
      const entry = species.gallery.find(({ name }) => name === event.organism.kind);
      return [{ at, kind: entry?.kind ?? '' }];
    });
  }
}

/** The longest time between two of these times, or their ends. */
function longestPause(times: readonly number[], end: number): number {
  const all = [0, ...times, end];
  return Math.max(...all.slice(1).map((at, i) => at - all[i]));
}

test.each([ROOM_DEFAULTS.maxOrganisms, VISITORS])(
  'among twenty organisms of visitors, of at most %d, something of the gardener’s is seen each 30 s, and it harms none of theirs',
  async (maxOrganisms) => {
    const hall = new VisitedRoom(maxOrganisms);
    await hall.visit();
    const theirs = hall.room.organisms.map(({ id }) => id);
    // The gardener waits a minute.
    await hall.pass(ROOM_DEFAULTS.attract.after);
    hall.begin('own');
    await hall.pass(TEN_MINUTES);
    expect(longestPause(hall.seen, TEN_MINUTES)).toBeLessThan(30);
    expect([...hall.wounded].filter((id) => theirs.includes(id))).toEqual([]);
    expect(hall.wounded.size).toBeGreaterThan(3);
    expect(hall.scarred).toEqual([]);
    const children = hall.life.filter(
      ({ event }) => event.what === 'born' && event.organism.origin === 'cross',
    );
    expect(children.length).toBeGreaterThan(3);
    // Its children have parents of visitors.
    expect(
      children.some(
        ({ event }) =>
          event.what === 'born' && event.organism.parents.every((id) => theirs.includes(id)),
      ),
    ).toBe(true);
    const { initialPlants, leastShare } = GARDENING;
    const most = Math.min(initialPlants, Math.floor(leastShare * maxOrganisms));
    expect(Math.max(...hall.sizes)).toBeLessThanOrEqual(Math.min(VISITORS + most, maxOrganisms));
    // Those of who is here stay, and of the others at most so many have made room: for the gardener's few, and
    // as unattended for newcomers (DEP-4).
    const left = theirs.filter((id) => !hall.room.viewOf(id));
    const spare = Math.ceil((1 - GARDENING.thinAbove) * maxOrganisms);
    expect(left.length).toBeLessThanOrEqual(maxOrganisms === VISITORS ? most + spare : 0);
    expect(left).not.toContain(PIA);
    expect(hall.room.energyOf(GARDENER.id)).toBeGreaterThan(DEFAULT_ENERGY.plant);
  },
);

test('where the host allows it, the long unattended are wounded and heal, and never those of who is here', async () => {
  const hall = new VisitedRoom();
  await hall.visit();
  await hall.pass(TEN_MINUTES);
  const theirs = hall.room.organisms;
  hall.begin('unattended');
  await hall.pass(TEN_MINUTES / 2);
  const wounded = theirs.filter(({ id }) => hall.wounded.has(id));
  expect(wounded.length).toBeGreaterThan(2);
  expect(wounded.map(({ planter }) => planter.id)).not.toContain(PIA);
  expect(hall.scarred).toEqual([]);
  expect(theirs.every(({ id }) => hall.room.viewOf(id))).toBe(true);
});

test('what it plants changes with the season', async () => {
  const hall = new VisitedRoom();
  hall.begin('own');
  await hall.pass(1.5 * TEN_MINUTES);
  // No season is over before three minutes, and none lasts longer than five.
  const majority = (from: number, to: number): [string, number] => {
    const kinds = hall.categories.filter(({ at }) => at >= from && at < to).map(({ kind }) => kind);
    const counts = new Map(kinds.map((kind) => [kind, kinds.filter((k) => k === kind).length]));
    const [kind, count] = [...counts].sort((a, b) => b[1] - a[1])[0];
    return [kind, count / kinds.length];
  };
  const [first, share] = majority(0, 180);
  expect(share).toBeGreaterThan(0.6);
  const seasons = new Set([0, 180, 300, 360, 480, 600, 720].map((at) => majority(at, at + 180)[0]));
  expect(seasons).toContain(first);
  expect(seasons.size).toBeGreaterThan(1);
});
