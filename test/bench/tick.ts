/**
 * Measures the cost of a whole tick, from commands to settled ground, without pauses between ticks.
 */
import type { Engine, NewPatch } from '../../server/engine/engine.ts';
import { readConfig } from '../../server/settings/server.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import { mean, median, rounded } from '../load/figures.ts';
import { Gardener } from '../load/garden.ts';
import { startEngine } from '../support/engine.ts';
import type { Log } from './options.ts';

const COUNTS = [1, 16, 64, 256];
/**
 * Rooms to measure. In the last room, every third organism is a chimera whose right half is another
 * creature.
 */
const ROOMS = [
  ...COUNTS.map((organisms) => ({ organisms, chimeras: 0 })),
  { organisms: 64, chimeras: 1 / 3 },
];
/** Number of ticks of grown organisms. They would sleep after more ticks. */
const GROWN_TICKS = 12;
/**
 * Number of rooms with a number of organisms. The first room warms up. Small rooms are measured
 * more often, because they take little time.
 */
const roomsOf = (organisms: number): number => 1 + Math.max(3, Math.ceil(32 / organisms));

interface Sample {
  readonly ms: number;
  readonly cells: number;
}

export async function benchTick(log: Log) {
  const config = readConfig([], process.env);
  if (config === 'help') throw new Error('readConfig returned a help text');
  const { engine, species } = await startEngine(config.engine);
  const { name, device } = engine.info;
  log(`engine ${name} on ${device}`);
  const plain = new World(engine);
  const labels = Uint8Array.from({ length: species.side ** 2 }, (_, i) =>
    i % species.side < species.side / 2 ? 0 : 1,
  );
  const grafted = (one: NewPatch): NewPatch => {
    if (one.patch % 3 > 0) return one;
    const { latent } = species.gallery[one.patch % species.gallery.length];
    return { ...one, genomes: { latents: [one.latent, latent], labels } };
  };
  const plant: Engine['plant'] = (patches) => engine.plant(patches.map(grafted));
  const ofChimeras = new World({ ...engine, plant }, { last: 1e6 });

  const tick = async (world: World, room: Room): Promise<Sample> => {
    const start = performance.now();
    await world.tick([room]);
    const ms = performance.now() - start;
    const awake = room.organisms.filter(({ phase }) => phase !== 'asleep');
    return { ms, cells: awake.reduce((sum, { stage }) => sum + stage ** 2, 0) };
  };
  const openRoom = (world: World, organisms: number): Room => {
    // A square grid in which each organism has its own ground.
    const columns = Math.ceil(Math.sqrt(organisms));
    const room = world.open({
      ...{ name: `${organisms}`, maxOrganisms: organisms, seed: 1, species },
      width: species.side * columns,
      height: species.side * Math.ceil(organisms / columns),
    });
    new Gardener(room).plantFirst(organisms);
    return room;
  };

  const rows = [];
  for (const { organisms, chimeras } of ROOMS) {
    const world = chimeras > 0 ? ofChimeras : plain;
    const samples: Record<'growing' | 'grown', Sample[]> = { growing: [], grown: [] };
    for (let n = 0; n < roomsOf(organisms); n++) {
      const room = openRoom(world, organisms);
      const ticks: Sample[] = [];
      while (ticks.length < species.schedule.length + GROWN_TICKS)
        ticks.push(await tick(world, room));
      if (n > 0) {
        samples.growing.push(...ticks.slice(0, -GROWN_TICKS));
        samples.grown.push(...ticks.slice(-GROWN_TICKS));
      }
      await world.close(room);
    }
    for (const phase of ['growing', 'grown'] as const) {
      const ms = samples[phase].map((sample) => sample.ms);
      // Ticks of growing organisms differ, so use the mean. Ticks of grown organisms are alike, so
      // use the median, which ignores interruptions.
      const msPerTick = phase === 'grown' ? median(ms) : mean(ms);
      const cells = mean(samples[phase].map((sample) => sample.cells));
      const cellsPerSecond = Math.round((cells / msPerTick) * 1000);
      const row = { organisms, chimeras, phase, cellsPerSecond, msPerTick: rounded(msPerTick) };
      rows.push(row);
      log(JSON.stringify(row));
    }
  }
  await engine.close();
  return { engine: name, device, rows };
}
