/**
 * Types for extensions. An extension is a file whose default export has hooks, which are called
 * when something happens in a room. It runs in its own thread and acts like any participant.
 * EXTENSIONS.md shows how to write one.
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

/** A room was opened. Sent again for each open room after an extension restarts. */
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
 * A life event, or one of these:
 * - `expressing`: a resting organism has begun to express a relative;
 * - `crossed`: a participant has crossed two organisms and holds the resulting seed;
 * - `generation`: a day of the room has begun with these heirs, which are generation `number` of
 *   the room's family tree.
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

/** A completed tick of a room. */
export interface TickSummary extends Pace {
  readonly room: string;
  readonly tick: number;
  readonly organisms: number;
  /** Number of growing or awake organisms. */
  readonly awake: number;
  /** Number of participants present. */
  readonly people: number;
}

/** A room's figures, sent at most twice a second. */
export interface Figures extends TickSummary {
  /** Mean colour of all owned cells, 0…1 per component; black if no cell is owned. */
  readonly colour: readonly [red: number, green: number, blue: number];
  /** Share of the grid's cells that are owned, 0…1. */
  readonly living: number;
}

/** The argument of each hook that only receives events. */
export interface Notifications {
  readonly onRoomOpened: RoomOpened;
  readonly onRoomClosed: { readonly room: string };
  readonly onJoined: { readonly room: string; readonly participant: ParticipantView };
  readonly onLeft: { readonly room: string; readonly participant: ParticipantView };
  /** A participant has moved their pointer or sent a command. Sent at most once a tick. */
  readonly onStirred: { readonly room: string };
  readonly onLife: { readonly room: string; readonly tick: number; readonly event: RoomLifeEvent };
  readonly onTick: TickSummary;
  readonly onFigures: Figures;
}

/** A drawing before it becomes a seed. */
export interface Drawing {
  readonly room: string;
  readonly by: ParticipantView;
  /** Side of the drawing, in cells. */
  readonly side: number;
  /** [side, side] bytes of ink, or [side, side, 4] of premultiplied RGBA. */
  readonly pixels: Uint8Array;
}

/** The commands that extensions can send, and for each command the hook that can refuse it. */
export const HOOK_OF = {
  plant: 'onPlant',
  damage: 'onStroke',
  cross: 'onCross',
  transform: 'onTransform',
  graft: 'onGraft',
} as const;
export type ActName = keyof typeof HOOK_OF;

/** The argument of each hook that may refuse. Commands are passed to hooks before being queued. */
export type Questions = {
  readonly [W in ActName as (typeof HOOK_OF)[W]]: RoomCommand<W> & { readonly room: string };
} & {
  /** A visitor is about to join. `name` is '' if they gave none. */
  readonly onJoin: { readonly room: string; readonly name: string };
  readonly onDraw: Drawing;
};

/** A refusal, with a text for developers and the log. */
export interface Objection {
  readonly refuse: string;
}

/** Approves a drawing that the host would otherwise have to look at first. */
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
 * An extension. Hooks are called in the order of events and do not wait for one another. A hook
 * that may refuse returns its verdict or a promise of it; results of other hooks are ignored.
 */
export interface Extension extends Hooks {
  /** The extension's name in the log and as a planter. */
  readonly name: string;
  /** Called before the server closes, which waits up to 2 s. */
  readonly onClose?: () => unknown;
}

/** The result of a command. To plant the seed of a cross, use `{ from: 'hand', seed: seed.id }`. */
export type ActResult = Pick<Answer, 'refused' | 'seed'>;

/** Sends commands for an extension, at the same prices and limits as for a participant. */
export type Hand = {
  [W in ActName]: (
    room: string,
    act: Omit<RoomCommand<W>, 'what' | 'by' | 'others'>,
  ) => Promise<ActResult>;
} & {
  /** Writes a line to the server's log. */
  say(line: string): void;
};

/** The default export of an extension's file. */
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

/** Why an extension or OSC cannot be started. */
export type HookReason =
  /** The file does not exist. */
  | 'not-found'
  /** The file has no default export with a name and hooks. */
  | 'no-extension'
  /** The address for OSC is unknown, or does not belong to this machine. */
  | 'no-address'
  /** Another program uses the port. */
  | 'port-taken';

/** An extension or OSC cannot be started. The message is one sentence for the host. */
export class HookError extends ReasonError<HookReason> {
  override readonly name = 'HookError';
}
