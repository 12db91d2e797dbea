/**
 * Types of an extension: a file whose default export has hooks, called when something happens in a
 * room. It runs in its own thread and acts like any participant. EXTENSIONS.md shows how to write
 * one.
 */

import { DEFAULTS } from '../../shared/defaults.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import type {
  LifeEvent,
  OrganismId,
  OrganismView,
  ParticipantId,
  ParticipantView,
  SeedView,
} from '../../shared/vocabulary.ts';
import { ReasonError } from '../platform/log.ts';
import type { RoomCommand } from '../world/commands.ts';
import type { Expressing } from '../world/organisms/expressions.ts';

/** A room was opened. Also sent for each open room after an extension restarts. */
export interface RoomOpened {
  readonly room: string;
  /** Cells. */
  readonly width: number;
  readonly height: number;
  readonly tickRate: number;
  readonly checkpoint: string;
  /** Names of the gallery entries, by index. */
  readonly gallery: readonly string[];
  readonly organisms: readonly OrganismView[];
}

/** A room was closed. */
export interface RoomClosed {
  readonly room: string;
}

/** A visitor is about to join. `name` is '' if they gave none. */
export interface Joining {
  readonly room: string;
  readonly name: string;
}

/** A participant has joined or left. */
export interface Joined {
  readonly room: string;
  readonly participant: ParticipantView;
}

/** A participant is active: moves their pointer or sends a command. Sent at most once a tick. */
export interface Stirred {
  readonly room: string;
}

/** A command of a participant, before it is queued. */
export type Wish<W extends RoomCommand['what']> = RoomCommand & { readonly what: W } & {
  readonly room: string;
};

/**
 * A life event; `expressing`: a resting organism has begun to express a relative; `crossed`: a
 * participant crossed two organisms and holds the seed; or `generation`: a day of the room has
 * begun with these heirs, who are this generation of its family tree.
 */
export type Happening =
  | LifeEvent
  | Expressing
  | {
      readonly what: 'crossed';
      readonly parents: readonly OrganismId[];
      readonly by: number;
      readonly seed: number;
    }
  | {
      readonly what: 'generation';
      readonly number: number;
      readonly heirs: readonly OrganismId[];
    };

/** An event in the life of a room's organisms. */
export interface Lived {
  readonly room: string;
  readonly tick: number;
  readonly event: Happening;
}

/** A tick of a room is done. */
export interface Ticked {
  readonly room: string;
  readonly tick: number;
  readonly organisms: number;
  /** Number of organisms that are stepped. */
  readonly awake: number;
  /** Number of participants present. */
  readonly people: number;
  /** Nominal ticks per second. */
  readonly tickRate: number;
  /** Ticks per second over the last two seconds. */
  readonly actual: number;
  /** Whether the room falls behind its nominal rate. */
  readonly slow: boolean;
}

/** A room's figures, sent at most twice a second. */
export interface Figures extends Ticked {
  /** Mean colour of all owned places, 0…1 each; black if there are none. */
  readonly colour: readonly [red: number, green: number, blue: number];
  /** Share of the places that are owned, 0…1. */
  readonly living: number;
}

/** The argument of each hook that is informed. */
export interface Told {
  readonly onRoomOpened: RoomOpened;
  readonly onRoomClosed: RoomClosed;
  readonly onJoined: Joined;
  readonly onLeft: Joined;
  readonly onStirred: Stirred;
  readonly onLife: Lived;
  readonly onTick: Ticked;
  readonly onFigures: Figures;
}

/** A drawing that is to become a seed. */
export interface Drawn {
  readonly room: string;
  readonly by: ParticipantView;
  /** Side of the drawing, cells. */
  readonly side: number;
  /** [side, side] bytes of ink, or [side, side, 4] of premultiplied RGBA. */
  readonly pixels: Uint8Array;
}

/** The argument of each hook that may refuse. */
export interface Asked {
  readonly onJoin: Joining;
  readonly onPlant: Wish<'plant'>;
  readonly onStroke: Wish<'damage'>;
  readonly onCross: Wish<'cross'>;
  readonly onTransform: Wish<'transform'>;
  readonly onDraw: Drawn;
}

