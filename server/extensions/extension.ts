/**
 * What an extension is: a file whose default export has hooks, each called when something happens in a room. It runs in a
 * thread of its own, knows no room but what it is told, and acts as any participant does. EXTENSIONS.md tells how to write one.
 */
import type { Reason } from '../../shared/protocol/reasons.ts';
import type {
  LifeEvent,
  OrganismId,
  OrganismView,
  ParticipantView,
  SeedView,
} from '../../shared/vocabulary.ts';
import type { RoomCommand } from '../world/commands.ts';

/** A room has been opened; told again to an extension that was started anew. */
export interface RoomOpened {
  readonly room: string;
  /** Cells. */
  readonly width: number;
  readonly height: number;
  readonly tickRate: number;
  readonly checkpoint: string;
  /** Names, in the order of their indices. */
  readonly gallery: readonly string[];
  readonly organisms: readonly OrganismView[];
}

export interface RoomClosed {
  readonly room: string;
}

/** Somebody is at the door. `name` is '' for the nameless. */
export interface Joining {
  readonly room: string;
  readonly name: string;
}

export interface Joined {
  readonly room: string;
  readonly participant: ParticipantView;
}

/** Somebody plays: she moves her pointer, plants, wounds, crosses, looks for hers. Told once a tick. */
export interface Stirred {
  readonly room: string;
}

/** What a participant is about to do, before the room hears of it. */
export type Wish<W extends RoomCommand['what']> = RoomCommand & { readonly what: W } & {
  readonly room: string;
};

/** What happened to organisms; `crossed`: two were mixed to a seed in somebody's hand. */
export type Happening =
  | LifeEvent
  | {
      readonly what: 'crossed';
      readonly parents: readonly OrganismId[];
      readonly by: number;
      readonly seed: number;
    };

export interface Lived {
  readonly room: string;
  readonly tick: number;
  readonly event: Happening;
}

export interface Ticked {
  readonly room: string;
  readonly tick: number;
  readonly organisms: number;
  /** How many of them are stepped. */
  readonly awake: number;
  /** Participants that are there. */
  readonly people: number;
  /** Ticks per second: asked for, and of late. */
  readonly tickRate: number;
  readonly actual: number;
  /** It cannot keep its rate. */
  readonly slow: boolean;
}

/** How a room fares, twice a second at most. */
export interface Figures extends Ticked {
  /** Mean colour of all living places, 0…1 each; black when there is none. */
  readonly colour: readonly [red: number, green: number, blue: number];
  /** Share of the places that are alive, 0…1. */
  readonly living: number;
}

/** What each hook is told. */
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

/** What each hook is asked that may refuse. */
export interface Asked {
  readonly onJoin: Joining;
  readonly onPlant: Wish<'plant'>;
  readonly onStroke: Wish<'damage'>;
  readonly onCross: Wish<'cross'>;
}

/** A refusal, with words for the log and for developers. Nothing: no objection. */
export interface Objection {
  readonly refuse: string;
}

type Hooks = {
  readonly [H in keyof Told]?: (told: Told[H]) => unknown;
} & {
  readonly [H in keyof Asked]?: (
    asked: Asked[H],
  ) => Objection | undefined | Promise<Objection | undefined>;
};

/** Whatever a hook returns besides an objection is awaited, and passed over. */
export interface Extension extends Hooks {
  /** What the log calls it; also the planter of what it plants. */
  readonly name: string;
  /** The server closes; awaited for a moment. */
  readonly onClose?: () => unknown;
}

/** What became of an act. */
export interface Outcome {
  readonly refused?: { readonly reason: Reason; readonly detail: string };
  /** The seed that a cross has put in its hand: planted with `{ from: 'hand', seed: seed.id }`. */
  readonly seed?: SeedView;
}

type Act<W extends RoomCommand['what']> = Omit<RoomCommand & { readonly what: W }, 'what' | 'by'>;

/** What an extension may do: what any participant may, at the same prices and limits. */
export interface Hand {
  plant(room: string, act: Act<'plant'>): Promise<Outcome>;
  damage(room: string, act: Act<'damage'>): Promise<Outcome>;
  cross(room: string, act: Act<'cross'>): Promise<Outcome>;
  /** A line for the server's log. */
  say(line: string): void;
}

/** The default export of an extension's file. */
export type ExtensionFile = Extension | ((hand: Hand) => Extension | Promise<Extension>);

/** Hooks that are told, and never asked. */
export const TOLD = [
  'onRoomOpened',
  'onRoomClosed',
  'onJoined',
  'onLeft',
  'onStirred',
  'onLife',
  'onTick',
  'onFigures',
] as const satisfies readonly (keyof Told)[];

/** Hooks that are asked, and may refuse. */
export const ASKED = [
  'onJoin',
  'onPlant',
  'onStroke',
  'onCross',
] as const satisfies readonly (keyof Asked)[];

export type ToldHook = keyof Told;
export type AskedHook = keyof Asked;
