/**
 * Loads the checkpoints of the settings, the earlier weights that their cards name, and those that
 * stored rooms were made with.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Log } from '../platform/log.ts';
import { loadEarlierCheckpoints, nameEarlier } from '../rooms/earlier-checkpoints.ts';
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
  const chosen = nameEarlier(await Promise.all(names.map((name) => loadCheckpoint(name))));
  const earlier = await loadEarlierCheckpoints(chosen, {
    onMissing: (missing) =>
      log.warn('no-earlier-weights', `${missing} is not there: its seeds grow their namesakes.`),
    onBadPainter: (message) =>
      log.warn('no-earlier-weights', `Earlier weights are loaded without a painter: ${message}`),
  });
  const installed = [...chosen, ...earlier];
  const kept = folder === undefined ? [] : await loadKeptCheckpoints(folder, installed, log);
  const all = [...installed, ...kept];
  return { all, folders: new Map(all.map(({ card, folder: place }) => [card.name, place])) };
}
