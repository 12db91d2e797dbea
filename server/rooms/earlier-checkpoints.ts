/** Weights that an installed checkpoint has replaced, and that tokens still name. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Checkpoint, type LoadOptions, loadCheckpoint } from '../vnca/checkpoint.ts';
import { fingerprint } from '../vnca/checkpoint-fingerprint.ts';
import type { NamedCheckpoint } from './kept-checkpoints.ts';

/** Folders of the earlier weights that cards name. */
const earlierFolders = (checkpoints: readonly Checkpoint[]): string[] =>
  checkpoints.flatMap(({ card, folder }) =>
    (card.earlier ?? []).map((name) => join(dirname(folder), name)),
  );

/** Earlier weights under the name of their folder, as the later ones have the name of their card. */
const underFolderName = (checkpoint: Checkpoint): NamedCheckpoint => {
  const { card, folder } = checkpoint;
  return { ...checkpoint, card: { ...card, name: basename(folder) }, ownName: card.name };
};

/** The same checkpoints: those that are earlier weights of another go by the names of their folders. */
export function nameEarlier(checkpoints: readonly Checkpoint[]): NamedCheckpoint[] {
  const earlier = new Set(earlierFolders(checkpoints).map((folder) => resolve(folder)));
  return checkpoints.map((one) => (earlier.has(resolve(one.folder)) ? underFolderName(one) : one));
}

/**
 * The earlier weights of checkpoints, under the names of their folders; none that is loaded already.
 *
 * @param problems told about a folder that is not there: its tokens grow namesakes; and about a
 *   painter that is not usable
 * @throws CheckpointError for one that is there and broken
 */
export async function loadEarlierCheckpoints(
  checkpoints: readonly Checkpoint[],
  problems: Required<LoadOptions> & { readonly onMissing: (folder: string) => void },
): Promise<NamedCheckpoint[]> {
  const folders = earlierFolders(checkpoints);
  if (folders.length === 0) return [];
  const loaded = new Set(checkpoints.map(fingerprint));
  const found: NamedCheckpoint[] = [];
  for (const folder of new Set(folders)) {
    if (!existsSync(folder)) {
      problems.onMissing(folder);
      continue;
    }
    const one = await loadCheckpoint(folder, problems);
    const hash = fingerprint(one);
    if (loaded.has(hash)) continue;
    loaded.add(hash);
    found.push(underFolderName(one));
  }
  return found;
}
