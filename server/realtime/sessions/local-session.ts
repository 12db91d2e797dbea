/**
 * The session of a connection in a room. A `LocalSession` is for a room that runs on this server. A
 * `RemoteSession`, in gateway/remote-room.ts, has the same interface, and is for a room that runs
 * on another server.
 */
import type { Command } from '../../../shared/protocol/commands.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import { CLIENT_MESSAGES, type MessageName } from '../commands/client-messages.ts';
import type { RoomServer } from '../room-server.ts';
import type { Entry, RoomClient } from './room-client.ts';

/** The session of one connection in one room. */
export interface RoomSession {
  /**
   * Whether the session has joined the room, or has asked to join it and has not been answered yet.
   */
  readonly isOpen: boolean;
  /**
   * Asks to join the room.
   *
   * @throws Refusal if the request is refused immediately. If it is refused later, the client is
   *   sent the refusal
   */
  join(entry: Entry): void;
  /**
   * Executes a message of the client, which has been validated.
   *
   * @throws Refusal if the message is refused immediately. If it is refused later, the client is
   *   sent the refusal
   */
  handle<N extends MessageName>(name: N, message: Command<N>): void;
  /** Ends the session, because the connection has ended. */
  leave(): void;
}

/** Finds the rooms that clients want to join. */
export interface RoomDirectory {
  /** Creates a session in a room. @throws Refusal `no-such-room`, `room-closed`, `elsewhere` */
  open(room: string, client: RoomClient): RoomSession;
  /**
   * Returns whether a pass is that of a seat that is reserved for a wall or touch table of this
   * room.
   */
  acceptsPass(room: string, pass: string): boolean;
}

export class LocalSession implements RoomSession {
  /** Server of the room; undefined before the client has joined the room, and after it has left. */
  private server: RoomServer | undefined;
  /**
   * Whether the client only watches, as walls and spectators do, and is therefore no participant.
   */
  private onlyWatches = false;
  /** Id of the session within which the client's command ids are unique: see `Command<'join'>`. */
  private session: number | undefined;
  /**
   * Whether the request to join has to wait for the decision of a hook, or for the end of a tick.
   */
  private isJoining = false;
  private hasLeft = false;

  /**
   * @param find returns the server of the room. Throws Refusal `no-such-room`, `room-closed` or
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

  /**
   * Joins the room when the hook has approved the request and no tick is in progress. @throws
   * Refusal
   */
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
   * Lets the client enter the room. `entry.as` says in which role: as a spectator, or as a wall or
   * table; as a participant if it is undefined.
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
