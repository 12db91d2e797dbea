/**
 * Opens a room according to its stored plan (size, checkpoint and settings), and applies changed
 * settings while the room runs. Start reading at `bringUpRoom`.
 */

import { isDeepStrictEqual } from 'node:util';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { RoomSettings } from '../../shared/host/room-settings.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { FlashLimit, LifeSettings } from '../../shared/vocabulary.ts';
import type { EngineInfo } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Bans } from '../realtime/policy/bans.ts';
import { type KeepItem, MODERATION, type Moderation } from '../realtime/policy/moderation.ts';
import type { RoomPolicy } from '../realtime/policy/room-policy.ts';
import type { WallSeats } from '../realtime/policy/wall-seats.ts';
import { RoomServer } from '../realtime/room-server.ts';
import { NewcomerEnergy } from '../realtime/sessions/newcomer-energy.ts';
import type { WallInfo } from '../realtime/sessions/room-client.ts';
import { DeviceMarks, ResumeTokens } from '../realtime/sessions/signed-tokens.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import type { PlanRecord } from '../storage/record-schemas.ts';
import { StoreError } from '../storage/records.ts';
import { openRoom, type RoomReplica } from '../storage/recovery.ts';
import type { SetAside } from '../storage/set-aside.ts';
import type { Store } from '../storage/store.ts';
import { storedTimes } from '../storage/watched-room.ts';
import { EXPRESSION_PACE } from '../world/organisms/expressions.ts';
import type { Room } from '../world/room.ts';
import { TickTimes } from '../world/tick-times.ts';
import type { Ticker } from '../world/ticker.ts';
import type { RoomPlace, World } from '../world/world.ts';
import type { LoadedCheckpoint } from './loaded-checkpoint.ts';

const lifeOf = ({ birth, healing, lifetime }: RoomSettings): LifeSettings => ({
  ...{ birth, healing, lifetime, expressing: EXPRESSION_PACE },
});

/** Access to stored rooms. */
export interface RoomStorage {
  readonly store: Store;
  readonly journalWriter: JournalWriter;
  /**
   * Moves the data of damaged rooms to a separate folder. If undefined, damaged rooms are not
   * opened.
   */
  readonly aside: SetAside | undefined;
}

export interface LiveRoomOptions {
  readonly world: World;
  readonly ticker: Ticker;
  readonly engine: EngineInfo;
  /** The loaded checkpoints, by name. */
  readonly checkpoints: ReadonlyMap<string, LoadedCheckpoint>;
  /** Storage for rooms. If absent, rooms exist only while the server runs. */
  readonly storage?: RoomStorage | undefined;
  /**
   * Copies a checkpoint's files to the data folder, so that rooms keep their weights if the
   * installed checkpoint changes. Never rejects.
   */
  readonly retainCheckpoint?: ((name: string, hash: string) => Promise<void>) | undefined;
  /** Secret key that signs resume tokens and device marks. */
  readonly secret: Uint8Array;
  readonly bans: Bans;
  readonly wallSeats: WallSeats;
  readonly wallInfo: () => WallInfo;
  /**
   * URL of the page that links on keepsakes (pictures and films of organisms, which visitors take
   * home) open. If absent, these links open the server's own page.
   */
  readonly keepUrl?: string | undefined;
  readonly maxSpectators: number;
  /** Maximum number of flashes per second in a room; if absent, the default. */
  readonly flashLimit?: FlashLimit;
  readonly clock: Clock;
  /** Returns the wall-clock time, in ms since the epoch. */
  readonly date: () => number;
  readonly log: Log;
}

export interface OpenRoom {
  readonly room: Room;
  readonly server: RoomServer;
}

/**
 * Opens a room and adds it to the ticker. If the room is stored, restores its stored state.
 *
 * @param options.isStrict whether to refuse a room with damaged data, instead of moving the data
 *   aside
 * @param options.replica an up-to-date replica of the room, if there is one
 * @param options.isStored see `OpenRoomOptions`
 * @throws HostRefusal 'no-such-checkpoint' if the room's checkpoint is not loaded; StoreError;
 *   EngineError
 */
