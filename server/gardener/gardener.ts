/**
 * The gardener is an automatic player that keeps a room lively while no visitor plays. It plants,
 * crosses, grafts, replaces its own organisms, and wounds organisms so that people can watch them
 * heal. It stops when a visitor acts, and while nobody watches.
 *
 * The gardener's commands are journalled and cost energy like visitors' commands. A replay repeats
 * these commands and does not run the gardener. Therefore, the gardener must not use the room's
 * random numbers.
 */

import type { GardenerWounds } from '../../shared/common-schemas.ts';
import { ROOM_DEFAULTS, type RoomSettings } from '../../shared/host/room-settings.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom, hashText, type Random } from '../../shared/random.ts';
import type { Listener } from '../extensions/call-hooks.ts';
import type { Clock } from '../platform/clock.ts';
import type { SystemCommand } from '../realtime/commands/command-dispatcher.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import type { Answer } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import { GARDENING } from './choose.ts';
import { Tending } from './tending.ts';

export interface GardenerSettings {
  /**
   * How long visitors must be inactive before the gardener starts, in ms; 'off' if it never starts.
   */
  readonly after: number | 'off';
  /** Whose organisms the gardener may wound. Default: only those that the gardener planted. */
  readonly wounds?: GardenerWounds | undefined;
  /** The creatures that the host has chosen for the gardener. If absent, the gardener chooses. */
  readonly curation?: RoomSettings['curation'] | undefined;
}

export interface GardenerOptions extends GardenerSettings {
  readonly room: Room;
  readonly clock: Clock;
  readonly random: Random;
  /** Sends a command to the room. May reject with a `Refusal`. */
  readonly act: (act: SystemCommand) => Promise<Answer>;
  readonly watched: () => boolean;
  /** Whether nobody has played in the room yet. If true, the gardener plants immediately. */
  readonly isNew?: boolean;
}

const { initialPlants, leastPlants, plantingDelay, actionDelay, refusalDelay } = GARDENING;

/** The gardener of a room. Decides when to act; `Tending` executes the actions. */
export class Gardener {
  private after: number | 'off';
  /** When a visitor was last active (monotonic clock, ms). */
  private lastActivity = Number.NEGATIVE_INFINITY;
  /** Actions to run, each at the first tick after its time `at` (monotonic clock, ms). */
  private scheduled: { readonly at: number; readonly run: () => void }[] = [];
  private nextAt = Number.NEGATIVE_INFINITY;
  private working = false;
  private readonly tending: Tending;
  private isFirstPlanting: boolean;

  constructor(private readonly options: GardenerOptions) {
    const { room, clock, random, isNew = false } = options;
    this.after = options.after;
    this.isFirstPlanting = isNew;
    this.tending = new Tending(room, random, {
      now: () => clock.now(),
      send: (act) => this.send(act),
      later: (delay, run) => {
        if (this.working) this.scheduled.push({ at: clock.now() + delay, run });
      },
    });
    this.configure(options);
  }

  configure({ after, wounds = 'own', curation }: GardenerSettings): void {
    this.after = after;
    this.tending.wounds = wounds;
    this.tending.curation = curation ?? ROOM_DEFAULTS.curation;
    if (after === 'off') this.rest();
  }

  get isActive(): boolean {
    return this.working;
  }

  /** Stops the gardener because a visitor has entered or acted. */
  visitorActive(): void {
    this.lastActivity = this.options.clock.now();
    this.rest();
  }

  /**
   * Runs the actions that are due, and starts the next action when its time has come. Call after
   * each tick.
   */
  tick(): void {
    const now = this.options.clock.now();
    // Call `plantsFirst` even while the gardener is off. If somebody else plants, `plantsFirst`
    // notices that the room is no longer new.
    const plantsFirst = this.plantsFirst();
    const { after, lastActivity, options } = this;
    const isIdle = (delay: number) => now - lastActivity >= delay && options.watched();
    if (after === 'off' || !(plantsFirst || isIdle(after))) {
      this.rest();
      return;
    }
    this.working = true;
    const due = this.scheduled.filter(({ at }) => at <= now);
    this.scheduled = this.scheduled.filter(({ at }) => at > now);
    for (const { run } of due) run();
    if (this.scheduled.length > 0 || now < this.nextAt) return;
    if (this.isFirstPlanting && this.tending.own.length < initialPlants) {
      let missing = this.tending.isWaiting ? 0 : initialPlants - this.tending.own.length;
      while (missing > 0 && this.tending.plant()) missing--;
      this.nextAt = now + plantingDelay[0];
      return;
    }
    this.nextAt = now + (this.startNext() ? this.delay() : plantingDelay[0]);
  }

