/**
 * Draws new gardens that the gardener composes, without and with visitors, faster than real time:
 *
 *     npm run gardens -- FOLDER [--gardens 5] [--visitors 12] [--minutes 1,3,10,30]
 *
 * With `--states`, each picture's cells are written beside it, for other programs that draw rooms.
 * With `--compare`, instead grows one garden, plants the same creatures scattered in another room,
 * and compares what ten minutes of each cost while somebody watches.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { firstView, type Stage } from '../../client/render/first-view.ts';
import { Gardener } from '../../server/gardener/gardener.ts';
import { png } from '../../server/replay/run-replay.ts';
import { prepareCheckpoint } from '../../server/rooms/loaded-checkpoint.ts';
import { DEFAULT_SIZE } from '../../server/settings/server.ts';
import type { Answer, PlantedSeed, RoomCommand } from '../../server/world/commands.ts';
import { DEFAULT_ENERGY } from '../../server/world/energy.ts';
import { EXPRESSION_PACE } from '../../server/world/organisms/expressions.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import type { Rect } from '../../shared/geometry.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom } from '../../shared/random.ts';
import { startEngine } from '../support/engine.ts';
import { FakeClock } from '../support/fake-clock.ts';

const { birth, healing, liveliness, tickRate, maxOrganisms, attract } = ROOM_DEFAULTS;
const MINUTE = 60 * tickRate;
const LIFE = { birth, healing, expressing: EXPRESSION_PACE };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    gardens: { type: 'string', default: '5' },
    first: { type: 'string', default: '1' },
    visitors: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '1,3,10,30' },
    compare: { type: 'boolean', default: false },
    states: { type: 'boolean', default: false },
  },
});
const [folder = '.'] = positionals;
const { engine, checkpoint } = await startEngine('auto');
const world = new World(engine);
const clockless = new FakeClock();
let patches = 1_000_000;
const { species } = await prepareCheckpoint(checkpoint, {
  ...{ engine, clock: clockless, newPatch: () => ++patches },
  log: { info() {}, warn() {}, error() {} } as never,
});

/** A phone held upright; buttons and the map cover the upper right corner. In CSS pixels. */
const PHONE: Stage = {
  view: { width: 390, height: 844 },
  free: { x: 14, y: 69, width: 362, height: 547 },
  covers: [
    { x: 234, y: 70, width: 148, height: 44 },
    { x: 284, y: 124, width: 98, height: 57 },
  ],
};
/** Bare places among which a visitor taps the one nearest to the middle of the phone. */
const CHOICE = 4;
/** How far a tap misses, in cells. */
const AIM = 4;

/** A room with its gardener and visitors who tap like people. */
class Garden {
  readonly room: Room;
  private readonly clock = new FakeClock();
  private readonly gardener: Gardener;
  private readonly random;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private readonly visitors;
  private nextId = 1;
  readonly counts: Record<string, number> = {};

  constructor(
    private readonly world: World,
    seed: number,
    visitors: number,
  ) {
    const name = `garden-${seed}`;
    this.random = createRandom(1_000 + seed);
    this.room = world.open({ name, ...DEFAULT_SIZE, maxOrganisms, seed, species, life: LIFE });
    this.room.setEnergy(DEFAULT_ENERGY);
    this.room.setTickRate(tickRate);
    this.room.setLiveliness(liveliness);
    this.gardener = new Gardener({
      ...{ room: this.room, clock: this.clock, random: createRandom(seed) },
      act: (act) => this.act({ ...act, by: { id: 1, name: GARDENER_NAME, hue: 5 } } as RoomCommand),
      watched: () => true,
      after: 1_000 * attract.after,
      isNew: true,
    });
    // Half of them come in the first minute, the others in the next ten. Each stays for three. Of
    // six, five have a phone.
    this.visitors = Array.from({ length: visitors }, (_, i) => ({
      by: { id: 100 + i, name: `Visitor ${i}`, hue: 29 * i },
      comes: Math.round(MINUTE * this.random.uniform() * (i % 2 === 0 ? 1 : 10)),
      acts: 0,
      isHere: false,
      hasPhone: i % 6 !== 5,
      /** What the phone shows of the grid, in cells. */
      shown: undefined as Rect | undefined,
    }));
  }

  async tick(): Promise<number> {
    await this.clock.advance(1_000 / tickRate);
    for (const visitor of this.visitors) this.play(visitor);
    const [{ result, cells }] = await this.world.tick([this.room]);
    for (const answer of result.answers) {
      if (answer.refused)
        this.count(`refused ${answer.by === 1 ? 'gardener' : 'visitor'} ${answer.refused.reason}`);
      this.waiting.get(answer.id)?.(answer);
    }
    await this.clock.advance(0);
    this.gardener.tick();
    return cells;
  }

