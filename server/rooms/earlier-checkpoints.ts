/** Weights that an installed checkpoint has replaced, and that tokens still name. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Checkpoint, loadCheckpoint } from '../vnca/checkpoint.ts';
import { fingerprint } from '../vnca/checkpoint-fingerprint.ts';
import type { NamedCheckpoint } from './kept-checkpoints.ts';

/**
 * The earlier weights of checkpoints, under the names of their folders; none that is loaded already.
 *
 * @param onMissing told about a folder that is not there: its tokens grow namesakes
 * @throws CheckpointError for one that is there and broken
 */
export async function loadEarlierCheckpoints(
  checkpoints: readonly Checkpoint[],
  onMissing: (folder: string) => void,
): Promise<NamedCheckpoint[]> {
  const folders = checkpoints.flatMap(({ card, folder }) =>
    (card.earlier ?? []).map((name) => join(dirname(folder), name)),
  );
  if (folders.length === 0) return [];
  const loaded = new Set(checkpoints.map(fingerprint));
  const found: NamedCheckpoint[] = [];
  for (const folder of new Set(folders)) {
    if (!existsSync(folder)) {
      onMissing(folder);
      continue;
    }
    const one = await loadCheckpoint(folder);
    const hash = fingerprint(one);
    if (loaded.has(hash)) continue;
    loaded.add(hash);
    const name = basename(folder);
    found.push({ ...one, card: { ...one.card, name }, ownName: one.card.name });
  }
  return found;
}