  /**
   * Whether the first planting in a new room is unfinished. Visitors do not interrupt this
   * planting.
   */
  private plantsFirst(): boolean {
    if (!this.isFirstPlanting) return false;
    const { tending, options } = this;
    const { size } = options.room;
    const isLeft = (tending.own.length === 0 && size > 0) || size >= tending.target;
    this.isFirstPlanting = !isLeft && (tending.mayPlant || tending.isWaiting);
    return this.isFirstPlanting;
  }

  private rest(): void {
    this.working = false;
    this.scheduled = [];
  }

  /** Chooses an action, partly at random, and starts it. @returns false if no action is possible */
  private startNext(): boolean {
    const { tending } = this;
    if (tending.thin()) return true;
    const draw = this.options.random.uniform();
    if (tending.mayPlant) {
      return (draw < 0.35 && tending.cross()) || tending.plant() || tending.cross();
    }
    if (draw < 0.45 && tending.wound()) return true;
    if (draw < 0.7 && tending.cross()) return true;
    if (draw > 0.92 && tending.graft()) return true;
    return tending.plant() || tending.replace() || tending.wound() || tending.cross();
  }

  private delay(): number {
    const { tending, options } = this;
    const [least, most] = tending.mayPlant ? plantingDelay : actionDelay;
    // If the gardener has few organisms, it acts less often, so that it does not wound or replace
    // the same organism again and again.
    const few = leastPlants / Math.max(1, tending.own.length);
    const slower = tending.mayPlant ? 1 : Math.min(2, Math.max(1, few));
    return slower * (least + (most - least) * options.random.uniform());
  }

  /**
   * Sends a command to the room. A refusal cancels all scheduled actions and delays the next
   * action.
   *
   * @returns the room's answer; undefined if the command was refused
   */
  private async send(act: SystemCommand): Promise<Answer | undefined> {
    try {
      const answer = await this.options.act(act);
      if (!answer.refused) return answer;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    this.scheduled = [];
    this.nextAt = this.options.clock.now() + refusalDelay;
    return undefined;
  }
}

/** The gardeners of all open rooms. */
export class Gardeners implements Listener {
  readonly name = 'The gardener';
  private readonly gardeners = new Map<string, Gardener>();

  /**
   * @param roomServers the open rooms, by name
   * @param seed random seed of the gardeners, separate from the rooms' random numbers
   * @param settings returns the settings of a room's gardener
   */
  constructor(
    private readonly roomServers: ReadonlyMap<string, RoomServer>,
    private readonly clock: Clock,
    private readonly seed: number,
    private readonly settings: (room: string) => GardenerSettings,
  ) {}

  of(room: string): Gardener | undefined {
    return this.gardeners.get(room);
  }

  onRoomOpened({ room }: { readonly room: string }): void {
    const { clock, seed, settings } = this;
    const roomServer = this.roomServers.get(room);
    if (!roomServer) return;
    const actor = roomServer.dispatcher.createSystemActor(GARDENER_NAME, false);
    const gardener = new Gardener({
      ...{ room: roomServer.room, clock, act: (act) => actor.act(act) },
      random: createRandom(hashText(`${seed}/${room}/gardener`)),
      // Outside the opening hours, treat the room as unwatched, even if visitors are in it.
      watched: () => roomServer.isWatched && !roomServer.policy.isDimmed,
      ...settings(room),
      isNew: roomServer.room.lastParticipant === 0 && roomServer.room.size === 0,
    });
    this.gardeners.set(room, gardener);
  }

  onRoomClosed({ room }: { readonly room: string }): void {
    this.gardeners.delete(room);
  }

  onJoined({ room }: { readonly room: string }): void {
    this.gardeners.get(room)?.visitorActive();
  }

  onStirred({ room }: { readonly room: string }): void {
    this.gardeners.get(room)?.visitorActive();
  }

  onTick({ room }: { readonly room: string }): void {
    const gardener = this.gardeners.get(room);
    // Treat a visitor who is drawing or choosing a seed on the map as active, so that the gardener
    // does not change the room.
    if (this.roomServers.get(room)?.isBusy) gardener?.visitorActive();
    gardener?.tick();
  }
}
