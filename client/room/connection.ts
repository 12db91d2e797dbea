/**
 * A client's connection to its room. `WallConnection` is for walls and tables. `Connection` is for
 * visitors, both on pages and in other programs. `RequestTracker` passes each of the server's
 * answers to the request that it answers.
 */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { LanguageCode } from '../../shared/languages.ts';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { createParser, pack, unpack } from '../../shared/protocol/packets.ts';
import { type EndReason, PROTOCOL_VERSION, type Reason } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
import type { PageMemory } from '../state/browser-store.ts';
import { RoomModel, type Send } from './room-model.ts';

/**
 * While a visitor is busy with a panel, the server is told so repeatedly. Minimum time between two
 * of these reports, in ms.
 */
export const BUSY_INTERVAL = 20_000;

/**
 * Times for reconnecting, in ms: `first` is the delay before the first attempt (Socket.IO varies it
 * by up to half), `longest` is the maximum delay, and `attempt` is the time limit of one attempt.
 */
const REDIAL = { first: 300, longest: 1_000, attempt: 3_000 };

/** The functions that a connection depends on, as implemented in a browser. */
export const BROWSER = {
  /**
   * Creates a Socket.IO socket.
   *
   * @param origin the server's origin; by default, the origin of the page
   */
  dial: (options: Partial<ManagerOptions & SocketOptions>, origin?: string): Socket =>
    origin ? io(origin, options) : io(options),
  random: Math.random,
  /** Calls a function after a delay, in ms. @returns a function that cancels the call */
  after: (ms: number, call: () => void): (() => void) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export type Means = Readonly<typeof BROWSER>;

/**
 * A Socket.IO connection to one room. Sends the join command as part of the handshake, reconnects
 * whenever the connection is lost, and passes the server's messages to the model.
 */
export abstract class RoomConnection {
  readonly model: RoomModel;
  protected readonly socket: Socket;
  protected cancel = (): void => {};
  /** The reason why the connection has ended for good; undefined until it ends. */
  ended: EndReason | undefined;
  /**
   * Whether the server has announced that it will shut down. If so, another server may take over
   * the room, and the page reconnects without a delay.
   */
  private moves = false;

  constructor(
    private readonly room: string,
    protected readonly means: Means = BROWSER,
  ) {
    this.model = new RoomModel(this.send);
    this.socket = means.dial({
      transports: ['websocket'],
      parser: createParser(pack, unpack),
      autoConnect: false,
      // Pages must reconnect within five seconds after the server restarts.
      reconnectionDelay: REDIAL.first,
      reconnectionDelayMax: REDIAL.longest,
      timeout: REDIAL.attempt,
      // Sending the join command with the handshake saves a round trip.
      auth: (greet) => greet({ join: this.joinCommand() }),
    });
    this.socket.on('disconnect', (reason) => {
      this.cancel();
      if (this.ended) return;
      this.model.setConnection('reconnecting');
      // If the server has closed the connection, Socket.IO does not reconnect by itself, so
      // reconnect here.
      if (reason !== 'io server disconnect') return;
      this.later(() => this.socket.connect(), this.moves ? 0 : this.retryDelay);
      this.moves = false;
    });
    this.model.on('rejected', ({ reason, id }) => {
      this.moves = reason === 'shutting-down' && id === undefined;
    });
    this.socket.onAny((event: string, payload: unknown) => this.model.receive(event, payload));
  }

  /** Opens the connection. A page first checks that the browser can draw a room. */
  open(): void {
    this.socket.connect();
  }

  /**
   * Sends a command to the server. If there is no connection, drops the command: by the time the
   * page is connected again, it would be outdated.
   */
  readonly send: Send = (event, payload) => {
    if (this.socket.connected) this.socket.emit(event, payload);
  };

  close(reason: EndReason = 'left'): void {
    this.ended ??= reason;
    this.cancel();
    this.socket.disconnect();
    this.model.setConnection('closed');
  }

  protected joinCommand(): Command<'join'> {
    const holds = this.model.holds();
    return { protocol: PROTOCOL_VERSION, room: this.room, ...(holds && { holds }) };
  }

  /** Delay before the next attempt to connect or join, in ms. */
  protected abstract get retryDelay(): number;

  /** Sends the join command again over the same connection, after `retryDelay`. */
  protected joinLater(): void {
    this.later(() => this.send('join', this.joinCommand()), this.retryDelay);
  }

  private later(what: () => void, delay: number): void {
    this.cancel();
    this.cancel = this.means.after(delay, what);
  }
}

/** Delay before a wall or table tries to join again after a refusal, in ms. */
const REFUSED = 3_000;

/** A wall's or table's connection to a room. It tries to reconnect until it is closed. */
export class WallConnection extends RoomConnection {
  /**
   * Identifies this page to the server. If a table reconnects with the same id, the server lets the
   * new connection replace the table's lost one.
   */
  private readonly session = Date.now() >>> 0;
  /** The reason why the server refused the last attempt to join; undefined if it succeeded. */
  refusal: Reason | undefined;

  constructor(
    private readonly options: {
      readonly room: string;
      /** The kind of client. `view` is the picture of the room on the host's page. */
      readonly as: 'wall' | 'view' | 'table';
      /**
       * The pass in the page's address; '' if there is none. Tables have a pass, and so do walls
       * with their own seat.
       */
      readonly pass: string;
      /** Languages whose script this screen cannot display. */
      readonly unwritable?: readonly LanguageCode[];
      /** Identifies the build of this page; see `buildOf`. */
      readonly build: string;
      /** Called if the page is outdated: the server has another build or protocol version. */
      readonly renew: () => void;
    },
    means?: Means,
  ) {
    super(options.room, means);
    const { build: ownBuild, renew } = options;
    this.model.on('wall', ({ build }) => {
      this.refusal = undefined;
      if (build !== '' && !build.split('\n').includes(ownBuild)) renew();
    });
    this.model.on('rejected', ({ reason }) => {
      if (reason === 'protocol-version') renew();
      // Join again later, because the room may open or another wall may leave.
      if (this.model.connection === 'live') return;
      // The server sends 'join-timeout' if a connection has not joined the room in time. If it had
      // given another reason for refusing the join before, keep that reason, because it says more.
      if (reason !== 'join-timeout' || !this.refusal) this.refusal = reason;
      this.joinLater();
    });
  }

  protected override joinCommand(): Command<'join'> {
    const { as, pass, unwritable = [] } = this.options;
    const { session } = this;
    return {
      ...super.joinCommand(),
      as,
      ...(pass !== '' && { pass }),
      unwritable: [...unwritable],
      ...(as === 'table' && { session }),
    };
  }

  protected get retryDelay(): number {
    return this.refusal ? REFUSED : REDIAL.first;
  }
}

/**
 * What a visitor's page does after the server has refused to let it join, by the server's reason.
 * All other reasons cause none of these actions; 'only-watches' is handled in `refused`.
 *
 * - `end`: the page gives up, because another attempt would be refused for the same reason
 * - `join`: the page sends the join command again over the same connection, which stays open
 * - `dial`: the page opens a new connection, because the server closes this one
 */
const AFTER: Readonly<Partial<Record<Reason, 'end' | 'join' | 'dial'>>> = {
  'protocol-version': 'end',
  'no-such-room': 'end',
  replaced: 'end',
  'gave-way': 'end',
  'sent-away': 'end',
  'room-full': 'join',
  'too-many-spectators': 'join',
  'too-many-joins': 'join',
  'not-here': 'join',
  'room-closed': 'dial',
  'no-spectators': 'dial',
  'join-timeout': 'dial',
};

/**
 * Delay before a refused page tries to join again, in ms. It starts with `first` and doubles with
 * each refusal, up to `longest`. A random part of it, at most half, is subtracted; otherwise, a
 * thousand pages could all try again at the same moment.
 */
const WAIT = { first: 2_000, longest: 20_000 };

/** If this many attempts to connect fail before one has ever succeeded, the visitor is told so. */
const UNREACHED = 3;

/** If no frame or pace message arrives for this long, in ms, the connection counts as lost. */
const SILENCE = 3_000;

/** The format of device marks. A stored device mark that does not match it is ignored. */
const MARK = /^[\w-]{1,64}$/;

/**
 * A visitor's connection to a room. It joins the room, resumes the visitor's seat after a lost
 * connection, and sends commands.
 */
export class Connection extends RoomConnection {
  /**
   * Called if the server cannot be reached, or if it refuses all connections from the visitor's
   * network address.
   */
  unreached: (() => void) | undefined;
  /**
   * Receives the answers that no request's own callbacks handle: answers to unknown requests, and
   * rejections of requests that were sent without the callback `rejected`.
   */
  unasked: Answers<Event<'rejected'>> = {};
  readonly requests = new RequestTracker((name, payload) => this.send(name, payload));
  private failures = 0;
  private cancelSilence = (): void => {};
  private cancelPatience = (): void => {};
  /** The reason why the server refused the last attempt to join; undefined if it succeeded. */
  private refusal: Reason | undefined;
  /**
   * Id of this page's session. Every page numbers its commands from 1. With the session id, the
   * server can tell this page's commands from those of pages that the visitor had open before.
   */
  private readonly session = Date.now() >>> 0;
  /** Number of refused joins since the last accepted join. */
  private refusals = 0;

  constructor(
    room: string,
    /**
     * The visitor's name, which is sent with the next join, and whether the visitor joins as a
     * spectator.
     */
    readonly who: { name: string | null; readonly watches: boolean },
    private readonly memory: PageMemory,
    means?: Means,
    /** Time limit for entering the room, in ms; if absent, there is no limit. */
    private readonly patience?: number,
  ) {
    super(room, means);
    this.hurry();
    this.model.on('connection', () => this.hurry());
    this.socket.on('connect_error', () => {
      if (!this.model.room && ++this.failures === UNREACHED) this.unreached?.();
    });
    const letIn = (told: object): void => {
      const { resume, mark }: Partial<Pick<Event<'welcome'>, 'resume' | 'mark'>> = told;
      if (resume) this.memory.seat.write(resume);
      if (mark) this.memory.mark.write(mark);
      // The server has let the page into the room or its queue. If another attempt to join is
      // scheduled, cancel it.
      this.cancel();
      this.refusals = 0;
      this.refusal = undefined;
    };
    for (const event of ['welcome', 'wall', 'waiting'] as const) this.model.on(event, letIn);
    this.model.on('accepted', (answer) => {
      if (!this.requests.accepted(answer)) this.unasked.accepted?.(answer);
    });
    this.model.on('rejected', (answer) => {
      this.refused(answer.reason);
      if (!this.requests.rejected(answer)) this.unasked.rejected?.(answer);
    });
    this.model.on('welcome', ({ you }) => {
      // After the host has undone actions, the server sends `welcome` over a live connection. No
      // request was lost then, so none is sent again.
      if (this.model.connection !== 'live') this.requests.resume(you.id);
    });
    for (const event of ['picture', 'pace'] as const) {
      this.model.on(event, () => {
        // If a connection breaks without being closed, browsers notice it only after a long time.
        // Therefore, count the connection as lost after a silence.
        this.cancelSilence();
        this.cancelSilence = this.means.after(SILENCE, () => {
          if (this.model.connection === 'live') this.model.setConnection('reconnecting');
        });
      });
    }
  }

  override close(reason?: EndReason): void {
    this.cancelSilence();
    super.close(reason);
  }

  /**
   * Starts the timer for `patience`. If the page has entered neither the room nor its queue when
   * the timer ends, the connection is closed for good.
   */
  private hurry(): void {
    const { patience } = this;
    this.cancelPatience();
    if (!patience || !/^(re)?connecting$/.test(this.model.connection)) return;
    const end = (): void => this.close(this.refusal ?? 'unreachable');
    this.cancelPatience = this.means.after(patience, end);
  }

  private refused(reason: Reason): void {
    const then = AFTER[reason];
    if (then === 'end') {
      this.close(reason);
      return;
    }
    const { connection } = this.model;
    // Once the page is in the room or its queue, the server refuses commands, but no longer the
    // join. Refused commands are handled elsewhere.
    if (connection === 'live' || connection === 'waiting') return;
    this.refusal = reason;
    // The server lets pages of this web site join only as spectators, so another attempt to join as
    // a participant would be refused too.
    if (reason === 'only-watches') this.close(reason);
    if (then) this.refusals++;
    if (then === 'join') this.joinLater();
  }

  protected get retryDelay(): number {
    const wait = Math.min(WAIT.longest, WAIT.first * 2 ** Math.max(0, this.refusals - 1));
    return wait * (1 - this.means.random() / 2);
  }

  protected override joinCommand(): Command<'join'> {
    const resume = this.memory.seat.read();
    const mark = this.memory.mark.read();
    const { name, watches } = this.who;
    return {
      ...super.joinCommand(),
      ...(mark && MARK.test(mark) && { mark }),
      ...(watches
        ? { as: 'spectator' as const }
        : { session: this.session, ...(name && { name }), ...(resume && { resume }) }),
    };
  }
}

/**
 * Tells the server whether the visitor is busy with a panel: when the panel opens or closes, and at
 * intervals while the visitor is using it.
 */
export class BusyReporter {
  private isBusy = false;
  private reportedAt = 0;

  constructor(private readonly send: (message: Command<'busy'>) => void) {}

  /** Tells the server whether the visitor is busy, if this has changed. @param now in ms */
  change(isBusy: boolean, now: number): void {
    if (isBusy !== this.isBusy) this.report(isBusy, now);
  }

  /**
   * Called when the visitor uses the panel. Tells the server again, if the last report was at least
   * `BUSY_INTERVAL` ago.
   *
   * @param now in ms
   */
  touch(now: number): void {
    const isDue = now - this.reportedAt >= BUSY_INTERVAL;
    if (this.isBusy && isDue) this.report(true, now);
  }

  private report(busy: boolean, now: number): void {
    this.isBusy = busy;
    this.reportedAt = now;
    this.send({ busy });
  }
}

/** Names of the requests: commands that the server answers with `accepted` or `rejected`. */
type RequestName = {
  [N in CommandName]: Command<N> extends { id: number } ? N : never;
}[CommandName];

export interface Answers<Refused = Reason> {
  accepted?(answer: Event<'accepted'>): void;
  rejected?(refused: Refused): void;
}

/**
 * Names of the requests that `RequestTracker` does not send again after a lost connection, because
 * the code that made the request does so.
 */
const REPEATED = /^(draw|preview|keep|follow)$/;

/**
 * Maximum number of requests that await an answer. If there are more, the answer to the oldest is
 * assumed to be lost. The room remembers the same number of executed commands.
 */
const MAX_PENDING = 64;

/**
 * After a lost connection, a command is sent again only if it is not older than this, in ms. Until
 * then, the room still remembers whether it has executed the command, and the visitor still expects
 * its effect.
 */
const MAX_AGE = 30_000;

interface Pending {
  readonly name: RequestName;
  readonly command: Command<RequestName>;
  readonly answers: Answers;
  /** When the command was sent, in ms. */
  readonly sentAt: number;
}

/**
 * Gives each request an id. When the server's answer with the same id arrives, calls the request's
 * callbacks.
 */
export class RequestTracker {
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();
  private you: ParticipantId = 0;

  /** @param date returns the time in ms, from a clock that also runs while the device is asleep */
  constructor(
    private readonly send: Send,
    private readonly date: () => number = Date.now,
  ) {}

  readonly ask = <N extends RequestName>(
    name: N,
    payload: Omit<Command<N>, 'id'>,
    answers: Answers = {},
  ): void => {
    const isPending = [...this.pending.values()].some((other) => other.answers === answers);
    // If the room was silent for a while, a page sends its drawing again, although the connection
    // may not have been lost. If so, the first request is still pending, and the second one is not
    // needed.
    if (name === 'draw' && isPending) return;
    const id = this.nextId++;
    const command = { ...payload, id } as unknown as Command<N>;
    this.pending.set(id, { name, command, answers, sentAt: this.date() });
    const [oldest] = this.pending.keys();
    if (this.pending.size > MAX_PENDING) this.giveUp(oldest);
    this.send(name, command);
  };

  /** Whether any request awaits its answer, apart from requests that match `REPEATED`. */
  get isWaiting(): boolean {
    return [...this.pending.values()].some(({ name }) => !REPEATED.test(name));
  }

  /**
   * After a lost connection, sends the unanswered commands again. Commands that must not be sent
   * again count as rejected with the reason 'elsewhere'.
   *
   * @param you the participant that this page is now
   */
  resume(you: ParticipantId): void {
    // The room knows by participant which commands it has executed. If the page is now another
    // participant, the room might execute a command twice, so send none again.
    const youngest = you === this.you ? this.date() - MAX_AGE : Number.POSITIVE_INFINITY;
    this.you = you;
    for (const [id, { name, command, sentAt }] of [...this.pending]) {
      // Do not send a `beacon` again: it highlights an organism for everybody, who might then see
      // it twice.
      const isOnce = name !== 'beacon' && !REPEATED.test(name);
      if (isOnce && sentAt > youngest) this.send(name, command);
      else this.giveUp(id);
    }
  }

  /**
   * Passes an acceptance to the request with the same id.
   *
   * @returns whether there is such a request
   */
  accepted(answer: Event<'accepted'>): boolean {
    const pending = this.take(answer.id);
    pending?.answers.accepted?.(answer);
    return pending !== undefined;
  }

  /**
   * Passes a rejection to the request with the same id.
   *
   * @returns whether there is such a request and it has a callback for rejections
   */
  rejected({ id, reason }: Event<'rejected'>): boolean {
    const pending = id === undefined ? undefined : this.take(id);
    pending?.answers.rejected?.(reason);
    return pending?.answers.rejected !== undefined;
  }

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }

  private giveUp(id: number): void {
    const pending = this.take(id);
    if (pending && !REPEATED.test(pending.name)) pending.answers.rejected?.('elsewhere');
  }
}

