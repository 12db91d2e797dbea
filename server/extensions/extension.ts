/**
 * Types for authors of extensions. An extension is a file whose default export has hooks: functions
 * that the server calls when something happens in a room. Extensions run in separate threads, and
 * can send commands like participants. EXTENSIONS.md shows how to write one.
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

/** Event: a room was opened. A restarted extension receives this event for each open room. */
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
 * - `expressing`: a resting organism has begun to look like a relative (a similar creature);
 * - `crossed`: the participant `by` has crossed two organisms;
 * - `generation`: a new day has begun in the room. The organisms `heirs` are children of the
 *   previous day's organisms. They form generation `number` of the family tree.
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

/** A room's statistics, sent at most twice a second. */
export interface Figures extends TickSummary {
  /** Mean colour of all owned cells, 0…1 per component; black if no cell is owned. */
  readonly colour: readonly [red: number, green: number, blue: number];
  /** Share of the grid's cells that are owned, 0…1. */
  readonly living: number;
}

/** Argument types of the hooks that only receive events. */
export interface Notifications {
  readonly onRoomOpened: RoomOpened;
  readonly onRoomClosed: { readonly room: string };
  readonly onJoined: { readonly room: string; readonly participant: ParticipantView };
  readonly onLeft: { readonly room: string; readonly participant: ParticipantView };
  /** Event: a participant moves a pointer, acts, or sends a drawing. At most one event per tick. */
  readonly onStirred: { readonly room: string };
  readonly onLife: { readonly room: string; readonly tick: number; readonly event: RoomLifeEvent };
  readonly onTick: TickSummary;
  readonly onFigures: Figures;
}

/** A visitor's drawing, before it becomes a seed. */
export interface Drawing {
  readonly room: string;
  readonly by: ParticipantView;
  /** Side length of the drawing, in cells. */
  readonly side: number;
  /** Amount of ink per pixel, [side, side], 0…255; or premultiplied RGBA, [side, side, 4]. */
  readonly pixels: Uint8Array;
}

/**
 * The commands that extensions can send, each with a hook. The server calls the hook before it
 * executes the command, whoever sent it. The hook may refuse the command.
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
 * Argument types of the hooks that may refuse an action (a command, a visitor's entry or a
 * drawing). The server calls these hooks before the action.
 */
export type Questions = {
  readonly [W in ActName as (typeof HOOK_OF)[W]]: RoomCommand<W> & { readonly room: string };
} & {
  /** A visitor wants to join. `name` is '' if the visitor has not given a name. */
  readonly onJoin: { readonly room: string; readonly name: string };
  readonly onDraw: Drawing;
};

/** Verdict of a hook that refuses an action. `refuse` is the reason, which only developers see. */
export interface Objection {
  readonly refuse: string;
}

/** Verdict of `onDraw` that approves a drawing. The drawing then needs no approval by the host. */
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
 * An extension. Hooks are called in the order of events, and a call does not wait for earlier calls
 * to finish. A hook that may refuse an action returns its verdict or a promise of it. Results of
 * other hooks are ignored.
 */
export interface Extension extends Hooks {
  /** The extension's name in the log, and as the planter of its organisms. */
  readonly name: string;
  /** Called before the server closes. The server waits up to 2 s for a returned promise. */
  readonly onClose?: () => unknown;
}

/**
 * Result of a command. `refused` is set if the command was refused. `seed` is the seed that a
 * `cross` command has made. To plant it, send a `plant` command whose `seed` is
 * `{ from: 'hand', seed: seed.id }`.
 */
export type ActResult = Pick<Answer, 'refused' | 'seed'>;

/**
 * Functions that send an extension's commands. Costs and limits are the same as for a participant.
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
  | 'port-taken';

/**
 * Thrown if an extension or the OSC interface cannot be started. The message is one sentence,
 * written for the host.
 */
export class HookError extends ReasonError<HookReason> {
  override readonly name = 'HookError';
}