/** A refusal, with a text for developers and the log. */
export interface Objection {
  readonly refuse: string;
}

/** Where the host looks at drawings first, this one does not wait. */
export interface Permission {
  readonly allow: true;
}

type Hooks = {
  readonly [H in keyof Told]?: (told: Told[H]) => unknown;
} & {
  readonly [H in keyof Asked]?: (asked: Asked[H]) => Verdict<H> | Promise<Verdict<H>>;
};

type Verdict<H> = Objection | undefined | (H extends 'onDraw' ? Permission : never);

/**
 * An extension. Hooks are called in the order of events and do not wait for one another. Those that
 * may refuse answer with their result, or its promise; other results are ignored.
 */
export interface Extension extends Hooks {
  /** Its name in the log and as a planter. */
  readonly name: string;
  /** Called before the server closes, which waits up to 2 s. */
  readonly onClose?: () => unknown;
}

/** The result of a command. */
export interface Outcome {
  readonly refused?: { readonly reason: Reason; readonly detail: string };
  /** The seed of a cross; plant it with `{ from: 'hand', seed: seed.id }`. */
  readonly seed?: SeedView;
}

type Act<W extends RoomCommand['what']> = Omit<RoomCommand & { readonly what: W }, 'what' | 'by'>;

/** The commands of an extension, with a participant's prices and limits. */
export interface Hand {
  plant(room: string, act: Act<'plant'>): Promise<Outcome>;
  damage(room: string, act: Act<'damage'>): Promise<Outcome>;
  cross(room: string, act: Act<'cross'>): Promise<Outcome>;
  transform(room: string, act: Act<'transform'>): Promise<Outcome>;
  /** Writes a line to the server's log. */
  say(line: string): void;
}

/** The default export of an extension's file. */
export type ExtensionFile = Extension | ((hand: Hand) => Extension | Promise<Extension>);

/** Names of all hooks but `onClose`. */
export const HOOKS = [
  'onRoomOpened',
  'onRoomClosed',
  'onJoined',
  'onLeft',
  'onStirred',
  'onLife',
  'onTick',
  'onFigures',
  'onJoin',
  'onPlant',
  'onStroke',
  'onCross',
  'onTransform',
  'onDraw',
] as const satisfies readonly (keyof Told | keyof Asked)[];

export type ToldHook = keyof Told;
export type AskedHook = keyof Asked;

/** Why an extension or OSC cannot be started. */
export type HookReason =
  /** The file does not exist. */
  | 'not-found'
  /** It has no default export with a name and hooks. */
  | 'no-extension'
  /** The address for OSC is unknown, or not one of this machine. */
  | 'no-address'
  /** Another program uses the port. */
  | 'port-taken';

/** An extension or OSC cannot be started. The message is one sentence for the host. */
export class HookError extends ReasonError<HookReason> {
  override readonly name = 'HookError';
}

interface ParticipantQueue {
  count: number;
  tail: Promise<unknown>;
}

/** A queue of commands for each participant. */
export class ApprovalQueue {
  private readonly queues = new Map<ParticipantId, ParticipantQueue>();

  /**
   * Queues a command.
   *
   * @param askExtensions resolves to an objection or undefined, never rejects; absent: no approval
   *   needed
   * @returns undefined if the command may run immediately; otherwise resolves when it may, or
   *   rejects with Refusal not-here
   * @throws Refusal too-fast when the participant has too many commands queued
   */
  submit(
    by: ParticipantId,
    askExtensions: (() => Promise<string | undefined>) | undefined,
  ): Promise<void> | undefined {
    const queue = this.queues.get(by) ?? { count: 0, tail: Promise.resolve() };
    if (queue.count === 0 && !askExtensions) return undefined;
    if (queue.count >= DEFAULTS.room.maxQueuedPerParticipant) throw new Refusal('too-fast');
    this.queues.set(by, queue);
    queue.count++;
    const approved = Promise.all([askExtensions?.(), queue.tail]).then(([objection]) => {
      if (--queue.count === 0) this.queues.delete(by);
      if (objection !== undefined) throw new Refusal('not-here', objection);
    });
    queue.tail = approved.catch(() => {});
    return approved;
  }
}
