/**
 * Typed access to everything stored about rooms: parameters, journals, snapshots and statistics.
 * Defines the keys and contents of records. Start reading at `Store`.
 */
import * as v from 'valibot';
import {
  type DayStatistics,
  dayStatistics,
  type HourStatistics,
  hourStatistics,
} from '../../shared/host/visit-statistics.ts';
import { type RoomState, roomState } from '../world/room-state.ts';
import * as schemas from './record-schemas.ts';
import {
  cellsKey,
  cellsRecord,
  compressed,
  decodeCells,
  decodeRecord,
  type Entry,
  encodeCells,
  encodeRecord,
  type NewCells,
  padded,
  parsed,
  type Records,
  recentKey,
  type Span,
  StoreError,
  sealed,
} from './records.ts';

/** A snapshot with everything needed to restore the room. */
export interface StoredMoment {
  readonly snapshot: schemas.SnapshotRecord;
  readonly state: RoomState;
  /**
   * Cell states of each organism, in the order of `state.organisms`. Exception: `putRecent` gets
   * only the cells that are not already stored with an earlier snapshot.
   */
  readonly cells: readonly Float32Array[];
}

/** Records of one room, stored in one transaction. */
export interface RoomWrite {
  readonly room: string;
  readonly tail: schemas.JournalTail;
  readonly entry?: schemas.JournalRecord | undefined;
  readonly marks?: readonly schemas.PlaneChecksum[];
  /** The main record of a snapshot. The snapshot's state and cells must already be stored. */
  readonly snapshot?: schemas.SnapshotRecord;
}

/**
 * Largest tick that can be stored. Keys have twelve digits for a tick, and even this tick plus one
 * (the end of a range of keys) has twelve digits.
 */
const MAX_TICK = 999_999_999_998;
/**
 * Maximum number of records removed in one transaction. Small, because a running room's journal
 * entries may have to wait for the transaction.
 */
const REMOVED_AT_ONCE = 400;
/** Maximum number of records read at a time. */
const PART = 1_000;

/** Record types of a room's state and history. A room can have several records of each type. */
export const STATE_KINDS = ['mark', 'journal', 'snapshot', 'state', 'cells', 'moderation'];
/** Record types with several records per room, under keys `kind/room/…`. */
export const ROOM_KINDS = [...STATE_KINDS, 'hours', 'counted'];
/**
 * Record types with keys `kind/name`. For the type `house`, `name` is the name of a server-wide
 * record. For the other types, `name` is the name of a room.
 */
export const SERVER_KINDS = ['house', 'plan', 'room', 'tail'];

export const listOf = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
};

/** Returns the range of all keys that begin with `prefix`. */
export const spanOf = (prefix: string): Span => ({ from: prefix, to: `${prefix}~` });

/** Yields the records in a range of keys, grouped into arrays of at most `limit` records. */
export async function* partsOf(records: Records, span: Span, limit: number) {
  for (let { from } = span; ; ) {
    const entries = await records.list({ ...span, from, limit });
    if (entries.length > 0) yield entries;
    if (entries.length < limit) return;
    from = `${entries.at(-1)!.key}!`;
  }
}

/**
 * Typed access to the records. Methods that read throw StoreError 'damaged' or 'other-version'.
 * Methods that write throw StoreError 'disk-full' or 'write-failed'.
 */
export class Store {
  constructor(readonly records: Records) {}

  async rooms(): Promise<string[]> {
    const keys = await this.records.keys(spanOf('room/'));
    return keys.map((key) => key.slice('room/'.length));
  }

  async room(name: string): Promise<schemas.RoomRecord | undefined> {
    return this.read(`room/${name}`, schemas.roomRecord);
  }

  async tail(name: string): Promise<schemas.JournalTail | undefined> {
    return this.read(`tail/${name}`, schemas.journalTailRecord);
  }

