/** Formats the doctor's report for people. */
import type { EngineReport, Report } from './examine.ts';

/** The report as text. */
export function reportText(report: Report): string {
  const { machine, checkpoint, unreadable, patches, engines, auto, better } = report;
  const gpus = machine.gpus.length > 0 ? `GPU: ${machine.gpus.join(', ')}` : 'no GPU found';
  const measured = checkpoint
    ? `Speed: ${patches} patches of ${checkpoint.side}×${checkpoint.side}, net of ${checkpoint.net}, read-outs included.`
    : `Speed was not measured: ${unreadable}`;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${gpus}; ${machine.system}, Node ${machine.node}`,
    '',
    ...engines.flatMap(engineLines),
    '',
    measured,
    '',
    auto.name
      ? `--engine auto takes ${auto.name} on ${auto.device}: ${auto.why}.`
      : `--engine auto finds nothing: ${auto.why}.`,
    ...auto.passed.map((line) => `  passed over: ${line}`),
    '',
    ...(better.length > 0
      ? ['To have a better engine:', ...better.map((line) => `  ${line}`)]
      : ['Nothing is known that a host could install here for a better one.']),
  ].join('\n');
}

function engineLines(engine: EngineReport): string[] {
  const { name, device, needs, reason, remedy, cellsPerSecond } = engine;
  const rate = cellsPerSecond === null ? '' : `${(cellsPerSecond / 1e6).toFixed(2)} M cells/s`;
  const first = device ? `${device.padEnd(36)} ${rate}` : 'does not run here';
  return [
    `${name.padEnd(12)}${first}`.trimEnd(),
    ...(reason ? [`            ${reason}`] : []),
    `            needs ${needs}`,
    ...(remedy ? [`            to have it: ${remedy}`] : []),
  ];
}
