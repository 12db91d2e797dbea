/**
 * Measures what a busy room writes to the disk: its server runs as `npm start` runs it, and visitors
 * never stop cutting. The count includes everything written to the disk of TMPDIR meanwhile.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '../../server/vnca/checkpoint.ts';
import { createRandom } from '../../shared/random.ts';
import { mean, rounded } from '../load/figures.ts';
import { GARDEN } from '../load/garden.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { UNLIMITED } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';

/** Until the organisms have grown, ms. */
const GROWING = 20_000;
/** Between two cuts of a visitor, ms. */
const CUT = 1_000;
const HOUR = 3_600;
const GB = 1e9;
/** Of the system's counters, bytes. */
const SECTOR = 512;
/** Goal, in GB per hour. */
const GOAL = 0.5;

/** @throws CheckpointError; Error: the server has ended, or the system does not count its writes */
export async function benchDisk(
  log: Log,
  {
    checkpoint = CHECKPOINT_FOLDER,
    engine,
    seconds = 300,
    organisms = GARDEN.organisms,
    visitors = 20,
  }: BenchOptions = {},
) {
  // Refuses a folder that is none before a server does.
  await loadModel(checkpoint);
  const scratch = mkdtempSync(join(tmpdir(), 'vivarium-disk-'));
  const flags = flagsOf({
    ...{
      data: join(scratch, 'data'),
      checkpoint,
      port: 0,
      host: '127.0.0.1',
      metrics: 'same',
      attract: 'off',
    },
    ...{ energy: 'off', limits: UNLIMITED, 'max-organisms': organisms },
    ...{ size: `${GARDEN.width}x${GARDEN.height}`, 'tick-rate': GARDEN.tickRate },
    ...(engine && { engine }),
  });
  const server = new ServerProcess(flags);
  let crowd: Crowd | undefined;
  try {
    crowd = await Crowd.join(await server.alive(), visitors);
    await crowd.plant(organisms);
    await sleep(GROWING);
    log(`all have grown; ${visitors} visitors cut for ${seconds} s`);
    const before = writtenTo(scratch);
    const first = await crowd.metric('tick');
    const awake: number[] = [];
    const begun = performance.now();
    while (performance.now() - begun < 1000 * seconds) {
      await sleep(1_000);
      awake.push(await crowd.metric('awake'));
    }
    const lasted = (performance.now() - begun) / 1000;
    const written = rounded((writtenTo(scratch) - before) / GB / (lasted / HOUR));
    const rate = rounded(((await crowd.metric('tick')) - first) / lasted);
    log(
      `  ${written} GB/h, with ${rounded(mean(awake))} of ${organisms} awake, at ${rate} ticks/s`,
    );
    return {
      ...{ machine: describeMachine(), seconds, visitors, organisms },
      ...{ awake: rounded(mean(awake)), rate },
      /** GB per hour. */
      written,
      met: written <= GOAL,
    };
  } finally {
    crowd?.leave();
    await server.end('SIGKILL');
    rmSync(scratch, { recursive: true });
  }
}

/**
 * Bytes written to the disk of a folder since the system started, whoever wrote them: what a
 * process is charged with is not what its file system writes.
 */
function writtenTo(folder: string): number {
  const { dev } = statSync(folder);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const stat = readFileSync(`/sys/dev/block/${major}:${minor}/stat`, 'utf8');
  return SECTOR * Number(stat.trim().split(/\s+/)[6]);
}

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** Visitors who never stop cutting. */
class Crowd {
  private readonly random = createRandom(64);
  private readonly visitors: Visitor[] = [];
  private readonly timers: NodeJS.Timeout[] = [];

  private constructor(private readonly port: number) {}

  static async join(port: number, count: number): Promise<Crowd> {
    const crowd = new Crowd(port);
    for (let i = 0; i < count; i++) {
      const visitor = await Visitor.join(port);
      crowd.visitors.push(visitor);
      crowd.timers.push(setInterval(() => crowd.cut(visitor), CUT));
    }
    return crowd;
  }

  async plant(count: number): Promise<void> {
    const columns = Math.ceil(Math.sqrt(count));
    for (let i = 0; i < count; i++) {
      const [x, y] = [i % columns, Math.floor(i / columns)].map(
        (at) => ((at + 0.5) * GARDEN.width) / columns,
      );
      const seed = { from: 'gallery', index: i };
      await this.visitors[0].ask('plant', { x, y, seed });
    }
  }

  /** A figure of the room. */
  async metric(name: 'awake' | 'tick'): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/metrics`);
    const line = new RegExp(`^vivarium_room_${name}\\{.*\\} (\\d+)`, 'm');
    return Number(line.exec(await answer.text())?.[1]);
  }

  leave(): void {
    for (const timer of this.timers.splice(0)) clearInterval(timer);
    for (const visitor of this.visitors.splice(0)) visitor.leave();
  }

  private cut(visitor: Visitor): void {
    const { random } = this;
    const x = random.uniform() * GARDEN.width;
    const y = random.uniform() * GARDEN.height;
    const end = (at: number, size: number) =>
      Math.max(0, Math.min(size, at + 24 * (random.uniform() - 0.5)));
    visitor.heard.length = 0;
    void visitor.ask('damage', {
      radius: 2,
      points: [x, y, end(x, GARDEN.width), end(y, GARDEN.height)],
    });
  }
}
