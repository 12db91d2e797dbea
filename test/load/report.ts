/** The figures of a run, as JSON and as a table. */
import { addCounts, rounded, type Spread, spread } from './figures.ts';
import type { CrowdFigures, LineFigures } from './messages.ts';
import type { LoadOptions } from './options.ts';
import type { Run } from './run.ts';
import type { Split } from './split.ts';

type LineReport = ReturnType<typeof lineReport>;

/** Figures of clients on good connections first. */
export type Report = ReturnType<typeof reportOf> & {
  /** Figures without the slow and the stalled clients. */
  readonly alone?: Report;
  /** Latency of the other clients, as a multiple of that in `alone`. */
  readonly ratio?: { readonly p50: number; readonly p99: number };
};

function lineReport(line: LineFigures, seconds: number) {
  const { outOfStep, compared, neverCaughtUp, lost, ends, frames, tiers } = line;
  const shares = Object.entries(tiers).map(([tier, count]) => [tier, rounded(count / frames)]);
  return {
    clients: line.rates.length,
    latencyMs: spread(line.latencies),
    bytesPerSecond: spread(line.rates),
    framesPerSecond: rounded(frames / seconds / line.rates.length),
    ...{ outOfStep, compared, neverCaughtUp, lost, ends },
    /** Share of frames of each quality, when frames tell. */
    ...(shares.length > 0 && { tier: Object.fromEntries(shares) as Record<string, number> }),
  };
}

export function reportOf(run: Run, options: LoadOptions, split: Split) {
  const { hello, lines, crowds, server, memory } = run;
  const { empty, full, end } = memory;
  const { profile, seconds } = options;
  const refusals: Record<string, number> = {};
  const refusedAttacks: Record<string, number> = {};
  const attacks: CrowdFigures['attacks'] = {};
  for (const crowd of crowds) {
    addCounts(refusals, crowd.refusals);
    addCounts(refusedAttacks, crowd.refusedAttacks);
    Object.assign(attacks, crowd.attacks);
  }
  const joined = crowds.reduce(
    (sum, crowd) => sum + Object.values(crowd.lines).reduce((n, line) => n + line.rates.length, 0),
    0,
  );
  return {
    ...{ profile, seconds, split: split.words },
    engine: `${hello.engine.name} on ${hello.engine.device}`,
    ...lineReport(lines.good!, seconds),
    skipped: server.skipped,
    heapGrowth: end.heap - full.heap,
    server: {
      ...{ organisms: server.organisms, awake: server.awake, refusals: server.refusals },
      cpu: rounded(server.cpu),
      bytesOut: Math.round(server.bytesOut),
      heapPerClient: Math.round((full.heap - empty.heap) / joined),
      loopDelayP99: rounded(server.loopDelayP99),
      ticksPerSecond: rounded(server.ticksPerSecond),
      tickMs: { p50: rounded(server.tickMs.p50), p99: rounded(server.tickMs.p99) },
      rss: end.rss,
    },
    ...(run.gateways.length > 0 && {
      gateways: run.gateways.map(({ cpu, bytesOut }) => ({
        ...{ cpu: rounded(cpu), bytesOut: Math.round(bytesOut) },
      })),
    }),
    load: {
      cpu: rounded(crowds.reduce((sum, { cpu }) => sum + cpu, 0)),
      loopDelayP99: rounded(Math.max(...crowds.map(({ loopDelayP99 }) => loopDelayP99))),
    },
    refusals,
    ...(lines.slow && { slow: lineReport(lines.slow, seconds) }),
    ...(lines.stalled && { stalled: lineReport(lines.stalled, seconds) }),
    ...(profile === 'hostile' && { hostile: { attacks, refusals: refusedAttacks } }),
  };
}

/** @param alone without the slow and the stalled */
export function compared(report: Report, alone: Report): Report {
  const [a, b] = [report.latencyMs, alone.latencyMs];
  const ratio = a && b && { p50: rounded(a.p50 / b.p50), p99: rounded(a.p99 / b.p99) };
  return { ...report, alone, ...(ratio && { ratio }) };
}

const spreadText = (of: Spread | null, unit: string): string =>
  of ? `${of.p50} / ${of.p99} / ${of.max} ${unit}` : 'not known';

const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ') || 'none';

function lineRows(line: LineReport): [string, string][] {
  return [
    ['latency p50 / p99 / max', spreadText(line.latencyMs, 'ms')],
    ['bytes/s p50 / p99 / max', spreadText(line.bytesPerSecond, 'B/s')],
    ['frames/s of a client', `${line.framesPerSecond}`],
    ['out of step', `${line.outOfStep} (${line.compared} frames checked)`],
    ['never caught up', `${line.neverCaughtUp}`],
    ['connections lost', `${line.lost}`],
    ['ended by code', countsText(line.ends)],
    ...(line.tier ? [['tiers', countsText(line.tier)] as [string, string]] : []),
  ];
}

/** @returns lines for people */
export function table(report: Report): string[] {
  const { server, load, slow, stalled, hostile, ratio } = report;
  const rows: [string, string][] = [
    [`${report.clients} ${report.profile}`, `${report.seconds} s; split: ${report.split}`],
    ...lineRows(report),
    ['frames skipped', `${report.skipped}`],
    ['refused', countsText(report.refusals)],
    ['server', report.engine],
    ['  ticks/s', `${server.ticksPerSecond}`],
    ['  tick p50 / p99', `${server.tickMs.p50} / ${server.tickMs.p99} ms`],
    ['  CPU', `${server.cpu} cores`],
    ['  bytes out', `${server.bytesOut} B/s`],
    ['  loop delay p99', `${server.loopDelayP99} ms`],
    ['  heap of a client', `${server.heapPerClient} B`],
    ['  heap grown meanwhile', `${report.heapGrowth} B`],
    [
      '  organisms',
      `${server.organisms}; awake p50 / p99 ${server.awake.p50} / ${server.awake.p99}`,
    ],
    ['  turned away', countsText(server.refusals)],
  ];
  for (const { cpu, bytesOut } of report.gateways ?? []) {
    rows.push(['gateway', `${cpu} cores, ${bytesOut} B/s out`]);
  }
  rows.push(['load', `${load.cpu} cores, loop delay p99 ${load.loopDelayP99} ms`]);
  for (const [name, line] of [
    ['slow', slow],
    ['stalled', stalled],
  ] as const) {
    if (!line) continue;
    rows.push([`${line.clients} ${name}`, '']);
    rows.push(...lineRows(line).map(([key, text]): [string, string] => [`  ${key}`, text]));
  }
  if (hostile) {
    for (const [attack, { tries, closed }] of Object.entries(hostile.attacks)) {
      rows.push([`attack: ${attack}`, `${tries} tries, ${closed} connections closed`]);
    }
    rows.push(['attacks refused', countsText(hostile.refusals)]);
  }
  if (report.alone) {
    const { latencyMs, server } = report.alone;
    rows.push(['without slow, stalled', spreadText(latencyMs, 'ms')]);
    rows.push(
      ['  tick p50 / p99', `${server.tickMs.p50} / ${server.tickMs.p99} ms`],
      ['  awake p50 / p99', `${server.awake.p50} / ${server.awake.p99}`],
    );
  }
  if (ratio) rows.push(['times longer p50, p99', `${ratio.p50}, ${ratio.p99}`]);
  return rows.map(([key, text]) => `${key.padEnd(26)}${text}`.trimEnd());
}
