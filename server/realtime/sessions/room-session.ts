/** What one connection does in a room, wherever the room runs. */
import type { Command, CommandName } from '../../../shared/protocol/commands.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import type { Refusal } from '../../../shared/protocol/reasons.ts';
import type { RoomClient } from './room-client.ts';

/** A connection that enters a room. */
export interface SessionClient extends RoomClient {
  /** It is in the room, or in its queue. */
  entered(): void;
  /** Sends a refusal, which may end the connection. @param id of the refused command */
  refuse(refusal: Refusal, id?: number): void;
}

/** What a connection asks for when it joins. */
export interface Entry
  extends Pick<
    Command<'join'>,
    'as' | 'pass' | 'unwritable' | 'resume' | 'mark' | 'session' | 'holds'
  > {
  /** Cleaned and checked; '' without a name. */
  readonly name: string;
  /** Why it comes in without the name that it has asked for. */
  readonly notice?: Event<'notice'>['notice'] | undefined;
}

/** A valid command other than `join`. */
export type Wish = {
  [N in Exclude<CommandName, 'join'>]: readonly [name: N, message: Command<N>];
}[Exclude<CommandName, 'join'>];

/** One connection in one room. */
export interface RoomSession {
  /** Whether it has joined, or the answer to its join is still to come. */
  readonly isOpen: boolean;
  /** @throws Refusal, or has the client refused later */
  join(entry: Entry): void;
  /** @throws Refusal, or has the client refused later */
  handle(...wish: Wish): void;
  /** The connection is over. */
  leave(): void;
}

/** Leads connections to rooms. */
export interface RoomDirectory {
  /** @throws Refusal no-such-room, room-closed, elsewhere */
  open(room: string, client: SessionClient): RoomSession;
  /** Whether a pass opens a place for a wall in this room. */
  acceptsPass(room: string, pass: string): boolean;
}

/** Decodes chunk checksums: four bytes each, little-endian. */
export function checksOf(holds: Uint8Array): number[] {
  const view = new DataView(holds.buffer, holds.byteOffset, holds.byteLength);
  return Array.from({ length: holds.length >> 2 }, (_, i) => view.getUint32(4 * i, true));
}
