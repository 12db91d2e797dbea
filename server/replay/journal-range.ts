/** A stretch of a room's life: where it begins, what came in, what it must look like. */
import * as v from 'valibot';
import type { JournalRecord, PlaneChecksum, RoomRecord } from '../storage/record-schemas.ts';
import {
  cellsRecord,
  journalRecord,
  planeChecksumRecord,
  roomRecord,
  snapshotRecord,
} from '../storage/record-schemas.ts';
import { isSetAside } from '../storage/snapshot-retention.ts';
import type { Store, StoredMoment } from '../storage/store.ts';
import { StoreError } from '../storage/store-error.ts';
import { roomState } from '../world/room-state.ts';
import type { When } from './options.ts';
import { Timeline, type TimePoint } from './timeline.ts';

export const journalRangeSchema = v.strictObject({
  room: roomRecord,
  snapshot: snapshotRecord,
  state: roomState,
  cells: v.array(cellsRecord.entries.state),
  journal: v.array(journalRecord),
  marks: v.array(planeChecksumRecord),
  /** Where the room became another at once. */
  jumps: v.optional(
    v.array(v.strictObject({ state: roomState, cells: v.array(cellsRecord.entries.state) })),
  ),
  /** First and last tick that were asked for; the snapshot may be of an earlier one. */
  from: v.number(),
  to: v.number(),
});

/** Of all ticks that there could be, whose keys are written with twelve figures. */
const LAST = 999_999_999_998;

export interface JournalRange extends StoredMoment {
  readonly room: RoomRecord;
  readonly journal: readonly JournalRecord[];
  readonly marks: readonly PlaneChecksum[];
  readonly jumps?: readonly Pick<StoredMoment, 'state' | 'cells'>[] | undefined;
  readonly from: number;
  readonly to: number;
}

/**
 * Reads a stretch of what is kept. A time that is too early means the first tick that is kept; a tick is taken at its word.
 *
 * @throws StoreError not-kept: there is nothing of that time; damaged
 */
export async function readRange(
  store: Store,
  name: string,
  wanted: { readonly from?: When | undefined; readonly to?: When | undefined },
): Promise<JournalRange> {
  const room = await store.room(name);
  const tail = await store.tail(name);
  if (!room || !tail) {
    const rooms = (await store.rooms()).join(', ') || 'none';
    throw new StoreError('not-kept', `No room "${name}" is kept here; there is: ${rooms}.`);
  }
  const fixes = await beginnings(store, name);
  if (fixes.length === 0) {
    throw new StoreError('not-kept', `Of room "${name}" nothing is kept that could be done again.`);
  }
  const begin = fixes[0].tick;
  const hasTime = [wanted.from, wanted.to].some((when) => when && 'time' in when);
  const timeline = hasTime ? await timelineOf(store, name, fixes) : new Timeline(fixes);
  // Of a room that lives there may be more by now than its end was.
  const from = wanted.from ? tickOf(wanted.from, timeline, tail.tick) : begin;
  const isToNow = !wanted.to || ('time' in wanted.to && wanted.to.time > timeline.last.at);
  const to = isToNow ? tail.tick : tickOf(wanted.to!, timeline, tail.tick);
  const base = fixes.findLast(({ tick }) => tick <= from)?.tick;
  if (base === undefined || to > tail.tick || from > to) {
    throw new StoreError(
      'not-kept',
      `Of room "${name}" the ticks ${begin} to ${tail.tick} are kept, not ${from} to ${to}.`,
    );
  }
  const moment = await store.moment(name, base);
  const journal: JournalRecord[] = [];
  const jumps: Pick<StoredMoment, 'state' | 'cells'>[] = [];
  let { seq } = moment.snapshot;
  for await (const entry of store.journal(name, base + 1, to)) {
    if (entry.seq !== ++seq) {
      throw new StoreError(
        'not-kept',
        `What happened before tick ${entry.tick} could not be kept then: choose times on one side of it.`,
      );
    }
    journal.push(entry);
    if (!entry.jump) continue;
    const { state, cells } = await store.moment(name, entry.tick);
    jumps.push({ state, cells });
  }
  const marks: PlaneChecksum[] = [];
  for await (const mark of store.marks(name, base + 1, to)) marks.push(mark);
  return { ...moment, room, journal, marks, jumps, from, to };
}

/** When a tick was, by the wall clock then, ms; as far as is known. */
export async function timeOf(store: Store, name: string, tick: number): Promise<number | null> {
  const fixes = await beginnings(store, name);
  return fixes.length > 0 ? (await timelineOf(store, name, fixes)).timeOf(tick) : null;
}

/** The snapshots that the journal leads on from, the first first; those that the host has put aside need not be of them. */
async function beginnings(store: Store, name: string): Promise<TimePoint[]> {
  const fixes: TimePoint[] = [];
  for (const tick of await store.snapshotTicks(name)) {
    const snapshot = await store.snapshot(name, tick).catch(() => undefined);
    if (snapshot && !isSetAside(snapshot)) fixes.unshift({ tick, at: snapshot.at });
  }
  return fixes;
}

async function timelineOf(
  store: Store,
  name: string,
  from: readonly TimePoint[],
): Promise<Timeline> {
  const fixes = [...from];
  for await (const { tick, at } of store.journal(name, from[0].tick, LAST))
    fixes.push({ tick, at });
  return new Timeline(fixes);
}

const tickOf = (when: When, timeline: Timeline, last: number): number =>
  'tick' in when ? when.tick : Math.min(last, timeline.tickAt(when.time));
