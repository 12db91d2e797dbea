/**
 * What a room needs to know of its surroundings: connections, joins, hooks and facts. Types only;
 * `RoomClient` is a connection, whether its page is connected to this server or to another one.
 */
import type { Command } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomCommand } from '../../world/commands.ts';
import type { Viewer } from '../streaming/viewer-stream.ts';

/** The part of a welcome that is the same for all who come between two ticks. */
export type CommonWelcome = Pick<
  Event<'wall'>,
  'checkpoint' | 'engine' | 'organisms' | 'participants'
>;
/** The part of a welcome that is for one client. */
export type PersonalWelcome<N extends 'welcome' | 'wall'> = Omit<Event<N>, keyof CommonWelcome>;

/** Joins both parts of a welcome. Its receiver is among the participants. */
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

/** A connection as a room sees it. */
export interface RoomClient extends Viewer {
  /** Its address key. */
  readonly address: string;
  /** The same connection over an earlier link, until the room has decided about its join. */
  readonly before?: RoomClient | undefined;
  /** Sends an event. */
  send<N extends EventName>(event: N, message: Event<N>): void;
  /**
   * Sends a welcome; absent: it is sent like other events.
   *
   * @param common the same object for all who may see as much of it
   */
  sendWelcome?<N extends 'welcome' | 'wall'>(
    event: N,
    common: CommonWelcome,
    personal: PersonalWelcome<N>,
  ): void;
  /** The room has taken it in, perhaps to its queue. */
  entered(): void;
  /** Sends a refusal, which may end the connection. @param id of the refused command */
  refuse(refusal: Refusal, id?: number): void;
  /** Ends the connection. */
  disconnect(reason: Reason): void;
}

/** A request to join a room: the message, with its name cleaned and checked. */
export interface Entry extends Omit<Command<'join'>, 'protocol' | 'room' | 'name'> {
  /** '' without a name. */
  readonly name: string;
  /** Why it comes in without the name that it has asked for. */
  readonly notice?: Event<'notice'>['notice'] | undefined;
}

/**
 * Observes a room and may reject joins and commands, also asynchronously. See server/extensions.
 */
export interface RoomHooks {
  /** A participant has a seat. */
  joined(you: ParticipantView): void;
  /** A participant has disconnected. */
  left(you: ParticipantView): void;
  /** Somebody interacts with the room. */
  active(): void;
  /** @returns undefined to allow the join immediately, or a promise that rejects with a Refusal */
  join(name: string): Promise<void> | undefined;
  /**
   * @returns undefined to allow the command immediately, or a promise that rejects with a Refusal
   * @throws Refusal too-fast if too many commands of this participant await approval
   */
  command(command: RoomCommand): Promise<void> | undefined;
  /**
   * @returns undefined if nobody judges drawings, or whether a judge allows this one; rejects with
   *   Refusal not-here
   */
  draw(by: ParticipantView, pixels: Uint8Array): Promise<boolean> | undefined;
}

/** Facts for each welcome that do not change while the room is open. */
export type RoomInfo = Pick<Event<'welcome'>, 'checkpoint' | 'engine'>;

/** Facts for walls: the origin at which phones reach the server now, and the build id of the page. */
export type WallInfo = Pick<Event<'wall'>, 'origin' | 'build'>;
