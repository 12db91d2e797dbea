/**
 * A busy room as a server keeps it, faster than it would happen: the room, its journal and its
 * snapshots are the server's own; only time is made here, from the ticks that are done, so that an
 * hour leaves in the folder what an hour leaves.
 */

import type { Engine } from '../../server/engine/engine.ts';
import type { Clock } from '../../server/platform/clock.ts';
import { JournalWriter } from '../../server/storage/journal-writer.ts';
import { openSound } from '../../server/storage/lmdb/open.ts';
import { openRoom } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import { type Checkpoint, fingerprint } from '../../server/vnca/checkpoint.ts';
import { EXPRESSION_PACE } from '../../server/world/organisms/expressions.ts';
import type { Room } from '../../server/world/room.ts';
import type { Species } from '../../server/world/species.ts';
import { World } from '../../server/world/world.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { GARDEN, Gardener } from '../load/garden.ts';

export const RECORDED = 'garden';
const { birth, healing } = ROOM_DEFAULTS;
const expressing = EXPRESSION_PACE;
/**
 * When it begins, ms since the epoch: five seconds before the hour, so that the first snapshot is
 * that hour's last, which stays for six hours, and the journal with it.
 */
const BEGINNING = Date.UTC(2026, 0, 1, 9, 59, 55);
const PERIOD = 1000 / GARDEN.tickRate;

export interface RecordingOptions {
  readonly folder: string;
  readonly engine: Engine;
  readonly checkpoint: Checkpoint;
  /** Most organisms in the room. */
  readonly organisms: number;
  /** Share of these that may express at once; 0: each steps each tick. */
  readonly liveliness: number;
  readonly species: Species;
  /** Ticks between two strokes. */
  readonly cutEvery: number;
  /** Whether ticks are written to the journal, and snapshots taken. */
  readonly isStored: boolean;
}

export type Recording = Awaited<ReturnType<typeof recordRoom>>;

/**
 * Records the standard garden for some ticks. In the middle the server ends as if it had been killed, and
 * another one goes on from what is kept.
 *
 * @throws StoreError, EngineError
 */
export async function recordRoom(options: RecordingOptions, ticks: number) {
  const begun = performance.now();
  const half = Math.round(ticks / 2);
  const first = await Keeper.open(options, 0);
  first.gardener.plantFirst(options.organisms);
  await first.tickUntil(half);
  await first.end();
  const second = await Keeper.open(options, half * PERIOD);
  const lost = half - second.room.tick;
  await second.tickUntil(ticks);
  await second.save();
  const kept = (await second.parts.store.snapshotTicks(RECORDED)).length;
  const bytes = await second.parts.store.size();
  await second.end();
  const total = (of: (keeper: Keeper) => number): number => of(first) + of(second);
  return {
    commands: total(({ commands }) => commands),
    refused: total(({ refused }) => refused),
    /** That were taken, and that are still there at the end. */
    snapshots: { taken: total(({ snapshots }) => snapshots.size), kept },
    /** Cells stepped in a tick, mean. */
    cells: total(({ cells }) => cells) / total(({ took }) => took.length),
    /** In the middle: ticks that were lost with the server, and what it said when it was back. */
    restart: { tick: half, lost, remarks: second.parts.remarks },
    /** Of the store when all is done. */
    bytes,
    seconds: (performance.now() - begun) / 1000,
  };
}

interface KeeperParts {
  readonly world: World;
  readonly room: Room;
  readonly store: Store;
  readonly remarks: string[];
  readonly journalWriter: JournalWriter;
  readonly time: { now: number };
  readonly options: RecordingOptions;
}

/** A server's room and store, whose ticks follow each other without a pause. */
export class Keeper {
  readonly gardener: Gardener;
  commands = 0;
  refused = 0;
  cells = 0;
  /** Duration of each tick, in ms. */
  readonly took: number[] = [];
  /** Ticks of those that were seen. */
  readonly snapshots = new Set<number>();

  private constructor(readonly parts: KeeperParts) {
    this.gardener = new Gardener(parts.room);
  }

  get room(): Room {
    return this.parts.room;
  }

  /** @param now ms since the beginning */
  static async open(options: RecordingOptions, now: number): Promise<Keeper> {
    const { folder, engine, checkpoint, organisms, liveliness, species } = options;
    const time = { now };
    const clock: Clock = {
      now: () => time.now,
      after: () => {
        throw new Error('nothing waits for the time');
      },
    };
    const date = () => BEGINNING + time.now;
    const store = new Store(await openSound(folder));
    const world = new World(engine);
    const remarks: string[] = [];
    const warn = (_: string, message: string) => {
      throw new Error(message);
    };
    const journalWriter = new JournalWriter({
      store,
      engine,
      clock,
      date,
      warn,
      snapshotLeast: 10_000,
    });
    const { name, hash } = { name: checkpoint.card.name, hash: fingerprint(checkpoint) };
    const { room, tail } = await openRoom(
      {
        name: RECORDED,
        width: GARDEN.width,
        height: GARDEN.height,
        maxOrganisms: organisms,
        seed: 1,
        species,
        ...(liveliness > 0 && { life: { birth, healing, expressing } }),
      },
      { store, world, checkpoint: { name, hash }, date, say: (remark) => remarks.push(remark) },
    );
    await journalWriter.watch(room, tail);
    if (room.liveliness !== liveliness) room.setLiveliness(liveliness);
    return new Keeper({ world, room, store, remarks, journalWriter, time, options });
  }

  /**
   * Runs the garden's ticks, each with what a server does in it. Each second has a planting.
   */
  async tickUntil(last: number): Promise<void> {
    const { gardener, took } = this;
    const { world, room, journalWriter, time, options } = this.parts;
    const { cutEvery, isStored } = options;
    world.journal = async (ticks) => {
      for (const { events, refused } of ticks) {
        this.commands += events.filter(({ what }) => what === 'command').length;
        this.refused += refused.length;
      }
      if (isStored) await journalWriter.record(ticks);
    };
    while (room.tick < last) {
      if (room.tick % GARDEN.tickRate === 0) {
        gardener.makeRoom();
        gardener.plantSomewhere();
      }
      if (room.tick % cutEvery === 0) gardener.cutSomewhere();
      const begun = performance.now();
      const ticked = await world.tick([room]);
      took.push(performance.now() - begun);
      time.now += PERIOD;
      if (isStored) journalWriter.ticked(ticked);
      this.cells += ticked[0].cells;
      for (const { tick } of journalWriter.snapshotsOf(room)) this.snapshots.add(tick);
    }
  }

  /** As a server does that is stopped. */
  async save(): Promise<void> {
    await this.parts.journalWriter.saveAll();
    this.snapshots.add(this.room.tick);
  }

  /** Without a last snapshot, as a server that is killed. */
  async end(): Promise<void> {
    const { journalWriter, world, room, store } = this.parts;
    await journalWriter.close();
    await world.close(room);
    await store.close();
  }
}
