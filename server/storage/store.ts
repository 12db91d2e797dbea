/**
 * Rooms as they are kept: what they were made with, their journal, their snapshots, their days. Knows what the records are
 * called and what they hold; when they are written is the journal writer's business.
 */
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import {
  type DayStatistics,
  dayStatistics,
  type HourStatistics,
  hourStatistics,
} from '../../shared/host/statistics.ts';
import { type RoomState, roomState } from '../world/room-state.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import {
  cellsRecord,
  type DayRecord,
  dayRecord,
  type JournalRecord,
  type JournalTail,
  journalRecord,
  journalTailRecord,
  type PlaneChecksum,
  type PlanRecord,
  planeChecksumRecord,
  planRecord,
  type RoomRecord,
  roomRecord,
  type SnapshotRecord,
  snapshotRecord,
} from './record-schemas.ts';
import type { Entry, Records } from './records.ts';
import { isSetAside } from './snapshot-retention.ts';
import { StoreError } from './store-error.ts';

/** All that is needed to put a room back. */
export interface StoredMoment {
  readonly snapshot: SnapshotRecord;
  readonly state: RoomState;
  /** In the order of the organisms. */
  readonly cells: readonly Float32Array[];
}

/** What one transaction can put down for one room. */
export interface TickRecord {
  readonly room: string;
  readonly tail: JournalTail;
  readonly entry?: JournalRecord | undefined;
  readonly marks?: readonly PlaneChecksum[];
  readonly day?: DayRecord | undefined;
}

/** Records removed in one transaction, so that ticks need not wait long for it. */
const SWEEP = 400;
/** Records read at a time. */
const PART = 1_000;

const padded = (n: number): string => n.toString().padStart(12, '0');
const END = '~';

export class Store {
  constructor(private readonly records: Records) {}

  async rooms(): Promise<string[]> {
    const keys = await this.records.keys({ from: 'room/', to: `room/${END}` });
    return keys.map((key) => key.slice('room/'.length));
  }

  /** @throws StoreError damaged, other-version, and so do all that read */
  async room(name: string): Promise<RoomRecord | undefined> {
    return this.read(`room/${name}`, roomRecord);
  }

  async tail(name: string): Promise<JournalTail | undefined> {
    return this.read(`tail/${name}`, journalTailRecord);
  }

  /** Whether anything is kept of a room besides what it was made with. */
  async hasPartsOf(name: string): Promise<boolean> {
    if ((await this.tail(name)) !== undefined) return true;
    for (const kind of ['snapshot', 'journal']) {
      const from = `${kind}/${name}/`;
      if ((await this.records.keys({ from, to: `${from}${END}`, limit: 1 })).length > 0)
        return true;
    }
    return false;
  }

  /** A new room, before its first tick. @throws StoreError disk-full, write-failed, and so do all that write */
  async createRoom(room: RoomRecord): Promise<void> {
    const tail: JournalTail = { tick: 0, seq: 0 };
    await this.records.write({
      put: [sealed(`room/${room.name}`, room), sealed(`tail/${room.name}`, tail)],
    });
  }

