/**
 * Moves damaged data into dated folders, so that the server can start with the intact data. Keeps a
 * copy of the records that cannot be reconstructed from other records. Never deletes data. Start
 * reading at `SetAside`.
 */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Mutex } from '../platform/queues.ts';
import { startTable } from './lmdb/open.ts';
import { type AsideRecord, asideRecords, type SnapshotRecord } from './record-schemas.ts';
import { decodeRecord, encodeRecord, isIntact, type Records, StoreError } from './records.ts';
import { partsOf, STATE_KINDS, type Store, spanOf } from './store.ts';

/** Maximum number of records read at a time; small, because each record may be large. */
const AT_ONCE = 20;

/** Copies a room's state and history, but not its plan and statistics. */
async function copyRoom(from: Records, to: Records, room: string): Promise<void> {
  const spans = [
    ...STATE_KINDS.map((kind) => spanOf(`${kind}/${room}/`)),
    ...['room', 'tail'].map((kind) => ({ from: `${kind}/${room}`, to: `${kind}/${room}!` })),
  ];
  for (const span of spans)
    for await (const put of partsOf(from, span, AT_ONCE)) await to.write({ put });
}

interface SetAsideOptions {
  readonly store: Store;
  /** Parent of the dated folders to which `SetAside` moves data. */
  readonly folder: string;
  /** Returns the wall-clock time, in ms. */
  readonly date: () => number;
  /** Receives notices for the host. */
  readonly say: (sentence: string) => void;
}

const RECORD = 'aside';
/** Key of the record that lists the data that were set aside. */
export const ASIDE_KEY = `house/${RECORD}`;
/**
 * Maximum length of the list of data that were set aside. Older entries are dropped, but their data
 * stay on disk.
 */
const MOST = 50;

/** Makes a unique folder name, e.g. garden-2026-11-27T02-45-10-123. */
export function asideName(what: string, at: number): string {
  return `${what}-${new Date(at).toISOString().slice(0, -1).replace(/[:.]/g, '-')}`;
}

/** Moves data to separate folders, and keeps a list of the moves. */
export class SetAside {
  /**
   * Maps a room to the id of the latest entry that this process has added for single damaged
   * records of the room (`what` is `records`).
   */
  private readonly parts = new Map<string, string>();

  private constructor(
    private readonly options: SetAsideOptions,
    /** Entries that the host has not dismissed, latest first. */
    public entries: readonly AsideRecord[],
  ) {}

  /** Reads, from the store, the list of data that were set aside. @throws StoreError */
  static async open(options: SetAsideOptions): Promise<SetAside> {
    const list = await options.store.serverRecord(RECORD, asideRecords);
    return new SetAside(options, list ?? []);
  }

  get damaged(): readonly AsideRecord[] {
    return this.entries.filter(({ what }) => what !== 'replaced');
  }

  /** Adds an entry for a damaged file that has already been moved. */
  async addFile(id: string, why: string): Promise<void> {
    const { folder, say, date } = this.options;
    await this.add({ id, room: null, at: date(), what: 'file', tick: null, why });
    const text = `${why} The damaged file was moved to ${join(folder, id)}. Its readable records were kept.`;
    say(text);
  }

  /**
   * Moves damaged records to a separate folder. Does not check whether other records depend on
   * them; if so, the code that opens the room must detect that the moved records are missing.
   *
   * @param room the room's name; null for records of the whole server
   */
  async records(room: string | null, keys: readonly string[]): Promise<void> {
    const why = `${keys.length} records were damaged; the first is "${keys[0]}".`;
    const { records } = this.options.store;
    const { id } = await this.move({ room, what: 'records', tick: null, why }, async (archive) => {
      for (const key of keys) {
        const bytes = await records.get(key);
        if (bytes) await archive.write({ put: [{ key, bytes }] });
      }
      await records.write({ remove: keys });
    });
    if (room !== null) this.parts.set(room, id);
  }

  /**
   * Copies a room's data to a separate folder, and takes the room back to its latest intact
   * snapshot. If there is no intact snapshot, the room starts empty. The room also keeps all intact
   * snapshots that have a name.
   *
   * @param why one or two sentences for the host
   * @throws StoreError 'disk-full' or 'write-failed'
   */
  async room(room: string, why: string): Promise<void> {
    const { store } = this.options;
    const kept = await this.wholeSnapshots(room);
    const tick = kept[0]?.tick ?? null;
    await this.move({ room, what: 'room', tick, why }, async (archive) => {
      await copyRoom(store.records, archive, room);
      if (kept.length > 0) await store.revertTo(room, kept);
      else await store.clear(room);
    });
    // The new entry covers the whole room, so dismiss the earlier entry about single records.
    await this.dismiss(this.parts.get(room) ?? '');
  }

