/** A process full of visitors. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectGarbageRarely } from '../../server/operations/garbage-collection.ts';
import { createRandom } from '../../shared/random.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { Attacker } from './attackers.ts';
import { answerParent, noteParent } from './child.ts';
import { addCounts, thinned } from './figures.ts';
import { Guest } from './guest.ts';
import { Hands } from './hands.ts';
import { Mail } from './mail.ts';
import type { CrowdFigures, CrowdPlan, CrowdQuestion, LineFigures, LineKind } from './messages.ts';
import { Onlookers } from './onlookers.ts';
import { sharedNow } from './time.ts';

/** 30 kB/s and 300 ms of jitter: a phone at the far end of a full hall. */
const SLOW = { bandwidth: 30_000, latency: 20, jitter: 300 };
/** ms between looks at the loop. */
const RESOLUTION = 5;

collectGarbageRarely();
const plan = JSON.parse(process.argv[2]) as CrowdPlan;
const random = createRandom(plan.seed);
const guests: Guest[] = [];
const onlookers = new Onlookers();
const mail = new Mail();
const proxies: Partial<Record<LineKind, FaultProxy>> = {};
const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
let window = { at: 0, cpu: process.cpuUsage() };
let attackers: Attacker[] = [];
let noted = { frames: 0, bytes: 0 };

for (const kind of ['slow', 'stalled'] as const) {
  if (!plan.guests.some(({ line }) => line === kind)) continue;
  const port = Number(new URL(plan.url).port);
  const faults = kind === 'slow' ? SLOW : {};
  proxies[kind] = await FaultProxy.open({ port, random, faults });
}
for (const guest of plan.guests) {
  setTimeout(() => {
    const proxy = proxies[guest.line];
    const url = proxy ? `http://127.0.0.1:${proxy.port}` : plan.url;
    guests.push(new Guest(url, plan.room, guest, onlookers, mail));
  }, guest.joinsAfter);
}
new Hands(guests, plan.handsShare, random);
setInterval(() => {
  const frames = guests.reduce((sum, { ticks }) => sum + ticks.length, 0);
  const bytes = guests.reduce((sum, guest) => sum + guest.bytes, 0);
  const joined = guests.filter((guest) => guest.joined).length;
  noteParent({ joined, frames: frames - noted.frames, bytes: bytes - noted.bytes });
  noted = { frames, bytes };
}, 1_000);

answerParent((question: CrowdQuestion): unknown => {
  switch (question.what) {
    case 'joined':
      return guests.filter((guest) => guest.joined).length;
    case 'attack':
      attackers = plan.attacks.map((attack) => {
        return new Attacker(attack, plan.url, plan.room, random);
      });
      return undefined;
    case 'begin':
      for (const guest of guests) guest.begin();
      noted = { frames: 0, bytes: 0 };
      proxies.stalled?.set({ stalled: 'down' });
      delay.enable();
      delay.reset();
      window = { at: sharedNow(), cpu: process.cpuUsage() };
      return undefined;
    case 'end':
      return end(question);
  }
});

function end(question: CrowdQuestion & { what: 'end' }): CrowdFigures {
  const seconds = (sharedNow() - window.at) / 1000;
  const { user, system } = process.cpuUsage(window.cpu);
  const refusals = {};
  for (const guest of guests) addCounts(refusals, guest.refusals);
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
    const onLine = guests.filter((guest) => guest.plan.line === kind);
    if (onLine.length > 0) lines[kind] = lineFigures(onLine, seconds, question);
  }
  return {
    ...{ lines, refusals, refusedAttacks, attacks },
    cpu: (user + system) / 1e6 / seconds,
    loopDelayP99: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION),
  };
}

function lineFigures(
  onLine: readonly Guest[],
  seconds: number,
  { begun }: CrowdQuestion & { what: 'end' },
): LineFigures {
  const latencies: number[] = [];
  const tiers = {};
  let [outOfStep, compared] = [0, 0];
  for (const guest of onLine) {
    guest.ticks.forEach((tick, i) => {
      const at = begun.get(tick);
      if (at !== undefined) latencies.push(guest.times[i] - at);
    });
    outOfStep += guest.outOfStep;
    compared += guest.checked;
    addCounts(tiers, guest.tiers);
  }
  const newest = Math.max(...guests.map(({ lastTick }) => lastTick), ...begun.keys());
  const isBehind = ({ lastTick, room }: Guest): boolean =>
    !room || lastTick < newest - room.tickRate;
  const sum = (of: (guest: Guest) => number): number => onLine.reduce((n, g) => n + of(g), 0);
  return {
    latencies: thinned(latencies),
    rates: Float64Array.from(onLine, ({ bytes }) => bytes / seconds),
    frames: sum(({ ticks }) => ticks.length),
    ...{ outOfStep, compared, tiers },
    neverCaughtUp: onLine.filter(isBehind).length,
    lost: sum(({ lost }) => lost),
  };
}