  /** Whether a room has any records besides its parameters. */
  async hasPartsOf(name: string): Promise<boolean> {
    if ((await this.tail(name)) !== undefined) return true;
    const parts = ['snapshot', 'journal'].map((kind) =>
      this.records.keys({ ...spanOf(`${kind}/${name}/`), limit: 1 }),
    );
    return (await Promise.all(parts)).flat().length > 0;
  }

  /** Stores a new room. */
  async createRoom(room: schemas.RoomRecord): Promise<void> {
    const tail: schemas.JournalTail = { tick: 0, seq: 0 };
    await this.write([sealed(`room/${room.name}`, room), sealed(`tail/${room.name}`, tail)]);
  }

  /**
   * Stores records of several rooms in one transaction.
   *
   * @returns bytes written
   */
  async commit(...writes: readonly RoomWrite[]): Promise<number> {
    const put = writes.flatMap(({ room, tail, entry, marks = [], snapshot }) => [
      sealed(`tail/${room}`, tail),
      ...(entry ? [sealed(`journal/${room}/${padded(entry.tick)}`, entry)] : []),
      ...marks.map((mark) => sealed(`mark/${room}/${padded(mark.tick)}`, mark)),
      ...(snapshot ? [sealed(snapshotKey(room, snapshot.tick), snapshot)] : []),
    ]);
    return this.write(put);
  }

  /** Reads the journal entries of the ticks `from` … `to`, both included. */
  async *journal(name: string, from: number, to = MAX_TICK): AsyncGenerator<schemas.JournalRecord> {
    yield* this.run(`journal/${name}/`, from, to, schemas.journalRecord);
  }

  /**
   * Reads checksums of the planes (colours and owners of all cells), for the ticks `from` … `to`,
   * both included.
   */
  async *marks(name: string, from: number, to: number): AsyncGenerator<schemas.PlaneChecksum> {
    yield* this.run(`mark/${name}/`, from, to, schemas.planeChecksumRecord);
  }

  /** Lists the ticks of all stored snapshots, even damaged ones, latest first. */
  async snapshotTicks(name: string): Promise<number[]> {
    const from = `snapshot/${name}/`;
    const keys = await this.records.keys({ ...spanOf(from), backwards: true });
    return keys.map((key) => Number(key.slice(from.length)));
  }

  /**
   * Reads the main records of all snapshots, latest first, without state and cells. Skips damaged
   * records.
   */
  async readableSnapshots(name: string): Promise<schemas.SnapshotRecord[]> {
    const span = { ...spanOf(`snapshot/${name}/`), backwards: true };
    const entries = await this.records.list(span);
    return entries.flatMap(({ key, bytes }) => {
      try {
        return [parsed(key, bytes, schemas.snapshotRecord)];
      } catch {
        return [];
      }
    });
  }

  /** Reads a snapshot's record, without its state and cells. */
  async snapshot(name: string, tick: number): Promise<schemas.SnapshotRecord> {
    return this.require(snapshotKey(name, tick), schemas.snapshotRecord);
  }

  /** Reads a room's state at a snapshot, without cell states. */
  async stateAt(name: string, tick: number): Promise<RoomState> {
    return this.require(`state/${name}/${padded(tick)}`, roomState);
  }

  /** Reads a snapshot with its state and cells. */
  async moment(name: string, tick: number): Promise<StoredMoment> {
    const snapshot = await this.snapshot(name, tick);
    const state = await this.stateAt(name, tick);
    const cells: Float32Array[] = [];
    for (const { id, tick: since } of snapshot.cells) cells.push(await this.cells(name, id, since));
    const ids = snapshot.cells.map(({ id }) => id);
    if (state.tick !== tick || `${ids}` !== `${state.organisms.map(({ id }) => id)}`) {
      throw new StoreError('damaged', `The snapshot of tick ${tick} is inconsistent.`);
    }
    return { snapshot, state, cells };
  }

  /** Reads a snapshot with its state and cells; undefined if any of these records is damaged. */
  intactMoment(name: string, tick: number): Promise<StoredMoment | undefined> {
    return this.moment(name, tick).catch((error: unknown) => {
      if (error instanceof StoreError && error.reason === 'damaged') return undefined;
      throw error;
    });
  }

