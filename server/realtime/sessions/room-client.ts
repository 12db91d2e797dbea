/** The interfaces between a room server and its surroundings: clients, hooks and room facts. */
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomCommand } from '../../world/commands.ts';
import type { Viewer } from '../streaming/viewer-stream.ts';

/** What welcomes between two ticks have in common. */
export type Opening = Pick<Event<'wall'>, 'checkpoint' | 'engine' | 'organisms' | 'participants'>;
/** What of a welcome is for one client. */
export type Own<N extends 'welcome' | 'wall'> = Omit<Event<N>, keyof Opening>;

/** A connection as a room server needs it. */
export interface RoomClient extends Viewer {
  /** Its address key. */
  readonly address?: string;
  /** The same connection, as the room has known it until now. */
  readonly before?: RoomClient | undefined;
  /** Sends an event. */
  send<N extends EventName>(event: N, message: Event<N>): void;
  /**
   * Sends a welcome; absent: it is sent like other events.
   *
   * @param opening the same object for all who know as much of it
   */
  sendWelcome?<N extends 'welcome' | 'wall'>(event: N, opening: Opening, own: Own<N>): void;
  /** Ends the connection. */
  disconnect(reason: Reason): void;
}

/** A whole welcome. Whoever it is for is among the participants. */
export function welcomeOf<N extends 'welcome' | 'wall'>(opening: Opening, own: Own<N>): Event<N> {
  const { participants } = opening;
  const { you } = own as Partial<Own<'welcome'>>;
  const isNamed = !you || participants.some(({ id }) => id === you.id);
  const named = isNamed ? participants : [...participants, you];
  return { ...opening, ...own, participants: named } as Event<N>;
}

/** A request to join a room as a participant. */
export interface JoinRequest {
  /** Cleaned and checked; '' without a name. */
  readonly name: string;
  /** Token of an earlier slot. */
  readonly resumeToken?: string | undefined;
  /** [chunks] checksums of what the page still shows. */
  readonly heldChecksums?: ArrayLike<number> | undefined;
  /** The address key of the connection. */
  readonly address?: string | undefined;
  /** The device mark that the page has stored; not verified yet. */
  readonly deviceMark?: string | undefined;
  /** Called once the client has a slot, which may be after some time in the queue. */
  readonly onSeated: (you: ParticipantView) => void;
}

/**
 * Observes a room and may reject joins and commands, also asynchronously. See server/extensions.
 */
export interface RoomHooks {
  /** A participant has a slot. */
  joined(you: ParticipantView): void;
  /** A participant has disconnected. */
  left(you: ParticipantView): void;
  /** Somebody interacts with the room. */
  active(): void;
  /** @returns undefined to allow the join at once, or a promise that rejects with a Refusal */
  join(name: string): Promise<void> | undefined;
  /**
   * @returns undefined to allow the command at once, or a promise that rejects with a Refusal
   * @throws Refusal too-fast if too many commands of this participant await approval
   */
  command(command: RoomCommand): Promise<void> | undefined;
  /**
   * @returns undefined if nobody judges drawings, or whether one who does allows this one; rejects
   *   with Refusal not-here
   */
  draw(by: ParticipantView, pixels: Uint8Array): Promise<boolean> | undefined;
}

/** Facts for each welcome that do not change while the room is open. */
export interface RoomInfo {
  readonly checkpoint: Event<'welcome'>['checkpoint'];
  readonly engine: Event<'welcome'>['engine'];
}

/**
 * Facts for walls: the origin at which phones reach the server now, and the build id of the page.
 */
export type WallInfo = Pick<Event<'wall'>, 'origin' | 'build'>;
