/** What stands at both sides of a room server: who comes to it, who watches over it, and what it is told of its room. */
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomCommand } from '../../world/commands.ts';
import type { Bans } from '../policy/bans.ts';
import type { RoomPolicy } from '../policy/room-policy.ts';
import type { Viewer } from '../streaming/viewer-stream.ts';

/** One connected participant: what a room server needs of a connection. */
export interface RoomClient extends Viewer {
  send<N extends EventName>(event: N, message: Event<N>): void;
  /** Ends the connection. */
  disconnect(reason: Reason): void;
}

/** How somebody comes in. */
export interface JoinRequest {
  /** Cleaned; '' for the nameless. */
  readonly name: string;
  /** Token of the seat that she had. */
  readonly resumeToken?: string | undefined;
  /** [chunks] checks of what her page still shows. */
  readonly heldChecksums?: ArrayLike<number> | undefined;
  /** What her address is called. */
  readonly address?: string | undefined;
  /** The mark of their device, as it says. */
  readonly deviceMark?: string | undefined;
  /** She has a seat now. */
  readonly onSeated: (you: ParticipantView) => void;
}

/** Stands at the door and hears who comes, who goes and what is wished; it may object, after a while. See server/hooks. */
export interface RoomHooks {
  joined(you: ParticipantView): void;
  left(you: ParticipantView): void;
  /** Somebody plays. */
  active(): void;
  /** @returns undefined when nobody objects; else rejects with a Refusal for an objection */
  join(name: string): Promise<void> | undefined;
  /** The same. @throws Refusal too-fast when she has too many that wait for an answer */
  command(command: RoomCommand): Promise<void> | undefined;
}

/** Facts of a room that do not change while it is open; they go into each welcome. */
export interface RoomInfo {
  readonly checkpoint: Event<'welcome'>['checkpoint'];
  readonly engine: Event<'welcome'>['engine'];
}

/** What the host has set for those who come. */
export interface RoomAccess {
  readonly policy: RoomPolicy;
  readonly bans: Pick<Bans, 'isBanned'>;
}

/** What only walls are told: where phones reach the server now, and which build of the pages it serves. */
export type WallInfo = Pick<Event<'wall'>, 'origin' | 'build'>;
