/**
 * Runs the ticks of all rooms: steps the world, journals the result, and lets rooms broadcast it.
 */
import { EngineError } from '../engine/engine.ts';
import type { Hooks } from '../extensions/call-hooks.ts';
import type { Metrics } from '../operations/metrics.ts';
import { TickWatchdog } from '../operations/watches.ts';
import type { Clock } from '../platform/clock.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import { StoreError } from '../storage/records.ts';
import { DeferredWork, Ticker, type TickTiming } from '../world/ticker.ts';
import type { World } from '../world/world.ts';

export interface TickLoopOptions {
  readonly world: World;
  readonly clock: Clock;
  readonly hooks: Hooks;
  readonly journalWriter: JournalWriter | undefined;
  readonly metrics: () => Metrics | undefined;
  /** Returns the servers of the rooms that are open now, by room name. */
  readonly roomServers: () => ReadonlyMap<string, RoomServer>;
  /** Whether a room may tick and be shown here now; false if another server may run it. */
  readonly mayTick: (room: string) => boolean;
  /** Keeps previews from using the engine until a given time (ms of the clock). */
  readonly pausePreviews: (until: number) => void;
  readonly onTick: ((timing: TickTiming) => void) | undefined;
  readonly onHeartbeat: (() => void) | undefined;
  /** Called when the ticks cannot continue. */
  readonly onFailure: (error: unknown) => void;
}

/** Builds the tick loop. The loop ticks the rooms that are added to its ticker. */
export function createTickLoop(options: TickLoopOptions) {
  const { world, clock, hooks, journalWriter, metrics, mayTick, onFailure } = options;
  const watchdog = new TickWatchdog({
    clock,
    onHeartbeat: () => options.onHeartbeat?.(),
    onStalled: () => {
      onFailure(
        world.isStoring
          ? new StoreError(
              'write-failed',
              'A tick did not end, because the disk of --data (with --cluster, Valkey) does not answer. Commands of this tick are not stored. Check the disk or Valkey.',
            )
          : new EngineError('failed', 'a tick did not end, because the engine has stalled'),
      );
    },
  });
  const deferredWork = new DeferredWork(clock, onFailure);
  const ticker = new Ticker({
    clock,
    tick: async (planned, isApart) => {
      const due = planned.filter(({ name }) => mayTick(name));
      if (due.length === 0) return;
      for (const { name } of due) options.roomServers().get(name)?.tickInProgress.begin();
      const ticks = await watchdog.during(() => world.tick(due, () => deferredWork.run(), isApart));
      journalWriter?.ticked(ticks);
      const ticked: RoomServer[] = [];
      for (const { room, result } of ticks) {
        const roomServer = options.roomServers().get(room.name);
        // Skip rooms that this server may no longer run: during the tick, the process may have been
        // suspended, or the journal may have failed.
        if (!roomServer || !mayTick(room.name)) continue;
        roomServer.handleTick(result, clock.now());
        hooks.ticked(roomServer, result);
        ticked.push(roomServer);
      }
      deferredWork.defer(() => {
        for (const roomServer of ticked) {
          if (mayTick(roomServer.room.name)) roomServer.broadcast(clock.now());
        }
      });
      // Broadcast now if there is time before the next tick. Also broadcast now if a refresh is
      // pending: it sends the room's current state, so it must run before the next tick begins.
      if (!ticker.isBehind || ticked.some((roomServer) => roomServer.refresh.hasPending)) {
        deferredWork.run();
      }
      metrics()?.ticked(ticks);
    },
    onTick: (timing) => {
      metrics()?.timed(timing);
      options.onTick?.(timing);
    },
    onPause: options.pausePreviews,
    onError: onFailure,
  });
  return { ticker, watchdog, deferredWork };
}
