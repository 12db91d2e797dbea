/** What a tick costs: the whole of it, commands to settled ground, without pacing. */
import { readConfig } from '../../server/settings/server.ts';
import { World } from '../../server/world/world.ts';
import { startEngine } from '../support/engine.ts';
import { ANNA } from '../support/rooms.ts';

interface TickRow {
  readonly organisms: number;
  readonly phase: 'growing' | 'grown';
  readonly cellsPerSecond: number;
  readonly msPerTick: number;
}

interface TickFigures {
  readonly engine: string;
  readonly device: string;
  readonly rows: readonly TickRow[];
}

const COUNTS = [1, 16, 64, 256];
/** Fewer than the steps after which a grown organism sleeps. */
const GROWN_TICKS = 12;

export async function benchTick(log: (line: string) => void): Promise<TickFigures> {
  const config = readConfig([], process.env);
  if (config === 'help') throw new Error('no help wanted');
  const { engine, species } = await startEngine(config.engine);
  log(`engine ${engine.info.name} on ${engine.info.device}`);
  const world = new World(engine);
  const rows: TickRow[] = [];

  for (const organisms of COUNTS) {
    const columns = Math.ceil(Math.sqrt(organisms));
    const side = species.side;
    const room = world.open({
      name: `${organisms}`,
      width: columns * side,
      height: columns * side,
      maxOrganisms: organisms,
      seed: 1,
      species,
    });
    for (let i = 0; i < organisms; i++) {
      const x = (i % columns) * side + side / 2;
      const y = Math.floor(i / columns) * side + side / 2;
      const by = { ...ANNA, id: i };
      const index = i % species.gallery.length;
      room.enqueue(i, { what: 'plant', by, x, y, seed: { from: 'gallery', index } });
    }
    const measure = async (phase: TickRow['phase'], ticks: number): Promise<void> => {
      let cells = 0;
      const start = performance.now();
      for (let tick = 0; tick < ticks; tick++) {
        await world.tick([room]);
        for (const { phase: state, stage } of room.organisms)
          if (state !== 'asleep') cells += stage ** 2;
      }
      const ms = performance.now() - start;
      const row = {
        organisms,
        phase,
        cellsPerSecond: Math.round((cells / ms) * 1000),
        msPerTick: Number((ms / ticks).toFixed(3)),
      };
      rows.push(row);
      log(
        `${`${organisms}`.padStart(4)} ${phase.padEnd(8)} ${row.msPerTick.toFixed(2).padStart(9)} ms/tick  ` +
          `${(row.cellsPerSecond / 1e6).toFixed(2)} M cells/s`,
      );
    };
    await measure('growing', species.schedule.length);
    await measure('grown', GROWN_TICKS);
    await engine.dispose(room.organisms.map(({ id }) => room.patchOf(id)!));
  }
  await engine.close();
  return { engine: engine.info.name, device: engine.info.device, rows };
}
