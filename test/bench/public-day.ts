/**
 * A public week in the small: honest visitors, newcomers and a wall beside every known attack, in an
 * order that a seed decides, with the server killed and started again half way. Server, visitors
 * and attackers are processes of their own; their addresses are those of 127.0.0.0/8.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Child } from '../load/child.ts';
import { rounded } from '../load/figures.ts';
import { freePort } from '../support/free-port.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';
import type { AttackCounts, AttackersPlan } from './public-day-attackers.ts';
import type { VisitorsFigures, VisitorsPlan } from './public-day-visitors.ts';
import type { ServerHello, ServerQuestion, ServerState } from './server-process.ts';

const SEED = 20_261_127;
const MB = 1e6;
/** Share of the time without attacks, at the beginning, and as much at the end. */
const CALM = 0.1;
/** s that visitors get to join, and attackers' leftovers to end. */
const SETTLE = 15;
/** How much later answers may come under attack, p99. */
const MOST_RATIO = 1.5;

/** @throws CheckpointError; Error: a process has ended */
export async function benchPublicDay(
  log: Log,
  {
    checkpoint = CHECKPOINT_FOLDER,
    engine: wanted,
    seconds = 1_200,
    visitors = 25,
  }: BenchOptions = {},
) {
  const scratch = mkdtempSync(join(tmpdir(), 'vivarium-public-day-'));
  const port = await freePort();
  const startServer = () =>
    start<ServerQuestion>('./server-process.ts', {
      ...{ port, checkpoint, data: join(scratch, 'data'), attract: 30 },
      ...{ energy: 'default', limits: 'default', capacity: 200 },
      ...(wanted && { engine: wanted }),
    });
  let server = startServer();
  const children: { stop(): Promise<void> }[] = [];
  try {
    const { engine, device } = await server.ask<ServerHello>('hello');
    log(`${engine} on ${device}; ${visitors} visitors for ${seconds} s`);
    const crowd = start<'begin' | 'figures'>('./public-day-visitors.ts', {
      ...{ port, visitors, seed: SEED },
    } satisfies VisitorsPlan);
    children.push(crowd);
    const figures = () => crowd.ask<VisitorsFigures>('figures');
    await wait(1_000 * SETTLE);
    await crowd.ask('begin');
    const calm = async () => {
      await wait(1_000 * seconds * CALM);
      const { answers } = await figures();
      log(`  calm: answers after ${answers.p50} ms p50, ${answers.p99} ms p99`);
      return answers;
    };
    const before = await calm();

    const attackers = start<'attack' | 'counts'>('./public-day-attackers.ts', {
      ...{ port, seed: SEED },
    } satisfies AttackersPlan);
    children.push(attackers);
    await attackers.ask('attack');
    await crowd.ask('begin');
    const half = (1_000 * seconds * (1 - 2 * CALM)) / 2;
    await watched(half, async () => lineOf(await server.ask('state'), await figures()), log);
    log('  the server is killed and started again');
    await server.stop();
    server = startServer();
    await server.ask('hello');
    await wait(1_000 * SETTLE);
    const begin = await server.ask<ServerState>('state');
    await watched(half, async () => lineOf(await server.ask('state'), await figures()), log);
    const hostile = await figures();
    const attacks = await attackers.ask<AttackCounts>('counts');
    await attackers.stop();
    await wait(1_000 * SETTLE);
    const end = await server.ask<ServerState>('state');
    await crowd.ask('begin');
    const after = await calm();

    // The room is emptier before than during the attacks, and fuller after them.
    const ratio = rounded((2 * hostile.answers.p99) / (before.p99 + after.p99));
    const bounds = {
      answers: ratio <= MOST_RATIO,
      newcomers: hostile.newcomers.late === 0,
      walls: hostile.wallsRefused === 0,
      nothingLost: hostile.missing === 0,
      files: (end.files ?? 0) <= (begin.files ?? 0) + 4,
      heap: end.heap <= 1.1 * begin.heap + 8 * MB,
      kept: end.keeping,
    };
    const result = {
      ...{ machine: describeMachine(), engine, device, seconds, visitors, ratio },
      ...{ calm: { before, after }, hostile, attacks, states: { begin, end }, bounds },
      met: Object.values(bounds).every((kept) => kept),
    };
    const over = Object.entries(bounds).flatMap(([name, kept]) => (kept ? [] : [name]));
    log(`  attacks: ${JSON.stringify(attacks)}`);
    log(`  ${lineOf(end, hostile)}`);
    log(`  connections lost: ${hostile.lost}`);
    log(`  answers under attack by those in calm, p99: ${ratio}`);
    log(`  goal: ${result.met ? 'met' : `missed: ${over.join(', ')}`}`);
    return result;
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await server.stop();
    rmSync(scratch, { recursive: true });
  }
}

const start = <Question>(file: string, plan: object): Child<Question, never> =>
  Child.start(new URL(file, import.meta.url), plan);

/** Waits, and logs a line each minute. @param duration ms */
async function watched(duration: number, line: () => Promise<string>, log: Log): Promise<void> {
  const end = performance.now() + duration;
  for (let minute = 1; performance.now() < end; minute++) {
    await wait(Math.min(60_000, end - performance.now()));
    log(`  ${minute} min: ${await line()}`);
  }
}

function lineOf(
  state: ServerState,
  { answers, newcomers, wallsRefused, missing, refused }: VisitorsFigures,
) {
  const { heap, memory, files, store, organisms, awake } = state;
  const mb = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`;
  return (
    `answers ${answers.p50} ms p50, ${answers.p99} ms p99; ${newcomers.count} newcomers, at most ${(newcomers.wait.max / 1_000).toFixed(1)} s, ${newcomers.late} late; ` +
    `${wallsRefused} walls refused, ${missing} organisms missing; ${organisms} organisms, ${awake} awake; heap ${mb(heap)}, memory ${mb(memory)}, ${files} files, store ${mb(store)}; refused ${JSON.stringify(refused)}`
  );
}
