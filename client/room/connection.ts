/**
 * A client's connection to its room. `WallConnection` is for walls and tables. `Connection` is for
 * visitors, on pages and in other programs. `RequestTracker` matches the server's answers to a
 * visitor's requests.
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

/** Minimum interval between repeated reports that a visitor is busy with a panel, in ms. */
export const BUSY_INTERVAL = 20_000;

/**
 * Reconnection times, in ms: first delay (Socket.IO varies it by up to half), maximum delay, and
 * time limit of one attempt.
 */
const REDIAL = { first: 300, longest: 1_000, attempt: 3_000 };

/** The functions that a connection depends on, as implemented in a browser. */
export const BROWSER = {
  /**
   * Creates a Socket.IO socket.
   *
   * @param origin the server's origin; if absent, the page's own origin
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
 * A Socket.IO connection to one room. Joins the room with the handshake, reconnects after each
 * disconnection, and passes the server's messages to the model.
 */
export abstract class RoomConnection {
  readonly model: RoomModel;
  protected readonly socket: Socket;
  protected cancel = (): void => {};
  /** The reason why the connection has ended for good; undefined until it ends. */
  ended: EndReason | undefined;
  /** Whether the server has announced its shutdown. Another server may then take over the room. */
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
      // Socket.IO does not reconnect by itself if the server closed the connection, so reconnect
      // here.
      if (reason !== 'io server disconnect') return;
      this.later(() => this.socket.connect(), this.moves ? 0 : this.retryDelay);
      this.moves = false;
    });
    this.model.on('rejected', ({ reason, id }) => {
      this.moves = reason === 'shutting-down' && id === undefined;
    });
    this.socket.onAny((event: string, payload: unknown) => this.model.receive(event, payload));
  }

  /** Opens the connection. Pages call this only after checking that the browser can draw a room. */
  open(): void {
    this.socket.connect();
  }

  /**
   * Sends a command. If there is no connection, drops the command, because it would be outdated by
   * the time the page is connected again.
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
  /** Identifies this page to the server, so that a table can replace its own lost connection. */
  private readonly session = Date.now() >>> 0;
  /** The reason why the server refused the last join; undefined if the join was accepted. */
  refusal: Reason | undefined;

  constructor(
    private readonly options: {
      readonly room: string;
      /** The kind of client. `view` is the picture of the room on the host's page. */
      readonly as: 'wall' | 'view' | 'table';
      /** The pass in the address of a table, or of a wall with its own seat; '' for other pages. */
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
      // A wall that stays outside the room for too long gets `join-timeout`. Keep the reason of the
      // original refusal, if there was one.
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
 * What a visitor's page does after the server has refused its join, for each reason. Reasons that
 * are not listed have no effect.
 *
 * - `end`: the page gives up, because a retry would be refused for the same reason
 * - `join`: the page joins again over the same connection, which the server keeps open
 * - `dial`: the page connects again, because the server closes the connection
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
 * Delay before a refused page tries to join again, in ms. The delay doubles with each refusal, up to
 * `longest`. Up to half of the delay is subtracted at random, because otherwise a thousand pages
 * would all retry at the same moment.
 */
const WAIT = { first: 2_000, longest: 20_000 };

/** The visitor is notified if this many attempts to connect fail before any succeeds. */
const UNREACHED = 3;

/**
 * If the room sends no frame or pace message for this long, in ms, the page counts as disconnected.
 */
const SILENCE = 3_000;

/** Format of a device mark. Stored device marks with another format are ignored. */
const MARK = /^[\w-]{1,64}$/;

/** A visitor's connection to a room: joins, resumes, and sends commands. */
export class Connection extends RoomConnection {
  /** Called when the server cannot be reached, or refuses all connections from this address. */
  unreached: (() => void) | undefined;
  /**
   * Handles answers that match no pending request, and refusals of requests that were sent without
   * a handler for refusals.
   */
  unasked: Answers<Event<'rejected'>> = {};
  readonly requests = new RequestTracker((name, payload) => this.send(name, payload));
  private failures = 0;
  private cancelSilence = (): void => {};
  private cancelPatience = (): void => {};
  /** The reason why the server refused the last join; undefined if the join was accepted. */
  private refusal: Reason | undefined;
  /**
   * Id of this page's session. Command ids start at 1 on each page, so the server needs the session id
   * to distinguish this page's commands from those of the visitor's earlier pages.
   */
  private readonly session = Date.now() >>> 0;
  /** Number of refused joins since the last accepted join. */
  private refusals = 0;

  constructor(
    room: string,
    /** The visitor's name, sent with the next join, and whether the visitor is a spectator. */
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
      // The page now has a seat in the room or a position in the queue, so cancel the next attempt
      // to join.
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
      // A `welcome` on a live connection only means that the host has undone actions. No connection
      // was lost, so there are no requests to send again.
      if (this.model.connection !== 'live') this.requests.resume(you.id);
    });
    for (const event of ['picture', 'pace'] as const) {
      this.model.on(event, () => {
        // Browsers notice a lost connection only after a long delay, so detect silence here.
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

  /** Starts a timer that ends the connection unless the page enters the room or its queue in time. */
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
    // Once the page is in the room or its queue, each refusal concerns a command and not the join,
    // so ignore the refusal here.
    if (connection === 'live' || connection === 'waiting') return;
    this.refusal = reason;
    // The server admits pages of this web site only as spectators. Trying again to join as a
    // participant would be refused too.
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
 * Tells the server whether the visitor is busy with a panel. Sends a report when the panel opens or
 * closes, and at intervals while the visitor uses it.
 */
export class BusyReporter {
  private isBusy = false;
  private reportedAt = 0;

  constructor(private readonly send: (message: Command<'busy'>) => void) {}

  /** Reports whether the visitor is busy, if that has changed. @param now in ms */
  change(isBusy: boolean, now: number): void {
    if (isBusy !== this.isBusy) this.report(isBusy, now);
  }

  /** Reports again that a busy visitor is still using the page, if a report is due. @param now in ms */
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

/** Names of the commands that the server answers with `accepted` or `rejected`. */
type RequestName = {
  [N in CommandName]: Command<N> extends { id: number } ? N : never;
}[CommandName];

export interface Answers<Refused = Reason> {
  accepted?(answer: Event<'accepted'>): void;
  rejected?(refused: Refused): void;
}

/** Names of requests that their senders repeat after a lost connection, so the tracker does not. */
const REPEATED = /^(draw|preview|keep|follow)$/;

/**
 * Maximum number of commands that await an answer. If there are more, the oldest is assumed to be
 * lost. The limit equals the number of executed commands that the room remembers.
 */
const MAX_PENDING = 64;

/**
 * Maximum age of a command that is sent again after a lost connection, in ms. Up to this age, the
 * room remembers whether it has executed the command, and the visitor still expects the effect.
 */
const MAX_AGE = 30_000;

interface Pending {
  readonly name: RequestName;
  readonly command: Command<RequestName>;
  readonly answers: Answers;
  /** When the command was sent, in ms. */
  readonly sentAt: number;
}

/** Gives each request an id, and passes the server's answer to the callbacks of its request. */
export class RequestTracker {
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();
  private you: ParticipantId = 0;

  /** @param date returns the time in ms, from a clock that runs even while the device sleeps */
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
    // A page sends its drawing again after the room was silent for a while, even if the connection
    // was not lost. Skip the drawing if its first request is still pending.
    if (name === 'draw' && isPending) return;
    const id = this.nextId++;
    const command = { ...payload, id } as unknown as Command<N>;
    this.pending.set(id, { name, command, answers, sentAt: this.date() });
    const [oldest] = this.pending.keys();
    if (this.pending.size > MAX_PENDING) this.giveUp(oldest);
    this.send(name, command);
  };

  /** Whether a command awaits its answer. Requests that match `REPEATED` do not count. */
  get isWaiting(): boolean {
    return [...this.pending.values()].some(({ name }) => !REPEATED.test(name));
  }

  /**
   * Sends unanswered commands again after a lost connection. Commands that must not be sent again are
   * rejected with the reason `elsewhere`.
   */
  resume(you: ParticipantId): void {
    // If the page has become another participant, the room cannot tell which of the earlier
    // commands it has already executed, so send none of them again.
    const youngest = you === this.you ? this.date() - MAX_AGE : Number.POSITIVE_INFINITY;
    this.you = you;
    for (const [id, { name, command, sentAt }] of [...this.pending]) {
      // Do not repeat a `beacon`, which highlights an organism: everybody might see it twice.
      const isOnce = name !== 'beacon' && !REPEATED.test(name);
      if (isOnce && sentAt > youngest) this.send(name, command);
      else this.giveUp(id);
    }
  }

  /** Passes an answer to its request. @returns whether a request was waiting for the answer */
  accepted(answer: Event<'accepted'>): boolean {
    const pending = this.take(answer.id);
    pending?.answers.accepted?.(answer);
    return pending !== undefined;
  }

  /**
   * Passes a rejection to its request.
   *
   * @returns whether a request was waiting for the answer and handles rejections
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
   * Whether phones can use the address. They cannot use `localhost`, because on a phone it means
   * the phone itself.
   */
  readonly forPhones: boolean;
}

/**
 * Chooses the room's address for phones.
 *
 * @param wished address given as `?url=` in the wall's own address; '' if there is none
 * @param page origin of the wall's page
 * @param known origin that the server reports as reachable by phones; '' if unknown
 */
export function visitorAddress(room: string, wished: string, page: string, known: string) {
  if (wished !== '') return { address: wished, forPhones: true };
  // A wall on the server's machine uses a loopback address, which phones cannot reach, so prefer
  // the reported address.
  const isOwn = LOOPBACK.test(new URL(page).hostname);
  const here = isOwn && known !== '' ? known : page;
  return { address: `${here}/r/${room}`, forPhones: !isOwn || known !== '' };
}

/** Minimum time between two reloads, in ms. */
const RELOAD_INTERVAL = 60_000;
const RELOAD_KEY = 'vivarium wall renewed';

/**
 * Returns whether the page may reload now. If so, records the time of the reload.
 *
 * @param now current time in ms, on a clock that continues across reloads
 * @param storage returns storage that survives a reload; throws if storage is blocked
 */
export function mayRenew(now: number, storage: () => Pick<Storage, 'getItem' | 'setItem'>) {
  try {
    const memory = storage();
    const last = Number(memory.getItem(RELOAD_KEY) ?? Number.NEGATIVE_INFINITY);
    if (now - last < RELOAD_INTERVAL && now >= last) return false;
    memory.setItem(RELOAD_KEY, String(now));
    return true;
  } catch {
    // Do not reload, because without storage the page cannot know how often it has reloaded.
    return false;
  }
}

/** Reloads the page, unless it was reloaded less than `RELOAD_INTERVAL` ago. */
export function renewPage(): void {
  if (mayRenew(Date.now(), () => sessionStorage)) location.reload();
}
