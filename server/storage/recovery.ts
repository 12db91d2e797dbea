/**
 * Puts a room back as it was at its last kept tick: the latest snapshot that is whole, and the journal from there on, stepped
 * as fast as the engine can.
 */
import type { Room, TickResult } from '../world/room.ts';
import type { Species } from '../world/species.ts';
import type { World } from '../world/world.ts';
import { checksumOf, TickSums } from './plane-checksums.ts';
import type { JournalRecord, JournalTail, PlaneChecksum, RoomRecord } from './record-schemas.ts';
import type { Store, StoredMoment } from './store.ts';
import { StoreError } from './store-error.ts';

export interface Recovered {
  readonly room: Room;
  readonly tail: JournalTail;
  /** Ticks that were done again, and the checksums among them that were equal and that were not. */
  readonly ticks: number;
  readonly equal: number;
  readonly unequal: number;
  /** What a host should know. */
  readonly remarks: readonly string[];
}

/** What the server would open a room as. */
export interface ExpectedRoom {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly checkpoint: RoomRecord['checkpoint'];
  readonly species: Species;
}

/** @throws StoreError other-checkpoint, other-size: what was kept is another room than the one that is wanted */
export function checkRoom(kept: RoomRecord, wanted: ExpectedRoom): void {
  const { name, checkpoint } = wanted;
  const otherwise = 'or open it under another name with --rooms, or with another --data';
  if (kept.checkpoint.hash !== checkpoint.hash) {
    const same = kept.checkpoint.name === checkpoint.name;
    throw new StoreError(
      'other-checkpoint',
      `The room "${name}" was grown from ${same ? 'other files of' : 'the checkpoint'} "${kept.checkpoint.name}"; ` +
        `its cells mean nothing to ${same ? 'these' : `"${checkpoint.name}"`}. Start with --checkpoint of that, ${otherwise}.`,
    );
  }
  if (kept.width !== wanted.width || kept.height !== wanted.height) {
    throw new StoreError(
      'other-size',
      `The room "${name}" has ${kept.width}x${kept.height} cells, not ${wanted.width}x${wanted.height}. ` +
        `Start with --size ${kept.width}x${kept.height}, ${otherwise}.`,
    );
  }
}

/**
 * @param world has an engine with the room's checkpoint, and no journal yet
 * @throws StoreError damaged, other-version, other-checkpoint, other-size; EngineError
 */
export async function recover(
  store: Store,
  world: World,
  wanted: ExpectedRoom,
): Promise<Recovered> {
  const { name } = wanted;
  const kept = await store.room(name);
  const tail = await store.tail(name);
  if (!kept || !tail) throw new StoreError('damaged', `The room "${name}" is not kept whole.`);
  checkRoom(kept, wanted);
  const remarks: string[] = [];
  const moment = await latestMoment(store, name, tail, (remark) => remarks.push(remark));
  const { engine } = moment.snapshot;
  const other = `${engine.name} on ${engine.device}`;
  const isOther = other !== `${world.engine.info.name} on ${world.engine.info.device}`;
  const end = await lastWholeEntry(store, name, moment, tail);
  if (end.gap) {
    remarks.push(
      `Room "${name}": what happened after tick ${end.tail.tick} could not be kept then, and is lost.`,
    );
  }
  const room = await reopenRoom(world, wanted, moment);
  const { ticks, equal, unequal } = await replay({
    world,
    room,
    to: end.tail.tick,
    journal: store.journal(name, room.tick + 1, end.tail.tick),
    marks: store.marks(name, room.tick + 1, end.tail.tick),
    moment: (tick) => store.moment(name, tick),
  });
  if (ticks > 0 && isOther) {
    remarks.push(
      `Room "${name}": the last ${ticks} ticks were computed by ${other}, and now again by another engine: every command is ` +
        `there, pictures may differ.`,
    );
  } else if (unequal > 0) {
    remarks.push(
      `Room "${name}": ${unequal} of ${equal + unequal} checksums of the last ${ticks} ticks differ; every command is there, ` +
        `but the cells were computed otherwise than before.`,
    );
  }
  if (end.gap) await store.truncate(name, end.tail);
  return { room, tail: end.tail, ticks, equal, unequal, remarks };
}

/** Opens the room of a moment. */
export function reopenRoom(
  world: World,
  { name, width, height, species }: Pick<ExpectedRoom, 'name' | 'width' | 'height' | 'species'>,
  { state, cells }: Pick<StoredMoment, 'state' | 'cells'>,
): Promise<Room> {
  const { maxOrganisms } = state;
  return world.restore({ name, width, height, maxOrganisms, seed: 0, species, from: state }, cells);
}

