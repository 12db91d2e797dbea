/**
 * Interfaces between a room and its surroundings: connections, requests to join, hooks and facts. A
 * `RoomClient` is a connection, whether its page is connected to this server or to a gateway.
 */
import type { Command } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomCommand } from '../../world/commands.ts';
import type { Viewer } from '../streaming/viewer-stream.ts';

/** The part of a welcome that all clients joining between the same two ticks share. */
export type CommonWelcome = Pick<
  Event<'wall'>,
  'checkpoint' | 'engine' | 'organisms' | 'participants'
>;
/** The part of a welcome that is for one client only. */
export type PersonalWelcome<N extends 'welcome' | 'wall'> = Omit<Event<N>, keyof CommonWelcome>;

/**
 * Combines both parts of a welcome. If the list of participants lacks the receiver, adds the
 * receiver.
 */
export function welcomeOf<N extends 'welcome' | 'wall'>(
  common: CommonWelcome,
  personal: PersonalWelcome<N>,
): Event<N> {
  const { participants } = common;
  const { you } = personal as Partial<PersonalWelcome<'welcome'>>;
  const isNamed = !you || participants.some(({ id }) => id === you.id);
  const named = isNamed ? participants : [...participants, you];
  return { ...common, ...personal, participants: named } as Event<N>;
}

/** Returns the message that reports a refusal. @param id id of the refused command, if any */
export const rejectionOf = ({ reason, detail }: Refusal, id?: number): Event<'rejected'> => ({
  ...{ reason, ...(detail && { detail }), ...(id !== undefined && { id }) },
});

/** A connection as a room sees it. */
export interface RoomClient extends Viewer {
  /** Address key of the connection. */
  readonly address: string;
  /** Number of a table's ring; undefined for other clients. The table gets the ring's frames. */
  readonly ring?: number | undefined;
  send<N extends EventName>(event: N, message: Event<N>): void;
  /**
   * Sends a welcome. If this method is absent, welcomes are sent like other events.
   *
   * @param common the same object for all clients that are shown the same names
   */
  sendWelcome?<N extends 'welcome' | 'wall'>(
    event: N,
    common: CommonWelcome,
    personal: PersonalWelcome<N>,
  ): void;
  /** Called when the room has admitted the client, perhaps only to its queue. */
  entered(): void;
  /**
   * Sends a refusal, after which the connection may be closed.
   *
   * @param id id of the refused command
   */
  refuse(refusal: Refusal, id?: number): void;
  disconnect(reason: Reason): void;
}

/** A request to join a room: the client's `join` message, with its name cleaned and checked. */
export interface Entry extends Omit<Command<'join'>, 'protocol' | 'room' | 'name'> {
  /**
   * Number of a table's ring; undefined for other clients. A ring joins with its table's `pass`.
   */
  readonly ring?: number | undefined;
  /** '' if the client has no name. */
  readonly name: string;
  /** Notice that explains why the client joins without the name it asked for. */
  readonly notice?: Event<'notice'>['notice'] | undefined;
}

/**
 * Observes a room, and may refuse joins and commands, either immediately or later. See
 * server/extensions.
 */
export interface RoomHooks {
  /** Called after a participant has got a seat. */
  joined(you: ParticipantView): void;
  /** Called after a participant has disconnected. */
  left(you: ParticipantView): void;
  /** Called when somebody interacts with the room. */
  active(): void;
  /**
   * Decides whether somebody may join.
   *
   * @returns undefined to allow the join immediately, or a promise that rejects with a Refusal
   */
  join(name: string): Promise<void> | undefined;
  /**
   * Decides whether a command is allowed.
   *
   * @returns undefined to allow the command immediately, or a promise that rejects with a Refusal
   * @throws Refusal too-fast if too many commands of this participant are awaiting approval
   */
  command(command: RoomCommand): Promise<void> | undefined;
  /**
   * Judges a drawing.
   *
   * @returns undefined if nobody judges drawings; otherwise a promise of whether the drawing is
   *   allowed, which may reject with Refusal not-here
   */
  draw(by: ParticipantView, pixels: Uint8Array): Promise<boolean> | undefined;
}

/** Facts that are part of each welcome and do not change while the room is open. */
export type RoomInfo = Pick<Event<'welcome'>, 'checkpoint' | 'engine'>;

/**
 * Facts for walls: the origin at which phones can currently reach the server, and the build id of
 * the page.
 */
export type WallInfo = Pick<Event<'wall'>, 'origin' | 'build'>;
