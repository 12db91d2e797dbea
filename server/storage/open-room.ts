/**
 * Opens a room: creates it, restores it, or takes it over from a replica. Never writes while
 * replicating. Start at `openRoom`.
 */

import { isDeepStrictEqual } from 'node:util';
import { DEFAULT_FLASH_LIMIT } from '../../shared/vocabulary.ts';
import { EngineError } from '../engine/engine.ts';
import type { Room } from '../world/room.ts';
import type { RoomPlace, World } from '../world/world.ts';
import { isEventful, isMarkDue } from './journal-writer.ts';
import type { JournalRecord, JournalTail, RoomRecord } from './record-schemas.ts';
import { StoreError } from './records.ts';
import {
  checkRoom,
  type ExpectedRoom,
  latestMoment,
  type Recovered,
  recover,
  reopenRoom,
  replay,
} from './recovery.ts';
import { listOf, type Store, type StoredMoment } from './store.ts';
import { TickSums } from './watched-room.ts';

/** A replica that lags more than this many ticks behind the room's latest snapshot is not used. */
export const MAX_LAG = 300;

/**
 * Thrown if a room cannot be replicated, with the reason. The room must then be opened from its
 * snapshot.
 */
export class NotReplicated extends Error {
  override readonly name = 'NotReplicated';
}

/**
 * Replica of a room that another server runs. It replays the stored journal in a separate world,
 * some ticks behind, so that this server can take the room over immediately.
 */
export class RoomReplica {
  private equal = 0;
  /** Whether the room has been handed over or closed. */
  private isOver = false;
  private readonly sums: TickSums;

  private constructor(
    private readonly store: Store,
    private readonly world: World,
    private readonly room: Room,
    private readonly stored: RoomRecord,
    /** End of the journal replayed so far. */
    private tail: JournalTail,
  ) {
    this.sums = new TickSums(room.grid.planes);
  }

  /**
   * Opens the room's latest snapshot.
   *
   * @param world has an engine with the room's checkpoint
   * @throws NotReplicated; StoreError; EngineError
   */
  static async open(store: Store, world: World, expected: ExpectedRoom): Promise<RoomReplica> {
    const { name } = expected;
    const [stored, tail] = [await store.room(name), await store.tail(name)];
    const ticks = await store.snapshotTicks(name);
    if (!stored || !tail || ticks.length === 0)
      throw new NotReplicated('the room has no snapshot yet');
    checkRoom(stored, expected);
    const moment = await latestMoment(store, name, tail);
    const { engine, tick, seq } = moment.snapshot;
    const own = world.engine.info;
    if (engine.name !== own.name || engine.device !== own.device) {
      throw new NotReplicated(
        `the server that runs the room computes with ${engine.name} on ${engine.device}`,
      );
    }
    const beside = world.beside();
    const room = await reopenRoom(beside, expected, moment);
    return new RoomReplica(store, beside, room, stored, { tick, seq });
  }

  /**
   * Replays the journal stored since the last call.
   *
   * @param most maximum number of ticks to replay
   * @returns whether everything stored has been replayed
   * @throws StoreError unreachable, after which the caller can call it again later; NotReplicated,
   *   other StoreErrors and EngineError, after which the replica is unusable
   */
  async catchUp(most = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { store, world, room, sums } = this;
    const { name } = room;
    const tail = await store.tail(name);
    if (!tail || tail.tick < room.tick) throw new NotReplicated('its journal has begun again');
    const to = Math.min(tail.tick, room.tick + most);
    const from = room.tick + 1;
    // Read everything before replaying, so that a failed read can be retried.
    const entries = await listOf(store.journal(name, from, to));
    const marks = await listOf(store.marks(name, from, to));
    const moments = new Map<number, StoredMoment>();
    for (const { tick, jump } of entries)
      if (jump) moments.set(tick, await store.moment(name, tick));
    this.tail = this.endOf(entries);
    const { equal, unequal } = await replay({
      ...{ world, room, to, sums, isApart: true, journal: entries, marks },
      moment: async (tick) => moments.get(tick)!,
    }).catch((error: unknown) => {
      const isFull = error instanceof EngineError && error.reason === 'out-of-memory';
      throw isFull ? new NotReplicated(`this engine's memory is full`) : error;
    });
    this.equal += equal;
    if (unequal > 0) throw new NotReplicated('this server computes its cells differently');
    const isAll = to === tail.tick;
    if (isAll && this.tail.seq !== tail.seq)
      throw new NotReplicated('entries of its journal are missing');
    this.tail = { ...this.tail, tick: to };
    return isAll;
  }

  /**
   * Hands the room over to a world at its last stored tick. Call it only when no other process
   * writes the room.
   *
   * @throws NotReplicated; StoreError; EngineError
   */
  async handOver(world: World): Promise<Recovered> {
    const stored = await this.store.room(this.room.name);
    if (this.isOver) throw new NotReplicated('the replica is closed');
    if (stored?.made !== this.stored.made)
      throw new NotReplicated('the room was deleted and created again');
    await this.requireNear();
    const { room, equal: before } = this;
    const from = room.tick;
    await this.catchUp();
    world.adopt(room, this.world);
    this.isOver = true;
    const { tail, equal } = this;
    const ticks = room.tick - from;
    return { ...{ room, tail, ticks, equal: equal - before, unequal: 0 }, remarks: [] };
  }

