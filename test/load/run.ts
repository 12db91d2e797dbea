/** One measured run: starts a server and a crowd, and collects the figures of both. */

import { DEFAULT_LIMITS } from '../../server/realtime/limits/connection-limits.ts';
import { Child } from './child.ts';
import { addCounts } from './figures.ts';
import type { GatewayWindow } from './gateway-process.ts';
import { Gateways } from './gateways.ts';
import type {
  CrowdFigures,
  CrowdNote,
  CrowdPlan,
  CrowdQuestion,
  HostNote,
  HostPlan,
  HostQuestion,
  LineFigures,
  LineKind,
} from './messages.ts';
import type { LoadOptions } from './options.ts';
import { planCrowds } from './plan.ts';
import type { HostHello, ServerMemory, ServerWindow } from './server-process.ts';
import type { Split } from './split.ts';

/** ms that all may take to join, beyond their turn. */
const JOIN_PATIENCE = 60_000;
/**
 * ms between the last join, or a collection, and the begin of what is measured: for as long
 * organisms grow and heal.
 */
const CALM = 4_000;

type Crowd = Child<CrowdQuestion, CrowdNote>;

/** What a run has brought, not yet made into figures. */
export interface Run {
  readonly hello: HostHello | undefined;
  readonly lines: Partial<Record<LineKind, LineFigures>>;
  readonly crowds: readonly CrowdFigures[];
  readonly server: ServerWindow | undefined;
  /** Of each. */
  readonly gateways: readonly GatewayWindow[];
  /** Before anybody joined, when all had, and at the end with all still there. */
  readonly memory: readonly [ServerMemory, ServerMemory, ServerMemory] | undefined;
}

/** The server of this tool's own. */
type Host = Child<HostQuestion, HostNote>;
type Settings = HostPlan['settings'];

