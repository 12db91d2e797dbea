/** Opens the storage of the rooms, the engine and the checkpoints. */

import { join, resolve } from 'node:path';
import type { Bus } from '../cluster/bus/bus.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import { ClusterError } from '../cluster/valkey-connection.ts';
import { createEngine, type EngineOptions } from '../engine/create-engine.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import { type Clock, retry } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { Log } from '../platform/log.ts';
import { loadKeptCheckpoints, type NamedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import { type Config, DEFAULT_CHECKPOINT } from '../settings/server.ts';
import { openFolder, openSound } from '../storage/lmdb/open.ts';
import { ASIDE_KEY, asideName, readCopy, SetAside, withCopy } from '../storage/set-aside.ts';
import { Store } from '../storage/store.ts';
import { loadCheckpoint } from '../vnca/checkpoint.ts';

interface StorageOptions {
  readonly config: Pick<Config, 'cluster' | 'onDamage'>;
  /** The data folder; undefined if nothing is stored. */
  readonly folder: string | undefined;
  readonly clock: Clock;
  /** Wall clock, ms. */
  readonly date: () => number;
  readonly log: Log;
}

interface OpenStorage {
  readonly store: Store;
  /** The data that were set aside; absent if the server does not start with damaged data. */
  readonly aside?: SetAside;
  readonly cluster?: Cluster;
  /** Connects to the other servers of the cluster. */
  readonly bus?: Bus;
  close(): Promise<void>;
}

/**
 * Opens the store of the cluster, or without a cluster the store in the data folder.
 *
 * @returns undefined if nothing is stored
 * @throws ClusterError
 * @throws StoreError not-writable, in-use, other-version; also damaged, unless the settings say
 * that damaged data are set aside
 */
export async function openStorage(options: StorageOptions): Promise<OpenStorage | undefined> {
  const { config, folder } = options;
  if (config.cluster !== undefined) return openClusterStorage(config.cluster, options);
  if (folder === undefined) return undefined;
  const copyFile = join(folder, 'essentials');
  if (config.onDamage === 'set-aside') return openDamaged(folder, copyFile, options);
  const store = new Store(await withCopy(await openSound(folder), copyFile));
  return { store, close: () => store.close() };
}

async function openClusterStorage(
  url: string,
  { clock, log }: StorageOptions,
): Promise<OpenStorage> {
  // Load this module only in a cluster: a server that runs alone does not need it.
  const { openCluster } = await import('../cluster/open-cluster.ts');
  const { ValkeyBus } = await import('../cluster/bus/valkey-bus.ts');
  const cluster = await openCluster(url, clock, log);
  const store = new Store(cluster.records);
  const onUp = (isUp: boolean, why: string): void => {
    if (isUp) log.info('bus-up', 'Valkey delivers messages between servers again.');
    else
      log.warn(
        'bus-lost',
        `Valkey does not deliver messages between servers (${why}). This server keeps retrying.`,
      );
  };
  try {
    // Retry. The cluster's store has just answered, so Valkey is probably only busy.
    const bus = await retry(() => ValkeyBus.open({ url, clock, onUp }), {
      clock,
      pauses: [200, 1_000],
    });
    return { store, cluster, bus, close: () => bus.close().then(() => store.close()) };
  } catch (error) {
    await store.close();
    const { message } = error as Error;
    throw new ClusterError(
      `--cluster: Valkey does not deliver messages between servers (${message}). Check Valkey, then start this server again.`,
    );
  }
}

/**
 * Opens a store with damaged data: repairs the essential records from their copy, and sets the
 * other damaged data aside.
 */
async function openDamaged(
  folder: string,
  copyFile: string,
  { date, log }: StorageOptions,
): Promise<OpenStorage> {
  const copy = await readCopy(copyFile);
  const asideFolder = join(resolve(folder), 'set-aside');
  const fileId = asideName('file', date());
  const rooms = [...copy.keys()].flatMap((key) => /^room\/(.*)$/.exec(key)?.[1] ?? []);
  const found = await openFolder(folder, { aside: join(asideFolder, fileId), rooms });
  try {
    const stored = new Set(await found.keys({ from: '', to: '~' }));
    const lost =
      found.recovered === undefined ? [] : [...copy.keys()].filter((key) => !stored.has(key));
    const repaired = [...found.damaged, ...lost].flatMap((key) => {
      const bytes = copy.get(key);
      return bytes ? [{ key, bytes }] : [];
    });
    if (repaired.length > 0) await found.write({ put: repaired });
    // If the file was unreadable, `found` contains only the readable records, so skip all others.
    const damaged = found.damaged.filter((key) => stored.has(key) && !copy.get(key));
    if (damaged.includes(ASIDE_KEY)) await found.write({ remove: [ASIDE_KEY] });
    const store = new Store(await withCopy(found, copyFile));
    const say = (sentence: string) => log.error('set-aside', sentence);
    const aside = await SetAside.open({ store, folder: asideFolder, date, say });
    if (found.recovered !== undefined) await aside.addFile(fileId, found.recovered);
    for (const [room, keys] of dispensable(damaged)) await aside.records(room, keys);
    return { store, aside, close: () => store.close() };
  } catch (error) {
    await found.close();
    throw error;
  }
}

/**
 * Types of records that a room can open without. Damaged records of other types stay for now: if
 * they keep the room from opening, the whole room is set aside at that point.
 */
const DISPENSABLE = ['journal', 'mark', 'hours', 'counted', 'plan', 'moderation'];

/**
 * Groups damaged records by room, omitting records that a room cannot open without. The key null
 * stands for records of the server.
 */
function dispensable(keys: readonly string[]): Map<string | null, string[]> {
  const rooms = new Map<string | null, string[]>();
  for (const key of keys) {
    const [kind, name] = key.split('/');
    const isOfServer = kind === 'house';
    if (!isOfServer && !DISPENSABLE.includes(kind)) continue;
    getOrAdd(rooms, isOfServer ? null : name, () => []).push(key);
  }
  return rooms;
}

/**
 * Opens the engine; a gateway gets an engine that refuses everything.
 *
 * @throws EngineError unavailable
 */
export async function openEngine(
  { role, engine: backend }: Pick<Config, 'role' | 'engine'>,
  options: Omit<EngineOptions, 'backend'>,
): Promise<Engine> {
  return role === 'gateway' ? NO_ENGINE : createEngine({ ...options, backend });
}

const refuse = async (): Promise<never> => {
  throw new EngineError('unavailable', 'a server with the role gateway runs no rooms');
};

const NO_ENGINE: Engine = {
  info: { name: 'none', device: 'none' },
  plant: refuse,
  step: refuse,
  exportStates: refuse,
  importStates: refuse,
  dispose: async () => {},
  close: async () => {},
};

/**
 * Loads the installed and the retained checkpoints.
 *
 * @returns the checkpoints; the checkpoint named in the settings comes first
 * @throws CheckpointError
 */
export async function loadCheckpoints(
  { checkpoint = DEFAULT_CHECKPOINT, checkpoints }: Config,
  folder: string | undefined,
  log: Log,
): Promise<readonly NamedCheckpoint[]> {
  const names = [checkpoint, ...checkpoints];
  const installed: NamedCheckpoint[] = await Promise.all(names.map((name) => loadCheckpoint(name)));
  const kept = folder === undefined ? [] : await loadKeptCheckpoints(folder, installed, log);
  return [...installed, ...kept];
}
