/**
 * A connection in a room of this server, and the interface that it shares with `RemoteSession`, a
 * connection in a room of another server.
 */
import type { Command } from '../../../shared/protocol/commands.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import { CLIENT_MESSAGES, type MessageName } from '../commands/client-messages.ts';
import type { RoomServer } from '../room-server.ts';
import type { Entry, RoomClient } from './room-client.ts';

/** One connection in one room. */
export interface RoomSession {
  /** Whether the session has joined, or waits for the answer to its join. */
  readonly isOpen: boolean;
  /**
   * Asks to join the room.
   *
   * @throws Refusal if the join is refused immediately. A later refusal is sent to the client
   */
  join(entry: Entry): void;
  /**
   * Executes a valid message.
   *
   * @throws Refusal if the message is refused immediately. A later refusal is sent to the client
   */
  handle<N extends MessageName>(name: N, message: Command<N>): void;
  /** Ends the session, because the connection has ended. */
  leave(): void;
}

/** Finds rooms by name for connections. */
export interface RoomDirectory {
  /** Creates a session in a room. @throws Refusal no-such-room, room-closed, elsewhere */
  open(room: string, client: RoomClient): RoomSession;
  /** Returns whether a pass belongs to a seat for a wall in this room. */
  acceptsPass(room: string, pass: string): boolean;
}

export class LocalSession implements RoomSession {
  /** The server of the room that the client has joined. */
  private server: RoomServer | undefined;
  /** Whether the client is a wall or a spectator, and therefore not a participant. */
  private onlyWatches = false;
  /** Session within which the client's command ids are unique: see `Command<'join'>`. */
  private session: number | undefined;
  /** Whether the join is waiting for a hook's decision or for the end of a tick. */
  private isJoining = false;
  private hasLeft = false;

  /**
   * @param find returns the room's server. It throws Refusal no-such-room, room-closed, elsewhere
   */
  constructor(
    private readonly find: () => RoomServer,
    private readonly client: RoomClient,
  ) {}

  get isOpen(): boolean {
    return this.server !== undefined || this.isJoining;
  }

  join(entry: Entry): void {
    const server = this.find();
    const { tickInProgress, hooks } = server;
    const approval = entry.as === undefined ? hooks?.join(entry.name) : undefined;
    if (!approval && !tickInProgress.ended) {
      this.enter(server, entry);
      return;
    }
    this.isJoining = true;
    this.enterLater(server, entry, approval)
      .finally(() => {
        this.isJoining = false;
      })
      .catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        if (!this.hasLeft) this.client.refuse(error);
      });
  }

  handle<N extends MessageName>(name: N, message: Command<N>): void {
    const { server, client, session } = this;
    const you = server?.seats.participantOf(client);
    if (!server || !(you || this.onlyWatches)) throw new Refusal('not-joined');
    const { isAutomatic, watch, act } = CLIENT_MESSAGES[name];
    if (!isAutomatic) server.seats.touch(client, server.clock.now());
    watch?.({ server, client }, message);
    if (!act) return;
    if (!you) throw new Refusal('only-watches', name);
    act({ server, client, you, session }, message);
  }

  /** Welcomes the client again, because messages to it may have been lost. */
  renew(): void {
    const { server, client } = this;
    const tick = server?.tickInProgress.ended;
    if (tick) void tick.then(() => this.renew());
    else server?.welcomeAgain(client);
  }

  leave(): void {
    this.hasLeft = true;
    this.server?.leave(this.client);
    this.server = undefined;
    this.onlyWatches = false;
  }

  /** Joins once a hook has approved and no tick is in progress. @throws Refusal */
  private async enterLater(
    { tickInProgress }: RoomServer,
    entry: Entry,
    approval: Promise<void> | undefined,
  ): Promise<void> {
    await approval;
    while (tickInProgress.ended) await tickInProgress.ended;
    // Find the room again, because it may have closed in the meantime.
    if (!this.hasLeft) this.enter(this.find(), entry);
  }

  /** @throws Refusal room-full */
  private enter(server: RoomServer, entry: Entry): void {
    const { client } = this;
    if (entry.as === undefined) server.admission.join(client, entry);
    else if (entry.as === 'spectator') server.spectators.add(client, entry);
    else server.walls.add(client, entry);
    this.onlyWatches = entry.as !== undefined;
    this.server = server;
    this.session = entry.session;
    client.entered();
  }
}
