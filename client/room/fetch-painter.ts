/** Downloads the painter of a checkpoint. */
import { type PainterNet, parsePainter } from '../../shared/painter/net.ts';

/**
 * Downloads and parses a painter.
 *
 * @throws Error if the download fails; PainterError if the file is not a valid painter
 */
export async function fetchPainter(url: string, signal?: AbortSignal): Promise<PainterNet> {
  const response = await fetch(url, { signal: signal ?? null });
  if (!response.ok) throw new Error(`${response.status}`);
  return parsePainter(new Uint8Array(await response.arrayBuffer()));
}
