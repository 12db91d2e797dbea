/** Tells whoever wants to hear what happens in the rooms, and asks whoever may object: the house's own listeners, and extensions. */
import { resolve } from 'node:path';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import { COMMANDS } from '../../shared/protocol/commands.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { Allowance, costsOf, type Limits } from '../realtime/admission/command-costs.ts';
import type { SystemActor, SystemCommand } from '../realtime/commands/system-actor.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import type { RoomHooks } from '../realtime/sessions/room-client.ts';
import type { RoomCommand } from '../world/commands.ts';
import type { TickResult } from '../world/room.ts';
import type { Pace } from '../world/ticker.ts';
import { ApprovalQueue } from './approval-queue.ts';
import type { Asked, AskedHook, Outcome, Told, ToldHook } from './extension.ts';
import { ExtensionThread } from './extension-thread.ts';
import { meanColour } from './mean-colour.ts';

/** One of the house's own, which runs beside the rooms: what it throws is logged, and it is not called again. */
export type Listener = { readonly name: string } & {
  readonly [H in ToldHook]?: (told: Told[H]) => void;
};

export interface HooksOptions {
  /** Of extensions. */
  readonly files: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** What one of them may do in a second. */
  readonly limits: Limits;
}

interface Watched {
  readonly roomServer: RoomServer;
  readonly pace: () => Pace;
  readonly deliberation: ApprovalQueue;
  /** Those who act here, by extension. */
  readonly hands: Map<ExtensionThread, SystemActor>;
  figuresAt: number;
  /** Somebody has played since the last tick. */
  stirred: boolean;
}

const HOOK_OF = {
  plant: 'onPlant',
  damage: 'onStroke',
  cross: 'onCross',
} as const satisfies Partial<Record<RoomCommand['what'], AskedHook>>;

/** What extensions may object to, and do themselves. */
type ActName = keyof typeof HOOK_OF;

const isActName = (what: string): what is ActName => Object.hasOwn(HOOK_OF, what);

export class Hooks {
  private extensions: ExtensionThread[] = [];
  private readonly listeners = new Set<Listener>();
  private readonly rooms = new Map<string, Watched>();
  private readonly allowances = new Map<ExtensionThread, Allowance>();

  private constructor(private readonly options: HooksOptions) {}

