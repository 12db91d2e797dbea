/** What stands at both sides of a lobby: who comes to it, who watches over it, and what it is told of its room. */
import type { Event, EventName } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../shared/vocabulary.ts';
import type { RoomCommand } from '../world/commands.ts';
import type { Bans } from './bans.ts';
import type { Rules } from './rules.ts';
import type { Viewer } from './watch.ts';

/** One connected participant: what a lobby needs of a connection. */
export interface Member extends Viewer {
  send<N extends EventName>(event: N, message: Event<N>): void;
  /** Ends the connection. */
  dismiss(reason: Reason): void;
}

/** How somebody comes in. */
export interface Arrival {
  /** Cleaned; '' for the nameless. */
  readonly name: string;
  /** Token of the seat that she had. */
  readonly resume?: string | undefined;
  /** [chunks] checks of what her page still shows. */
  readonly holds?: ArrayLike<number> | undefined;
  /** What her address is called. */
  readonly address?: string | undefined;
  /** She has a seat now. */
  readonly seated: (you: ParticipantView) => void;
}

/** Stands at the door and hears who comes, who goes and what is wished; it may object, after a while. See server/hooks. */
export interface Attendant {
  joined(you: ParticipantView): void;
  left(you: ParticipantView): void;
  /** Somebody plays. */
  stirred(): void;
  /** @returns undefined when nobody objects; else rejects with a Refusal for an objection */
  join(name: string): Promise<void> | undefined;
  /** The same. @throws Refusal too-fast when she has too many that wait for an answer */
  wish(command: RoomCommand): Promise<void> | undefined;
}

/** Facts of a room that do not change while it is open; they go into each welcome. */
export interface RoomFacts {
  readonly checkpoint: Event<'welcome'>['checkpoint'];
  readonly engine: Event<'welcome'>['engine'];
}

/** What the host has set for those who come. */
export interface House {
  readonly rules: Rules;
  readonly bans: Pick<Bans, 'isOut'>;
}

/** What only walls are told: where phones reach the server now, and which build of the pages it serves. */
export type WallFacts = Pick<Event<'wall'>, 'origin' | 'build'>;
