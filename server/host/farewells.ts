/**
 * Runs a farewell, which ends a room's day: takes a snapshot, then makes the organisms dissolve one
 * by one. If the setting `generations` is on, children of these organisms begin the next day. If it
 * is off, the next day begins with an empty room.
 */

import { randomInt } from 'node:crypto';
import * as v from 'valibot';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { SnapshotState } from '../../shared/host/state.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom } from '../../shared/random.ts';
import { HOUSE, type OrganismId } from '../../shared/vocabulary.ts';
import { isGrown } from '../gardener/choose.ts';
import { choosePlantingPlace, type PlantingPlace } from '../gardener/reefs.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import { DEPARTURE } from '../world/departures.ts';
import { breed, type Candidate, chooseAncestors, type HeirSeed } from '../world/organisms/heirs.ts';
import type { Room } from '../world/room.ts';
import {
  countExecuted,
  type HostContext,
  runSystemCommand,
  takeSnapshot,
} from './room-operations.ts';

/**
 * Breeds heirs (seeds of children) from a room's grown organisms. Returns [] if none of these
 * organisms can give a seed.
 */
function heirsIn(room: Room): HeirSeed[] {
  const { organisms, lineage, species, tick } = room;
  const all = [...organisms, ...lineage.ended];
  const grown = organisms.filter(isGrown);
  const candidates = grown.flatMap(({ id, kind, origin, born, healed }): Candidate[] => {
    const latent = latentIn(room, id);
    const children = all.filter(({ parents }) => parents.includes(id)).length;
    return latent ? [{ id, kind, origin, born, healed, children, latent }] : [];
  });
  return breed(chooseAncestors(candidates, tick), species.latentBounds);
}

/** Returns a living organism's latent; undefined if no seed can be made from the organism. */
function latentIn(room: Room, organism: OrganismId): Float32Array | undefined {
  try {
    return room.previewSeed({ from: 'organism', organism }, HOUSE.id).latent;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return undefined;
  }
}

/**
 * Plants heirs (children of the previous day's organisms) far apart in an empty room, as many as
 * fit.
 *
 * @returns the number of planted heirs, once all `plant` commands have been answered
 */
async function plantHeirs(live: OpenRoom, heirs: readonly HeirSeed[]): Promise<number> {
  const { grid, species, tick } = live.room;
  const area = { width: grid.width, height: grid.height, side: species.side };
  const random = createRandom(tick);
  const places: PlantingPlace[] = [];
  const answers = heirs.flatMap((seed) => {
    const place = choosePlantingPlace(area, places, random);
    if (!place) return [];
    places.push(place);
    return [runSystemCommand(live, { what: 'plant', ...place, seed })];
  });
  return countExecuted(answers);
}

/** Key of the stored list of rooms whose heirs have been chosen but not planted yet. */
const RECORD = 'days';
const days = v.array(v.string());

/** Default duration of a farewell (the time in which all organisms dissolve), in seconds. */
const DURATION = 60;
/** Maximum time for which walls show the family tree after a farewell, in ms. */
const TREE = 45_000;
/** Interval between the steps of a farewell, in ms. */
const STEP = 500;
const { maxDissolving, dissolveSeconds } = DEPARTURE;

interface Farewell {
  readonly live: OpenRoom;
  /** Time in which all organisms dissolve, in seconds. */
  readonly seconds: number;
  /**
   * When the last organism should be gone (monotonic clock, ms); Infinity until organisms begin to
   * depart.
   */
  until: number;
  /** Whether the farewell began because the opening hours ended. */
  readonly atClosing: boolean;
  cancel: () => void;
  readonly end: () => void;
  readonly done: Promise<void>;
  /**
   * Number of organisms for which a `depart` command is due but has not been sent. May be
   * fractional, because a step may add less than one organism.
   */
  owed: number;
  heirs: readonly HeirSeed[];
  /** Resolves when the room has executed or refused the latest `depart` commands. */
  begun: Promise<unknown>;
}