/** Of each server. */
function settingsOf({ clients, slow, stalled, engine }: LoadOptions): Settings {
  // Attackers come and go, and each visitor must find a place.
  const capacity = Math.min(20_000, 2 * (clients + slow + stalled) + 100);
  // All come from one address; what a door does with so many is not what is measured.
  const { connections, connectionsPerAddress, connectsAtOnce, joinsAtOnce } = DEFAULT_LIMITS;
  const counts = { connections, connectionsPerAddress, connectsAtOnce, joinsAtOnce };
  const limits = Object.entries(counts)
    .map(([name, limit]) => `${name}=${Math.max(limit, capacity)}`)
    .join(',');
  return { capacity, engine, limits };
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @throws Error a process has ended, or some could not join */
export async function runLoad(
  options: LoadOptions,
  split: Split,
  log: (line: string) => void,
): Promise<Run> {
  const gateways = options.gateways > 0 ? await Gateways.prepare() : undefined;
  const settings = { ...settingsOf(options), ...gateways?.settings };
  const role = gateways && { role: 'owner' };
  const { organisms } = options;
  const plan: HostPlan = { settings: { ...settings, ...role }, organisms };
  const host: Host | undefined = options.url
    ? undefined
    : Child.start('./server-process.ts', plan, split.server);
  /** When ticks have begun. */
  const begun = new Map<number, number>();
  if (host) host.onNote = (note) => begun.set(note.tick, note.begun);
  const crowds: Crowd[] = [];
  try {
    if (host) log(`Starting the server and growing its garden (${split.words}).`);
    const hello = await host?.ask<HostHello>('hello');
    const empty = await host?.ask<ServerMemory>('memory');
    const { url, room } = placeOf(options, hello);
    const urls = await gateways?.start(options.gateways, settings, split.load);
    const plans = planCrowds(options, urls ?? [url], room, split.processes);
    for (const plan of plans) crowds.push(Child.start('./crowd-process.ts', plan, split.load));
    await everybodyJoins(crowds, plans, log);
    const joined = await host?.ask<ServerMemory>('memory');
    for (const crowd of crowds) await crowd.ask({ what: 'attack' });
    await host?.ask('enliven');
    await wait(CALM);

    await gateways?.begin();
    await Promise.all([host?.ask('begin'), ...crowds.map((crowd) => crowd.ask({ what: 'begin' }))]);
    const stop = watch(crowds, host && begun, log);
    await wait(options.seconds * 1000);
    stop();
    const [server, ofGateways = []] = await Promise.all([
      host?.ask<ServerWindow>('end'),
      gateways?.end(),
    ]);
    const told = await Promise.all(
      crowds.map((crowd) => crowd.ask<CrowdFigures>({ what: 'end', begun })),
    );
    const end = await host?.ask<ServerMemory>('memory');
    const memory = empty && joined && end && ([empty, joined, end] as const);
    const measured = { server, gateways: ofGateways, memory };
    return { hello, lines: mergeLines(told), crowds: told, ...measured };
  } finally {
    await Promise.all(crowds.map((crowd) => crowd.stop()));
    await host?.stop();
    await gateways?.stop();
  }
}

function placeOf({ url }: LoadOptions, hello: HostHello | undefined) {
  if (!url) return { url: `http://127.0.0.1:${hello!.port}`, room: 'garden' };
  const [, room = 'garden'] = /^\/r\/([^/]+)/.exec(url.pathname) ?? [];
  return { url: `${url.protocol.replace(/^ws/, 'http')}//${url.host}`, room };
}

async function everybodyJoins(
  crowds: readonly Crowd[],
  plans: readonly CrowdPlan[],
  log: (line: string) => void,
): Promise<void> {
  const clients = plans.flatMap((plan) => plan.clients);
  const last = Math.max(...clients.map(({ joinsAfter }) => joinsAfter));
  const end = performance.now() + last + JOIN_PATIENCE;
  for (;;) {
    await wait(1_000);
    const counts = await Promise.all(crowds.map((crowd) => crowd.ask<number>({ what: 'joined' })));
    const joined = counts.reduce((sum, count) => sum + count, 0);
    log(`  ${joined} of ${clients.length} clients have joined`);
    if (joined === clients.length) return;
    if (performance.now() > end) {
      throw new Error(`only ${joined} of ${clients.length} clients could join`);
    }
  }
}

/** Says each second how it goes. */
function watch(
  crowds: readonly Crowd[],
  begun: ReadonlyMap<number, number> | undefined,
  log: (line: string) => void,
): () => void {
  let second = 0;
  let ticks = begun?.size ?? 0;
  const notes = new Map<Crowd, CrowdNote>();
  for (const crowd of crowds) crowd.onNote = (note) => notes.set(crowd, note);
  const timer = setInterval(() => {
    second++;
    const all = [...notes.values()];
    const sum = (of: (note: CrowdNote) => number) => all.reduce((n, note) => n + of(note), 0);
    const ticked = begun ? `${begun.size - ticks} ticks, ` : '';
    ticks = begun?.size ?? 0;
    const [frames, bytes] = [sum((note) => note.frames), sum((note) => note.bytes)];
    log(`  ${second} s: ${ticked}${frames} frames, ${(bytes / 1e6).toFixed(2)} MB`);
  }, 1_000);
  return () => clearInterval(timer);
}

/** Of all processes together. */
function mergeLines(crowds: readonly CrowdFigures[]): Run['lines'] {
  const merged: Partial<Record<LineKind, LineFigures>> = {};
  for (const { lines } of crowds) {
    for (const [kind, line] of Object.entries(lines) as [LineKind, LineFigures][]) {
      const before = merged[kind];
      if (!before) {
        merged[kind] = line;
        continue;
      }
      before.latencies = joined(before.latencies, line.latencies);
      before.rates = joined(before.rates, line.rates);
      for (const key of ['frames', 'outOfStep', 'compared', 'neverCaughtUp', 'lost'] as const) {
        before[key] += line[key];
      }
      addCounts(before.tiers, line.tiers);
      addCounts(before.ends, line.ends);
    }
  }
  return merged;
}

function joined(a: Float64Array, b: Float64Array): Float64Array {
  const both = new Float64Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
