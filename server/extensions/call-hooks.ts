/** Sends events of rooms to listeners and extensions, and asks extensions to approve commands. */
import { resolve } from 'node:path';
import type { Planes } from '../../shared/codec/chunks.ts';
import { meanColourAt } from '../../shared/hues.ts';
import { generationsOf } from '../../shared/lineage.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { HOUSE, type LifeEvent, type ParticipantId } from '../../shared/vocabulary.ts';
import type { Clock } from '../platform/clock.ts';
import { defined, getOrAdd } from '../platform/collections.ts';
import type { Log } from '../platform/log.ts';
import { chargeCommand, parseCommand } from '../realtime/commands/client-messages.ts';
import type { SystemActor, SystemCommand } from '../realtime/commands/command-dispatcher.ts';
import { Allowance, type Limits } from '../realtime/limits/connection-limits.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import type { RoomHooks } from '../realtime/sessions/room-client.ts';
import { QUEUE_LIMITS } from '../world/commands.ts';
import { lineageTree } from '../world/organisms/family-tree.ts';
import type { TickResult } from '../world/room.ts';
import type { Pace } from '../world/ticker.ts';
import {
  type ActName,
  type ActResult,
  type AskHook,
  HOOK_OF,
  type Notifications,
  type NotifyHook,
  type Questions,
  type RoomLifeEvent,
} from './extension.ts';
import { LIMITS } from './extension-limits.ts';
import { type ActRequest, ExtensionThread, type HookAnswer } from './extension-thread.ts';

/**
 * Creates the `generation` event if heirs were planted in this tick. Heirs are the organisms with
 * which a room's new day begins. They have parents, and are planted in the host's name.
 *
 * @param life the tick's life events
 * @returns an array with the event; empty if no heirs were planted
 */
function generationIn(
  life: readonly LifeEvent[],
  { room, policy }: RoomServer,
): readonly RoomLifeEvent[] {
  const heirs = life.flatMap((event) => {
    if (event.what !== 'born') return [];
    const { id, planter, parents } = event.organism;
    return planter.id === HOUSE.id && parents.length > 0 ? [id] : [];
  });
  if (heirs.length === 0) return [];
  const tree = lineageTree(room, policy.settings.tickRate);
  const generations = generationsOf(tree.organisms);
  const number = Math.max(...heirs.map((id) => generations.get(id) ?? 1));
  return [{ what: 'generation', number, heirs }];
}

/** Computes the mean colour of the owned cells, and their share of all cells. Both are 0…1. */
function coverOf({ rgba, owner }: Planes) {
  // Allocate the maximum length, because growing the array would be slow.
  const owned = new Uint32Array(owner.length);
  let count = 0;
  for (let cell = 0; cell < owner.length; cell++) if (owner[cell] !== 0) owned[count++] = cell;
  const colour = meanColourAt(rgba, owned.subarray(0, count)) ?? ([0, 0, 0] as const);
  return { colour, living: count / owner.length };
}

/** Queues each participant's commands until extensions have approved them. */
class ApprovalQueue {
  private readonly queues = new Map<ParticipantId, { count: number; tail: Promise<unknown> }>();

  /**
   * Queues a command behind the participant's earlier commands.
   *
   * @param askExtensions asks the extensions for approval; never rejects. If absent, the command
   *   needs no approval
   * @returns undefined if the command may run immediately; otherwise, a promise that resolves
   *   when the command may run. The promise rejects with the Refusal 'not-here' if an extension
   *   objects
   * @throws Refusal 'too-fast' if the participant has too many commands queued
   */
  submit(
    by: ParticipantId,
    askExtensions: (() => Promise<HookAnswer>) | undefined,
  ): Promise<void> | undefined {
    const queue = this.queues.get(by) ?? { count: 0, tail: Promise.resolve() };
    if (queue.count === 0 && !askExtensions) return undefined;
    if (queue.count >= QUEUE_LIMITS.maxQueuedPerParticipant) throw new Refusal('too-fast');
    this.queues.set(by, queue);
    queue.count++;
    const approved = Promise.all([askExtensions?.(), queue.tail]).then(([answer]) => {
      if (--queue.count === 0) this.queues.delete(by);
      requireAllowed(answer);
    });
    queue.tail = approved.catch(() => {});
    return approved;
  }
}

