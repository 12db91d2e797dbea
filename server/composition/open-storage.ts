/**
 * Opens four parts of a server: the rooms' storage, the engine, the checkpoints, and the host's
 * records that apply to all rooms (bans and wall seats).
 */
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type * as v from 'valibot';
import type { Bus } from '../cluster/bus/bus.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import { ClusterError } from '../cluster/valkey-connection.ts';
import { createEngine, type EngineOptions } from '../engine/create-engine.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import { type Clock, retry } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { Log } from '../platform/log.ts';
import { Mutex } from '../platform/queues.ts';
import { Bans, banRecords } from '../realtime/policy/bans.ts';
import { WallSeats, wallSeatRecords } from '../realtime/policy/wall-seats.ts';
import { loadKeptCheckpoints, type NamedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import { type Config, DEFAULT_CHECKPOINT } from '../settings/server.ts';
import { openFolder, openSound } from '../storage/lmdb/open.ts';
import { ASIDE_KEY, asideName, readCopy, SetAside, withCopy } from '../storage/set-aside.ts';
import { Store } from '../storage/store.ts';
import { loadCheckpoint } from '../vnca/checkpoint.ts';

interface Services {
  readonly clock: Clock;
  /** Returns the wall-clock time, in ms. */
  readonly date: () => number;
  readonly log: Log;
}

interface OpenStorage {
  readonly store: Store;
  /**
   * Damaged data that were moved to a separate folder. Absent in a cluster, or if the setting
   * `onDamage` is not 'set-aside'.
   */
  readonly aside?: SetAside;
  readonly cluster?: Cluster;
  readonly bus?: Bus;
  close(): Promise<void>;
}

/**
 * Opens the cluster's store or, without a cluster, the store in the data folder.
 *
 * @param folder the data folder; undefined if there is none
 * @returns undefined if there is neither a cluster nor a data folder
 * @throws ClusterError if the cluster cannot be used; StoreError 'not-writable', 'in-use' or
 *   'other-version'; StoreError 'damaged' if `onDamage` is not 'set-aside'
 */
export async function openStorage(
  { cluster, onDamage }: Pick<Config, 'cluster' | 'onDamage'>,
  folder: string | undefined,
  services: Services,
): Promise<OpenStorage | undefined> {
  if (cluster !== undefined) return openClusterStorage(cluster, services);
  if (folder === undefined) return undefined;
  const copyFile = join(folder, 'essentials');
  if (onDamage === 'set-aside') return openDamaged(folder, copyFile, services);
  const store = new Store(await withCopy(await openSound(folder), copyFile));
  return { store, close: () => store.close() };
}

async function openClusterStorage(url: string, { clock, log }: Services): Promise<OpenStorage> {
  const { openCluster } = await import('../cluster/open-cluster.ts');
  const { ValkeyBus } = await import('../cluster/bus/valkey-bus.ts');
  const cluster = await openCluster(url, clock, log);
  const store = new Store(cluster.records);
  const onUp = (isUp: boolean, why: string): void => {
    const warning = `Valkey does not deliver messages between servers (${why}). This server keeps trying to reach Valkey.`;
    if (isUp) log.info('bus-up', 'Valkey delivers messages between servers again.');
    else log.warn('bus-lost', warning);
  };
  try {
    // Retry, because Valkey may be busy.
    const bus = await retry(() => ValkeyBus.open({ url, clock, onUp }), {
      clock,
      pauses: [200, 1_000],
    });
    return { store, cluster, bus, close: () => bus.close().then(() => store.close()) };
  } catch (error) {
    await store.close();
    const { message } = error as Error;
    const text = `--cluster: Valkey does not deliver messages between servers (${message}). Check Valkey, then start this server again.`;
    throw new ClusterError(text);
  }
}

/**
 * Opens the store in a data folder that may contain damaged data. If a damaged record has a copy in
 * the file `copyFile`, replaces the record by the copy. Otherwise, moves the record to a separate
 * folder if rooms can be opened without it.
 */
async function openDamaged(
  folder: string,
  copyFile: string,
  { date, log }: Services,
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
    // Keep only damaged records that still need attention. Records with a copy have been repaired.
    // Records that are missing from the store are in a data file that was moved aside.
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

/** Types of records that a room can be opened without. */
const DISPENSABLE = ['journal', 'mark', 'hours', 'counted', 'plan', 'moderation'];

/**
 * Selects the damaged records that can be moved aside before any room is opened: records of the
 * types in `DISPENSABLE`, and records that belong to the whole server instead of a room.
 *
 * @returns the records' keys, by room name. The key null stands for the whole server
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
 * Opens the engine. For a gateway, which runs no rooms, returns an engine that refuses all calls.
 *
 * @throws EngineError 'unavailable' if the chosen engine cannot run on this machine
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
 * Loads the installed checkpoints and the checkpoints in the data folder.
 *
 * @returns all checkpoints; the checkpoint named in the settings comes first
 * @throws CheckpointError if an installed checkpoint cannot be loaded
 */
export async function loadCheckpoints(
  { checkpoint = DEFAULT_CHECKPOINT, checkpoints }: Config,
  folder: string | undefined,
  log: Log,
): Promise<NamedCheckpoint[]> {
  const names = [checkpoint, ...checkpoints];
  const installed: NamedCheckpoint[] = await Promise.all(names.map((name) => loadCheckpoint(name)));
  const kept = folder === undefined ? [] : await loadKeptCheckpoints(folder, installed, log);
  return [...installed, ...kept];
}

/**
 * Maximum number of times to write a change to the shared list. A second write is needed if another
 * server has overwritten the list without knowing the change.
 */
const MOST_WRITES = 2;

/**
 * Changes that are not yet known to be stored, by item id. `item`: the new item; undefined if the
 * item was removed. `writes`: how many times the change has been written (more than once if another
 * server has overwritten it).
 */
type Changes<T> = Map<number, { readonly item: T | undefined; writes: number }>;

/** A stored list that several servers can change. Item ids are unique across all servers. */
class SharedList<T extends { readonly id: number }> {
  private known: readonly T[] = [];
  private readonly changes: Changes<T> = new Map();
  private readonly mutex = new Mutex();

  /**
   * @param onReplaced called each time this server's list has been merged with the stored list;
   *   receives the merged list
   */
  constructor(
    private readonly store: Store,
    private readonly name: string,
    private readonly schema: v.GenericSchema<unknown, readonly T[]>,
    private readonly onReplaced: (all: readonly T[]) => void,
  ) {}

  /** Returns the stored list. @throws StoreError */
  async open(): Promise<readonly T[]> {
    this.known = await this.read();
    return this.known;
  }

  /**
   * Replaces this server's list, and stores the items that differ from the previous list.
   *
   * @throws StoreError
   */
  changed(all: readonly T[]): Promise<void> {
    const before = new Map(this.known.map((item) => [item.id, item]));
    const after = new Map(all.map((item) => [item.id, item]));
    for (const id of new Set([...before.keys(), ...after.keys()])) {
      const item = after.get(id);
      if (!isDeepStrictEqual(before.get(id), item)) this.changes.set(id, { item, writes: 0 });
    }
    this.known = all;
    return this.refresh();
  }

  /**
   * Reads the stored list, which other servers may have changed. Merges this server's pending
   * changes into the list, and stores the merged list.
   *
   * @throws StoreError
   */
  refresh(): Promise<void> {
    return this.mutex.runExclusive(async () => {
      const stored = await this.read();
      for (const [id, { item, writes }] of this.changes) {
        const found = stored.find((one) => one.id === id);
        if (writes >= MOST_WRITES || isDeepStrictEqual(found, item)) this.changes.delete(id);
      }
      const changes = new Map(this.changes);
      if (changes.size > 0) {
        await this.store.putServerRecord(this.name, merged(stored, changes));
      }
      for (const change of changes.values()) change.writes++;
      // Merge `this.changes` instead of `changes`: changes may have been added during the write.
      this.known = merged(stored, this.changes);
      this.onReplaced(this.known);
    });
  }

  private async read(): Promise<readonly T[]> {
    return (await this.store.serverRecord(this.name, this.schema)) ?? [];
  }
}

function merged<T extends { readonly id: number }>(
  stored: readonly T[],
  changes: Changes<T>,
): readonly T[] {
  const items = new Map(stored.map((item) => [item.id, item]));
  for (const [id, { item }] of changes) {
    if (item) items.set(id, item);
    else items.delete(id);
  }
  return [...items.values()];
}

/**
 * Opens the lists of bans and wall seats, which all servers of a cluster share.
 *
 * @param isShared whether other servers may also change the lists
 */
export async function openHostRecords(
  store: Store,
  isShared: boolean,
  secret: Uint8Array,
  { clock, date, log }: Services,
) {
  const banList = new SharedList(store, 'bans', banRecords, (all) => bans.replace(all));
  const seatList = new SharedList(store, 'walls', wallSeatRecords, (all) => seats.replace(all));
  const warn = (error: Error): void => log.warn('not-kept', error.message);
  const bans = new Bans({
    ...{ secret, date, clock, bans: await banList.open() },
    onChange: (all) => void banList.changed(all).catch(warn),
  });
  const stored = await seatList.open();
  // `WallSeats` assumes that seats passed to its constructor belong to disconnected walls. In a
  // cluster, the walls may be connected to other servers, so add the seats afterwards.
  const seats = new WallSeats(
    date,
    isShared ? [] : stored,
    (all) => void seatList.changed(all).catch(warn),
  );
  if (isShared) seats.replace(stored);
  return {
    bans,
    wallSeats: seats,
    /**
     * Reads the bans and wall seats, which other servers may have changed.
     *
     * @param takenOver name of a room that this server takes over from another server
     * @throws StoreError
     */
    async refresh(takenOver?: string): Promise<void> {
      if (!isShared) return;
      await Promise.all([banList.refresh(), seatList.refresh()]);
      if (takenOver !== undefined) seats.takenOver(takenOver);
    },
  };
}

export type HostRecords = Awaited<ReturnType<typeof openHostRecords>>;