  /**
   * Reads the cell states of an organism from the snapshot of `tick`, [stage, stage, C]. The stage
   * is the side of the organism's patch, in cells.
   */
  async cells(name: string, organism: number, tick: number): Promise<Float32Array> {
    const read = (at: number) => this.require(cellsKey(name, organism, at), cellsRecord);
    const record = await read(tick);
    if (record.base === undefined) return decodeCells(record);
    const base = await read(record.base);
    if (base.base === undefined) return decodeCells(record, decodeCells(base));
    const text =
      'The cells of a snapshot are stored as a difference from another snapshot, which is itself stored as a difference.';
    throw new StoreError('damaged', text);
  }

  /**
   * Stores the cell states of organisms for a snapshot.
   *
   * @returns `bytes`: number of bytes written; `bases`: for each organism, undefined if its cells
   *   are stored in full, or the tick of the earlier cells from which they are stored as a
   *   difference
   */
  async putCells(name: string, tick: number, cells: readonly NewCells[]) {
    const encoded = await Promise.all(
      cells.map((one) => encodeCells(cellsKey(name, one.id, tick), one)),
    );
    const bytes = await this.write(encoded.map(({ entry }) => entry));
    return { bytes, bases: encoded.map(({ base }) => base) };
  }

  /** @returns bytes written */
  async putState(name: string, state: RoomState): Promise<number> {
    return this.write([await compressed(`state/${name}/${padded(state.tick)}`, state)]);
  }

  /** Replaces a snapshot's record, but not its state and cells. */
  async putSnapshotRecord(name: string, snapshot: schemas.SnapshotRecord): Promise<void> {
    await this.put(snapshotKey(name, snapshot.tick), snapshot);
  }

  /**
   * Removes all snapshots except `kept`, and all cells and journal entries that no snapshot in
   * `kept` needs.
   */
  async removeOldSnapshots(name: string, kept: readonly schemas.SnapshotRecord[]): Promise<void> {
    const needed = new Set(
      kept.flatMap(({ tick, cells }) => [
        snapshotKey(name, tick),
        `state/${name}/${padded(tick)}`,
        ...cells.flatMap(({ id, tick: since, base }) =>
          [since, base ?? since].map((at) => cellsKey(name, id, at)),
        ),
      ]),
    );
    for (const kind of ['snapshot', 'state', 'cells']) {
      await this.remove(spanOf(`${kind}/${name}/`), (key) => !needed.has(key));
    }
    // Keep only the journal that replays can need. No replay starts from a standalone snapshot,
    // which has a name or was taken before an action of the host.
    const periodic = kept.filter((one) => !schemas.isStandalone(one));
    const first = Math.min(...(periodic.length > 0 ? periodic : kept).map(({ tick }) => tick));
    for (const kind of ['journal', 'mark']) {
      await this.remove({ from: `${kind}/${name}/`, to: `${kind}/${name}/${padded(first)}` });
    }
  }

  /**
   * Replaces a room's recent snapshot. The new snapshot is not synced to disk, so a power failure
   * may destroy it.
   */
  async putRecent(name: string, { snapshot, state, cells }: StoredMoment): Promise<void> {
    const key = recentKey(name);
    const parts = cells.map((one) => new Uint8Array(one.buffer, one.byteOffset, one.byteLength));
    await this.records.putUnsynced(key, [encodeRecord(key, { snapshot, state }), ...parts]);
  }