/** Host names by which a machine refers to itself. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** The room's address for visitors. */
export interface VisitorAddress {
  readonly address: string;
  /**
   * Whether phones can use the address. They cannot use an address such as `localhost`, because on
   * a phone it means the phone itself.
   */
  readonly forPhones: boolean;
}

/**
 * Chooses the address of the room that is shown to visitors, who will open it on their phones.
 *
 * @param wished the address that the wall's own address asks for with `?url=`; '' if there is none
 * @param page origin of the wall's page
 * @param known origin at which phones can reach the server, as reported by the server; '' if
 *   unknown
 */
export function visitorAddress(room: string, wished: string, page: string, known: string) {
  if (wished !== '') return { address: wished, forPhones: true };
  // If the wall runs on the server's machine, the origin of its page may be a loopback address.
  // Phones cannot use it, so prefer the address that the server has reported.
  const isOwn = LOOPBACK.test(new URL(page).hostname);
  const here = isOwn && known !== '' ? known : page;
  return { address: `${here}/r/${room}`, forPhones: !isOwn || known !== '' };
}

/** Minimum time between two reloads, in ms. */
const RELOAD_INTERVAL = 60_000;
const RELOAD_KEY = 'vivarium wall renewed';

/**
 * Returns whether the page may reload now: not if it has reloaded less than `RELOAD_INTERVAL` ago.
 * If it may, records the time.
 *
 * @param now current time in ms, by a clock that continues across reloads
 * @param storage returns storage that survives a reload; throws if the browser blocks storage
 */
export function mayRenew(now: number, storage: () => Pick<Storage, 'getItem' | 'setItem'>) {
  try {
    const memory = storage();
    const last = Number(memory.getItem(RELOAD_KEY) ?? Number.NEGATIVE_INFINITY);
    if (now - last < RELOAD_INTERVAL && now >= last) return false;
    memory.setItem(RELOAD_KEY, String(now));
    return true;
  } catch {
    // Without storage, the page cannot know when it last reloaded. Do not reload, because it might
    // reload endlessly.
    return false;
  }
}

/** Reloads the page, unless it was reloaded less than `RELOAD_INTERVAL` ago. */
export function renewPage(): void {
  if (mayRenew(Date.now(), () => sessionStorage)) location.reload();
}
