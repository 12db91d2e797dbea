/**
 * A client's connection to its room. `WallConnection` is for walls and tables. `Connection` is for
 * visitors, on pages and in other programs. `RequestTracker` matches answers to a visitor's
 * requests.
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

/** Interval at which a page reports again that its visitor is busy, in ms. */
export const BUSY_INTERVAL = 20_000;

/** Reconnection: first delay (varied by up to half), maximum delay, and time limit per attempt, in
 * ms. */
const REDIAL = { first: 300, longest: 1_000, attempt: 3_000 };

/** The dependencies of a connection, in a browser. */
export const BROWSER = {
  /** @param origin of the server; if absent, the page's own */
  dial: (options: Partial<ManagerOptions & SocketOptions>, origin?: string): Socket =>
    origin ? io(origin, options) : io(options),
  /** Returns a random number from 0 to 1. */
  random: Math.random,
  /** Calls back after a delay, in ms. @returns a function that cancels it */
  after: (ms: number, call: () => void): (() => void) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export type Means = Readonly<typeof BROWSER>;

/**
 * A Socket.IO connection to one room. Joins with the handshake, reconnects after each
 * disconnection, and passes messages to the model.
 */
export abstract class RoomConnection {
  readonly model: RoomModel;
  protected readonly socket: Socket;
  protected cancel = (): void => {};
  /** Why the connection has ended; undefined until then. */
  ended: EndReason | undefined;
  /** Whether the server is shutting down, so that another server may take over the room. */
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

  /** Connects. Pages call this only once they know that they can draw the room. */
  open(): void {
    this.socket.connect();
  }

  /** Sends a command. Without a connection, drops the command, because it would be outdated later. */
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

  /** Delay before the next retry, ms. */
  protected abstract get retryDelay(): number;

  /** Joins again over the same connection, after `retryDelay`. */
  protected joinLater(): void {
    this.later(() => this.send('join', this.joinCommand()), this.retryDelay);
  }

  private later(what: () => void, delay: number): void {
    this.cancel();
    this.cancel = this.means.after(delay, what);
  }
}

/** Delay before a refused wall joins again, in ms. */
const REFUSED = 3_000;

/** A wall's or table's connection to a room; it always reconnects. */
export class WallConnection extends RoomConnection {
  /** Identifies this page, so that a table can replace its own lost connection. */
  private readonly session = Date.now() >>> 0;
  /** Reason for refusing the last join; undefined if it was accepted. */
  refusal: Reason | undefined;

  constructor(
    private readonly options: {
      readonly room: string;
      /** `view` is the picture of the room on the host's page. */
      readonly as: 'wall' | 'view' | 'table';
      /** The pass, from the page's address; '' for a wall without a seat of its own. */
      readonly pass: string;
      /** Languages whose script this screen cannot display. */
      readonly unwritable?: readonly LanguageCode[];
      /** Build of this page, see `buildOf`. */
      readonly build: string;
      /** Called when the server has another build of the page. */
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
      // A wall that has been refused for long gets `join-timeout`, so keep the original reason.
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
 * What a page does after a refused join. Other reasons have no effect.
 *
 * - `end`: gives up, because a retry would be refused for the same reason
 * - `join`: joins again over the connection, which the server keeps open
 * - `dial`: connects again, because the server closes the connection
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
 * Delay before another join, ms. It doubles with each refusal, up to `longest`. A random part of up
 * to half is subtracted, because otherwise a thousand pages would all retry at the same moment.
 */
const WAIT = { first: 2_000, longest: 20_000 };

/** If this many attempts to connect fail before any succeeds, the visitor is notified. */
const UNREACHED = 3;

/**
 * If the room sends no frame or pace message for this long, in ms, the page counts as disconnected.
 */
const SILENCE = 3_000;

/** Format of a device mark. Other values in the storage are ignored. */
const MARK = /^[\w-]{1,64}$/;

/** A visitor's connection to a room: joins, resumes, and sends commands. */
export class Connection extends RoomConnection {
  /** Called when the server cannot be reached, or refuses all connections from this address. */
  unreached: (() => void) | undefined;
  /** Handles answers that match no pending request, and refusals that no request handles. */
  unasked: Answers<Event<'rejected'>> = {};
  readonly requests = new RequestTracker((name, payload) => this.send(name, payload));
  private failures = 0;
  private cancelSilence = (): void => {};
  private cancelPatience = (): void => {};
  /** Why the last join was refused. */
  private refusal: Reason | undefined;
  /**
   * Id of this page's session. It tells this page's commands from those of the visitor's earlier
   * pages, which had the same command ids.
   */
  private readonly session = Date.now() >>> 0;
  /** Refusals since the last accepted join. */
  private refusals = 0;

  constructor(
    room: string,
    /** The name for the next join, and whether the page is a spectator. */
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
      // A page that is still connected is welcomed again only after the host has undone actions.
      // Such a page has nothing to resume.
      if (this.model.connection !== 'live') this.requests.resume(you.id);
    });
    for (const event of ['picture', 'pace'] as const) {
      this.model.on(event, () => {
        // Browsers notice dead connections late, so detect silence here.
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

  /** Ends the connection if it stays out of the room, and out of the queue, for too long. */
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
    // After the join, a refusal concerns a command and not the connection, so ignore it here.
    if (connection === 'live' || connection === 'waiting') return;
    this.refusal = reason;
    // This page's site may only embed rooms.
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

/** Reports when a panel opens or closes, and at intervals while the visitor uses it. */
export class BusyReporter {
  private isBusy = false;
  private reportedAt = 0;

  constructor(private readonly send: (message: Command<'busy'>) => void) {}

  /** @param now ms */
  change(isBusy: boolean, now: number): void {
    if (isBusy !== this.isBusy) this.report(isBusy, now);
  }

  /** Records that the visitor has touched the page. @param now ms */
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

/** The commands that the server answers with `accepted` or `rejected`. */
type RequestName = {
  [N in CommandName]: Command<N> extends { id: number } ? N : never;
}[CommandName];

export interface Answers<Refused = Reason> {
  accepted?(answer: Event<'accepted'>): void;
  rejected?(refused: Refused): void;
}

/** Requests that the tracker does not repeat after a lost connection, because their senders do. */
const REPEATED = /^(draw|preview|keep|follow)$/;

/**
 * Maximum number of commands that await an answer. The room remembers the same number of commands.
 * If there are more, the oldest command is assumed to be lost.
 */
const MAX_PENDING = 64;

/**
 * Maximum age at which a command is sent again, in ms. Up to this age, the room still remembers the
 * commands it has executed, and the visitor still expects the effect.
 */
const MAX_AGE = 30_000;

interface Pending {
  readonly name: RequestName;
  readonly command: Command<RequestName>;
  readonly answers: Answers;
  /** When the command was sent, in ms. */
  readonly sentAt: number;
}

/** Numbers requests and hands each answer to its request. */
export class RequestTracker {
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();
  private you: ParticipantId = 0;

  /** @param date a clock that runs even while the device sleeps, ms */
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
    // Skip a drawing that is already pending. Pages send their drawing again after the room was
    // silent for a while, even if the connection was not lost.
    if (name === 'draw' && isPending) return;
    const id = this.nextId++;
    const command = { ...payload, id } as unknown as Command<N>;
    this.pending.set(id, { name, command, answers, sentAt: this.date() });
    const [oldest] = this.pending.keys();
    if (this.pending.size > MAX_PENDING) this.giveUp(oldest);
    this.send(name, command);
  };

  /** Whether a command of the visitor awaits its answer. */
  get isWaiting(): boolean {
    return [...this.pending.values()].some(({ name }) => !REPEATED.test(name));
  }

  /** Sends unanswered commands again after a lost connection, or refuses them as `elsewhere`. */
  resume(you: ParticipantId): void {
    // If the page is now another participant, the room does not know the earlier commands, so send
    // none again.
    const youngest = you === this.you ? this.date() - MAX_AGE : Number.POSITIVE_INFINITY;
    this.you = you;
    for (const [id, { name, command, sentAt }] of [...this.pending]) {
      // Do not send a beacon again, because it would be shown twice.
      const isOnce = name !== 'beacon' && !REPEATED.test(name);
      if (isOnce && sentAt > youngest) this.send(name, command);
      else this.giveUp(id);
    }
  }

  /** @returns whether a request was waiting for this answer */
  accepted(answer: Event<'accepted'>): boolean {
    const pending = this.take(answer.id);
    pending?.answers.accepted?.(answer);
    return pending !== undefined;
  }

  /** @returns whether a request was waiting for this answer and handles rejections */
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

/** What walls and tables share: the address for phones, and when the page may load itself anew. */

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** The address that visitors open. */
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
 * @param wished address in the wall's own address (`?url=`); '' for none
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
 * Whether the page may reload now.
 *
 * @param now in ms, on a clock that continues across reloads
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

/** Reloads the page, unless it has just been reloaded. */
export function renewPage(): void {
  if (mayRenew(Date.now(), () => sessionStorage)) location.reload();
}
