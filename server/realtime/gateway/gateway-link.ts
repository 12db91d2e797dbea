/** A room's side of the connections that another server has to it. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Command } from '../../../shared/protocol/commands.ts';
import { packPointer, unpackPointer } from '../../../shared/protocol/pointers.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import { parseCommand, readId } from '../commands/command-dispatcher.ts';
import type { RoomServer } from '../room-server.ts';
import { LocalSession, type Wish } from '../sessions/local-session.ts';
import type { Opening } from '../sessions/room-client.ts';
import { type BatchToRoom, encode, type FromRoom, OutgoingBatch, type ToRoom } from './messages.ts';
import { RemoteClient } from './remote-client.ts';

export interface GatewayLinkOptions {
  readonly roomServer: RoomServer;
  /** As for `LocalSession`. */
  readonly find: () => RoomServer;
  /** Whether the room may be shown here now: another server may have it. */
  readonly isHere: () => boolean;
  readonly epoch: number;
  /** Names the server of the connections. */
  readonly node: string;
  readonly publish: (message: Uint8Array) => void;
  /** Runs a function at the end of this turn. */
  readonly defer: (run: () => void) => void;
  /** ms */
  readonly now: number;
}

interface Member {
  readonly client: RemoteClient;
  readonly session: LocalSession;
  /** It is a wall or a spectator. */
  readonly watches: boolean;
  /** The same connection over an earlier link, which keeps its place until this one has entered. */
  before: Member | undefined;
}

export class GatewayLink {
  /** When the other server was last heard, ms. */
  heardAt: number;
  private readonly members = new Map<number, Member>();
  /** Those that have been welcomed. */
  private readonly present = new Set<number>();
  private readonly batch = new OutgoingBatch();
  /** What all welcomes have in common, as it went over the link last. */
  private opening: Partial<Opening> = {};
  private isWaiting = false;
  private isClosed = false;
  private sent = 0;
  private received = 0;

  constructor(private readonly options: GatewayLinkOptions) {
    this.heardAt = options.now;
  }

  /** Names the server of the connections. */
  get node(): string {
    return this.options.node;
  }

  /** Number of connections. */
  get size(): number {
    return this.members.size;
  }

  /**
   * @param before the link of the same connections that this one replaces
   * @returns false if a message is missing before this one
   */
  receive({ number, items }: BatchToRoom, now: number, before?: GatewayLink): boolean {
    if (number !== this.received) return false;
    this.received++;
    this.heardAt = now;
    for (const item of items) this.take(item, before);
    return true;
  }

  /** Says something, if there is nothing else to say. */
  beat(): void {
    if (!this.isClosed) this.flush();
  }

  /** Sends what waits for the end of the turn, while the room may be shown here. */
  flushWaiting(): void {
    if (!this.isClosed && !this.batch.isEmpty && this.options.isHere()) this.flush();
  }

  /** The connections are lost: their participants leave, as when a page loses its own. */
  close(): void {
    // Those whom the room has disconnected are told so. The others wait for where it goes on.
    if (this.batch.hasEnd) this.flush();
    // From here on, nothing is sent.
    this.isClosed = true;
    for (const member of this.members.values()) leave(member);
    this.members.clear();
  }

  /** Walls and spectators leave, so that they can take their places over another link. */
  closeWatchers(): void {
    for (const [connection, member] of this.members) {
      if (!member.watches) continue;
      this.forget(connection);
      leave(member);
    }
  }

  private take(item: ToRoom, before?: GatewayLink): void {
    if (item.what === 'drawn') {
      for (const [connection, tick, frames] of item.clients) {
        const client = this.members.get(connection)?.client;
        if (client) this.options.roomServer.acknowledge(client, tick, frames);
      }
      return;
    }
    if (item.what === 'cursors') {
      for (const packed of item.cursors) {
        const { id, ...cursor } = unpackPointer(packed);
        this.act(id, (session) => session.handle('cursor', cursor));
      }
      return;
    }
    const { connection } = item;
    if (item.what === 'join') {
      const { address, ...entry } = item.entry;
      const client = this.createClient(connection, address);
      const session = new LocalSession(this.options.find, client);
      const earlier = before?.handOver(connection);
      const watches = entry.as !== undefined;
      this.members.set(connection, { client, session, watches, before: earlier });
      client.before = earlier?.client;
      attempt(
        () => session.join(entry),
        (refusal) => client.refuse(refusal),
      );
      return;
    }
    if (item.what === 'leave') {
      const member = this.members.get(connection);
      this.forget(connection);
      if (member) leave(member);
      return;
    }
    const { name, message } = item;
    const act = (session: LocalSession): void => {
      if (name === 'join') throw new Refusal('already-joined');
      session.handle(...([name, parseCommand(name, message)] as unknown as Wish));
    };
    this.act(connection, act, readId(message));
  }

