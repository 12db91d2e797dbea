/**
 * Records a busy room faster than in real time. The room, its journal and its snapshots are the
 * server's own; the clock follows the ticks, so an hour of ticks leaves the files of an hour.
 */

import type { Engine } from '../../server/engine/engine.ts';
import type { Clock } from '../../server/platform/clock.ts';
import { JournalWriter } from '../../server/storage/journal-writer.ts';
import { openSound } from '../../server/storage/lmdb/open.ts';
import { openRoom } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import { type Checkpoint, fingerprint } from '../../server/vnca/checkpoint.ts';
import { EXPRESSION_PACE } from '../../server/world/organisms/expressions.ts';
import type { Species } from '../../server/world/species.ts';
import { World } from '../../server/world/world.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { GARDEN, Gardener } from '../load/garden.ts';

export const RECORDED = 'garden';
const { birth, healing } = ROOM_DEFAULTS;
const expressing = EXPRESSION_PACE;
/**
 * Start of the recording, in ms since the epoch: five seconds before the hour. The first snapshot
 * is then the last of its hour, so it stays for six hours, and the journal with it.
 */
const BEGINNING = Date.UTC(2026, 0, 1, 9, 59, 55);
const PERIOD = 1000 / GARDEN.tickRate;

interface RecordingOptions {
  readonly folder: string;
  readonly engine: Engine;
  readonly checkpoint: Checkpoint;
  readonly species: Species;
  /** Maximum number of organisms in the room. */
  readonly organisms: number;
  /** Share of these that may express at the same time. With 0, each steps in each tick. */
  readonly liveliness: number;
}

/**
 * Records the standard garden for some ticks. In the middle, the server ends as if it had been
 * killed, and another server continues from what is stored.
 *
 * @throws StoreError, EngineError
 */
export async function recordRoom(options: RecordingOptions, ticks: number) {
  const begun = performance.now();
  const half = Math.round(ticks / 2);
  const first = await openKeeper(options, 0);
  first.gardener.plantFirst(options.organisms);
  await first.tickUntil(half);
  await first.kill();
  const second = await openKeeper(options, half * PERIOD);
  const lost = half - second.room.tick;
  await second.tickUntil(ticks);
  await second.journalWriter.saveAll();
  const kept = (await second.store.snapshotTicks(RECORDED)).length;
  const bytes = await second.store.size();
  await second.kill();
  const total = (key: 'commands' | 'refused' | 'cells' | 'ticks'): number =>
    first.counts[key] + second.counts[key];
  return {
    commands: total('commands'),
    refused: total('refused'),
    /** Snapshots taken, including the last one, and snapshots that are there at the end. */
    snapshots: { taken: first.snapshots.size + second.snapshots.size + 1, kept },
    /** Mean number of cells stepped in a tick. */
    cells: total('cells') / total('ticks'),
    /** The tick of the restart, the number of ticks lost by it, and what the second server said. */
    restart: { tick: half, lost, remarks: second.remarks },
    /** Size of the store at the end. */
    bytes,
    seconds: (performance.now() - begun) / 1000,
  };
}

/**
 * Opens a server's room and store, whose ticks follow each other without a pause.
 *
 * @param begin ms since the beginning
 */
async function openKeeper(options: RecordingOptions, begin: number) {
  const { folder, engine, checkpoint, organisms, liveliness, species } = options;
  let now = begin;
  const fail = (message: string): never => {
    throw new Error(message);
  };
  const clock: Clock = { now: () => now, after: () => fail('nothing may wait on this clock') };
  const date = () => BEGINNING + now;
  const warn = (_: string, message: string) => fail(message);
  const store = new Store(await openSound(folder));
  const world = new World(engine);
  const remarks: string[] = [];
  const journalWriter = new JournalWriter({
    ...{ store, engine, clock, date, warn, snapshotLeast: 10_000 },
  });
  const { room, tail } = await openRoom(
    {
      ...{ name: RECORDED, width: GARDEN.width, height: GARDEN.height },
      ...{ maxOrganisms: organisms, seed: 1, species },
      ...(liveliness > 0 && { life: { birth, healing, expressing } }),
    },
    {
      ...{ store, world, date, say: (remark) => remarks.push(remark) },
      checkpoint: { name: checkpoint.card.name, hash: fingerprint(checkpoint) },
    },
  );
  await journalWriter.watch(room, tail);
  if (room.rules.liveliness !== liveliness) room.change({ what: 'liveliness', share: liveliness });
  const gardener = new Gardener(room);
  const counts = { commands: 0, refused: 0, cells: 0, ticks: 0 };
  const snapshots = new Set<number>();
  world.journal = async (ticks) => {
    for (const { events, refused } of ticks) {
      counts.commands += events.filter(({ what }) => what === 'command').length;
      counts.refused += refused.length;
    }
    await journalWriter.record(ticks);
  };
  return {
    ...{ room, store, journalWriter, gardener, remarks, counts },
    /** Ticks of the snapshots that were seen. */
    snapshots,
    /** Runs the garden's ticks as a server does. Each second has a planting and a stroke. */
    async tickUntil(last: number): Promise<void> {
      while (room.tick < last) {
        if (room.tick % GARDEN.tickRate === 0) {
          gardener.makeRoom();
          gardener.plantSomewhere();
          gardener.cutSomewhere();
        }
        const ticked = await world.tick([room]);
        now += PERIOD;
        journalWriter.ticked(ticked);
        counts.ticks++;
        counts.cells += ticked[0].cells;
        for (const { tick } of journalWriter.snapshotsOf(room)) snapshots.add(tick);
      }
    },
    /** Ends without a last snapshot, like a server that is killed. */
    async kill(): Promise<void> {
      await journalWriter.close();
      await world.close(room);
      await store.close();
    },
  };
}
