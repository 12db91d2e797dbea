/**
 * The gardener with the real automaton: in a room full of visitors' organisms, for ten minutes in
 * which nobody plays and a wall shows the room, and in a server.
 */
import { GARDENING } from '../../server/gardener/choose.ts';
import { Gardener } from '../../server/gardener/gardener.ts';
import { targetCount } from '../../server/gardener/reefs.ts';
import { loadGalleryLooks } from '../../server/vnca/gallery.ts';
import type { Answer, RoomCommand } from '../../server/world/commands.ts';
import { DEFAULT_ENERGY } from '../../server/world/energy.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import type { GardenerWounds } from '../../shared/common-schemas.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import { createRandom } from '../../shared/random.ts';
import type { LifeEvent, OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import { afterSuite, afterTest } from '../support/closing.ts';
import { sharedEngine, startEngine } from '../support/engine.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { isFull } from '../support/needs.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

/** Few ticks, so that ten minutes are soon over. */
const RATE = 5;
const VISITORS = 20;
/** Who stays, and only watches. */
const PIA = 20;
const GARDENER = { id: 99, name: GARDENER_NAME, hue: 100 };
/** Seconds after which organisms are unattended. */
const TEN_MINUTES = 600;
/** Seconds for which the gardener is watched. */
const WATCHED = isFull ? TEN_MINUTES : 200;

const { engine, checkpoint, species } = await startEngine();
const looks = await loadGalleryLooks(checkpoint);
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
      species: { ...species, ...looks },
      energy: DEFAULT_ENERGY,
    });
  }

  /** Everybody plants, all rests, and all but Pia leave. */
  async visit(): Promise<void> {
    const { room } = this;
    for (let id = 1; id <= VISITORS; id++) {
      room.enter(id);
      const [column, row] = [(id - 1) % 5, Math.floor((id - 1) / 5)];
      const by = { id, name: `Visitor ${id}`, hue: 10 };
      const [x, y] = [40 + 62 * column, 24 + 48 * row];
      room.enqueue(1, { what: 'plant', by, x, y, seed: { from: 'gallery', index: 20 * id } });
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

  /** What it planted, in order. */
  get births(): OrganismView[] {
    return this.life.flatMap(({ event }) => (event.what === 'born' ? [event.organism] : []));
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
    await hall.pass(WATCHED);
    expect(longestPause(hall.seen, WATCHED)).toBeLessThan(30);
    expect([...hall.wounded].filter((id) => theirs.includes(id))).toEqual([]);
    expect(hall.wounded.size).toBeGreaterThan(3);
    // Where creatures press against each other, a neighbour may have taken the wound's ground.
    expect(hall.scarred.length).toBeLessThanOrEqual(hall.wounded.size / 8);
    const children = hall.births.filter(({ origin }) => origin === 'cross');
    expect(children.length).toBeGreaterThan(3);
    // Some of its children have parents of visitors.
    expect(children.some(({ parents }) => parents.every((id) => theirs.includes(id)))).toBe(true);
    const { leastPlants, leastShare } = GARDENING;
    const most = Math.min(leastPlants, Math.floor(leastShare * maxOrganisms));
    const { width, height } = hall.room.grid;
    const crowd = Math.floor(1.5 * targetCount({ width, height, side: species.side }));
    const filled = Math.max(VISITORS + most, crowd);
    expect(Math.max(...hall.sizes)).toBeLessThanOrEqual(Math.min(filled, maxOrganisms));
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
  await hall.pass(300);
  const wounded = theirs.filter(({ id }) => hall.wounded.has(id));
  expect(wounded.length).toBeGreaterThan(0);
  expect(wounded.map(({ planter }) => planter.id)).not.toContain(PIA);
  expect(hall.scarred).toEqual([]);
  expect(theirs.every(({ id }) => hall.room.viewOf(id))).toBe(true);
});

test('plays for a wall, stops for a visitor, and is not listed as a participant', async () => {
  const server = await startServer({ size: '160x96', 'tick-rate': 60, attract: 60 });
  afterTest(() => server.close());
  const join = async (...who: [name?: string, wishes?: object]): Promise<Visitor> => {
    const visitor = await Visitor.join(server.port, 'garden', ...who);
    afterTest(() => visitor.leave());
    return visitor;
  };
  const room = server.world.rooms.get('garden')!;
  const gardener = server.gardeners.of('garden')!;
  // A new room is planted before anybody comes, but for a visitor who plants.
  while (room.size === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(room.organisms[0].planter.name).toBe('The gardener');
  const bea = await join('Bea');
  expect(bea.welcome!.organisms).not.toHaveLength(0);
  await bea.plant(16, 80);
  await bea.until(() => !gardener.isActive);
  bea.leave();
  gardener.configure({ after: 100 });

  const wall = await join(undefined, { as: 'wall' });
  await wall.until(() => gardener.isActive && wall.life.some(({ what }) => what === 'grown'));
  const roomServer = server.roomServers.get('garden')!;
  expect([roomServer.seats.size, roomServer.isWatched]).toEqual([0, true]);
  // Nobody sees life on a dimmed wall.
  roomServer.policy.isDimmed = true;
  expect(roomServer.isWatched).toBe(false);
  roomServer.policy.isDimmed = false;
  gardener.configure({ after: 60_000 });

  // Nobody can pass for it.
  const ada = await join('the  GARDENER!');
  await ada.until(() => !gardener.isActive);
  expect(ada.welcome!.you.name).toBe('');
  expect(ada.welcome!.participants.map(({ id }) => id)).toEqual([ada.welcome!.you.id]);
  // What it had just sown is in the ground.
  const { tick: joined } = room;
  await ada.until(() => room.tick > joined + 1);
  const { size, tick } = room;
  await ada.until(() => room.tick > tick + 60);
  expect(room.size).toBe(size);
  expect(gardener.isActive).toBe(false);
  // It is for the host to say when it begins again.
  gardener.configure({ after: 100 });
  await wall.until(() => gardener.isActive);
  gardener.configure({ after: 'off' });
  expect(gardener.isActive).toBe(false);
});
