/**
 * Measures whether the memory of a busy show stays bounded, and what it writes to the disk:
 * visitors plant, wound, leave and come back for two hours, on the server that `npm start` runs.
 * Needs Linux, for /proc and /sys. The bytes written include everything that is written to the disk
 * of TMPDIR meanwhile.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../load/child.ts';
import { mean, rounded } from '../load/figures.ts';
import { ServerProcess } from '../support/process.ts';
import type { BotCounts, BotsPlan } from './busy-show-bots.ts';
import { type BenchOptions, describeMachine, type Log } from './options.ts';

/** Commands of all visitors together in a second. */
const COMMANDS_PER_SECOND = 25;
/** Share of leaving visitors who return as the same person. */
const RETURNING = 0.5;
/** Maximum anonymous memory of the process, in MB. */
const MOST = 500;
/** Share of the time in which the room fills. It counts only for the maximum. */
const FILLING = 0.1;
/** Largest ratio of the mean of the second half to the mean of the first half. */
const TOLERANCE = 1.02;
/** Smallest share of commands that must be answered, accepted or refused. */
const ANSWERED = 0.9;
/** Time between the last visitor and the last measurement of memory, in seconds. */
const AFTER = 60;
/** Maximum number of GB written per hour. */
const MOST_WRITTEN = 0.5;
/** Size of the unit in which the system counts written data, in bytes. */
const SECTOR = 512;
const MINUTE = 60_000;
/** Time between two measurements of anonymous memory, in ms, short enough to miss no peak. */
const LOOK_EVERY = 5_000;

/** Memory of the server, in MB. */
interface Memory {
  readonly rss: number;
  readonly anonymous: number;
  readonly heap: number;
}

/** @throws Error: the server has ended */
export async function benchBusyShow(
  log: Log,
  { engine, seconds = 7_200, visitors: bots = 30 }: BenchOptions = {},
) {
  const scratch = mkdtempSync(join(tmpdir(), 'vivarium-busy-show-'));
  const server = new ServerProcess([
    ...['--port', '0', '--data', join(scratch, 'data'), '--metrics', 'same', '--energy', 'off'],
    ...(engine ? ['--engine', engine] : []),
  ]);
  let crowd: Child<'counts', never> | undefined;
  try {
    const port = await server.alive();
    const pid = server.child.pid!;
    const look = (): Promise<Memory> => memoryOf(pid, port);
    const idle = await look();
    log(`The server has the process id ${pid}. ${bots} visitors play for ${seconds} s.`);
    const beat = (1000 * bots) / COMMANDS_PER_SECOND;
    const plan: BotsPlan = { port, bots, beat, returning: RETURNING };
    crowd = Child.start(new URL('./busy-show-bots.ts', import.meta.url), plan);
    const begun = performance.now();
    const before = writtenTo(scratch);
    const anonymous: number[] = [];
    let counts: BotCounts | undefined;
    const step = Math.min(MINUTE, (1000 * seconds) / 20);
    for (let at = step; at <= 1000 * seconds; at += step) {
      const from = anonymous.length;
      while (performance.now() < begun + at) {
        const left = begun + at - performance.now();
        await new Promise((wake) => setTimeout(wake, Math.min(LOOK_EVERY, left)));
        anonymous.push(megabytes(pid, 'RssAnon'));
      }
      counts = await crowd.ask<BotCounts>('counts');
      const most = Math.max(...anonymous.slice(from));
      log(JSON.stringify({ minutes: rounded(at / MINUTE), ...counts, ...(await look()), most }));
    }
    const written = rounded((writtenTo(scratch) - before) / 1e9 / (seconds / 3_600));
    await crowd.stop();
    await new Promise((wake) => setTimeout(wake, Math.min(AFTER, seconds) * 1000));
    const gone = await look();
    const half = anonymous.length >> 1;
    const stretch = (from: number, to: number) => {
      const part = anonymous.slice(from, to);
      return { mean: rounded(mean(part)), most: Math.max(...part) };
    };
    const first = stretch(Math.floor(FILLING * anonymous.length), half);
    const second = stretch(half, anonymous.length);
    const most = Math.max(...anonymous);
    const { accepted, refused, joins, returns } = counts!;
    const bounds = {
      most: most <= MOST,
      written: !(written > MOST_WRITTEN),
      flat: second.mean <= TOLERANCE * first.mean,
      commands: accepted + sum(refused) >= ANSWERED * COMMANDS_PER_SECOND * seconds,
    };
    const figures = {
      ...{ machine: describeMachine(), seconds, bots, accepted, refused, joins, returns },
      /** Anonymous memory in MB. `first` leaves out the time in which the room fills. */
      ...{ idle, first, second, most, gone },
      /** Data written, in GB per hour. */
      written,
      bounds,
      met: Object.values(bounds).every((kept) => kept),
    };
    return figures;
  } finally {
    await crowd?.stop();
    await server.end();
    rmSync(scratch, { recursive: true });
  }
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, n) => total + n, 0);

async function memoryOf(pid: number, port: number): Promise<Memory> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const [, heap] = /^nodejs_heap_size_used_bytes (\d+)/m.exec(metrics)!;
  const [rss, anonymous] = ['VmRSS', 'RssAnon'].map((name) => megabytes(pid, name));
  return { rss, anonymous, heap: Math.round(Number(heap) / 1e6) };
}

/** Reads a line of /proc/PID/status, in MB. @param name name of the line */
function megabytes(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)!;
  return Math.round((1024 * Number(kilobytes)) / 1e6);
}

/**
 * Returns the bytes written to the disk of a folder by any process since the system started,
 * because the file system writes more than it charges to the process. NaN if the system does not
 * count them.
 */
function writtenTo(folder: string): number {
  const { dev } = statSync(folder);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const file = `/sys/dev/block/${major}:${minor}/stat`;
  if (!existsSync(file)) return Number.NaN;
  return SECTOR * Number(readFileSync(file, 'utf8').trim().split(/\s+/)[6]);
}