/** Runs the farewell of each room (the end of its day, when the organisms dissolve). */
export class Farewells {
  private readonly going = new Map<string, Farewell>();
  /**
   * Names of rooms with heirs (children of the old day's organisms) that are not planted yet. The
   * names are stored, so that the server can warn at its next start that these heirs were lost.
   */
  private readonly withHeirs = new Set<string>();

  private constructor(private readonly context: HostContext) {}

  /**
   * Reads the stored names of rooms whose heirs were lost because the server stopped before it
   * planted them. Logs a warning for each room.
   *
   * @throws StoreError
   */
  static async open(context: HostContext): Promise<Farewells> {
    const { hostStore, log } = context;
    const cut = (await hostStore.serverRecord(RECORD, days)) ?? [];
    for (const room of cut) {
      const message = `The server stopped at the end of a day of room "${room}", before it had planted heirs (children of that day's organisms), so the next day begins without heirs.`;
      log.warn('no-heirs', message, { room });
    }
    const farewells = new Farewells(context);
    if (cut.length > 0) await farewells.keepRooms();
    return farewells;
  }

  /**
   * Starts the farewell of a room. Until the farewell is over, visitors can only watch.
   *
   * @param seconds time in which all organisms dissolve
   * @returns `kept`: the snapshot taken before the farewell, or null if the server stores nothing.
   *   `done`: resolves when the farewell is over or was stopped
   * @throws HostRefusal 'no-such-room', 'room-closed' or 'room-busy'
   */
  async begin(
    name: string,
    seconds = DURATION,
    atClosing = false,
  ): Promise<{ readonly kept: SnapshotState | null; readonly done: Promise<void> }> {
    const live = this.context.rooms.requireOpen(name);
    if (this.going.has(name)) throw new HostRefusal('room-busy');
    let end = (): void => {};
    const done = new Promise<void>((resolve) => {
      end = resolve;
    });
    const farewell: Farewell = {
      ...{ live, atClosing, seconds, until: Infinity, owed: 0, heirs: [] },
      ...{ cancel: () => {}, end, done, begun: Promise.resolve() },
    };
    this.going.set(name, farewell);
    this.setFarewell(farewell, true);
    // Let the walls show the whole room instead of a film or close-up.
    live.server.walls.show(undefined);
    try {
      const kept = await takeSnapshot(this.context, live.room, { before: 'reseed' });
      if (live.server.policy.settings.generations && this.going.has(name)) {
        farewell.heirs = heirsIn(live.room);
        this.withHeirs.add(name);
        await this.keepRooms();
      }
      farewell.until = this.context.clock.now() + 1000 * seconds;
      this.step(name, farewell);
      return { kept, done };
    } catch (error) {
      await this.stop(name);
      throw error;
    }
  }

  /**
   * Runs the farewell of each open room, which ends its day. Resolves when all farewells are over.
   */
  async endAll(): Promise<void> {
    await Promise.allSettled(
      [...this.context.rooms.roomServers.keys()].map(
        async (name) => this.going.get(name)?.done ?? (await this.begin(name, DURATION, true)).done,
      ),
    );
  }

  /**
   * Stops a room's farewell, if there is one. Organisms for which no `depart` command has been sent
   * stay. Resolves when the room has executed or refused the last `depart` commands.
   */
  async stop(name: string): Promise<void> {
    await Promise.all([this.leave(name), this.forgetHeirs(name)]);
  }

  stopClosing(): void {
    for (const [name, { atClosing }] of [...this.going]) if (atClosing) void this.stop(name);
  }

  close(): void {
    for (const name of [...this.going.keys()]) void this.leave(name);
  }

  private async leave(name: string): Promise<void> {
    const farewell = this.going.get(name);
    if (!farewell) return;
    farewell.cancel();
    this.going.delete(name);
    this.setFarewell(farewell, false);
    farewell.end();
    await farewell.begun;
  }

