/** The figures of a run. */
import { addCounts, rounded, spread } from './figures.ts';
import type { CrowdFigures, LineFigures } from './messages.ts';
import type { LoadOptions } from './options.ts';
import type { Run } from './run.ts';
import type { Split } from './split.ts';

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