  /**
   * Puts down what has happened, in one transaction.
   *
   * @returns bytes written
   */
  async commit(pages: readonly TickRecord[]): Promise<number> {
    const put = pages.flatMap(({ room, tail, entry, marks = [], day }) => [
      sealed(`tail/${room}`, tail),
      ...(entry ? [sealed(`journal/${room}/${padded(entry.tick)}`, entry)] : []),
      ...marks.map((mark) => sealed(`mark/${room}/${padded(mark.tick)}`, mark)),
      ...(day ? [sealed(`day/${room}/${day.day}`, day)] : []),
    ]);
    await this.records.write({ put });
    return put.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Journal entries of ticks from … to, both included. */
  async *journal(name: string, from: number, to: number): AsyncGenerator<JournalRecord> {
    yield* this.run(`journal/${name}/`, from, to, journalRecord);
  }

  async *marks(name: string, from: number, to: number): AsyncGenerator<PlaneChecksum> {
    yield* this.run(`mark/${name}/`, from, to, planeChecksumRecord);
  }

  async days(name: string): Promise<DayRecord[]> {
    const keys = await this.records.keys({ from: `day/${name}/`, to: `day/${name}/${END}` });
    return Promise.all(keys.map(async (key) => (await this.read(key, dayRecord))!));
  }

  async day(name: string, day: string): Promise<DayRecord | undefined> {
    return this.read(`day/${name}/${day}`, dayRecord);
  }

  /** Ticks of the snapshots, the latest first, whole or not. */
  async snapshotTicks(name: string): Promise<number[]> {
    const from = `snapshot/${name}/`;
    const keys = await this.records.keys({ from, to: `${from}${END}`, backwards: true });
    return keys.map((key) => Number(key.slice(from.length)));
  }

  async snapshot(name: string, tick: number): Promise<SnapshotRecord> {
    return this.require(`snapshot/${name}/${padded(tick)}`, snapshotRecord);
  }

  /** What a room was at a snapshot, without the engine's states. */
  async stateAt(name: string, tick: number): Promise<RoomState> {
    return this.require(`state/${name}/${padded(tick)}`, roomState);
  }

  /** A snapshot with all that belongs to it. */
  async moment(name: string, tick: number): Promise<StoredMoment> {
    const snapshot = await this.snapshot(name, tick);
    const state = await this.stateAt(name, tick);
    const cells: Float32Array[] = [];
    for (const { id, tick: since } of snapshot.cells) {
      cells.push((await this.require(cellsKey(name, id, since), cellsRecord)).state);
    }
    const ids = snapshot.cells.map(({ id }) => id);
    if (state.tick !== tick || `${ids}` !== `${state.organisms.map(({ id }) => id)}`) {
      throw new StoreError('damaged', `The snapshot of tick ${tick} does not hold together.`);
    }
    return { snapshot, state, cells };
  }

  /** @returns bytes written */
  async putCells(
    name: string,
    tick: number,
    cells: readonly { readonly id: number; readonly state: Float32Array }[],
  ): Promise<number> {
    const put = cells.map(({ id, state }) => sealed(cellsKey(name, id, tick), { state }));
    await this.records.write({ put });
    return put.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** The last part of a snapshot: with it, it is there. @param entry of the journal, which leads to it */
  async putSnapshot(
    name: string,
    snapshot: SnapshotRecord,
    state: RoomState,
    tail: JournalTail,
    entry?: JournalRecord,
  ): Promise<void> {
    const tick = padded(snapshot.tick);
    const kept = sealed(`state/${name}/${tick}`, state);
    const bytes = snapshot.bytes + kept.bytes.length;
    await this.records.write({
      put: [
        kept,
        sealed(`snapshot/${name}/${tick}`, { ...snapshot, bytes }),
        sealed(`tail/${name}`, tail),
        ...(entry ? [sealed(`journal/${name}/${padded(entry.tick)}`, entry)] : []),
      ],
    });
  }

  async putSnapshotRecord(name: string, snapshot: SnapshotRecord): Promise<void> {
    await this.put(`snapshot/${name}/${padded(snapshot.tick)}`, snapshot);
  }

  /**
   * Forgets all that the snapshots which are kept do not need: other snapshots, cells, and the journal before the first.
   * Days stay.
   */
  async removeOldSnapshots(name: string, kept: readonly SnapshotRecord[]): Promise<void> {
    const needed = new Set(
      kept.flatMap(({ tick, cells }) => [
        `snapshot/${name}/${padded(tick)}`,
        `state/${name}/${padded(tick)}`,
        ...cells.map(({ id, tick: since }) => cellsKey(name, id, since)),
      ]),
    );
    for (const kind of ['snapshot', 'state', 'cells']) {
      await this.remove(`${kind}/${name}/`, `${kind}/${name}/${END}`, (key) => !needed.has(key));
    }
    const first = journalBegin(kept);
    for (const kind of ['journal', 'mark']) {
      await this.remove(`${kind}/${name}/`, `${kind}/${name}/${padded(first)}`);
    }
  }

  /** Forgets what comes after a tick: the room goes on from there another way. */
  async truncate(name: string, tail: JournalTail): Promise<void> {
    await this.records.write({ put: [sealed(`tail/${name}`, tail)] });
    for (const kind of ['journal', 'mark', 'snapshot', 'state']) {
      await this.remove(`${kind}/${name}/${padded(tail.tick + 1)}`, `${kind}/${name}/${END}`);
    }
  }

  /** Rooms as their host wants them. */
  async plans(): Promise<PlanRecord[]> {
    const keys = await this.records.keys({ from: 'plan/', to: `plan/${END}` });
    return Promise.all(keys.map(async (key) => (await this.read(key, planRecord))!));
  }

  async putPlan(plan: PlanRecord): Promise<void> {
    await this.put(`plan/${plan.name}`, plan);
  }

  /** What is kept of the house, by its name. */
  async serverRecord<T>(name: string, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> {
    return this.read(`house/${name}`, schema);
  }

  async putServerRecord(name: string, value: unknown): Promise<void> {
    await this.put(`house/${name}`, value);
  }

  /** What was counted of a room, by hour, the first first. */
  async hours(name: string): Promise<HourStatistics[]> {
    return this.counted(`hours/${name}/`, hourStatistics);
  }

  async countedDays(name: string): Promise<DayStatistics[]> {
    return this.counted(`counted/${name}/`, dayStatistics);
  }

  /** Keeps what was counted, and forgets what is too old. */
  async putCounted(name: string, hour: HourStatistics, day: DayStatistics): Promise<void> {
    await this.records.write({
      put: [sealed(`hours/${name}/${hour.hour}`, hour), sealed(`counted/${name}/${day.day}`, day)],
    });
    const { countedHours, countedDays } = DEFAULTS.host;
    for (const [kind, most] of [
      ['hours', countedHours],
      ['counted', countedDays],
    ] as const) {
      const from = `${kind}/${name}/`;
      const keys = await this.records.keys({ from, to: `${from}${END}` });
      if (keys.length > most) await this.records.write({ remove: keys.slice(0, -most) });
    }
  }

  /** Forgets all of a room. */
  async forget(name: string): Promise<void> {
    const one = ['plan', 'room', 'tail'].map((kind) => `${kind}/${name}`);
    // The room itself goes last, so that what a loss of power leaves of it is found, and said to be damaged.
    for (const kind of [
      'mark',
      'journal',
      'snapshot',
      'state',
      'cells',
      'day',
      'hours',
      'counted',
    ]) {
      await this.remove(`${kind}/${name}/`, `${kind}/${name}/${END}`);
    }
    await this.records.write({ remove: one });
  }

  size(): Promise<number> {
    return this.records.size();
  }

  close(): Promise<void> {
    return this.records.close();
  }

  private async counted<T>(from: string, schema: v.GenericSchema<unknown, T>): Promise<T[]> {
    const entries = await this.records.list({ from, to: `${from}${END}` });
    return entries.map(({ key, bytes }) => parsed(key, bytes, schema));
  }

  private async put(key: string, value: unknown): Promise<void> {
    await this.records.write({ put: [sealed(key, value)] });
  }

  private async remove(from: string, to: string, wanted = (_: string) => true): Promise<void> {
    const keys = (await this.records.keys({ from, to })).filter(wanted);
    for (let i = 0; i < keys.length; i += SWEEP) {
      await this.records.write({ remove: keys.slice(i, i + SWEEP) });
    }
  }

  private async *run<T>(
    prefix: string,
    from: number,
    to: number,
    schema: v.GenericSchema<unknown, T>,
  ): AsyncGenerator<T> {
    const end = `${prefix}${padded(to + 1)}`;
    for (let start = `${prefix}${padded(from)}`; ; ) {
      const entries = await this.records.list({ from: start, to: end, limit: PART });
      for (const { key, bytes } of entries) yield parsed(key, bytes, schema);
      if (entries.length < PART) return;
      start = `${entries.at(-1)!.key}!`;
    }
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

/** What the host has put aside needs no journal. */
function journalBegin(kept: readonly SnapshotRecord[]): number {
  const routine = kept.filter((one) => !isSetAside(one));
  return Math.min(...(routine.length > 0 ? routine : kept).map(({ tick }) => tick));
}

const cellsKey = (room: string, organism: number, tick: number): string =>
  `cells/${room}/${padded(organism)}/${padded(tick)}`;

function sealed(key: string, value: unknown): Entry {
  return { key, bytes: encodeRecord(key, value) };
}

function parsed<T>(key: string, bytes: Uint8Array, schema: v.GenericSchema<unknown, T>): T {
  const result = v.safeParse(schema, decodeRecord(key, bytes), { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue as never) ?? 'it';
  throw new StoreError(
    where === 'version' ? 'other-version' : 'damaged',
    `The record "${key}" is not one that this server writes: ${where}: ${issue.message}.`,
  );
}
