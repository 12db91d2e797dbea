/** A process full of clients. */
import { collectGarbageRarely } from '../../server/operations/metrics.ts';
import { createRandom } from '../../shared/random.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { Actor } from './actor.ts';
import { Attacker } from './attackers.ts';
import { answerParent, startArgument } from './child.ts';
import { addCounts, thinned } from './figures.ts';
import { LoadClient } from './load-client.ts';
import { ProcessUsage } from './measure.ts';
import type { CrowdFigures, CrowdPlan, CrowdQuestion, LineFigures, LineKind } from './messages.ts';
import { PacketCache } from './packet-cache.ts';

/** 30 kB/s and 300 ms of jitter: a phone at the far end of a full hall. */
const SLOW = { bandwidth: 30_000, latency: 20, jitter: 300 };
/**
 * ms until a page dials again; one that has stopped reading is a phone in a pocket, and will not.
 */
const REDIAL = 500;

collectGarbageRarely();
const plan = startArgument<CrowdPlan>();
const random = createRandom(plan.seed);
const clients: { readonly client: LoadClient; readonly line: LineKind }[] = [];
const active = new Set<LoadClient>();
const packets = new PacketCache();
const proxies: Partial<Record<LineKind, FaultProxy>> = {};
const usage = new ProcessUsage();
let attackers: Attacker[] = [];

for (const kind of ['slow', 'stalled'] as const) {
  if (!plan.clients.some(({ line }) => line === kind)) continue;
  const port = Number(new URL(plan.url).port);
  const faults = kind === 'slow' ? SLOW : {};
  proxies[kind] = await FaultProxy.open({ port, random, faults });
}
for (const { line, verify, best, active: acts, joinsAfter } of plan.clients) {
  setTimeout(() => {
    const proxy = proxies[line];
    const client = new LoadClient({
      ...{ packets, best, join: { room: plan.room } },
      url: proxy ? `http://127.0.0.1:${proxy.port}` : plan.url,
      verifies: verify,
      redial: line === 'stalled' ? undefined : REDIAL,
    });
    clients.push({ client, line });
    if (acts) active.add(client);
  }, joinsAfter);
}
new Actor(active, plan.handsShare, random);

const total = (of: (client: LoadClient) => number): number =>
  clients.reduce((sum, { client }) => sum + of(client), 0);

answerParent((question: CrowdQuestion): unknown => {
  switch (question.what) {
    case 'joined':
      return total((client) => Number(client.joined));
    case 'attack':
      attackers = plan.attacks.map((attack) => {
        return new Attacker(attack, plan, packets, random);
      });
      return undefined;
    case 'begin':
      for (const { client } of clients) client.begin();
      proxies.stalled?.set({ stalled: 'down' });
      usage.begin();
      return undefined;
    case 'end':
      return end(question);
  }
});

function end(question: CrowdQuestion & { what: 'end' }): CrowdFigures {
  const { seconds, cpu } = usage;
  const refusals = {};
  for (const { client } of clients) addCounts(refusals, client.refusals);
  const refusedAttacks = {};
  const attacks: CrowdFigures['attacks'] = {};
  for (const { attack, tries, closed, refusals: refused } of attackers) {
    addCounts(refusedAttacks, refused);
    attacks[attack] ??= { tries: 0, closed: 0 };
    attacks[attack].tries += tries;
    attacks[attack].closed += closed;
  }
  const lines: CrowdFigures['lines'] = {};
  for (const kind of ['good', 'slow', 'stalled'] as const) {
    const onLine = clients.filter(({ line }) => line === kind).map(({ client }) => client);
    if (onLine.length > 0) lines[kind] = lineFigures(onLine, seconds, question);
  }
  return {
    ...{ lines, refusals, refusedAttacks, attacks, cpu },
    loopDelayP99: usage.loopDelay(0.99),
  };
}

function lineFigures(
  onLine: readonly LoadClient[],
  seconds: number,
  { begun }: CrowdQuestion & { what: 'end' },
): LineFigures {
  const latencies: number[] = [];
  const tiers = {};
  const ends = {};
  let [outOfStep, compared] = [0, 0];
  for (const client of onLine) {
    client.ticks.forEach((tick, i) => {
      const at = begun.get(tick);
      if (at !== undefined) latencies.push(client.times[i] - at);
    });
    outOfStep += client.outOfStep;
    compared += client.checked;
    addCounts(tiers, client.tiers);
    addCounts(ends, client.ends);
  }
  const newest = Math.max(...clients.map(({ client }) => client.lastTick), ...begun.keys());
  const isBehind = ({ lastTick, welcome }: LoadClient): boolean =>
    !welcome || lastTick < newest - welcome.room.tickRate;
  const sum = (of: (client: LoadClient) => number): number =>
    onLine.reduce((n, one) => n + of(one), 0);
  return {
    latencies: thinned(latencies),
    rates: Float64Array.from(onLine, ({ bytes }) => bytes / seconds),
    frames: sum(({ ticks }) => ticks.length),
    ...{ outOfStep, compared, tiers, ends },
    neverCaughtUp: onLine.filter(isBehind).length,
    lost: sum(({ lost }) => lost),
  };
}
