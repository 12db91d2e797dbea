/** Lines for the host's terminal: the engine in use, engine losses, and a QR code. */
import { generate } from 'lean-qr';
import { explain, type SkippedEngine, withRemedy } from '../engine/backends.ts';
import type { EngineInfo, EngineLoss } from '../engine/engine.ts';

/** One sentence: the engine in use, and the faster ones that the host could enable. */
export function engineLine(
  { name, device }: EngineInfo,
  skipped: readonly SkippedEngine[],
): string {
  return `Engine: ${[`${name} on ${device}`, ...withRemedy(skipped).map(explain)].join('; better: ')}.`;
}

/** A warning about an engine loss that rooms have survived. */
export function lossLine({ what, why, count, replacement }: EngineLoss): string {
  if (replacement) {
    const { name, device } = replacement;
    const [lost, repair] =
      what === 'gpu'
        ? ['the GPU', 'Repair the GPU driver']
        : ['the engine', 'Run `npm run doctor`'];
    return `Warning: ${lost} does not recover (${why}). The server continues on ${name} on ${device}, more slowly, without losing any organism. ${repair} and restart the server.`;
  }
  const lost = what === 'gpu' ? 'the GPU' : 'an engine thread';
  return `Warning: ${lost} was lost (${why}) and has been replaced, without losing any organism. Losses so far: ${count}.`;
}

/** A QR code of half-block characters, dark on light whatever the terminal's colours. */
export function terminalQr(text: string): string {
  const code = generate(text);
  const margin = 2;
  const rows: string[] = [];
  for (let y = -margin; y < code.size + margin; y += 2) {
    let row = '';
    for (let x = -margin; x < code.size + margin; x++) {
      const upper = code.get(x, y);
      const lower = code.get(x, y + 1);
      row += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }
    rows.push(`\u001b[30;47m${row}\u001b[0m`);
  }
  return rows.join('\n');
}
