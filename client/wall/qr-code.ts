/** A QR code as a single SVG path. */
import { generate } from 'lean-qr';

/** Width of the quiet zone around the code, modules. */
const QUIET = 4;

export interface Code {
  /** Side including the quiet zone, modules. */
  readonly side: number;
  /** Dark modules: one rectangle per horizontal run. */
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
