/**
 * The sessions of connections in rooms. `LocalSession` is for rooms of this server.
 * `RemoteSession`, in gateway/remote-room.ts, has the same interface and is for rooms of other
 * servers.
 */
import type { Command } from '../../../shared/protocol/commands.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import { CLIENT_MESSAGES, type MessageName } from '../commands/client-messages.ts';
import type { RoomServer } from '../room-server.ts';
import type { Entry, RoomClient } from './room-client.ts';

/** The session of one connection in one room. */
export interface RoomSession {
  /**
   * Whether the session has joined the room, or is waiting for the answer to its request to join.
   */
  readonly isOpen: boolean;
  /**
   * Asks to join the room.
   *
   * @throws Refusal if the join is refused immediately. If it is refused later, the client is
   *   notified
   */
  join(entry: Entry): void;
  /**
   * Executes a validated message of the client.
   *
   * @throws Refusal if the message is refused immediately. If it is refused later, the client is
   *   notified
   */
  handle<N extends MessageName>(name: N, message: Command<N>): void;
  /** Ends the session, because the connection has ended. */
  leave(): void;
}

/** Finds the rooms that clients want to join. */
export interface RoomDirectory {
  /** Creates a session in a room. @throws Refusal `no-such-room`, `room-closed`, `elsewhere` */
  open(room: string, client: RoomClient): RoomSession;
  /** Returns whether a pass belongs to a reserved wall or table seat of this room. */
  acceptsPass(room: string, pass: string): boolean;
}

export class LocalSession implements RoomSession {
  /** Server of the room that the client has joined; undefined before the join and after leaving. */
  private server: RoomServer | undefined;
  /** Whether the client is a wall or a spectator, and therefore not a participant. */
  private onlyWatches = false;
  /** Session within which the client's command ids are unique: see `Command<'join'>`. */
  private session: number | undefined;
  /** Whether the request to join is waiting for a hook's decision or for the end of a tick. */
  private isJoining = false;
  private hasLeft = false;

  /**
   * @param find returns the room's server. It throws Refusal `no-such-room`, `room-closed` or
   *   `elsewhere`
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

  /** Joins the room once a hook has approved and no tick is in progress. @throws Refusal */
  private async enterLater(
    { tickInProgress }: RoomServer,
    entry: Entry,
    approval: Promise<void> | undefined,
  ): Promise<void> {
    await approval;
    while (tickInProgress.ended) await tickInProgress.ended;
    // Find the room again, because it may have been closed in the meantime.
    if (!this.hasLeft) this.enter(this.find(), entry);
  }

  /**
   * Lets the client enter the room as a participant, a spectator, or a wall or table, as requested
   * in `entry.as`.
   *
   * @throws Refusal if the client is not admitted
   */
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
