/** One connection in a room of this server. */
import type { Command, CommandName } from '../../../shared/protocol/commands.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomCommand } from '../../world/commands.ts';
import type { RoomServer } from '../room-server.ts';
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

/** What a page sends without anything that its visitor does. */
const SENT_BY_ITSELF: ReadonlySet<CommandName> = new Set(['received', 'resync']);

export class LocalSession implements RoomSession {
  /** The joined room, and the participant once the client has a slot. */
  private roomServer: RoomServer | undefined;
  private participant: ParticipantView | undefined;
  /** Walls and spectators only watch and are no participants. */
  private onlyWatches = false;
  /** See `Command<'join'>`. */
  private session: number | undefined;
  /** A hook is deciding about the join, or a tick has to end first. */
  private isJoining = false;
  private hasLeft = false;

  /** @param find the room's server. It throws Refusal no-such-room, room-closed, elsewhere */
  constructor(
    private readonly find: () => RoomServer,
    private readonly client: SessionClient,
  ) {}

  get isOpen(): boolean {
    return this.roomServer !== undefined || this.isJoining;
  }

  join(entry: Entry): void {
    const roomServer = this.find();
    const { tickInProgress, hooks } = roomServer;
    const approval = entry.as === undefined ? hooks?.join(entry.name) : undefined;
    if (!approval && !tickInProgress.ended) {
      this.enter(roomServer, entry);
      return;
    }
    this.isJoining = true;
    this.enterLater(roomServer, entry, approval)
      .finally(() => {
        this.isJoining = false;
      })
      .catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        if (!this.hasLeft) this.client.refuse(error);
      });
  }

  handle(...[name, message]: Wish): void {
    const { roomServer, participant: me, client } = this;
    if (!roomServer || !(me || this.onlyWatches)) throw new Refusal('not-joined');
    if (me && !SENT_BY_ITSELF.has(name)) roomServer.touch(client);
    if (name === 'received') roomServer.acknowledge(client, message.tick);
    else if (name === 'resync') roomServer.broadcaster.resync(client, message.chunks);
    else if (name === 'look') {
      roomServer.setViewport(client, message.hidden ? undefined : message);
    } else if (!me) throw new Refusal('only-watches', name);
    else if (name === 'cursor') roomServer.moveCursor(me.id, message);
    else if (name === 'busy') roomServer.setBusy(client, message.busy);
    else if (name === 'beacon') roomServer.beacon(client, message);
    else if (name === 'follow') roomServer.follow(client, message);
    else if (name === 'report') roomServer.report(client, message);
    else if (name === 'keep') roomServer.keep(client, message);
    else if (name === 'name') {
      this.participant = roomServer.rename(client, message.id, message.name);
    } else if (name === 'preview') roomServer.preview(client, message);
    else if (name === 'draw') roomServer.draw(client, message);
    else {
      const { id, ...wish } = message;
      const command = { what: name, by: me, ...wish } as RoomCommand;
      roomServer.dispatcher.dispatch(client, id, command, this.session);
    }
  }

  leave(): void {
    this.hasLeft = true;
    this.roomServer?.leave(this.client);
    this.roomServer = undefined;
    this.participant = undefined;
    this.onlyWatches = false;
  }

  /** Enters between two ticks. @throws Refusal */
  private async enterLater(
    { tickInProgress }: RoomServer,
    entry: Entry,
    approval: Promise<void> | undefined,
  ): Promise<void> {
    await approval;
    while (tickInProgress.ended) await tickInProgress.ended;
    // The room may have closed in the meantime.
    if (!this.hasLeft) this.enter(this.find(), entry);
  }

  /** @throws Refusal room-full */
  private enter(roomServer: RoomServer, entry: Entry): void {
    const { client } = this;
    const { name, notice, as, pass, unwritable, resume, mark, holds } = entry;
    const { address = '' } = client;
    const request = { address, deviceMark: mark, heldChecksums: holds && checksOf(holds) };
    if (as === undefined) {
      const onAdmitted = (you: ParticipantView): void => {
        this.participant = you;
        if (notice) client.send('notice', { notice });
      };
      roomServer.admission.join(client, { ...request, name, resumeToken: resume, onAdmitted });
    } else if (as === 'spectator') roomServer.spectators.add(client, request);
    else roomServer.walls.addWall(client, { ...request, pass, unwritable, isView: as === 'view' });
    this.onlyWatches = as !== undefined;
    this.roomServer = roomServer;
    this.session = entry.session;
    client.entered();
  }
}
