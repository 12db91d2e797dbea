/**
 * Draws new gardens that the gardener composes, without and with visitors, faster than real time:
 *
 *     npm run gardens -- FOLDER [--gardens 5] [--visitors 12] [--minutes 1,3,10,30]
 *
 * With `--compare`, instead grows one garden, plants the same creatures scattered in another room,
 * and compares what ten minutes of each cost while somebody watches.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Gardener } from '../../server/gardener/gardener.ts';
import { png } from '../../server/replay/pictures.ts';
import { prepareCheckpoint } from '../../server/rooms/loaded-checkpoint.ts';
import { DEFAULT_SIZE } from '../../server/settings/server.ts';
import type { Answer, PlantedSeed, RoomCommand } from '../../server/world/commands.ts';
import { DEFAULT_ENERGY } from '../../server/world/energy.ts';
import { EXPRESSION_PACE } from '../../server/world/organisms/expressions.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom } from '../../shared/random.ts';
import type { ParticipantView } from '../../shared/vocabulary.ts';
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
    // Half of them come in the first minute, the others in the next ten. Each stays for three.
    this.visitors = Array.from({ length: visitors }, (_, i) => ({
      by: { id: 100 + i, name: `Visitor ${i}`, hue: 29 * i },
      comes: Math.round(MINUTE * this.random.uniform() * (i % 2 === 0 ? 1 : 10)),
      acts: 0,
      isHere: false,
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
    void (visitor.acts++ % 3 === 2 ? this.cut(by) : this.plant(by))?.catch(() => {});
  }

  /** Half of the seeds are planted beside what lives, the others anywhere. */
  private plant(by: ParticipantView): Promise<Answer> | undefined {
    const { room, random } = this;
    const { width, height, planes } = room.grid;
    const half = species.side / 2;
    for (let tries = 0; tries < 100; tries++) {
      const near = room.organisms[random.integer(room.organisms.length)];
      const beside = tries < 50 && random.uniform() < 0.5;
      const x = Math.round(beside ? near.x + 30 * random.normal() : random.uniform() * width);
      const y = Math.round(beside ? near.y + 30 * random.normal() : random.uniform() * height);
      if (x < half || y < half || x > width - half || y > height - half) continue;
      const isBare = [-4, 0, 4].every((dx) =>
        [-4, 0, 4].every((dy) => planes.owner[(y + dy) * width + x + dx] === 0),
      );
      if (!isBare) continue;
      const { featured = [] } = species;
      const seed: PlantedSeed =
        random.uniform() < 0.25
          ? { from: 'prior', throw: random.integer(1 << 30) }
          : {
              from: 'gallery',
              index: featured[Math.floor(featured.length * random.uniform() ** 3)],
            };
      return this.act({ what: 'plant', by, x, y, seed });
    }
    return undefined;
  }

  private cut(by: ParticipantView): Promise<Answer> {
    const { organisms } = this.room;
    const { x, y } = organisms[this.random.integer(organisms.length)];
    const points = [x - 8, y - 8, x + 8, y + 8];
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
 * Ten minutes in which nobody acts, of rooms in turn, so that what else the machine does falls on
 * each alike.
 *
 * @returns of each room: mean share awake, cells stepped in a tick, and ms of a tick
 */
async function watch(rooms: readonly Room[]) {
  const ticks = 10 * MINUTE;
  const means = rooms.map((room) => ({ size: room.size, awake: 0, cells: 0, ms: 0 }));
  for (let tick = -MINUTE; tick < ticks; tick++) {
    for (const [i, room] of rooms.entries()) {
      const start = performance.now();
      const [{ cells }] = await world.tick([room]);
      if (tick < 0) continue;
      means[i].ms += (performance.now() - start) / ticks;
      means[i].cells += cells / ticks;
      means[i].awake += room.awake / room.size / ticks;
    }
  }
  return means;
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
