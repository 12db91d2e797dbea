/** What looking at seeds costs a room: how late its ticks are without, and with as many previews as visitors may ask for. */

import { createVivariumServer, type VivariumServer } from '../../server/app/create-server.ts';
import { readConfig } from '../../server/settings/server.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { UNLIMITED } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';
import { gridFor } from './crowd-grid.ts';
import { quantile, rounded } from './figures.ts';

interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface NurseryRow {
  readonly awake: number;
  readonly previews: boolean;
  readonly ticks: number;
  /** How long after it was due a tick began, ms. */
  readonly late: Spread;
  /** From its beginning until all was published, ms. */
  readonly took: Spread;
  /** Seeds grown for a look, each second, and how long their visitors waited, ms. */
  readonly grown?: number;
  readonly waited?: Spread;
}

interface NurseryFigures {
  readonly engine: string;
  readonly device: string;
  readonly rows: readonly NurseryRow[];
}

interface NurseryOptions {
  readonly seconds?: number;
  readonly engine?: string;
}

const AWAKE = [0, 16, 64];
const VISITORS = 4;

/** Each visitor asks for one look after another, as many at a time as she may. */
async function lookOn(visitors: readonly Visitor[], until: () => boolean): Promise<number[]> {
  const waits: number[] = [];
  let throws = 0;
  const one = async (visitor: Visitor): Promise<void> => {
    while (!until()) {
      const start = performance.now();
      await visitor.ask('preview', { seed: { from: 'prior', throw: ++throws } });
      waits.push(performance.now() - start);
    }
  };
  const each = Array.from({ length: DEFAULTS.nursery.maxWaitingEach }, (_, i) => i);
  await Promise.all(visitors.flatMap((visitor) => each.map(() => one(visitor))));
  return waits;
}

const spread = (values: readonly number[]): Spread => ({
  p50: rounded(quantile(values, 0.5)),
  p99: rounded(quantile(values, 0.99)),
  max: rounded(Math.max(...values)),
});

export async function benchNursery(
  log: (line: string) => void,
  { seconds = 15, engine }: NurseryOptions = {},
): Promise<NurseryFigures> {
  const rows: NurseryRow[] = [];
  let facts = { name: '', device: '' };
  for (const awake of AWAKE) {
    const { width, height } = gridFor(Math.max(1, awake), 32);
    const settings = {
      ...{ port: 0, host: '127.0.0.1', size: `${width}x${height}`, data: 'none' },
      ...{ 'max-organisms': Math.max(1, awake), energy: 'off', limits: UNLIMITED },
      ...(engine && { engine }),
    };
    const args = Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);
    const config = readConfig(args, {});
    if (config === 'help') throw new Error('no help wanted');
    let ticks: { late: number; took: number }[] = [];
    const vivarium = await createVivariumServer({
      config,
      clientFolder: '.',
      onTick: (timing) => {
        ticks.push(timing);
        if (awake > 0) stir(vivarium);
      },
      onFatal: (error) => {
        throw error;
      },
    });
    facts = vivarium.engine;
    const visitors = await Promise.all(
      Array.from({ length: VISITORS }, () => Visitor.join(vivarium.port)),
    );
    const columns = Math.floor(width / 32);
    for (let i = 0; i < awake; i++) {
      const [x, y] = [16 + 32 * (i % columns), 16 + 32 * Math.floor(i / columns)];
      await visitors[0].ask('plant', { x, y, seed: { from: 'gallery', index: i } });
    }
    await visitors[0].until(() => {
      return visitors[0].life.filter(({ what }) => what === 'grown').length >= awake;
    });
    for (const previews of [false, true]) {
      ticks = [];
      const end = performance.now() + seconds * 1000;
      const over = (): boolean => performance.now() >= end;
      const waits = previews
        ? await lookOn(visitors, over)
        : await new Promise<number[]>((resolve) => setTimeout(() => resolve([]), seconds * 1000));
      const row: NurseryRow = {
        ...{ awake, previews, ticks: ticks.length },
        late: spread(ticks.map(({ late }) => late)),
        took: spread(ticks.map(({ took }) => took)),
        ...(previews && { grown: rounded(waits.length / seconds), waited: spread(waits) }),
      };
      rows.push(row);
      log(lineOf(row));
    }
    for (const visitor of visitors) visitor.leave();
    await vivarium.close();
  }
  return { engine: facts.name, device: facts.device, rows };
}

/** Wounds everybody a little, so that nobody falls asleep. */
function stir({ world }: VivariumServer): void {
  const room = world.rooms.get('garden')!;
  if (room.tick % 30 !== 0) return;
  const { width, height } = room.grid;
  for (let y = 16; y < height; y += 32) {
    const by = { id: 1 + y, name: '', hue: 0 };
    room.enqueue(1, { what: 'damage', by, radius: 1, points: [1, y, width - 1, y] });
  }
}

function lineOf({ awake, previews, ticks, late, took, grown, waited }: NurseryRow): string {
  const ms = ({ p50, p99, max }: Spread): string => `${p50} / ${p99} / ${max}`;
  const looks = waited ? `, ${grown} looks a second, waited for ${ms(waited)} ms` : '';
  return (
    `${`${awake}`.padStart(3)} awake, ${previews ? 'with' : 'no  '} previews: ${ticks} ticks, ` +
    `late ${ms(late)} ms, took ${ms(took)} ms${looks}`
  );
}
