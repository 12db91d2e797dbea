/**
 * A client's connection to its room. `WallConnection` is for walls (large displays of a room) and
 * tables (touch screens that several people share). `Connection` is for visitors, both on pages and
 * in other programs.
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

/** Minimum time between two reports that a visitor is busy with a panel, in ms. */
export const BUSY_INTERVAL = 20_000;

/**
 * Times for reconnecting, in ms. `first`: delay before the first attempt (Socket.IO varies it by up
 * to half). `longest`: maximum delay. `attempt`: time limit of one attempt.
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
  /** Whether the server has announced its shutdown. If so, the page reconnects without a delay. */
  private moves = false;

  constructor(
    private readonly room: string,
    protected readonly means: Means = BROWSER,
  ) {
    this.model = new RoomModel(this.send);
    this.socket = means.dial({
      transports: ['websocket'],
      parser: createParser({ pack, unpack }),
      autoConnect: false,
      // Pages must reconnect within five seconds after a restart of the server.
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
      // Socket.IO does not reconnect by itself if the server has closed the connection.
      if (reason !== 'io server disconnect') return;
      this.later(() => this.socket.connect(), this.moves ? 0 : this.retryDelay);
      this.moves = false;
    });
    this.model.on('rejected', ({ reason, id }) => {
      this.moves = reason === 'shutting-down' && id === undefined;
    });
    this.socket.onAny((event: string, payload: unknown) => this.model.receive(event, payload));
  }

  /** Opens the connection. */
  open(): void {
    this.socket.connect();
  }

  /** Sends a command to the server. Without a connection, drops the command. */
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

  /** Delay before the next attempt to connect or to join, in ms. */
  protected abstract get retryDelay(): number;

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

/** A wall's or table's connection to a room. Reconnects until it is closed. */
export class WallConnection extends RoomConnection {
  /**
   * Identifies this page to the server. If a table reconnects with the same id, its new connection
   * replaces the lost one.
   */
  private readonly session = Date.now() >>> 0;
  /** Reason of the last refused join; undefined after an accepted join. */
  refusal: Reason | undefined;

