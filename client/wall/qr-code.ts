/** A code to scan, as one path of an SVG. */
import { generate } from 'lean-qr';

/** Modules of quiet ground that scanners want around a code. */
const QUIET = 4;

export interface Code {
  /** Side with its quiet ground, modules. */
  readonly side: number;
  /** Dark modules, each run of a row one rectangle. */
  readonly path: string;
}

export function codeOf(text: string): Code {
  const bitmap = generate(text);
  let path = '';
  for (let y = 0; y < bitmap.size; y++) {
    for (let x = 0; x < bitmap.size; x++) {
      if (!bitmap.get(x, y)) continue;
      const from = x;
      while (bitmap.get(x + 1, y)) x++;
      path += `M${from + QUIET} ${y + QUIET}h${x + 1 - from}v1H${from + QUIET}z`;
    }
  }
  return { side: bitmap.size + 2 * QUIET, path };
}
