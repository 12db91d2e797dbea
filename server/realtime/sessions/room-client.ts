/**
 * Interfaces between a room and its surroundings: connections, requests to join, hooks, and facts
 * for welcome messages. A `RoomClient` is a connection whose page is connected either to this
 * server or to a gateway.
 */
import type { Command } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomCommand } from '../../world/commands.ts';
import type { Viewer } from '../streaming/viewer-stream.ts';

/**
 * The fields that the welcome messages of all clients joining between the same two ticks have in
 * common.
 */
export type CommonWelcome = Pick<
  Event<'wall'>,
  'checkpoint' | 'engine' | 'organisms' | 'participants'
>;
/** The fields of a welcome message that are for one client only. */
export type PersonalWelcome<N extends 'welcome' | 'wall'> = Omit<Event<N>, keyof CommonWelcome>;

/**
 * Combines the common and the personal fields of a welcome message. If the list of participants
 * does not contain the recipient, adds the recipient.
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

/**
 * Converts a refusal to the message that reports it.
 *
 * @param id id of the refused command, if any
 */
export const rejectionOf = ({ reason, detail }: Refusal, id?: number): Event<'rejected'> => ({
  ...{ reason, ...(detail && { detail }), ...(id !== undefined && { id }) },
});

/** A connection as seen by a room. */
export interface RoomClient extends Viewer {
  /** Address key of the connection (see `addressKey`). */
  readonly address: string;
  /**
   * Number of the client's ring, if the client is a ring (a person at a touch table). The table's
   * own connection receives the frames for all of its rings.
   */
  readonly ring?: number | undefined;
  send<N extends EventName>(event: N, message: Event<N>): void;
  /**
   * Sends a welcome message. If this method is absent, `send` is used instead.
   *
   * @param common the same object for all clients from which the same names are hidden
   */
  sendWelcome?<N extends 'welcome' | 'wall'>(
    event: N,
    common: CommonWelcome,
    personal: PersonalWelcome<N>,
  ): void;
  /** Called when the room has admitted the client, either to a seat or to the queue. */
  entered(): void;
  /**
   * Sends a refusal. Each implementation decides which reasons end the connection.
   *
   * @param id id of the refused command, if any
   */
  refuse(refusal: Refusal, id?: number): void;
  disconnect(reason: Reason): void;
}

/** A request to join a room: the client's `join` message, with a cleaned and checked name. */
export interface Entry extends Omit<Command<'join'>, 'protocol' | 'room' | 'name'> {
  /**
   * Number of the client's ring, if the client is a ring (a person at a touch table). Rings join
   * with the `pass` of their table.
   */
  readonly ring?: number | undefined;
  /** Name of the participant; '' if the client has no name. */
  readonly name: string;
  /** Notice that explains why the client joins without the name that it requested. */
  readonly notice?: Event<'notice'>['notice'] | undefined;
}

/**
 * Observes a room, and may refuse joins and commands, either immediately or later. Extensions
 * implement this interface: see server/extensions.
 */
export interface RoomHooks {
  /** Called after a participant has been given a seat. */
  joined(you: ParticipantView): void;
  /** Called after a participant has disconnected. */
  left(you: ParticipantView): void;
  /** Called when somebody interacts with the room. */
  active(): void;
  /**
   * Decides whether somebody may join.
   *
   * @returns undefined to allow the join immediately; otherwise a promise that resolves to allow
   *   it, or rejects with a Refusal
   */
  join(name: string): Promise<void> | undefined;
  /**
   * Decides whether a command is allowed.
   *
   * @returns undefined to allow the command immediately; otherwise a promise that resolves to allow
   *   the command, or rejects with a Refusal
   * @throws Refusal `too-fast` if too many commands of this participant are awaiting approval
   */
  command(command: RoomCommand): Promise<void> | undefined;
  /**
   * Asks the extensions about a drawing.
   *
   * @returns undefined if no extension judges drawings; otherwise a promise that resolves to true
   *   if an extension approves the drawing, and to false if none approves it. The promise rejects
   *   with Refusal `not-here` if an extension objects
   */
  draw(by: ParticipantView, pixels: Uint8Array): Promise<boolean> | undefined;
}

/** Facts in each welcome message that do not change while the room is open. */
export type RoomInfo = Pick<Event<'welcome'>, 'checkpoint' | 'engine'>;

/**
 * Facts for walls: the origin at which phones can reach the server now, and the build id of the
 * page.
 */
export type WallInfo = Pick<Event<'wall'>, 'origin' | 'build'>;