  constructor(
    private readonly options: {
      readonly room: string;
      /** The kind of client. `view` is the picture of the room on the host's page. */
      readonly as: 'wall' | 'view' | 'table';
      /**
       * The secret in the page's URL (`?pass=`), for a touch table or for a wall with a reserved
       * seat; '' if there is none.
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
      // A page that is already in the room need not join again.
      if (this.model.connection === 'live') return;
      // 'join-timeout' does not say why the page could not join, so keep an earlier reason.
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
 * How a visitor's page reacts if the server refuses its join or ends its connection, by reason:
 *
 * - `end`: gives up
 * - `join`: sends the join command again over the same connection
 * - `dial`: opens a new connection, because the server closes the old one
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
 * Delay before a refused page tries to join again, in ms. Starts with `first` and doubles with each
 * refusal, up to `longest`. A random part, at most half, is subtracted, so that pages do not all
 * try at the same moment.
 */
const WAIT = { first: 2_000, longest: 20_000 };

/**
 * Number of failed attempts to connect after which the visitor is informed, if the page has never
 * been in the room.
 */
const UNREACHED = 3;

/**
 * If no frame and no `pace` message arrives for this long, in ms, the connection counts as lost.
 */
const SILENCE = 3_000;

/**
 * Format of a device mark: signed random bytes by which the server recognises a browser. A stored
 * mark in another format is ignored.
 */
const MARK = /^[\w-]{1,64}$/;

/**
 * A visitor's connection to a room. It joins the room, resumes the visitor's seat after a lost
 * connection, and sends commands.
 */
export class Connection extends RoomConnection {
  /** Called if the page has failed `UNREACHED` times to connect. */
  unreached: (() => void) | undefined;
  /**
   * Receives answers that match no pending request, and rejections of requests without a `rejected`
   * callback.
   */
  unasked: Answers<Event<'rejected'>> = {};
  readonly requests = new RequestTracker((name, payload) => this.send(name, payload));
  private failures = 0;
  private cancelSilence = (): void => {};
  private cancelPatience = (): void => {};
  /** Reason of the last refused join; undefined after an accepted join. */
  private refusal: Reason | undefined;
  /**
   * Identifies this page to the server. Command ids alone would be ambiguous, because every page
   * numbers its commands from 1.
   */
  private readonly session = Date.now() >>> 0;
  /** Number of refused joins since the last accepted one. */
  private refusals = 0;

  constructor(
    room: string,
    /** The visitor's name for the next join, and whether the visitor joins as a spectator. */
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
      // The page is now in the room or its queue and need not join again.
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
      // The server also sends `welcome` when the host has undone actions. In this case, the
      // connection is live and no request was lost, so send no request again.
      if (this.model.connection !== 'live') this.requests.resume(you.id);
    });
    for (const event of ['picture', 'pace'] as const) {
      this.model.on(event, () => {
        // Browsers notice a broken connection late, so count a silent connection as lost.
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
   * Closes the connection for good if the page does not enter the room or its queue within
   * `patience` ms.
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
    // If the page is in the room or its queue, the server has refused a command, not the join.
    if (connection === 'live' || connection === 'waiting') return;
    this.refusal = reason;
    // The room is embedded in another web site, and the server accepts pages of that site only as
    // spectators. Give up, because this connection joins as a participant and would be refused
    // again.
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
 * Reports to the server whether the visitor is busy with a panel. Repeats the report while the
 * visitor uses the panel.
 */
export class BusyReporter {
  private isBusy = false;
  private reportedAt = 0;

  constructor(private readonly send: (message: Command<'busy'>) => void) {}

  /** Reports whether the visitor is busy, if this has changed. @param now in ms */
  change(isBusy: boolean, now: number): void {
    if (isBusy !== this.isBusy) this.report(isBusy, now);
  }

  /**
   * Call this when the visitor uses the panel. If the last report was at least `BUSY_INTERVAL` ago,
   * reports again that the visitor is busy.
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

/**
 * Names of the requests, which are commands that the server answers with `accepted` or `rejected`.
 */
type RequestName = {
  [N in CommandName]: Command<N> extends { id: number } ? N : never;
}[CommandName];

export interface Answers<Refused = Reason> {
  accepted?(answer: Event<'accepted'>): void;
  rejected?(refused: Refused): void;
}

/**
 * Requests that `RequestTracker` must not send again after a lost connection, because the calling
 * code sends them again.
 */
const REPEATED = /^(draw|preview|keep|follow)$/;

/**
 * Maximum number of unanswered requests. If there are more, the tracker gives up the oldest
 * request. The room remembers the same number of executed commands.
 */
const MAX_PENDING = 64;

/**
 * Maximum age of a command that is sent again after a lost connection, in ms. The room remembers
 * executed commands for the same time.
 */
const MAX_AGE = 30_000;

interface Pending {
  readonly name: RequestName;
  readonly command: Command<RequestName>;
  readonly answers: Answers;
  /** When the command was sent, in ms. */
  readonly sentAt: number;
}

/** Gives each request an id, and passes the answer with this id to the request's callbacks. */
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
    // A page may send the same drawing twice. Skip the second request if the first is still
    // pending.
    if (name === 'draw' && isPending) return;
    const id = this.nextId++;
    const command = { ...payload, id } as unknown as Command<N>;
    this.pending.set(id, { name, command, answers, sentAt: this.date() });
    const [oldest] = this.pending.keys();
    if (this.pending.size > MAX_PENDING) this.giveUp(oldest);
    this.send(name, command);
  };

  /** Whether any request is unanswered, except requests that match `REPEATED`. */
  get isWaiting(): boolean {
    return [...this.pending.values()].some(({ name }) => !REPEATED.test(name));
  }

  /**
   * After a lost connection, sends recent unanswered commands again if the page still has the same
   * participant. Rejects all others with the reason 'elsewhere', but forgets those that match
   * `REPEATED`.
   *
   * @param you id of this page's participant after the reconnection; may differ from the earlier id
   */
  resume(you: ParticipantId): void {
    // The room remembers executed commands by participant. For another participant, the room might
    // execute a command twice, so send no command again.
    const youngest = you === this.you ? this.date() - MAX_AGE : Number.POSITIVE_INFINITY;
    this.you = you;
    for (const [id, { name, command, sentAt }] of [...this.pending]) {
      // Everybody might see a `beacon` (rings that draw attention to an organism) twice, so do not
      // send it again.
      const isOnce = name !== 'beacon' && !REPEATED.test(name);
      if (isOnce && sentAt > youngest) this.send(name, command);
      else this.giveUp(id);
    }
  }

  /**
   * Passes an acceptance to the request with the same id. @returns whether there is such a request
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

/** The web address at which visitors can join the room. */
export interface VisitorAddress {
  readonly address: string;
  /**
   * Whether phones can open this web address. Phones cannot open an address such as `localhost`.
   */
  readonly forPhones: boolean;
}

/**
 * Chooses the room's address to show to visitors, who will open it on their phones.
 *
 * @param wished the value of `?url=` in the address of the wall's page; '' if there is none
 * @param page origin of the wall's page
 * @param known the server's origin for phones, as reported by the server; '' if unknown
 */
export function visitorAddress(room: string, wished: string, page: string, known: string) {
  if (wished !== '') return { address: wished, forPhones: true };
  // A page address such as `localhost` does not work on phones, so prefer the origin that the
  // server has reported.
  const isOwn = LOOPBACK.test(new URL(page).hostname);
  const here = isOwn && known !== '' ? known : page;
  return { address: `${here}/r/${room}`, forPhones: !isOwn || known !== '' };
}

/** Minimum time between two reloads, in ms. */
const RELOAD_INTERVAL = 60_000;
const RELOAD_KEY = 'vivarium wall renewed';

/**
 * Returns whether the last reload of the page was at least `RELOAD_INTERVAL` ago. If so, records
 * the current time.
 *
 * @param now current time in ms, from a clock that continues across reloads
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
    // Without storage, the page might reload endlessly.
    return false;
  }
}

/** Reloads the page, unless it was reloaded less than `RELOAD_INTERVAL` ago. */
export function renewPage(): void {
  if (mayRenew(Date.now(), () => sessionStorage)) location.reload();
}
