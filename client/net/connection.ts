/**
 * The Socket.IO connection to one room. It joins, rejoins after each disconnection, and passes
 * messages to the model.
 */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { parser } from './parser.ts';
import { RoomModel } from './room-model.ts';

const REDIAL = DEFAULTS.net.redial;

/** Refusals after which an automatic retry would only be refused again. */
const FINAL: ReadonlySet<Reason> = new Set([
  'protocol-version',
  'no-such-room',
  'replaced',
  'sent-away',
]);

/** Refused joins that leave the connection open. The page asks again over it. */
const PASSING: ReadonlySet<Reason> = new Set(['room-full', 'too-many-joins', 'not-here']);

/** Refused joins after which the server closes the connection. The page reconnects. */
const HANGS_UP: ReadonlySet<Reason> = new Set(['room-closed', 'join-timeout']);

/**
 * Delay before another join, ms. It doubles with each refusal up to `longest`, plus up to half as
 * much at random: otherwise a thousand pages would all retry at the same moment.
 */
const WAIT = { first: 2_000, longest: 20_000 };

/** Stores a page's resume token, so that a reload keeps its place in the room. */
export interface SeatMemory {
  read(): string | undefined;
  write(token: string): void;
}

/** What a page stores between visits. */
export interface PageMemory {
  readonly seat: SeatMemory;
  /** The device's mark, see `welcome.mark`. */
  readonly mark: { read(): string | null; write(mark: string): void };
}

/** Format of a mark. Other values in the storage are ignored. */
const MARK = /^[\w-]{1,64}$/;

/** Dependencies of a connection. */
export interface Means {
  readonly dial: (options: Partial<ManagerOptions & SocketOptions>) => Socket;
  /** 0…1 */
  readonly random: () => number;
  /**
   * Calls back after a delay, ms.
   *
   * @returns a function that cancels it
   */
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

/** A visitor's connection to a room: joins, resumes, and sends commands. */
export class Connection {
  readonly model: RoomModel;
  private readonly socket: Socket;
  private joined = false;
  /** Refusals since the last accepted join. */
  private refusals = 0;
  private cancel = (): void => {};

  constructor(
    private readonly room: string,
    /** Name for the next join. */
    public name: string | undefined,
    private readonly memory: PageMemory,
    private readonly means = BROWSER,
  ) {
    this.model = new RoomModel((event, payload) => this.send(event, payload));
    this.socket = means.dial({
      transports: ['websocket'],
      parser,
      // Pages must be back within five seconds after the server is.
      reconnectionDelay: REDIAL.first,
      reconnectionDelayMax: REDIAL.longest,
      timeout: REDIAL.attempt,
      // Sent with the handshake, which saves a round trip.
      auth: (greet) => greet({ join: this.wish() }),
    });
    this.socket.on('disconnect', (reason) => {
      this.cancel();
      this.model.setConnection('reconnecting');
      // Socket.IO does not reconnect by itself after the server closed the connection.
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

  /** Sends a command. Without a connection it is dropped: it would be out of date later. */
  send<N extends CommandName>(event: N, payload: Command<N>): void {
    if (this.socket.connected) this.socket.emit(event, payload);
  }

  close(): void {
    this.cancel();
    this.socket.disconnect();
    this.model.setConnection('closed');
  }

  /** Resets the retries: the page has a place in the room, or in its queue. */
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
    // After the join, a refusal concerns a command, not the participant.
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

  /** The join command: resume token, name and room. */
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
