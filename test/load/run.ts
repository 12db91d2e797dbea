/** Runs one measurement: starts a server and a crowd, and collects the figures of both. */
import { DEFAULT_LIMITS } from '../../server/realtime/limits/connection-limits.ts';
import { SettingsError } from '../../server/settings/command-line.ts';
import { hasValkey, ValkeyServer } from '../support/valkey.ts';
import { Child } from './child.ts';
import { addCounts } from './figures.ts';
import type { GatewayWindow } from './gateway-process.ts';
import {
  ATTACKS,
  type ClientPlan,
  type CrowdFigures,
  type CrowdPlan,
  type CrowdQuestion,
  type GatewayQuestion,
  type HostNote,
  type HostPlan,
  type HostQuestion,
  type LineFigures,
  type LineKind,
} from './messages.ts';
import type { LoadOptions } from './options.ts';
import type { HostHello, ServerMemory, ServerWindow } from './server-process.ts';
import type { Split } from './split.ts';

/** How long all clients may take to join after the last one has started, in ms. */
const JOIN_PATIENCE = 60_000;
/**
 * Pause between the last join, or a garbage collection, and the start of the measurement, in ms.
 * Organisms grow and heal for this long.
 */
const CALM = 4_000;
const MAX_WALLS = 4;
/** One of this many phones acts. */
const ACTIVE_EVERY = 5;
/** Joins per second. */
const JOIN_RATE = 50;

type Crowd = Child<CrowdQuestion, never>;

/** Results of a run, before they are made into figures. */
export type Run = Awaited<ReturnType<typeof runLoad>>;

/** Of each server. */
function settingsOf({ clients, slow, stalled, engine }: LoadOptions): HostPlan['settings'] {
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

/** Describes the clients on connections of one kind. */
function clientsOf(options: LoadOptions, line: LineKind, count: number): ClientPlan[] {
  const { profile, verifyEvery } = options;
  const walls = profile === 'wall' ? count : profile === 'mixed' ? Math.min(MAX_WALLS, count) : 0;
  return Array.from({ length: count }, (_, i) => {
    const isWall = line === 'good' && i < walls;
    return {
      line,
      best: isWall ? 'full' : 'phone',
      // The first client of each kind always checks its frames.
      verify: isWall || i % verifyEvery === 0,
      active: !isWall && line === 'good' && i % ACTIVE_EVERY === 1,
      joinsAfter: (i * 1000) / JOIN_RATE,
    };
  });
}

/**
 * Distributes clients over processes. Clients on bad connections and attackers have processes of
 * their own.
 *
 * @param urls http://host:port of each server that clients connect to, in turn
 * @param processes number of processes for clients on good connections
 */
function planCrowds(options: LoadOptions, urls: readonly string[], processes: number): CrowdPlan[] {
  const { profile, clients, slow, stalled, compare } = options;
  const attackers = profile === 'hostile' ? Math.floor(clients / 2) : 0;
  const attacks = Array.from({ length: attackers }, (_, i) => ATTACKS[i % ATTACKS.length]);
  const good = clientsOf(options, 'good', clients - attackers);
  const bad = [...clientsOf(options, 'slow', slow), ...clientsOf(options, 'stalled', stalled)];
  const crowd = { url: urls[0], room: 'garden', clients: [], attacks: [], handsShare: 0 };
  const count = Math.max(processes, urls.length);
  return [
    // All clients of a process connect to one server.
    ...Array.from({ length: count }, (_, p) => ({
      ...{ ...crowd, url: urls[p % urls.length], seed: p + 1 },
      clients: good.filter((_client, i) => i % count === p),
      // Plantings and cuts by visitors come in other ticks each time, so two runs would measure
      // different gardens.
      handsShare: compare ? 0 : 1 / count,
    })),
    ...(bad.length > 0 ? [{ ...crowd, seed: 1_001, clients: bad }] : []),
    ...(attackers > 0 ? [{ ...crowd, seed: 1_002, attacks }] : []),
  ];
}

/** @throws Error a process has ended, or some could not join; SettingsError Valkey is missing */
export async function runLoad(options: LoadOptions, split: Split, log: (line: string) => void) {
  if (options.gateways > 0 && !hasValkey) {
    throw new SettingsError(
      '--gateways needs valkey-server. Install it (Debian: apt install valkey-server).',
    );
  }
  const valkey = options.gateways > 0 ? await ValkeyServer.start() : undefined;
  const cluster = valkey && { cluster: valkey.url };
  const settings: HostPlan['settings'] = { ...settingsOf(options), ...cluster };
  const plan = {
    settings: { ...settings, ...(cluster && { role: 'owner' }) },
    organisms: options.organisms,
  };
  const host = Child.start<HostQuestion, HostNote>('./server-process.ts', plan, split.server);
  const gateways = Array.from({ length: options.gateways }, () => {
    const own = { settings: { ...settings, role: 'gateway' } };
    return Child.start<GatewayQuestion, never>('./gateway-process.ts', own, split.load);
  });
  /** When each tick began. */
  const begun = new Map<number, number>();
  host.onNote = (note) => begun.set(note.tick, note.begun);
  const crowds: Crowd[] = [];
  try {
    log(`Starting the server and growing its garden (${split.words}).`);
    const hello = await host.ask<HostHello>('hello');
    const empty = await host.ask<ServerMemory>('memory');
    const ports = await Promise.all(gateways.map((one) => one.ask<number>('port')));
    const urls = (ports.length > 0 ? ports : [hello.port]).map(
      (port) => `http://127.0.0.1:${port}`,
    );
    const plans = planCrowds(options, urls, split.processes);
    for (const one of plans) crowds.push(Child.start('./crowd-process.ts', one, split.load));
    await everybodyJoins(crowds, plans, log);
    const full = await host.ask<ServerMemory>('memory');
    for (const crowd of crowds) await crowd.ask({ what: 'attack' });
    await host.ask('enliven');
    await wait(CALM);

    await Promise.all(gateways.map((one) => one.ask('begin')));
    await Promise.all([host.ask('begin'), ...crowds.map((crowd) => crowd.ask({ what: 'begin' }))]);
    await wait(options.seconds * 1000);
    const [server, ofGateways] = await Promise.all([
      host.ask<ServerWindow>('end'),
      Promise.all(gateways.map((one) => one.ask<GatewayWindow>('end'))),
    ]);
    const figures = await Promise.all(
      crowds.map((crowd) => crowd.ask<CrowdFigures>({ what: 'end', begun })),
    );
    const end = await host.ask<ServerMemory>('memory');
    return {
      ...{ hello, server, gateways: ofGateways, crowds: figures, lines: mergeLines(figures) },
      /** Before anybody joined, when all had joined, and at the end, with all still there. */
      memory: { empty, full, end },
    };
  } finally {
    await Promise.all([...crowds, host, ...gateways].map((one) => one.stop()));
    await valkey?.remove();
  }
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

/** Of all processes together. */
function mergeLines(crowds: readonly CrowdFigures[]): Partial<Record<LineKind, LineFigures>> {
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
