/** What the host sees in the terminal: where the room is, also as a code to scan. */
import { generate } from 'lean-qr';
import { explain, withRemedy, type SkippedEngine } from '../engine/backends.ts';
import type { EngineInfo, EngineLoss } from '../engine/engine.ts';

/** Which engine was taken, and which better ones this machine could have, as a sentence. */
export function engineLine({ name, device }: EngineInfo, passed: readonly SkippedEngine[]): string {
  return `Engine: ${[`${name} on ${device}`, ...withRemedy(passed).map(explain)].join('; better: ')}.`;
}

/** What the host should know of a loss that rooms do not notice, as a line. */
export function lossLine({ what, why, count, replacement: instead }: EngineLoss): string {
  if (instead) {
    const { name, device } = instead;
    return `Warning: the GPU does not come back (${why}). ${name} on ${device} steps from now on, more slowly; every organism goes on where it was. Mend its driver, and start the server again.`;
  }
  const lost = what === 'gpu' ? 'the GPU' : 'a thread of the engine';
  return `Warning: ${lost} was lost (${why}). Another takes its place, and every organism goes on where it was. Losses so far: ${count}.`;
}

/** A QR code of half blocks, dark on light whatever the terminal's colours. */
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