  /** Reads a room's recent snapshot. Returns undefined if the snapshot is missing or unusable. */
  async recent(name: string): Promise<StoredMoment | undefined> {
    const key = recentKey(name);
    try {
      const [head, ...parts] = (await this.records.getUnsynced(key)) ?? [];
      if (!head) return undefined;
      const { snapshot, state } = v.parse(recentRecord, decodeRecord(key, head));
      const cells: Float32Array[] = [];
      for (const { id, tick } of snapshot.cells) {
        const part = tick === snapshot.tick ? parts.shift() : undefined;
        cells.push(part ? new Float32Array(part.buffer) : await this.cells(name, id, tick));
      }
      // Another server may have replaced the recent snapshot during these reads. Return the
      // snapshot only if its first part is unchanged.
      const [same] = (await this.records.getUnsynced(key)) ?? [];
      return same && Buffer.compare(head, same) === 0 ? { snapshot, state, cells } : undefined;
    } catch {
      // The caller can use an earlier snapshot instead.
      return undefined;
    }
  }

  async removeRecent(name: string): Promise<void> {
    await this.records.putUnsynced(recentKey(name), []);
  }

  /** Makes `tail` the end of a room's journal, and removes all records of later ticks. */
  async truncate(name: string, tail: schemas.JournalTail): Promise<void> {
    await this.removeRecent(name);
    await this.put(`tail/${name}`, tail);
    for (const kind of ['journal', 'mark', 'snapshot', 'state']) {
      const span = spanOf(`${kind}/${name}/`);
      await this.remove({ ...span, from: `${span.from}${padded(tail.tick + 1)}` });
    }
  }

  /** Reads the stored plans (host's settings) of all rooms. */
  async plans(): Promise<schemas.PlanRecord[]> {
    return this.all('plan/', schemas.planRecord);
  }

  /** Reads the stored plan (host's settings) of a room. */
  async plan(name: string): Promise<schemas.PlanRecord | undefined> {
    return this.read(`plan/${name}`, schemas.planRecord);
  }

  async putPlan(plan: schemas.PlanRecord): Promise<void> {
    await this.put(`plan/${plan.name}`, plan);
  }

