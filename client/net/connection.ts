/** The Socket.IO connection to one room: joins, rejoins after every break, hands messages to the model. */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { parser } from './parser.ts';
import { RoomModel } from './room-model.ts';

const REDIAL = DEFAULTS.net.redial;

/** Refusals after which trying again by itself would only repeat them. */
const FINAL: ReadonlySet<Reason> = new Set([
  'protocol-version',
  'no-such-room',
  'replaced',
  'sent-away',
]);

/** Refusals at the door which leave the connection open: the page asks there again. */
const PASSING: ReadonlySet<Reason> = new Set(['room-full', 'too-many-joins', 'not-here']);

/** Refusals at the door with which the server ends the connection; it is dialled again. */
const HANGS_UP: ReadonlySet<Reason> = new Set(['room-closed', 'join-timeout']);

/**
 * How long a page waits before it asks again, ms: twice as long after each further refusal, up to the longest, and up to half as long by
 * chance. A thousand pages before a closed room that asked together would keep each other out.
 */
const WAIT = { first: 2_000, longest: 20_000 };

/** Keeps a page's seat in a room, so that a reload finds it again. */
export interface SeatMemory {
  read(): string | undefined;
  write(token: string): void;
}

/** What a page keeps between visits. */
export interface PageMemory {
  readonly seat: SeatMemory;
  /** The mark of this device. */
  readonly mark: { read(): string | null; write(mark: string): void };
}

/** A mark as servers give them; whatever else may be kept under its name is left out. */
const MARK = /^[\w-]{1,64}$/;

/** What a connection is made of. */
export interface Means {
  readonly dial: (options: Partial<ManagerOptions & SocketOptions>) => Socket;
  /** 0…1 */
  readonly random: () => number;
  /** Calls back in so many ms. @returns that it need not */
  readonly after: (ms: number, call: () => void) => () => void;
}

const BROWSER: Means = {
  dial: io,
  random: Math.random,
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export class Connection {
  readonly model: RoomModel;
  private readonly socket: Socket;
  private joined = false;
  /** How often she was refused since she was last let in. */
  private refusals = 0;
  private cancel = (): void => {};

  constructor(
    private readonly room: string,
    /** What she is called at the next join. */
    public name: string | undefined,
    private readonly memory: PageMemory,
    private readonly means = BROWSER,
  ) {
    this.model = new RoomModel((event, payload) => this.send(event, payload));
    this.socket = means.dial({
      transports: ['websocket'],
      parser,
      // Whoever the server has lost is back within five seconds after it is.
      reconnectionDelay: REDIAL.first,
      reconnectionDelayMax: REDIAL.longest,
      timeout: REDIAL.attempt,
      // With the greeting, which spares a way there and back.
      auth: (greet) => greet({ join: this.wish() }),
    });
    this.socket.on('disconnect', (reason) => {
      this.cancel();
      this.model.setConnection('reconnecting');
      // A server that closed the connection itself is not dialled again by Socket.IO: do it here, gently.
      if (reason === 'io server disconnect') this.later(() => this.socket.connect());
    });
    this.socket.on('connect_error', () => {
      if (this.joined) this.model.setConnection('reconnecting');
    });
    this.socket.onAny((event: string, payload: unknown) => this.model.receive(event, payload));
    this.model.on('welcome', ({ resume, mark }) => {
      this.joined = true;
      this.memory.seat.write(resume);
      if (mark) this.memory.mark.write(mark);
      this.letIn();
    });
    this.model.on('waiting', () => this.letIn());
    this.model.on('rejected', ({ reason }) => this.refused(reason));
  }

  /** Sends a command; while there is no connection it is dropped, since the moment it was meant for has passed. */
  send<N extends CommandName>(event: N, payload: Command<N>): void {
    if (this.socket.connected) this.socket.emit(event, payload);
  }

  close(): void {
    this.cancel();
    this.socket.disconnect();
    this.model.setConnection('closed');
  }

  /** She has a place in the room, or in the line before it. */
  private letIn(): void {
    this.cancel();
    this.refusals = 0;
  }

  private refused(reason: Reason): void {
    if (FINAL.has(reason)) {
      this.close();
      return;
    }
    const { connection } = this.model;
    // What was refused was an act then, and not her.
    if (connection === 'live' || connection === 'waiting') return;
    if (!PASSING.has(reason) && !HANGS_UP.has(reason)) return;
    this.refusals++;
    if (PASSING.has(reason)) this.later(() => this.send('join', this.wish()));
  }

  private later(what: () => void): void {
    const { after, random } = this.means;
    const wait = Math.min(WAIT.longest, WAIT.first * 2 ** Math.max(0, this.refusals - 1));
    this.cancel();
    this.cancel = after(wait * (1 - random() / 2), what);
  }

  /** Who she wants to be, and where. */
  private wish(): Command<'join'> {
    const resume = this.memory.seat.read();
    const mark = this.memory.mark.read();
    const holds = this.model.holds();
    return {
      protocol: PROTOCOL_VERSION,
      room: this.room,
      ...(this.name && { name: this.name }),
      ...(resume && { resume }),
      ...(mark && MARK.test(mark) && { mark }),
      ...(holds && { holds }),
    };
  }
}
