/**
 * Follows a room that another process runs: replays its journal as it is stored, so that the room
 * can be taken over at once. It writes nothing.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { EngineError } from '../engine/engine.ts';
import type { Room } from '../world/room.ts';
import type { World } from '../world/world.ts';
import type { JournalRecord, JournalTail, RoomRecord } from './record-schemas.ts';
import {
  checkRoom,
  type ExpectedRoom,
  latestMoment,
  type Recovered,
  readRecent,
  reopenRoom,
  replay,
} from './recovery.ts';
import type { Store, StoredMoment } from './store.ts';
import { listOf } from './undo.ts';
import { TickSums } from './watched-room.ts';

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** Why a room is not followed, or not any more: it is opened from its snapshot then. */
export class NotFollowed extends Error {
  override readonly name = 'NotFollowed';
}

/** A room in a world of its own, some ticks behind the one that runs. */
export class RoomFollower {
  /** The part of the journal that has been replayed. */
  private tail: JournalTail;
  private equal = 0;
  /** Whether the room has been handed over or closed. */
  private isOver = false;
  private readonly sums: TickSums;

  private constructor(
    private readonly store: Store,
    private readonly world: World,
    private readonly room: Room,
    private readonly stored: RoomRecord,
    tail: JournalTail,
  ) {
    this.tail = tail;
    this.sums = new TickSums(room.grid.planes);
  }

  /**
   * Opens the room's latest snapshot.
   *
   * @param world has an engine with the room's checkpoint
   * @throws NotFollowed; StoreError; EngineError
   */
  static async open(store: Store, world: World, expected: ExpectedRoom): Promise<RoomFollower> {
    const { name } = expected;
    const [stored, tail] = [await store.room(name), await store.tail(name)];
    const ticks = await store.snapshotTicks(name);
    if (!stored || !tail || ticks.length === 0) throw new NotFollowed('it has not begun');
    checkRoom(stored, expected);
    const moment = await latestMoment(store, name, tail);
    const { engine, tick, seq } = moment.snapshot;
    const own = world.engine.info;
    if (engine.name !== own.name || engine.device !== own.device) {
      throw new NotFollowed(`its owner computes with ${engine.name} on ${engine.device}`);
    }
    const beside = world.beside();
    const room = await reopenRoom(beside, expected, moment);
    return new RoomFollower(store, beside, room, stored, { tick, seq });
  }

  /**
   * Replays what has been stored since the last call.
   *
   * @param most ticks
   * @returns whether that was all
   * @throws StoreError unreachable: it can be tried again; NotFollowed; StoreError; EngineError: it is
   *   of no use any more
   */
  async catchUp(most = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { store, world, room, sums } = this;
    const { name } = room;
    const tail = await store.tail(name);
    if (!tail || tail.tick < room.tick) throw new NotFollowed('its journal begins anew');
    const to = Math.min(tail.tick, room.tick + most);
    const from = room.tick + 1;
    // All is read before anything is replayed, so that it can be tried again.
    const entries = await listOf(store.journal(name, from, to));
    const marks = await listOf(store.marks(name, from, to));
    const moments = new Map<number, StoredMoment>();
    for (const { tick, jump } of entries)
      if (jump) moments.set(tick, await store.moment(name, tick));
    this.tail = this.endOf(entries);
    const { equal, unequal } = await replay({
      ...{ world, room, to, sums, isApart: true },
      journal: each(entries),
      marks: each(marks),
      moment: async (tick) => moments.get(tick)!,
    }).catch((error: unknown) => {
      const isFull = error instanceof EngineError && error.reason === 'out-of-memory';
      throw isFull ? new NotFollowed(`this engine's memory is full`) : error;
    });
    this.equal += equal;
    if (unequal > 0) throw new NotFollowed('its cells are computed differently');
    const isAll = to === tail.tick;
    if (isAll && this.tail.seq !== tail.seq) throw new NotFollowed('its journal lacks entries');
    this.tail = { ...this.tail, tick: to };
    return isAll;
  }

  /**
   * Hands the room over to a world, at its last stored tick. No other process writes it any more.
   *
   * @throws as `catchUp`
   */
  async handOver(world: World): Promise<Recovered> {
    const stored = await this.store.room(this.room.name);
    if (this.isOver) throw new NotFollowed('it is closed');
    if (stored?.made !== this.stored.made) throw new NotFollowed('it was made anew');
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

  /** Frees what the room holds of the engine, unless it has been handed over. */
  async close(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    await this.world.close(this.room);
  }

  /** @throws NotFollowed: a snapshot leads to the end much sooner */
  private async requireNear(): Promise<void> {
    const { store, room } = this;
    const near = room.tick + DEFAULTS.cluster.followBehind;
    const tail = await store.tail(room.name);
    if (!tail || tail.tick <= near) return;
    const [stored = 0] = await store.snapshotTicks(room.name);
    const recent = (await readRecent(store, room.name))?.snapshot.tick ?? 0;
    if (Math.max(stored, recent) > near) throw new NotFollowed('it has fallen behind');
  }

  private endOf(entries: readonly JournalRecord[]): JournalTail {
    for (const [i, { seq }] of entries.entries()) {
      if (seq !== this.tail.seq + 1 + i) throw new NotFollowed('its journal lacks entries');
    }
    const { tick, seq } = entries.at(-1) ?? this.tail;
    return { tick, seq };
  }
}