export async function bringUpRoom(
  plan: PlanRecord,
  policy: RoomPolicy,
  options: LiveRoomOptions & {
    readonly isStrict?: boolean;
    readonly replica?: RoomReplica | undefined;
    readonly isStored?: boolean;
  },
): Promise<OpenRoom> {
  const { world, ticker, storage, engine, secret, clock, date, log } = options;
  const { name, width, height, seed, checkpoint } = plan;
  const loaded = options.checkpoints.get(checkpoint);
  if (!loaded) throw new HostRefusal('no-such-checkpoint', checkpoint);
  const { maxOrganisms, energy, tickRate, capacity, protect } = policy.settings;
  const { species, hash, facts, previews } = loaded;
  const place: RoomPlace = {
    ...{ name, width, height, maxOrganisms, seed, species, energy, tickRate },
    flashLimit: options.flashLimit,
    life: lifeOf(policy.settings),
  };
  let room: Room;
  let times = new TickTimes();
  let kept: Moderation = { mutes: [], drawings: [], reports: [] };
  if (storage) {
    const { store, journalWriter, aside } = storage;
    const open = () =>
      openRoom(place, {
        ...{ store, world, date },
        checkpoint: { name: facts.name, hash },
        replica: options.replica,
        ...(options.isStored !== undefined && { isStored: options.isStored }),
        say: (remark) => log.info('room', remark),
      });
    const opened = await open().catch(async (error: unknown) => {
      const isDamaged = error instanceof StoreError && error.reason === 'damaged';
      if (!isDamaged || !aside || options.isStrict) throw error;
      await aside.room(name, error.message);
      return open();
    });
    room = opened.room;
    await options.retainCheckpoint?.(checkpoint, hash);
    try {
      // If the times of earlier ticks are unreadable, the room opens without these times.
      times = await storedTimes(store, name).catch(() => times);
      times.goOn({ tick: room.tick, at: date() }, tickRate);
      kept = await readModeration(store, name);
      policy.muted.clear();
      for (const { id } of kept.mutes) policy.muted.add(id);
      await journalWriter.watch(room, opened.tail, opened.isReplica, times);
    } catch (error) {
      await world.close(room);
      throw error;
    }
  } else {
    room = world.open(place);
    times.goOn({ tick: room.tick, at: date() }, tickRate);
  }
  if (room.strokes.protect !== protect) room.change({ what: 'protect', seconds: protect });
  ticker.add(room, tickRate);
  const server = new RoomServer({
    ...{ ...options, room, times, capacity, previews, policy, kept, keep: keeper(name, options) },
    info: { checkpoint: facts, engine },
    pace: () => ticker.pace(room)!,
    resumeTokens: new ResumeTokens(secret, name),
    newcomers: new NewcomerEnergy(room, new DeviceMarks(secret), clock),
  });
  return { room, server };
}

/** Reads a room's mutes, drawings and reports. @throws StoreError */
async function readModeration(store: Store, room: string): Promise<Moderation> {
  return {
    mutes: await store.items(room, 'mutes', MODERATION.mutes),
    drawings: await store.items(room, 'drawings', MODERATION.drawings),
    reports: await store.items(room, 'reports', MODERATION.reports),
  };
}

function keeper(room: string, { storage, log }: LiveRoomOptions): KeepItem {
  return async (list, id, item) => {
    if (!storage) return;
    await storage.store.putItem(room, list, id, item).catch(({ reason, message }: StoreError) => {
      log.warn('not-kept', message, { room });
      // If the disk is full or not writable, the room continues without storing the item. After any
      // other error, refuse the change, because another server may have taken over the room.
      const isFull = reason === 'disk-full' || reason === 'write-failed';
      if (!isFull) throw new Refusal('elsewhere', message);
    });
  };
}

/** Applies the changed settings of a room, and sends the new settings to the room's clients. */
export function applySettings(
  { room, server }: OpenRoom,
  settings: RoomSettings,
  previous: RoomSettings,
  ticker: Ticker,
): void {
  const { tickRate, capacity, maxOrganisms, energy, names, protect, drawings } = settings;
  if (tickRate !== previous.tickRate) {
    ticker.setRate(room, tickRate);
    room.setTickRate(tickRate);
  }
  if (capacity !== previous.capacity) server.admission.setCapacity(capacity);
  if (maxOrganisms !== previous.maxOrganisms) room.change({ what: 'limit', maxOrganisms });
  if (protect !== previous.protect) room.change({ what: 'protect', seconds: protect });
  const life = lifeOf(settings);
  if (!isDeepStrictEqual(life, room.rules.life)) room.change({ what: 'life', settings: life });
  if (JSON.stringify(energy) !== JSON.stringify(previous.energy)) server.setEnergy(energy);
  if (names !== previous.names) server.refresh.request();
  if (!settings.spectators) server.spectators.disconnectAll('no-spectators');
  if (drawings !== previous.drawings) server.drawings.settingsChanged();
  server.broadcastSettings();
}