/** The latest snapshot that is whole. @throws StoreError damaged: there is none */
async function latestMoment(
  store: Store,
  name: string,
  tail: JournalTail,
  remark: (text: string) => void,
): Promise<StoredMoment> {
  for (const tick of await store.snapshotTicks(name)) {
    if (tick > tail.tick) continue;
    try {
      return await store.moment(name, tick);
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'damaged') throw error;
      remark(`Room "${name}": the snapshot of tick ${tick} is damaged and was passed over.`);
    }
  }
  throw new StoreError('damaged', `The room "${name}" has no snapshot that is whole.`);
}

/**
 * Reads the journal through before any of it is done again.
 *
 * @returns where it ends; before the end of what was written, where something could not be written
 * @throws StoreError damaged: an entry is, or is missing
 */
async function lastWholeEntry(
  store: Store,
  name: string,
  { snapshot }: StoredMoment,
  tail: JournalTail,
): Promise<{ readonly tail: JournalTail; readonly gap: boolean }> {
  let last: JournalTail = { tick: snapshot.tick, seq: snapshot.seq };
  for await (const entry of store.journal(name, snapshot.tick + 1, tail.tick)) {
    if (entry.seq !== last.seq + 1) {
      if (entry.gap) return { tail: last, gap: true };
      throw missing(name, last.tick, entry.tick);
    }
    // Where the room became another at once, the snapshot of that moment is all there is.
    if (entry.jump && !(await isWhole(store, name, entry.tick))) return { tail: last, gap: true };
    last = { tick: entry.tick, seq: entry.seq };
  }
  if (last.seq !== tail.seq) throw missing(name, last.tick, tail.tick);
  return { tail, gap: false };
}

async function isWhole(store: Store, name: string, tick: number): Promise<boolean> {
  try {
    await store.moment(name, tick);
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.reason === 'damaged') return false;
    throw error;
  }
}

const missing = (name: string, from: number, to: number): StoreError =>
  new StoreError(
    'damaged',
    `The journal of room "${name}" lacks what happened between the ticks ${from} and ${to}.`,
  );

export interface Replay {
  readonly world: World;
  /** Stands at the tick before the first of these. */
  readonly room: Room;
  /** Tick after which it ends. */
  readonly to: number;
  readonly journal: AsyncIterable<JournalRecord>;
  readonly marks: AsyncIterable<PlaneChecksum>;
  /** What the room became at once in a tick, where the journal says that it did. */
  readonly moment: (tick: number) => Promise<Pick<StoredMoment, 'state' | 'cells'>>;
  /** Told of each tick that was done; where it has a checksum, whether that is equal, and with it all ticks since the last one. */
  readonly onTick?: (tick: TickResult, equal: boolean | undefined) => void | Promise<void>;
}

/** Does ticks again. */
export async function replay({ world, room, to, journal, marks, moment, onTick }: Replay): Promise<{
  readonly ticks: number;
  readonly equal: number;
  readonly unequal: number;
  /** Ticks that were equal, each of them. */
  readonly proven: number;
}> {
  const entries = journal[Symbol.asyncIterator]();
  const checks = marks[Symbol.asyncIterator]();
  let entry = await entries.next();
  let check = await checks.next();
  const from = room.tick;
  const sums = new TickSums(room.grid.planes);
  let proven = 0;
  let equal = 0;
  let unequal = 0;
  while (room.tick < to) {
    const tick = room.tick + 1;
    if (!entry.done && entry.value.tick === tick && entry.value.jump) {
      const { state, cells } = await moment(tick);
      await world.replaceState(room, state, cells);
      entry = await entries.next();
      await onTick?.({ tick, answers: [], life: [], changed: [] }, undefined);
      continue;
    }
    if (!entry.done && entry.value.tick === tick) {
      room.redo(entry.value.events as never);
      entry = await entries.next();
    }
    const [{ result }] = await world.tick([room]);
    sums.ticked(tick, result.changed);
    let same: boolean | undefined;
    if (!check.done && check.value.tick === tick) {
      const { planes, each } = check.value;
      const all = each && sums.proves(each);
      same = planes === checksumOf(room.grid.planes) && all !== false;
      if (same) equal++;
      else unequal++;
      if (same) proven += each && all ? tick - each.since + 1 : 1;
      sums.take();
      check = await checks.next();
    }
    await onTick?.(result, same);
  }
  return { ticks: to - from, equal, unequal, proven };
}