  /**
   * Puts back a room's data that were set aside, and sets the room's present data aside. The room
   * must not be open.
   *
   * @param id id of the entry for the data to put back
   * @returns the new entry, for the data that were replaced
   * @throws StoreError 'not-kept' if there is no entry with this id
   */
  async exchange(id: string): Promise<AsideRecord> {
    const { store } = this.options;
    const entry = this.entries.find((one) => one.id === id);
    if (!entry?.room)
      throw new StoreError('not-kept', 'The data are no longer in the folder set-aside.');
    const { room } = entry;
    const archive = await this.archive(id);
    try {
      const why = "The host replaced this room's data with data that had been set aside earlier.";
      const replaced = await this.move({ room, what: 'replaced', tick: null, why }, (other) =>
        copyRoom(store.records, other, room),
      );
      await store.clear(room);
      await copyRoom(archive, store.records, room);
      return replaced;
    } finally {
      await archive.close();
    }
  }

  /**
   * Removes an entry from the list. The entry's data stay on disk.
   *
   * @returns whether the entry was in the list
   */
  async dismiss(id: string): Promise<boolean> {
    const rest = this.entries.filter((one) => one.id !== id);
    if (rest.length === this.entries.length) return false;
    await this.store(rest);
    return true;
  }

  /** Finds a room's latest intact snapshot and all intact named snapshots, latest first. */
  private async wholeSnapshots(room: string): Promise<SnapshotRecord[]> {
    const { store } = this.options;
    const stored = await store.room(room).catch(() => undefined);
    const whole: SnapshotRecord[] = [];
    for (const tick of stored ? await store.snapshotTicks(room) : []) {
      const moment = await store.moment(room, tick).catch(() => undefined);
      const { width, height } = moment?.state.planes ?? {};
      if (!moment || width !== stored?.width || height !== stored?.height) continue;
      if (whole.length === 0 || moment.snapshot.name !== undefined) whole.push(moment.snapshot);
    }
    return whole;
  }

  private async move(
    entry: Omit<AsideRecord, 'id' | 'at'>,
    work: (archive: Records) => Promise<void>,
  ): Promise<AsideRecord> {
    const at = this.options.date();
    const added = { ...entry, id: asideName(entry.room ?? 'server', at), at };
    const archive = await this.archive(added.id);
    try {
      await work(archive);
    } finally {
      await archive.close();
    }
    await this.add(added);
    this.options.say(this.sentenceOf(added));
    return added;
  }

  private sentenceOf({ id, room, what, tick, why }: AsideRecord): string {
    const path = join(this.options.folder, id);
    if (room === null) return `${why} The damaged records were moved to ${path}.`;
    if (what === 'records')
      return `Room "${room}": ${why} The damaged records were moved to ${path}.`;
    if (what === 'replaced')
      return `Room "${room}": ${why} The replaced data were moved to ${path}.`;
    const opened =
      tick === null
        ? 'The room has no intact snapshot and starts empty'
        : `The room continues from its snapshot of tick ${tick}, and later changes are lost`;
    return `${why} ${opened}. The room's data were moved to ${path}.`;
  }

  /** Opens the records in an entry's folder. Creates the folder if necessary. */
  private async archive(id: string): Promise<Records> {
    const folder = join(this.options.folder, id);
    await mkdir(folder, { recursive: true });
    return startTable({ folder, readOnly: false });
  }

  private add(entry: AsideRecord): Promise<void> {
    return this.store([entry, ...this.entries].slice(0, MOST));
  }

  private async store(list: readonly AsideRecord[]): Promise<void> {
    await this.options.store.putServerRecord(RECORD, list);
    this.entries = list;
  }
}

/**
 * The copy of the essential records is a file that contains a single record with this key (see
 * `encodeRecord`). The record's checksum includes the key.
 */
const NAME = 'essentials';
const PREFIXES = ['house/', 'plan/', 'room/'];

/**
 * Reads the file with the copy of essential records. Returns an empty map if the file is missing or
 * damaged.
 */
export async function readCopy(file: string): Promise<ReadonlyMap<string, Uint8Array>> {
  try {
    const bytes = decodeRecord(NAME, await readFile(file)) as [string, Uint8Array][];
    return new Map(bytes.filter(([key, value]) => isIntact(key, value)));
  } catch {
    return new Map();
  }
}

/**
 * Wraps records so that each change of an essential record (a server-wide record, or the plan or
 * parameters of a room) also updates a file with a copy of all essential records. Ignores errors in
 * writing this file.
 */
export async function withCopy<R extends Records>(records: R, file: string): Promise<R> {
  const mutex = new Mutex();
  const update = () =>
    mutex.runExclusive(async () => {
      const spans = PREFIXES.map((prefix) => records.list(spanOf(prefix)));
      const entries = (await Promise.all(spans)).flat().map(({ key, bytes }) => [key, bytes]);
      const draft = `${file}.new`;
      await writeFile(draft, encodeRecord(NAME, entries), { mode: 0o600 });
      await chmod(draft, 0o600);
      await rename(draft, file);
    });
  await update().catch(() => {});
  return {
    ...records,
    async write(write) {
      await records.write(write);
      const keys = [...(write.put ?? []).map(({ key }) => key), ...(write.remove ?? [])];
      const isEssential = keys.some((key) => PREFIXES.some((prefix) => key.startsWith(prefix)));
      if (isEssential) await update().catch(() => {});
    },
  };
}