  /** Loads extensions. @throws HookError */
  static async open(options: HooksOptions): Promise<Hooks> {
    const hooks = new Hooks(options);
    const { clock, log } = options;
    const started = await Promise.allSettled(
      options.files.map((file) =>
        ExtensionThread.start({
          file: resolve(file),
          clock,
          log,
          act: (extension, act) => hooks.act(extension, act),
          onFresh: (extension) => hooks.announceRooms(extension),
        }),
      ),
    );
    hooks.extensions = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed) {
      await hooks.close();
      throw failed.reason;
    }
    for (const { name } of hooks.extensions) {
      log.info('extension', `The extension "${name}" is there.`, { extension: name });
    }
    return hooks;
  }

  /** From now on it hears of everything; of rooms that are open it hears first. */
  add(listener: Listener): void {
    this.listeners.add(listener);
    for (const { roomServer, pace } of this.rooms.values()) {
      this.call(listener, 'onRoomOpened', opened(roomServer, pace()));
    }
  }

  /** A room has been opened. */
  watch(roomServer: RoomServer, pace: () => Pace): void {
    const watched: Watched = {
      roomServer,
      pace,
      deliberation: new ApprovalQueue(),
      hands: new Map(),
      figuresAt: -Infinity,
      stirred: false,
    };
    this.rooms.set(roomServer.room.name, watched);
    roomServer.hooks = this.roomHooksFor(watched);
    this.tell('onRoomOpened', () => opened(roomServer, pace()));
  }

  /** A room has been closed. */
  unwatch(roomServer: RoomServer): void {
    this.rooms.delete(roomServer.room.name);
    roomServer.hooks = undefined;
    this.tell('onRoomClosed', () => ({ room: roomServer.room.name }));
  }

  /** A tick of a room is done. */
  ticked(roomServer: RoomServer, { tick, life, answers }: TickResult): void {
    const room = roomServer.room.name;
    const watched = this.rooms.get(room);
    if (!watched) return;
    if (watched.stirred) this.tell('onStirred', () => ({ room }));
    watched.stirred = false;
    for (const event of life) this.tell('onLife', () => ({ room, tick, event }));
    for (const { by, seed } of answers) {
      if (seed?.origin !== 'cross') continue;
      const event = { what: 'crossed', parents: seed.parents, by, seed: seed.id } as const;
      this.tell('onLife', () => ({ room, tick, event }));
    }
    const ticked = () => {
      const { size: organisms, awake } = roomServer.room;
      return { room, tick, organisms, awake, people: roomServer.size, ...watched.pace() };
    };
    this.tell('onTick', ticked);
    const now = this.options.clock.now();
    if (now - watched.figuresAt < DEFAULTS.hooks.figures) return;
    watched.figuresAt = now;
    this.tell('onFigures', () => ({ ...ticked(), ...meanColour(roomServer.room.grid.planes) }));
  }

  /** Extensions are told, and ended. */
  async close(): Promise<void> {
    for (const { roomServer } of [...this.rooms.values()]) this.unwatch(roomServer);
    await Promise.all(this.extensions.map((extension) => extension.close()));
  }

  private roomHooksFor(watched: Watched): RoomHooks {
    const { roomServer, deliberation } = watched;
    const room = roomServer.room.name;
    return {
      joined: (participant) => this.tell('onJoined', () => ({ room, participant })),
      left: (participant) => this.tell('onLeft', () => ({ room, participant })),
      active: () => {
        watched.stirred = true;
      },
      join: (name) =>
        this.ask('onJoin', { room, name })?.().then((objection) => {
          if (objection !== undefined) throw new Refusal('not-here', objection);
        }),
      command: (command) => {
        const { what } = command;
        const asked = isActName(what)
          ? this.ask(
              HOOK_OF[what],
              { ...command, room } as never,
              this.actorOf(watched, command.by),
            )
          : undefined;
        return deliberation.submit(command.by.id, asked);
      },
    };
  }

  /** @returns the extension that acts so, for nobody is asked about what she does herself */
  private actorOf({ hands }: Watched, { id }: { id: ParticipantId }): ExtensionThread | undefined {
    for (const [extension, { you }] of hands) if (you?.id === id) return extension;
    return undefined;
  }

  /** @returns what asks all that have such a hook for the first objection; undefined when none has */
  private ask<H extends AskedHook>(
    hook: H,
    about: Asked[H],
    but?: ExtensionThread,
  ): (() => Promise<string | undefined>) | undefined {
    const asked = this.extensions.filter((one) => one !== but && one.has(hook));
    if (asked.length === 0) return undefined;
    return async () => {
      const answers = await Promise.all(asked.map((one) => one.ask(hook, about)));
      const at = answers.findIndex((answer) => answer !== undefined);
      return at < 0 ? undefined : `${asked[at].name}: ${answers[at]}`;
    };
  }

  private tell<H extends ToldHook>(hook: H, about: () => Told[H]): void {
    let told: Told[H] | undefined;
    for (const listener of [...this.listeners]) {
      if (listener[hook]) this.call(listener, hook, (told ??= about()));
    }
    for (const extension of this.extensions) {
      if (extension.has(hook)) extension.tell(hook, (told ??= about()));
    }
  }

  private call<H extends ToldHook>(listener: Listener, hook: H, told: Told[H]): void {
    try {
      (listener[hook] as ((told: Told[H]) => void) | undefined)?.(told);
    } catch (error) {
      this.listeners.delete(listener);
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.options.log.error('hook-failed', `${listener.name} has ended: ${why}`);
    }
  }

  /** One that was started anew is told of the rooms. */
  private announceRooms(extension: ExtensionThread): void {
    for (const { roomServer, pace } of this.rooms.values()) {
      extension.tell('onRoomOpened', opened(roomServer, pace()));
    }
  }

  /** An extension wants something of a room. */
  private async act(
    extension: ExtensionThread,
    { room, what, wish }: { readonly room: string; readonly what: string; readonly wish: unknown },
  ): Promise<Outcome> {
    try {
      const watched = this.rooms.get(room);
      if (!watched) throw new Refusal('no-such-room', room);
      if (!isActName(what)) throw new Refusal('bad-message', what);
      const parsed = v.safeParse(COMMANDS[what], { ...(wish as object), id: 0 });
      if (!parsed.success) {
        const [issue] = parsed.issues;
        throw new Refusal('bad-message', `${v.getDotPath(issue) ?? what}: ${issue.message}`);
      }
      this.allow(extension, what, parsed.output);
      const { id: _, ...command } = parsed.output;
      let hand = watched.hands.get(extension);
      if (!hand) {
        hand = watched.roomServer.createSystemActor(extension.name, false);
        watched.hands.set(extension, hand);
      }
      const { refused, seed } = await hand.act({ what, ...command } as SystemCommand);
      return { ...(refused && { refused }), ...(seed && { seed }) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { refused: { reason: error.reason, detail: error.detail } };
    }
  }

  /** @throws Refusal too-fast */
  private allow(extension: ExtensionThread, name: ActName, message: unknown): void {
    const now = this.options.clock.now();
    let allowance = this.allowances.get(extension);
    if (!allowance) {
      allowance = new Allowance(this.options.limits, now);
      this.allowances.set(extension, allowance);
    }
    for (const [rate, amount] of costsOf(name, message)) {
      if (!allowance.take(rate, amount, now)) throw new Refusal('too-fast', rate);
    }
  }
}

function opened({ room }: RoomServer, { tickRate }: Pace): Told['onRoomOpened'] {
  const { width, height } = room.grid;
  const { checkpoint, gallery } = room.species;
  return {
    room: room.name,
    width,
    height,
    tickRate,
    checkpoint,
    gallery: gallery.map(({ name }) => name),
    organisms: room.organisms,
  };
}
