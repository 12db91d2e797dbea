/** Loads the checkpoints of the settings, and those that stored rooms were made with. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Log } from '../platform/log.ts';
import { loadKeptCheckpoints, type NamedCheckpoint } from '../rooms/kept-checkpoints.ts';
import type { Config } from '../settings/server.ts';
import { loadCheckpoint } from '../vnca/checkpoint.ts';

export interface LoadedCheckpoints {
  /** The one of the settings first. */
  readonly all: readonly NamedCheckpoint[];
  /** Folders by name. */
  readonly folders: ReadonlyMap<string, string>;
}

/** @param folder the data folder, if there is one @throws CheckpointError */
export async function loadCheckpoints(
  { checkpoint = DEFAULTS.operations.checkpoint, checkpoints }: Config,
  folder: string | undefined,
  log: Log,
): Promise<LoadedCheckpoints> {
  const names = [checkpoint, ...checkpoints];
  const installed: NamedCheckpoint[] = await Promise.all(names.map((name) => loadCheckpoint(name)));
  const kept = folder === undefined ? [] : await loadKeptCheckpoints(folder, installed, log);
  const all = [...installed, ...kept];
  return { all, folders: new Map(all.map(({ card, folder: place }) => [card.name, place])) };
}