  /** Frees the room's engine memory, unless the room has been handed over. */
  async close(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    await this.world.close(this.room);
  }

  /**
   * Checks that replaying the rest of the journal is worthwhile.
   *
   * @throws NotReplicated if a snapshot is much nearer to the end of the journal
   */
  private async requireNear(): Promise<void> {
    const { store, room } = this;
    const near = room.tick + MAX_LAG;
    const tail = await store.tail(room.name);
    if (!tail || tail.tick <= near) return;
    const [stored = 0] = await store.snapshotTicks(room.name);
    const recent = (await store.recent(room.name))?.snapshot.tick ?? 0;
    if (Math.max(stored, recent) > near) throw new NotReplicated('this server has fallen behind');
  }

  private endOf(entries: readonly JournalRecord[]): JournalTail {
    for (const [i, { seq }] of entries.entries()) {
      if (seq !== this.tail.seq + 1 + i)
        throw new NotReplicated('entries of its journal are missing');
    }
    const { tick, seq } = entries.at(-1) ?? this.tail;
    return { tick, seq };
  }
}

interface OpenRoomOptions {
  readonly store: Store;
  readonly world: World;
  readonly checkpoint: RoomRecord['checkpoint'];
  /**
   * Replica of the room in its current state, if there is one; `openRoom` hands it over or closes
   * it.
   */
  readonly replica?: RoomReplica | undefined;
  /**
   * False if another process may have shown eventless ticks after the last stored one. If absent,
   * true.
   */
  readonly isStored?: boolean;
  /** Returns the wall-clock time, in ms. */
  readonly date: () => number;
  /** Receives notices for the host. */
  readonly say: (remark: string) => void;
}

/**
 * Opens a room. Call `JournalWriter.watch` before its first tick.
 *
 * @returns the room, the end of its journal, and whether it comes from the replica
 * @throws StoreError; EngineError
 */
export async function openRoom(
  place: RoomPlace,
  { store, world, checkpoint, replica, isStored = true, date, say }: OpenRoomOptions,
): Promise<{ room: Room; tail: JournalTail; isReplica: boolean }> {
  const { name, width, height, seed, maxOrganisms, species } = place;
  const stored = await store.room(name);
  if (!stored && (await store.hasPartsOf(name))) {
    throw new StoreError('damaged', `The stored room "${name}" lacks its main record.`);
  }
  if (!stored || (await isUnused(store, name))) {
    await store.createRoom({ name, width, height, seed, checkpoint, made: date() });
    return { room: world.open(place), tail: { tick: 0, seq: 0 }, isReplica: false };
  }
  const taken = await replica?.handOver(world).catch(async () => {
    await replica.close();
    return undefined;
  });
  const { room, tail, ticks, remarks } =
    taken ?? (await recover(store, world, { name, width, height, checkpoint, species }));
  for (const remark of remarks) say(remark);
  const count = room.organisms.length;
  say(
    `Room "${name}" is ${taken ? 'taken over in its current state' : 'restored'}: ` +
      `${count} ${count === 1 ? 'organism' : 'organisms'}, tick ${room.tick}` +
      `${ticks > 0 ? `, the last ${ticks} ticks replayed` : ''}.`,
  );
  if (!isStored) {
    try {
      await passUnstored(world, room);
      // If this leader fails, the next one must not start before this tick, so store the tick now.
      await store.commit({ room: name, tail: { ...tail, tick: room.tick } });
    } catch (error) {
      await world.close(room).catch(() => {});
      throw error;
    }
  }
  if (room.maxOrganisms !== maxOrganisms) room.setMaxOrganisms(maxOrganisms);
  const { flashLimit = DEFAULT_FLASH_LIMIT } = place;
  if (room.flashLimit !== flashLimit) room.setFlashLimit(flashLimit);
  room.updateRules();
  if (place.life && !isDeepStrictEqual(place.life, room.life)) room.setLife(place.life);
  if (place.energy) room.setEnergy(place.energy);
  if (place.tickRate) room.setTickRate(place.tickRate);
  return { room, tail: { ...tail, tick: room.tick }, isReplica: taken !== undefined };
}

/**
 * Steps a room past all ticks that another process may have shown, so that new events happen only
 * after everything visitors have seen.
 */
async function passUnstored(world: World, room: Room): Promise<void> {
  let isDue = false;
  // Eventful ticks before the last stored one may have made a checksum due earlier; this loop ends
  // at the latest possible tick.
  for (let isChanged = false; !isDue; ) {
    const [ticked] = await world.tick([room], undefined, true);
    isChanged ||= isEventful(ticked);
    isDue = isMarkDue(room.tick, isChanged);
  }
  // A checksum is stored with the tick after it. That tick may therefore have been shown, too, so
  // step it as well.
  await world.tick([room], undefined, true);
}

/** Whether a room was created but never reached its first snapshot. */
export async function isUnused(store: Store, name: string): Promise<boolean> {
  const tail = await store.tail(name);
  return tail?.tick === 0 && tail.seq === 0 && (await store.snapshotTicks(name)).length === 0;
}