  async serverRecord<T>(name: string, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> {
    return this.read(`house/${name}`, schema);
  }

  /** Reads the server-wide records whose names begin with a prefix. */
  async serverRecords<T>(prefix: string, schema: v.GenericSchema<unknown, T>): Promise<T[]> {
    return this.all(`house/${prefix}`, schema);
  }

  async putServerRecord(name: string, value: unknown): Promise<void> {
    await this.put(`house/${name}`, value);
  }

  async removeServerRecord(name: string): Promise<void> {
    await this.records.write({ remove: [`house/${name}`] });
  }

  /**
   * Stores a server-wide record, unless a record with this name exists.
   *
   * @returns true if this call stored the record. False if a record with this name existed or,
   *   rarely, if the storage's answer was lost after this call stored the record
   */
  async putNewServerRecord(name: string, value: unknown): Promise<boolean> {
    const { records } = this;
    const entry = sealed(`house/${name}`, value);
    if (records.putNew) return records.putNew(entry);
    if (await records.get(entry.key)) return false;
    await records.write({ put: [entry] });
    return true;
  }

  /** Reads a moderation list of a room, ordered by id. */
  async items<T>(name: string, list: string, schema: v.GenericSchema<unknown, T>): Promise<T[]> {
    return this.all(itemKey(name, list), schema);
  }

  /** Stores an item of a moderation list. If `item` is undefined, removes the stored item. */
  async putItem(name: string, list: string, id: number, item?: unknown): Promise<void> {
    const key = itemKey(name, list, id);
    if (item === undefined) await this.records.write({ remove: [key] });
    else await this.put(key, item);
  }

  /** Reads a room's visit statistics by hour, oldest first. */
  async hours(name: string): Promise<HourStatistics[]> {
    return this.all(`hours/${name}/`, hourStatistics);
  }

  /** Reads a room's visit statistics by day, oldest first. */
  async countedDays(name: string): Promise<DayStatistics[]> {
    return this.all(`counted/${name}/`, dayStatistics);
  }

  /**
   * Stores the visit statistics of an hour and of its day.
   *
   * @param most maximum numbers of hours (`hours`) and days (`counted`) to keep. The oldest are
   *   removed.
   */
  async putCounted(
    name: string,
    hour: HourStatistics,
    day: DayStatistics,
    most: Readonly<Record<'hours' | 'counted', number>>,
  ): Promise<void> {
    await this.write([
      sealed(`hours/${name}/${hour.hour}`, hour),
      sealed(`counted/${name}/${day.day}`, day),
    ]);
    for (const [kind, count] of Object.entries(most)) {
      const keys = await this.records.keys(spanOf(`${kind}/${name}/`));
      if (keys.length > count) await this.records.write({ remove: keys.slice(0, -count) });
    }
  }

  async forget(name: string): Promise<void> {
    for (const kind of ['hours', 'counted']) await this.remove(spanOf(`${kind}/${name}/`));
    await this.clear(name);
    await this.records.write({ remove: [`plan/${name}`] });
  }

  /** Removes a room's state and history; keeps its plan and statistics. */
  async clear(name: string): Promise<void> {
    await this.removeRecent(name);
    for (const kind of STATE_KINDS) await this.remove(spanOf(`${kind}/${name}/`));
    // Remove the `room` record last. If a power failure interrupts this function, the room then
    // counts as damaged, not as missing.
    await this.records.write({ remove: ['room', 'tail'].map((kind) => `${kind}/${name}`) });
  }

  /**
   * Takes a room back to the latest snapshot in `kept`. Removes the room's journal and all
   * snapshots that are not in `kept`.
   */
  async revertTo(name: string, kept: readonly schemas.SnapshotRecord[]): Promise<void> {
    const [{ tick, seq }] = kept;
    for (const kind of ['journal', 'mark']) await this.remove(spanOf(`${kind}/${name}/`));
    await this.truncate(name, { tick, seq });
    await this.removeOldSnapshots(name, kept);
  }

  size(): Promise<number> {
    return this.records.size();
  }

  /** Closes the storage once all writes are done. */
  close(): Promise<void> {
    return this.records.close();
  }

  private async all<T>(prefix: string, schema: v.GenericSchema<unknown, T>): Promise<T[]> {
    const entries = await this.records.list(spanOf(prefix));
    return entries.map(({ key, bytes }) => parsed(key, bytes, schema));
  }

  private async put(key: string, value: unknown): Promise<void> {
    await this.write([sealed(key, value)]);
  }

  /** @returns bytes written */
  private async write(put: readonly Entry[]): Promise<number> {
    await this.records.write({ put });
    return put.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  private async remove(span: Span, wanted = (_: string) => true): Promise<void> {
    const keys = (await this.records.keys(span)).filter(wanted);
    for (let i = 0; i < keys.length; i += REMOVED_AT_ONCE) {
      await this.records.write({ remove: keys.slice(i, i + REMOVED_AT_ONCE) });
    }
  }

  private async *run<T>(
    prefix: string,
    from: number,
    to: number,
    schema: v.GenericSchema<unknown, T>,
  ): AsyncGenerator<T> {
    const span = { from: `${prefix}${padded(from)}`, to: `${prefix}${padded(to + 1)}` };
    for await (const part of partsOf(this.records, span, PART))
      for (const { key, bytes } of part) yield parsed(key, bytes, schema);
  }

  private async read<T>(key: string, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> {
    const bytes = await this.records.get(key);
    return bytes && parsed(key, bytes, schema);
  }

  private async require<T>(key: string, schema: v.GenericSchema<unknown, T>): Promise<T> {
    const value = await this.read(key, schema);
    if (value === undefined) throw new StoreError('damaged', `The record "${key}" is missing.`);
    return value;
  }
}

const snapshotKey = (room: string, tick: number): string => `snapshot/${room}/${padded(tick)}`;

/**
 * Returns the key of an item in a moderation list. Without an id, returns the prefix of the keys of
 * all items in the list.
 */
const itemKey = (room: string, list: string, id?: number): string =>
  `moderation/${room}/${list}/${id === undefined ? '' : padded(id)}`;

const recentRecord = v.strictObject({ snapshot: schemas.snapshotRecord, state: roomState });