  /**
   * Ends the farewell. If the room has not been closed, plants the heirs (children of the old day's
   * organisms), if any.
   */
  private async beginDay(name: string, { live, heirs }: Farewell): Promise<void> {
    const { rooms, storage, log } = this.context;
    if (heirs.length === 0 || rooms.roomServers.get(name) !== live.server) return this.stop(name);
    void this.leave(name);
    const planted = await plantHeirs(live, heirs);
    const text = `A new day begins in room "${name}" with ${planted} heirs (children of the previous day's organisms).`;
    log.info('generation', text, { room: name });
    await storage?.journalWriter.flushed();
    return this.forgetHeirs(name);
  }

  private async forgetHeirs(name: string): Promise<void> {
    if (this.withHeirs.delete(name)) await this.keepRooms();
  }

  private async keepRooms(): Promise<void> {
    const { hostStore, log } = this.context;
    try {
      await hostStore.putServerRecord(RECORD, [...this.withHeirs]);
    } catch (error) {
      log.warn('not-kept', (error as Error).message);
    }
  }

  /**
   * Makes as many organisms depart as are due now. Organisms become due at an even rate, so that
   * the last organism is gone when the farewell ends.
   */
  private step(name: string, farewell: Farewell): void {
    if (this.going.get(name) !== farewell) return;
    const { rooms, clock } = this.context;
    const { live, until } = farewell;
    // Stop the farewell if the room has been closed in the meantime, even if the room is open
    // again.
    if (rooms.roomServers.get(name) !== live.server) {
      void this.stop(name);
      return;
    }
    const left = Math.max(0, until - clock.now());
    const { organisms } = live.room;
    if (left === 0 && organisms.length === 0) {
      this.showTree(name, farewell);
      return;
    }
    const staying = organisms.filter(({ phase }) => phase !== 'departing');
    const seconds = dissolvingTime(staying.length, left / 1000);
    const rest = left - 1000 * seconds;
    farewell.owed += rest < STEP ? staying.length : (staying.length * STEP) / rest;
    // If an organism departs while `maxDissolving` others are dissolving, one of them vanishes
    // immediately. Prevent this, except in the last step.
    const free = maxDissolving - (organisms.length - staying.length);
    farewell.owed = Math.min(farewell.owed, left < STEP ? staying.length : free);
    const begun: Promise<unknown>[] = [];
    for (; farewell.owed >= 1 && staying.length > 0; farewell.owed--) {
      const [{ id: organism }] = staying.splice(randomInt(staying.length), 1);
      begun.push(runSystemCommand(live, { what: 'depart', organism, seconds }));
    }
    // A `depart` command fails if the organism has just died, or if the room's command queue is
    // full. If the queue was full, the next step tries again.
    farewell.begun = Promise.allSettled(begun);
    farewell.cancel = clock.after(STEP, () => this.step(name, farewell));
  }

  /** Shows the family tree on the walls, then begins the next day. */
  private showTree(name: string, farewell: Farewell): void {
    const { server, room } = farewell.live;
    if (server.walls.upCount === 0 || room.lineage.ended.length === 0) {
      void this.beginDay(name, farewell);
      return;
    }
    server.policy.showsTree = true;
    server.broadcastSettings();
    const time = Math.min(TREE, 1000 * farewell.seconds);
    farewell.cancel = this.context.clock.after(time, () => void this.beginDay(name, farewell));
  }

  private setFarewell({ live: { server } }: Farewell, isGoing: boolean): void {
    server.policy.isFarewell = isGoing;
    server.policy.showsTree = false;
    server.broadcastSettings();
  }
}

/**
 * Computes how long an organism may take to dissolve, so that all organisms are gone when the
 * farewell ends, and at most `maxDissolving` dissolve simultaneously.
 *
 * @param organisms number of organisms that are not departing yet
 * @param left time until the end of the farewell, in seconds
 * @returns time in seconds
 */
const dissolvingTime = (organisms: number, left: number): number =>
  Math.max(
    STEP / 1000,
    Math.min(dissolveSeconds, (maxDissolving * left) / (organisms + maxDissolving)),
  );
