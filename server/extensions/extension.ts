/**
 * Types for authors of extensions. An extension is a file whose default export has hooks: functions
 * that the server calls when something happens in a room. It runs in a separate thread, and can send
 * commands like a participant. EXTENSIONS.md shows how to write an extension.
 */

import type {
  LifeEvent,
  OrganismId,
  OrganismView,
  ParticipantView,
} from '../../shared/vocabulary.ts';
import { ReasonError } from '../platform/log.ts';
import type { Answer, RoomCommand } from '../world/commands.ts';
import type { Expressing } from '../world/organisms/expressions.ts';
import type { Pace } from '../world/ticker.ts';

/** Event: a room was opened. An extension that restarts gets this event again for each open room. */
export interface RoomOpened {
  readonly room: string;
  /** Size of the grid, in cells. */
  readonly width: number;
  readonly height: number;
  readonly tickRate: number;
  readonly checkpoint: string;
  /** Names of the gallery entries, by index. */
  readonly gallery: readonly string[];
  readonly organisms: readonly OrganismView[];
}

/**
 * A life event, such as a birth or a wound, or one of these events:
 * - `expressing`: a resting organism has begun to express a relative;
 * - `crossed`: the participant `by` has crossed two organisms, and can plant the resulting seed;
 * - `generation`: a new day of the room has begun. The organisms `heirs`, children of the previous
 *   day's organisms, are generation `number` of the room's family tree.
 */
export type RoomLifeEvent =
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

/** Event: a room has completed a tick. */
export interface TickSummary extends Pace {
  readonly room: string;
  readonly tick: number;
  readonly organisms: number;
  /** Number of growing or awake organisms. */
  readonly awake: number;
  /** Number of participants in the room. */
  readonly people: number;
}

/** Event with a room's statistics, sent at most twice a second. */
export interface Figures extends TickSummary {
  /** Mean colour of all owned cells, 0…1 per component; black if no cell is owned. */
  readonly colour: readonly [red: number, green: number, blue: number];
  /** Share of the grid's cells that are owned, 0…1. */
  readonly living: number;
}

/** For each hook that only receives events, the type of its argument. */
export interface Notifications {
  readonly onRoomOpened: RoomOpened;
  readonly onRoomClosed: { readonly room: string };
  readonly onJoined: { readonly room: string; readonly participant: ParticipantView };
  readonly onLeft: { readonly room: string; readonly participant: ParticipantView };
  /** Event: a participant has moved a pointer or sent a command. Sent at most once per tick. */
  readonly onStirred: { readonly room: string };
  readonly onLife: { readonly room: string; readonly tick: number; readonly event: RoomLifeEvent };
  readonly onTick: TickSummary;
  readonly onFigures: Figures;
}

/** A visitor's drawing, before it becomes a seed. */
export interface Drawing {
  readonly room: string;
  readonly by: ParticipantView;
  /** Side of the drawing, in cells. */
  readonly side: number;
  /**
   * Either the amount of ink of each pixel, [side, side], 0…255; or the RGBA colours of the pixels,
   * [side, side, 4], premultiplied with alpha.
   */
  readonly pixels: Uint8Array;
}

/**
 * For each command that extensions can send, the name of a hook. Before such a command is executed,
 * no matter who sent it, the hook is called and can refuse it.
 */
export const HOOK_OF = {
  plant: 'onPlant',
  damage: 'onStroke',
  cross: 'onCross',
  transform: 'onTransform',
  graft: 'onGraft',
} as const;
export type ActName = keyof typeof HOOK_OF;

/**
 * For each hook that may refuse an action (a command, a visitor's entry or a drawing), the type of
 * the hook's argument. The server calls these hooks before the action takes place.
 */
export type Questions = {
  readonly [W in ActName as (typeof HOOK_OF)[W]]: RoomCommand<W> & { readonly room: string };
} & {
  /** A visitor wants to join. `name` is '' if the visitor has not given a name. */
  readonly onJoin: { readonly room: string; readonly name: string };
  readonly onDraw: Drawing;
};

/**
 * Verdict of a hook that refuses an action. `refuse` states the reason, for developers and the log.
 */
export interface Objection {
  readonly refuse: string;
}

/**
 * Verdict of the hook `onDraw` that approves a drawing. The host then need not approve the drawing.
 */
export interface Permission {
  readonly allow: true;
}

type Verdict<H> = Objection | undefined | (H extends 'onDraw' ? Permission : never);

type Hooks = {
  readonly [H in NotifyHook]?: (about: Notifications[H]) => unknown;
} & {
  readonly [H in AskHook]?: (about: Questions[H]) => Verdict<H> | Promise<Verdict<H>>;
};

/**
 * An extension. Its hooks are called in the order of events. The server does not wait for one call
 * to finish before it makes the next. A hook that may refuse an action returns its verdict, or a
 * promise that resolves to the verdict. The results of other hooks are ignored.
 */
export interface Extension extends Hooks {
  /** The extension's name in the log, and as the planter of its organisms. */
  readonly name: string;
  /**
   * Called before the server closes. If it returns a promise, the server waits up to 2 s for it.
   */
  readonly onClose?: () => unknown;
}

/**
 * The result of a command. `refused` is set if the command was refused. After a `cross` command,
 * `seed` is the new seed; plant it with `{ from: 'hand', seed: seed.id }`.
 */
export type ActResult = Pick<Answer, 'refused' | 'seed'>;

/**
 * Functions with which an extension sends commands. The commands have the same costs and limits as
 * a participant's commands.
 */
export type Hand = {
  [W in ActName]: (
    room: string,
    act: Omit<RoomCommand<W>, 'what' | 'by' | 'others'>,
  ) => Promise<ActResult>;
} & {
  /** Writes a line to the server's log. */
  say(line: string): void;
};

export type ExtensionFile = Extension | ((hand: Hand) => Extension | Promise<Extension>);

export type NotifyHook = keyof Notifications;
export type AskHook = keyof Questions;

/** Names of all hooks except `onClose`. */
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
  ...Object.values(HOOK_OF),
  'onDraw',
] as const satisfies readonly (NotifyHook | AskHook)[];

/** Reasons why an extension or OSC cannot be started. */
export type HookReason =
  | 'not-found'
  /** The file has no default export with a name and hooks. */
  | 'no-extension'
  /** The configured OSC address is unknown, or does not belong to this machine. */
  | 'no-address'
  /** Another program uses the port. */
  | 'port-taken';

/**
 * Thrown if an extension or the OSC interface cannot be started. The message is one sentence for
 * the host.
 */
export class HookError extends ReasonError<HookReason> {
  override readonly name = 'HookError';
}