  private count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  private act(command: RoomCommand): Promise<Answer> {
    const id = this.nextId++;
    this.count(command.what);
    try {
      this.room.enqueue(id, command);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.count(`refused early ${error.reason}`);
      return Promise.reject(error);
    }
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  private play(visitor: (typeof this.visitors)[number]): void {
    const { room, random } = this;
    const { by, comes } = visitor;
    if (room.tick < comes) return;
    const isHere = room.tick < comes + 3 * MINUTE;
    if (isHere !== visitor.isHere) {
      visitor.isHere = isHere;
      if (isHere) room.enter(by.id);
      else room.leave(by.id);
      this.gardener.visitorActive();
    }
    if (!isHere || random.uniform() > 1 / (30 * tickRate)) return;
    this.gardener.visitorActive();
    void (visitor.acts++ % 3 === 2 ? this.cut(visitor) : this.plant(visitor))?.catch(() => {});
  }

  /** What a phone shows of the grid when it opens the room. */
  private open(): Rect {
    const { random } = this;
    const { grid, organisms } = this.room;
    const { view, free } = PHONE;
    const sights = { grid, side: species.side, organisms };
    const { x, y, zoom } = firstView(sights, PHONE, random.uniform);
    return {
      x: x + (free.x - view.width / 2) / zoom,
      y: y + (free.y - view.height / 2) / zoom,
      width: free.width / zoom,
      height: free.height / zoom,
    };
  }

  /** A place where nothing lives under a finger; undefined if none of many tries finds one. */
  private bare(chosen: () => readonly [number, number]): { x: number; y: number } | undefined {
    const { width, height, planes } = this.room.grid;
    const half = species.side / 2;
    const inside = (at: number, size: number) => Math.min(size - half, Math.max(half, at));
    for (let tries = 0; tries < 50; tries++) {
      const [x, y] = chosen().map(Math.round);
      // A page moves a tap near the edge of the grid inwards.
      const place = { x: inside(x, width), y: inside(y, height) };
      if (Math.max(Math.abs(place.x - x), Math.abs(place.y - y)) > half) continue;
      const isBare = [-4, 0, 4].every((dx) =>
        [-4, 0, 4].every((dy) => planes.owner[(place.y + dy) * width + place.x + dx] === 0),
      );
      if (isBare) return place;
    }
    return undefined;
  }

  /** A bare place on a phone: at first in the middle of what it shows, later rather near it. */
  private onPhone(shown: Rect, isFirst: boolean): { x: number; y: number } | undefined {
    const { x, y, width, height } = shown;
    const { random } = this;
    const near = (at: number) => at + AIM * random.normal();
    const first = isFirst && this.bare(() => [near(x + width / 2), near(y + height / 2)]);
    if (first) return first;
    const places = Array.from({ length: CHOICE }, () =>
      this.bare(() => [x + width * random.uniform(), y + height * random.uniform()]),
    ).filter((place) => place !== undefined);
    const off = (place: { x: number; y: number }) =>
      Math.hypot(place.x - x - width / 2, place.y - y - height / 2);
    return places.sort((a, b) => off(a) - off(b))[0];
  }

  /** On a desktop, half of the seeds are planted beside what lives, the others anywhere. */
  private onDesktop(): { x: number; y: number } | undefined {
    const { room, random } = this;
    const { width, height } = room.grid;
    const near = room.organisms[random.integer(room.organisms.length)];
    const beside = () => [near.x + 30 * random.normal(), near.y + 30 * random.normal()] as const;
    const anywhere = () => [width * random.uniform(), height * random.uniform()] as const;
    return (random.uniform() < 0.5 && this.bare(beside)) || this.bare(anywhere);
  }

  private plant(visitor: (typeof this.visitors)[number]): Promise<Answer> | undefined {
    const { random } = this;
    const isFirst = visitor.shown === undefined;
    if (visitor.hasPhone) visitor.shown ??= this.open();
    const place = visitor.shown ? this.onPhone(visitor.shown, isFirst) : this.onDesktop();
    // Who sees no ground looks elsewhere.
    if (!place) visitor.shown = undefined;
    if (!place) return undefined;
    const { width = 0, height = 0 } = visitor.shown ?? {};
    // The page shows what was just planted in the middle.
    if (visitor.shown) {
      visitor.shown = { ...visitor.shown, x: place.x - width / 2, y: place.y - height / 2 };
    }
    const { featured = [] } = species;
    const seed: PlantedSeed =
      random.uniform() < 0.25
        ? { from: 'prior', throw: random.integer(1 << 30) }
        : { from: 'gallery', index: featured[Math.floor(featured.length * random.uniform() ** 3)] };
    return this.act({ what: 'plant', by: visitor.by, ...place, seed });
  }

  /** Across a creature that the visitor sees. */
  private cut({ by, shown }: (typeof this.visitors)[number]): Promise<Answer> | undefined {
    const all = this.room.organisms.filter(
      (one) =>
        !shown ||
        (one.x > shown.x &&
          one.y > shown.y &&
          one.x < shown.x + shown.width &&
          one.y < shown.y + shown.height),
    );
    const one = all[this.random.integer(all.length)];
    if (!one) return undefined;
    const points = [one.x - 8, one.y - 8, one.x + 8, one.y + 8];
    return this.act({ what: 'damage', by, radius: 3, points });
  }
}

async function draw(seed: number, visitors: number, minutes: readonly number[]): Promise<void> {
  const garden = new Garden(world, seed, visitors);
  const { room } = garden;
  for (const minute of minutes) {
    let awake = 0;
    const from = room.tick;
    while (room.tick < minute * MINUTE) {
      await garden.tick();
      awake += room.awake / Math.max(1, room.size);
    }
    const name = `${seed}-v${visitors}-${`${minute}`.padStart(2, '0')}.png`;
    await writeFile(join(folder, name), await png(room.grid.planes, 3));
    if (values.states) {
      const { rgba, owner } = room.grid.planes;
      const planes = { rgba: [...rgba], owner: [...owner] };
      const state = JSON.stringify({ ...planes, organisms: room.organisms });
      await writeFile(join(folder, `${name}.json.gz`), gzipSync(state));
    }
    const own = room.organisms.filter(({ planter }) => planter.name === GARDENER_NAME).length;
    const share = (awake / (room.tick - from)).toFixed(3);
    console.log(
      name,
      `${room.size} organisms, ${own} of the gardener, awake ${share}`,
      JSON.stringify(garden.counts),
    );
  }
}

/**
 * Ten minutes in which nobody acts, of rooms in turn, a minute each, so that what else the machine
 * does falls on each alike.
 *
 * @returns of each room: mean share awake, cells stepped in a tick, and the median over the minutes
 *   of a tick's processor time, all threads together, in ms
 */
async function watch(rooms: readonly Room[]) {
  const means = rooms.map(({ size }) => ({ size, awake: 0, cells: 0, ms: [] as number[] }));
  for (let minute = -1; minute < 10; minute++) {
    for (const [i, room] of rooms.entries()) {
      const start = process.cpuUsage();
      for (let tick = 0; tick < MINUTE; tick++) {
        const [{ cells }] = await world.tick([room]);
        if (minute < 0) continue;
        means[i].cells += cells / MINUTE / 10;
        means[i].awake += room.awake / room.size / MINUTE / 10;
      }
      const { user, system } = process.cpuUsage(start);
      if (minute >= 0) means[i].ms.push((user + system) / 1_000 / MINUTE);
    }
  }
  return means.map(({ ms, ...mean }) => ({ ...mean, ms: ms.sort((a, b) => a - b)[5] }));
}

async function compare(seed: number): Promise<void> {
  const garden = new Garden(world, seed, 0);
  const packed = garden.room;
  while (packed.tick < 3 * MINUTE) await garden.tick();
  const { width, height } = DEFAULT_SIZE;
  const scattered = world.open({
    name: `scattered ${seed}`,
    width,
    height,
    maxOrganisms,
    seed,
    species,
    life: LIFE,
  });
  scattered.setLiveliness(liveliness);
  const { organisms } = packed.export();
  const columns = Math.ceil(Math.sqrt((organisms.length * width) / height));
  const rows = Math.ceil(organisms.length / columns);
  organisms.forEach(({ kind, latent }, i) => {
    const index = species.gallery.findIndex(({ name }) => name === kind);
    const seed: PlantedSeed =
      index < 0 ? { from: 'latent', latent: [...latent] } : { from: 'gallery', index };
    const x = Math.round(((i % columns) + 0.5) * (width / columns));
    const y = Math.round((Math.floor(i / columns) + 0.5) * (height / rows));
    scattered.enqueue(i, { what: 'plant', by: { id: 2, name: 'a', hue: 1 }, x, y, seed });
  });
  const pressing = packed.organisms.map(({ id }) =>
    [...packed.blockersOf(id).values()].reduce((sum, count) => sum + count, 0),
  );
  const cells = pressing.reduce((sum, count) => sum + count, 0);
  console.log(seed, 'pressing cells', cells, 'of', pressing.filter((n) => n > 0).length);
  const [a, b] = await watch([packed, scattered]);
  console.log(seed, 'packed', a, 'scattered', b);
  console.log(
    seed,
    `awake ${(a.awake / b.awake).toFixed(2)} cells ${(a.cells / b.cells).toFixed(2)} ms ${(a.ms / b.ms).toFixed(2)}`,
  );
}

await mkdir(folder, { recursive: true });
const minutes = values.minutes.split(',').map(Number);
for (
  let seed = Number(values.first);
  seed < Number(values.first) + Number(values.gardens);
  seed++
) {
  if (values.compare) await compare(seed);
  else await draw(seed, Number(values.visitors), minutes);
}
await engine.close();
