/** Fetches the painter of a checkpoint. */
import { type PainterNet, parsePainter } from '../../shared/painter/net.ts';

/** @throws Error, PainterError: it cannot be loaded */
export async function fetchPainter(url: string, signal?: AbortSignal): Promise<PainterNet> {
  const response = await fetch(url, { signal: signal ?? null });
  if (!response.ok) throw new Error(`${response.status}`);
  return parsePainter(new Uint8Array(await response.arrayBuffer()));
}
