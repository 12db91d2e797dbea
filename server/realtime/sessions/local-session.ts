/** One connection in a room of this server. */
import type { CommandName } from '../../../shared/protocol/commands.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomCommand } from '../../world/commands.ts';
import type { RoomServer } from '../room-server.ts';
import type { JoinRequest } from './room-client.ts';
import {
  checksOf,
  type Entry,
  type RoomSession,
  type SessionClient,
  type Wish,
} from './room-session.ts';

/** What a page sends without anything that its visitor does. */
const SENT_BY_ITSELF: ReadonlySet<CommandName> = new Set(['received', 'resync']);

export class LocalSession implements RoomSession {
  /** The joined room, and the participant once the client has a slot. */
  private roomServer: RoomServer | undefined;
  private participant: ParticipantView | undefined;
  /** Walls and spectators only watch and are no participants. */
  private onlyWatches = false;
  /** A hook is deciding about the join. */
  private isJoining = false;
  private hasLeft = false;

  /**
   * @param find the room's server. It throws Refusal no-such-room, room-closed, elsewhere
   * @param word if commands may arrive twice: what their ids are unique in, uint32
   */
  constructor(
    private readonly find: () => RoomServer,
    private readonly client: SessionClient,
    private readonly word?: number,
  ) {}

  get isOpen(): boolean {
    return this.roomServer !== undefined || this.isJoining;
  }

  join({ name, notice, as, pass, unwritable, resume, mark, holds }: Entry): void {
    const { client } = this;
    const roomServer = this.find();
    const heldChecksums = holds && checksOf(holds);
    const { address = '' } = client;
    if (as !== undefined) {
      if (as === 'spectator') {
        roomServer.spectators.add(client, { address, deviceMark: mark, heldChecksums });
      } else {
        const isView = as === 'view';
        roomServer.walls.addWall(client, { address, pass, unwritable, isView, heldChecksums });
      }
      this.onlyWatches = true;
      this.roomServer = roomServer;
      client.entered();
      return;
    }
    const request: JoinRequest = {
      ...{ name, resumeToken: resume, deviceMark: mark, heldChecksums, address },
      onAdmitted: (you) => {
        this.participant = you;
        if (notice) client.send('notice', { notice });
      },
    };
    const approval = roomServer.hooks?.join(request.name);
    if (!approval) {
      this.enter(roomServer, request);
      return;
    }
    this.isJoining = true;
    approval
      .finally(() => {
        this.isJoining = false;
      })
      .then(() => {
        // The room may have closed in the meantime.
        if (!this.hasLeft) this.enter(this.find(), request);
      })
      .catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        if (!this.hasLeft) client.refuse(error);
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
      roomServer.dispatcher.dispatch(client, id, command, this.word);
    }
  }

  leave(): void {
    this.hasLeft = true;
    this.roomServer?.leave(this.client);
    this.roomServer = undefined;
    this.participant = undefined;
    this.onlyWatches = false;
  }

  /** @throws Refusal room-full */
  private enter(roomServer: RoomServer, request: JoinRequest): void {
    roomServer.admission.join(this.client, request);
    this.roomServer = roomServer;
    this.client.entered();
  }
}