function requireAllowed({ refuse }: HookAnswer = {}): void {
  if (refuse !== undefined) throw new Refusal('not-here', refuse);
}

/**
 * A part of the server that receives events. A listener is removed if one of its hooks throws an
 * error.
 */
export type Listener = { readonly name: string } & {
  readonly [H in NotifyHook]?: (about: Notifications[H]) => void;
};

interface WatchedRoom {
  readonly roomServer: RoomServer;
  readonly pace: () => Pace;
  readonly approvals: ApprovalQueue;
  readonly actors: Map<ExtensionThread, SystemActor>;
  figuresAt: number;
  isActive: boolean;
}

const isActName = (what: string): what is ActName => Object.hasOwn(HOOK_OF, what);

/** Calls the hooks of all listeners and extensions. */
export class Hooks {
  private extensions: ExtensionThread[] = [];
  private readonly listeners = new Set<Listener>();
  private readonly rooms = new Map<string, WatchedRoom>();
  private readonly allowances = new Map<ExtensionThread, Allowance>();

  private constructor(
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly limits: Limits,
  ) {}

  /**
   * Loads extensions. If loading fails with any error other than a HookError, tries again later.
   *
   * @param files paths of the extensions
   * @param limits rate limits of each extension
   * @throws HookError if a file does not exist or is not an extension
   */
  static async open(
    files: readonly string[],
    clock: Clock,
    log: Log,
    limits: Limits,
  ): Promise<Hooks> {
    const hooks = new Hooks(clock, log, limits);
    const started = await Promise.allSettled(
      files.map((file) =>
        ExtensionThread.start({
          file: resolve(file),
          clock,
          log,
          act: (extension, act) => hooks.act(extension, act),
          // A restarted extension has missed the events that announced the open rooms.
          onRestarted: (extension) => {
            for (const { roomServer, pace } of hooks.rooms.values()) {
              extension.tell('onRoomOpened', opened(roomServer, pace()));
            }
          },
        }),
      ),
    );
    hooks.extensions = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed) {
      await hooks.close();
      throw failed.reason;
    }
    return hooks;
  }

  /** Adds a listener, and calls its `onRoomOpened` for each open room. */
  add(listener: Listener): void {
    this.listeners.add(listener);
    for (const { roomServer, pace } of this.rooms.values()) {
      this.call(listener, 'onRoomOpened', opened(roomServer, pace()));
    }
  }

  watch(roomServer: RoomServer, pace: () => Pace): void {
    const watched: WatchedRoom = {
      ...{ roomServer, pace, figuresAt: -Infinity, isActive: false },
      ...{ approvals: new ApprovalQueue(), actors: new Map() },
    };
    this.rooms.set(roomServer.room.name, watched);
    roomServer.hooks = this.roomHooksFor(watched);
    this.tell('onRoomOpened', () => opened(roomServer, pace()));
  }

  unwatch(roomServer: RoomServer): void {
    this.rooms.delete(roomServer.room.name);
    roomServer.hooks = undefined;
    this.tell('onRoomClosed', () => ({ room: roomServer.room.name }));
  }

  /** Sends the events of a room's tick to listeners and extensions. Call after each tick. */
  ticked(roomServer: RoomServer, { tick, life, expressing = [], answers }: TickResult): void {
    const room = roomServer.room.name;
    const watched = this.rooms.get(room);
    if (!watched) return;
    if (watched.isActive) this.tell('onStirred', () => ({ room }));
    watched.isActive = false;
    const crossed = answers.flatMap(({ by, seed }): RoomLifeEvent[] => {
      if (seed?.origin !== 'cross') return [];
      return [{ what: 'crossed', parents: seed.parents, by, seed: seed.id }];
    });
    for (const event of [...life, ...expressing, ...crossed, ...generationIn(life, roomServer)]) {
      this.tell('onLife', () => ({ room, tick, event }));
    }
    const summary = () => {
      const { size: organisms, awake } = roomServer.room;
      return { room, tick, organisms, awake, people: roomServer.seats.size, ...watched.pace() };
    };
    this.tell('onTick', summary);
    const now = this.clock.now();
    if (now - watched.figuresAt < LIMITS.figures) return;
    watched.figuresAt = now;
    this.tell('onFigures', () => ({ ...summary(), ...coverOf(roomServer.room.grid.planes) }));
  }

  /** Reports all rooms as closed, and closes all extensions. */
  async close(): Promise<void> {
    for (const { roomServer } of [...this.rooms.values()]) this.unwatch(roomServer);
    await Promise.all(this.extensions.map((extension) => extension.close()));
  }

  private roomHooksFor(watched: WatchedRoom): RoomHooks {
    const { roomServer, approvals } = watched;
    const room = roomServer.room.name;
    return {
      joined: (participant) => this.tell('onJoined', () => ({ room, participant })),
      left: (participant) => this.tell('onLeft', () => ({ room, participant })),
      active: () => {
        watched.isActive = true;
      },
      join: (name) => this.ask('onJoin', { room, name })?.().then(requireAllowed),
      draw: (by, pixels) => {
        const { side } = roomServer.room.species;
        return this.ask('onDraw', { room, by, side, pixels })?.().then((answer) => {
          requireAllowed(answer);
          return answer.allow === true;
        });
      },
      command: (command) => {
        const { what, by } = command;
        // Do not ask an extension about its own commands.
        const [own] = [...watched.actors].find(([, { you }]) => you?.id === by.id) ?? [];
        const ask = isActName(what)
          ? this.ask(HOOK_OF[what], { ...command, room } as never, own)
          : undefined;
        return approvals.submit(by.id, ask);
      },
    };
  }

  /**
   * Creates a function that calls `hook` in each extension that has this hook, to ask whether the
   * extension allows an action.
   *
   * @param except an extension that is not asked
   * @returns undefined if there are no extensions to ask. Otherwise, a function that resolves to
   * the first objection. Without objections, it resolves to `{ allow: true }` if an extension
   * explicitly allows the action, otherwise to `{}`
   */
  private ask<H extends AskHook>(
    hook: H,
    about: Questions[H],
    except?: ExtensionThread,
  ): (() => Promise<HookAnswer>) | undefined {
    const asked = this.extensions.filter((one) => one !== except && one.has(hook));
    if (asked.length === 0) return undefined;
    return async () => {
      const answers = await Promise.all(asked.map((one) => one.ask(hook, about)));
      const index = answers.findIndex(({ refuse }) => refuse !== undefined);
      if (index >= 0) return { refuse: `${asked[index].name}: ${answers[index].refuse}` };
      return answers.some(({ allow }) => allow) ? { allow: true } : {};
    };
  }

  private tell<H extends NotifyHook>(hook: H, about: () => Notifications[H]): void {
    let event: Notifications[H] | undefined;
    for (const listener of [...this.listeners]) {
      if (listener[hook]) this.call(listener, hook, (event ??= about()));
    }
    for (const extension of this.extensions) {
      if (extension.has(hook)) extension.tell(hook, (event ??= about()));
    }
  }

  private call<H extends NotifyHook>(listener: Listener, hook: H, event: Notifications[H]): void {
    try {
      (listener[hook] as ((event: Notifications[H]) => void) | undefined)?.(event);
    } catch (error) {
      this.listeners.delete(listener);
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const text = `"${listener.name}" failed and gets no more events until the server restarts: ${why}`;
      this.log.error('hook-failed', text);
    }
  }

  private async act(
    extension: ExtensionThread,
    { room, what, parameters }: ActRequest,
  ): Promise<ActResult> {
    try {
      const watched = this.rooms.get(room);
      if (!watched) throw new Refusal('no-such-room', room);
      const { id, ...command } = parseCommand(what, { ...(parameters as object), id: 0 });
      const allowance = getOrAdd(
        this.allowances,
        extension,
        () => new Allowance(this.limits, this.clock),
      );
      chargeCommand(allowance, what, command);
      const actor = getOrAdd(watched.actors, extension, () =>
        watched.roomServer.dispatcher.createSystemActor(extension.name, false),
      );
      const { refused, seed } = await actor.act({ what, ...command } as SystemCommand);
      return defined({ refused, seed });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { refused: { reason: error.reason, detail: error.detail } };
    }
  }
}

function opened({ room }: RoomServer, { tickRate }: Pace): Notifications['onRoomOpened'] {
  const { width, height } = room.grid;
  const { checkpoint, gallery } = room.species;
  return {
    ...{ room: room.name, width, height, tickRate, checkpoint, organisms: room.organisms },
    gallery: gallery.map(({ name }) => name),
  };
}
