/**
 * Interfaces between a room and its clients: connections, requests to join, hooks, and facts for
 * welcome messages.
 */
import type { Command } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomCommand } from '../../world/commands.ts';
import type { Viewer } from '../streaming/viewer-stream.ts';

/** The fields that are equal in all welcome messages between two ticks. */
export type CommonWelcome = Pick<
  Event<'wall'>,
  'checkpoint' | 'engine' | 'organisms' | 'participants'
>;
/** The fields of a welcome message that are for one client only. */
export type PersonalWelcome<N extends 'welcome' | 'wall'> = Omit<Event<N>, keyof CommonWelcome>;

/**
 * Builds a welcome message from the common and the personal fields. If the list of participants
 * lacks the recipient, adds the recipient.
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
 * Converts a refusal to the message for the client.
 *
 * @param id id of the refused command, if any
 */
export const rejectionOf = ({ reason, detail }: Refusal, id?: number): Event<'rejected'> => ({
  ...{ reason, ...(detail && { detail }), ...(id !== undefined && { id }) },
});

/** A page's connection to a room, either direct or through a gateway. */
export interface RoomClient extends Viewer {
  /** Address key of the connection (see `addressKey`). */
  readonly address: string;
  /**
   * If the client is a person at a touch table: number of the person's ring (circle of tools).
   * Frames for this person are sent over the table's own connection.
   */
  readonly ring?: number | undefined;
  send<N extends EventName>(event: N, message: Event<N>): void;
  /**
   * Sends a welcome message. If this method is absent, callers use `send` instead.
   *
   * @param common the fields that are the same in all welcome messages
   */
  sendWelcome?<N extends 'welcome' | 'wall'>(
    event: N,
    common: CommonWelcome,
    personal: PersonalWelcome<N>,
  ): void;
  /** Called when the room has admitted the client to a seat or to the queue. */
  entered(): void;
  /**
   * Sends a refusal. Depending on the reason, also closes the connection.
   *
   * @param id id of the refused command, if any
   */
  refuse(refusal: Refusal, id?: number): void;
  disconnect(reason: Reason): void;
}

/** A client's `join` message, with a name that has been cleaned and checked. */
export interface Entry extends Omit<Command<'join'>, 'protocol' | 'room' | 'name'> {
  /**
   * If the client is a person at a touch table: number of the person's ring (circle of tools). The
   * person joins with the `pass` of the table.
   */
  readonly ring?: number | undefined;
  /** Name of the participant; '' if the client has no name. */
  readonly name: string;
  /** Tells the visitor why they join without the name that they wanted. */
  readonly notice?: Event<'notice'>['notice'] | undefined;
}

/** Observes a room, and may refuse joins and commands. Extensions implement this interface. */
export interface RoomHooks {
  /** Called after a participant has been given a seat. */
  joined(you: ParticipantView): void;
  /** Called after a participant has disconnected or has had to give up their seat. */
  left(you: ParticipantView): void;
  /** Called when somebody interacts with the room. */
  active(): void;
  /**
   * Decides whether a visitor may join.
   *
   * @returns undefined to allow the join immediately; otherwise a promise that resolves to allow
   *   the join, or rejects with a Refusal
   */
  join(name: string): Promise<void> | undefined;
  /**
   * Decides whether a command is allowed.
   *
   * @returns undefined to allow the command immediately; otherwise a promise that resolves to allow
   *   the command, or rejects with a Refusal
   * @throws Refusal `too-fast` if too many commands of the participant are waiting for a decision
   */
  command(command: RoomCommand): Promise<void> | undefined;
  /**
   * Asks the extensions for a decision about a drawing.
   *
   * @returns undefined if no extension reviews drawings. The promise resolves to true if an
   *   extension approves the drawing, and to false if no extension decides. The promise rejects
   *   with Refusal `not-here` if an extension declines the drawing
   */
  draw(by: ParticipantView, pixels: Uint8Array): Promise<boolean> | undefined;
}

/** Facts in each welcome message that do not change while the room is open. */
export type RoomInfo = Pick<Event<'welcome'>, 'checkpoint' | 'engine'>;

/**
 * Facts for walls (large displays that show a room): the origin at which phones can reach the
 * server, and the versions of the pages that the server delivers.
 */
export type WallInfo = Pick<Event<'wall'>, 'origin' | 'build'>;
