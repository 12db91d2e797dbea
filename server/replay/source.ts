/** A stretch of a room's life: where it begins, what came in, what it must look like. */
import * as v from 'valibot';
import { StoreError } from '../store/errors.ts';
import { isAside } from '../store/keeping.ts';
import type { JournalRecord, Mark, RoomRecord } from '../store/schemas.ts';
import {
  cellsRecord,
  journalRecord,
  markRecord,
  roomRecord,
  snapshotRecord,
} from '../store/schemas.ts';
import type { Moment, Store } from '../store/store.ts';
import { roomState } from '../world/roomState.ts';
import type { When } from './options.ts';

export const stretch = v.strictObject({
  room: roomRecord,
  snapshot: snapshotRecord,
  state: roomState,
  cells: v.array(cellsRecord.entries.state),
  journal: v.array(journalRecord),
  marks: v.array(markRecord),
  /** Where the room became another at once. */
  jumps: v.optional(
    v.array(v.strictObject({ state: roomState, cells: v.array(cellsRecord.entries.state) })),
  ),
  /** First and last tick that were asked for; the snapshot may be of an earlier one. */
  from: v.number(),
  to: v.number(),
});

export interface Stretch extends Moment {
  readonly room: RoomRecord;
  readonly journal: readonly JournalRecord[];
  readonly marks: readonly Mark[];
  readonly jumps?: readonly Pick<Moment, 'state' | 'cells'>[] | undefined;
  readonly from: number;
  readonly to: number;
}

/**
 * Reads a stretch of what is kept.
 *
 * @throws StoreError not-kept: there is nothing of that time; damaged
 */
export async function readStretch(
  store: Store,
  name: string,
  wanted: { readonly from: When | undefined; readonly to: When | undefined },
): Promise<Stretch> {
  const room = await store.room(name);
  const tail = await store.tail(name);
  if (!room || !tail) {
    const rooms = (await store.rooms()).join(', ') || 'none';
    throw new StoreError('not-kept', `No room "${name}" is kept here; there is: ${rooms}.`);
  }
  const ticks = await beginnings(store, name);
  const from = await tickOf(store, name, wanted.from, ticks[0]);
  const to = await tickOf(store, name, wanted.to, tail.tick);
  const base = ticks.findLast((tick) => tick <= from);
  if (base === undefined || to > tail.tick || from > to) {
    throw new StoreError(
      'not-kept',
      `Of room "${name}" the ticks ${ticks[0]} to ${tail.tick} are kept, not ${from} to ${to}.`,
    );
  }
  const moment = await store.moment(name, base);
  const journal: JournalRecord[] = [];
  const jumps: Pick<Moment, 'state' | 'cells'>[] = [];
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
  const marks: Mark[] = [];
  for await (const mark of store.marks(name, base + 1, to)) marks.push(mark);
  return { ...moment, room, journal, marks, jumps, from, to };
}

/** Ticks of the snapshots that the journal leads on from, the first first; those that the host has put aside need not be of them. */
async function beginnings(store: Store, name: string): Promise<number[]> {
  const ticks: number[] = [];
  for (const tick of await store.snapshotTicks(name)) {
    const snapshot = await store.snapshot(name, tick).catch(() => undefined);
    if (snapshot && !isAside(snapshot)) ticks.unshift(tick);
  }
  return ticks;
}

async function tickOf(
  store: Store,
  name: string,
  when: When | undefined,
  otherwise: number,
): Promise<number> {
  if (when === undefined) return otherwise;
  if ('tick' in when) return when.tick;
  let last = otherwise;
  for await (const { tick, at } of store.journal(name, 0, Number.MAX_SAFE_INTEGER - 1)) {
    last = tick;
    if (at >= when.time) break;
  }
  return last;
}