  /** Has a client do something, or refuses it. @param id of the command */
  private act(connection: number, act: (session: LocalSession) => void, id?: number): void {
    const member = this.members.get(connection);
    if (!member) return;
    attempt(
      () => act(member.session),
      (refusal) => member.client.refuseCommand(refusal, id),
    );
  }

  private createClient(connection: number, address: string): RemoteClient {
    return new RemoteClient(connection, address, {
      event: (...event) => this.send(() => this.batch.event(...event)),
      welcome: (_, name, opening, own) => {
        this.present.add(connection);
        this.send(() => {
          const fresh = changed(this.opening, opening);
          this.opening = opening;
          this.batch.add({ what: 'welcome', connection, name, opening: fresh, own: { ...own } });
        });
      },
      add: (item) => this.send(() => this.batch.add(item)),
      entered: () => this.endBefore(connection),
      removed: () => {
        this.endBefore(connection);
        this.forget(connection);
      },
    });
  }

  /** Gives a connection to the link that replaces this one. */
  private handOver(connection: number): Member | undefined {
    const member = this.members.get(connection);
    this.forget(connection);
    if (!member?.before) return member;
    // It has not come in itself yet, and does not any more.
    member.session.leave();
    return member.before;
  }

  /** A connection's join is decided: over the earlier link it leaves. */
  private endBefore(connection: number): void {
    const member = this.members.get(connection);
    if (!member?.before) return;
    const { session } = member.before;
    member.before = undefined;
    member.client.before = undefined;
    session.leave();
  }

  private forget(connection: number): void {
    this.members.delete(connection);
    this.present.delete(connection);
  }

  private send(add: () => void): void {
    if (this.isClosed) return;
    add();
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.options.defer(() => {
      this.isWaiting = false;
      this.flushWaiting();
    });
  }

  private flush(): void {
    const items: FromRoom[] = this.batch.take(this.present);
    this.options.publish(encode({ epoch: this.options.epoch, number: this.sent++, items }));
  }
}

/** What is not the same object as before. */
function changed(before: Partial<Opening>, now: Opening): Partial<Opening> {
  const entries = Object.entries(now) as [keyof Opening, unknown][];
  return Object.fromEntries(entries.filter(([name, value]) => before[name] !== value));
}

function leave({ session, before }: Member): void {
  session.leave();
  before?.session.leave();
}

function attempt(work: () => void, refuse: (refusal: Refusal) => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error);
  }
}

const { cursorInterval } = DEFAULTS.net;

export class GatheredReports {
  private readonly drawn = new Map<number, { tick: number; frames: number }>();
  private readonly cursors = new Map<number, Command<'cursor'>>();
  private cursorsSentAt = Number.NEGATIVE_INFINITY;
  private cancelCursors: (() => void) | undefined;

  /** @param send called when clients have moved their cursors */
  constructor(
    private readonly clock: Clock,
    private readonly send: (item: ToRoom) => void,
  ) {}

  /** A client has drawn the frame of a tick. */
  draw(connection: number, tick: number): void {
    const frames = (this.drawn.get(connection)?.frames ?? 0) + 1;
    this.drawn.set(connection, { tick, frames });
  }

  /** Sends where a client points: at once, or soon after the last time. */
  moveCursor(connection: number, cursor: Command<'cursor'>): void {
    this.cursors.set(connection, cursor);
    const left = this.cursorsSentAt + cursorInterval - this.clock.now();
    // Those that come in the same turn go with the first.
    this.cancelCursors ??= this.clock.after(Math.max(0, left), () => this.sendCursors());
  }

  /** Takes what clients have drawn since the last call. */
  takeDrawn(): ToRoom[] {
    if (this.drawn.size === 0) return [];
    const clients = [...this.drawn].map(([connection, { tick, frames }]) => {
      return [connection, tick, frames] as [number, number, number];
    });
    this.drawn.clear();
    return [{ what: 'drawn', clients }];
  }

  /** Nobody shall hear any more what a client has said so far. */
  forget(connection: number): void {
    this.drawn.delete(connection);
    this.cursors.delete(connection);
  }

  /** The same of all clients. */
  clear(): void {
    this.drawn.clear();
    this.cursors.clear();
    this.cancelCursors?.();
    this.cancelCursors = undefined;
  }

  private sendCursors(): void {
    this.cancelCursors = undefined;
    if (this.cursors.size === 0) return;
    this.cursorsSentAt = this.clock.now();
    const cursors = [...this.cursors].map(([id, cursor]) => packPointer({ ...cursor, id }));
    this.cursors.clear();
    this.send({ what: 'cursors', cursors });
  }
}
