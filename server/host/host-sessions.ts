/**
 * Login sessions of the host, and the delays after wrong tokens. Both are kept in memory only, so
 * they end with the server or the cluster. A session that begins on one server of a cluster is
 * valid on all servers, and wrong tokens count on all servers. Messages between servers contain
 * only hashes of the cookies, so nobody can sign in with them.
 */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import {
  ANSWER_TIMEOUT,
  type Bus,
  decodeMessage,
  encodeMessage,
  type Subscription,
} from '../cluster/bus/bus.ts';
import type { Clock } from '../platform/clock.ts';

/** Delays after wrong host tokens, in ms. */
export const LOGIN = {
  /** Number of wrong tokens per address without a delay. */
  free: 5,
  /** First delay. It doubles with each wrong token. */
  firstDelay: 2_000,
  maxDelay: 600_000,
  /** If an address sends no wrong token for this long, its wrong tokens are forgotten. */
  forget: 3_600_000,
  /**
   * Maximum number of wrong tokens of all addresses within `window`. Above it, every address with
   * a wrong token is delayed.
   */
  allFree: 50,
  window: 600_000,
  /** Maximum number of remembered addresses. */
  maxAddresses: 10_000,
} as const;

/** How long a host stays signed in, in ms. */
export const SESSION = {
  idle: 3_600_000,
  life: 43_200_000,
  /** Maximum number of sessions. A further session ends the oldest one. */
  most: 32,
} as const;

export interface HostSession {
  /** CSRF key. Every call that changes something must send it. */
  readonly key: string;
  /** When the host signed in (ms of the clock). */
  readonly since: number;
  /** When the host last did something (ms of the clock). */
  used: number;
}

/** Minimum interval at which other servers are told that a session is being used, in ms. */
const ANNOUNCE_USE = 60_000;
/** Maximum number of ended sessions to remember, so that a late message cannot revive them. */
const MAX_ENDED = 256;
const SESSIONS = 'host:sessions';

const text = v.pipe(v.string(), v.maxLength(64));
const ago = v.pipe(v.number(), v.minValue(0), v.maxValue(SESSION.life));
const list = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.maxLength(1_000));
const sessionMessage = v.strictObject({
  /** Identifies the token with which the sessions began. */
  token: text,
  /**
   * The sessions, each with the hash of its cookie's value. `since` and `used` are in ms before the
   * message was sent.
   */
  sessions: list(v.strictObject({ hash: text, key: text, since: ago, used: ago })),
  /** Hashes of sessions that the host has ended. */
  ended: list(text),
  /** Asks the other servers to send their sessions. */
  asks: v.optional(v.boolean(), false),
  /** Identifies this message, if its publisher waits for it to come back. */
  echo: v.optional(text),
});
/** The part of a message that describes sessions. */
type SessionNews = Pick<v.InferOutput<typeof sessionMessage>, 'sessions' | 'ended'>;

const random = (): string => randomBytes(32).toString('base64url');
const hashOf = (word: string): string => createHash('sha256').update(word).digest('base64url');

export class HostSessions {
  /** The current sessions, by the hash of the cookie's value. */
  private readonly sessions = new Map<string, HostSession>();
  /** Sessions that have ended, as hashes of their cookies' values. */
  private readonly ended = new Set<string>();
  /** When each session was last announced to other servers (ms of the clock). */
  private readonly announced = new WeakMap<HostSession, number>();
  /** For the `echo` of each awaited message, the function that ends the wait for it. */
  private readonly waits = new Map<string, () => void>();
  /** The current wait of `caughtUp`, and the wait that begins after it. */
  private wait: Promise<void> | undefined;
  private nextWait: Promise<void> | undefined;
  private subscriptions: readonly Subscription[] = [];

  private constructor(
    private readonly clock: Clock,
    private bus: Bus | undefined,
    private readonly tokenMark: () => string,
  ) {}

  /**
   * Opens the sessions. In a cluster, asks the other servers for theirs.
   *
   * @param clock never goes back
   * @param bus connects to the other servers of a cluster
   * @param tokenMark identifies the host's current token; sessions of other tokens are not adopted
   * @throws Error if the bus has been closed
   */
  static async open(clock: Clock, bus?: Bus, tokenMark = () => ''): Promise<HostSessions> {
    const sessions = new HostSessions(clock, bus, tokenMark);
    if (bus) {
      const ask = (): void => sessions.publish(sessions.news, { asks: true });
      const subscription = await bus.subscribe(SESSIONS, (bytes) => sessions.receive(bytes));
      sessions.subscriptions = [subscription, bus.onGap(ask)];
      ask();
    }
    return sessions;
  }

  /** Starts a session. @returns the cookie's value, and the session */
  begin(): { readonly word: string; readonly session: HostSession } {
    this.forgetOld();
    const word = random();
    const now = this.clock.now();
    const session = { key: random(), since: now, used: now };
    this.add(hashOf(word), session);
    this.announce(hashOf(word), session);
    return { word, session };
  }

  /**
   * Finds the session of a cookie; undefined if it has expired.
   *
   * @param isUse whether the host is acting, which renews the session; false if the page only polls
   */
  find(word: string | undefined, isUse: boolean): HostSession | undefined {
    if (!word) return undefined;
    this.forgetOld();
    const hash = hashOf(word);
    const session = this.sessions.get(hash);
    if (!session || !isUse) return session;
    session.used = this.clock.now();
    if (session.used - (this.announced.get(session) ?? 0) >= ANNOUNCE_USE) {
      this.announce(hash, session);
    }
    return session;
  }

  /** Ends the session of a cookie, if there is one. */
  end(word: string | undefined): void {
    const hash = hashOf(word ?? '');
    if (!this.sessions.has(hash)) return;
    this.forget(hash);
    this.publish({ sessions: [], ended: [hash] });
  }

  /** Ends all sessions on this server only. */
  endAll(): void {
    this.sessions.clear();
  }

  /** All sessions and ended sessions, for other servers. */
  get news(): SessionNews {
    this.forgetOld();
    const sessions = [...this.sessions].map(([hash, session]) => this.newsOf(hash, session));
    return { sessions, ended: [...this.ended] };
  }

  /** Adopts the sessions that another server has sent. */
  adopt({ sessions, ended }: SessionNews): void {
    for (const hash of ended) this.forget(hash);
    const now = this.clock.now();
    for (const { hash, key, ...before } of sessions) {
      if (this.ended.has(hash)) continue;
      const [since, used] = [now - before.since, now - before.used];
      const known = this.sessions.get(hash);
      if (known) known.used = Math.max(known.used, used);
      else this.add(hash, { key, since, used });
    }
    this.forgetOld();
  }

  /** Time until an unused session expires, ms. */
  left({ since, used }: HostSession): number {
    const { idle, life } = SESSION;
    return Math.max(0, Math.min(used + idle, since + life) - this.clock.now());
  }

  /** Resolves when every session that a server has announced by now has arrived here. */
  caughtUp(): Promise<void> {
    if (!this.bus?.isUp) return Promise.resolve();
    if (!this.wait) {
      this.wait = this.echo().finally(() => {
        this.wait = undefined;
      });
      return this.wait;
    }
    // The current wait may have begun before the session was announced, so wait once more after it.
    // All callers that arrive in the meantime share that second wait.
    this.nextWait ??= this.wait.then(() => {
      this.nextWait = undefined;
      return this.caughtUp();
    });
    return this.nextWait;
  }

  close(): void {
    this.bus = undefined;
    for (const subscription of this.subscriptions) subscription.close();
    for (const end of [...this.waits.values()]) end();
  }

  /**
   * Waits until a message of this server has come back. Valkey sends messages to all servers in one
   * order, so every message published before it has arrived too.
   */
  private echo(): Promise<void> {
    return new Promise((resolve) => {
      const echo = randomUUID();
      const end = (): void => {
        cancel();
        this.waits.delete(echo);
        resolve();
      };
      const cancel = this.clock.after(ANSWER_TIMEOUT, end);
      this.waits.set(echo, end);
      this.publish({ sessions: [], ended: [] }, { echo });
    });
  }

  private publish(news: SessionNews, more: { asks?: boolean; echo?: string } = {}): void {
    this.bus?.publish(SESSIONS, encodeMessage({ token: this.tokenMark(), ...news, ...more }));
  }

  private receive(bytes: Uint8Array): void {
    const received = decodeMessage(sessionMessage, bytes);
    this.waits.get(received?.echo ?? '')?.();
    if (received?.token !== this.tokenMark()) return;
    this.adopt(received);
    // A server also receives its own question, and harmlessly answers it.
    if (received.asks) this.publish(this.news);
  }

  private add(hash: string, session: HostSession): void {
    this.sessions.set(hash, session);
    if (this.sessions.size > SESSION.most) {
      this.sessions.delete(this.sessions.keys().next().value!);
    }
  }

  /** Ends a session and remembers that it has ended. */
  private forget(hash: string): void {
    this.sessions.delete(hash);
    this.ended.add(hash);
    if (this.ended.size > MAX_ENDED) this.ended.delete(this.ended.values().next().value!);
  }

  private announce(hash: string, session: HostSession): void {
    this.announced.set(session, this.clock.now());
    this.publish({ sessions: [this.newsOf(hash, session)], ended: [] });
  }

  private newsOf(hash: string, { key, since, used }: HostSession): SessionNews['sessions'][number] {
    const now = this.clock.now();
    return { hash, key, since: now - since, used: now - used };
  }

  private forgetOld(): void {
    for (const [hash, session] of this.sessions) {
      if (this.left(session) === 0) this.sessions.delete(hash);
    }
  }
}

/** Checks whether a call has the session's key, in constant time. */
export function hasKey({ key }: HostSession, given: string | undefined): boolean {
  const [a, b] = [key, given ?? ''].map((one) => createHash('sha256').update(one).digest());
  return timingSafeEqual(a, b);
}

const TRIES = 'host:tries';
const triedMessage = v.strictObject({
  /** Identifies the server. */
  node: v.pipe(v.string(), v.maxLength(256)),
  /** The address from which the token was sent. */
  address: v.pipe(v.string(), v.maxLength(256)),
  isRight: v.boolean(),
});

/**
 * Counts wrong tokens by address, on all servers of a cluster together. Otherwise, somebody who
 * guesses through a balancer would get more tries. While the bus is unavailable, each server counts
 * alone.
 */
export class LoginThrottle {
  private readonly node = randomUUID();
  /** Wrong tokens by address. `until` and `last` are ms of the clock. */
  private readonly wrong = new Map<string, { count: number; until: number; last: number }>();
  /** When recent wrong tokens arrived, from any address (ms of the clock). */
  private recent: number[] = [];
  private subscription: Subscription | undefined;

  private constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private bus: Bus | undefined,
  ) {}

  /** @throws Error if the bus has been closed */
  static async open(clock: Pick<Clock, 'now'>, bus?: Bus): Promise<LoginThrottle> {
    const throttle = new LoginThrottle(clock, bus);
    throttle.subscription = await bus?.subscribe(TRIES, (bytes) => {
      const tried = decodeMessage(triedMessage, bytes);
      // A server also receives its own messages, which it has counted already.
      if (!tried || tried.node === throttle.node) return;
      if (tried.isRight) throttle.wrong.delete(tried.address);
      else throttle.count(tried.address);
    });
    return throttle;
  }

  /** Time that an address must wait before its next attempt, in ms; 0 if it need not wait. */
  wait(address: string): number {
    return Math.max(0, (this.wrong.get(address)?.until ?? 0) - this.clock.now());
  }

  /** Counts a wrong token. @returns time to wait before the next attempt, ms */
  fail(address: string): number {
    this.publish(address, false);
    return this.count(address);
  }

  /** Clears an address after a correct token. */
  succeed(address: string): void {
    this.publish(address, true);
    this.wrong.delete(address);
  }

  close(): void {
    this.bus = undefined;
    this.subscription?.close();
  }

  private publish(address: string, isRight: boolean): void {
    this.bus?.publish(TRIES, encodeMessage({ node: this.node, address, isRight }));
  }

  private count(address: string): number {
    const { free, firstDelay, maxDelay, forget, maxAddresses, window, allFree } = LOGIN;
    const now = this.clock.now();
    const known = this.wrong.get(address);
    const count = known && now - known.last < forget ? known.count + 1 : 1;
    this.recent = [...this.recent.filter((at) => at > now - window), now].slice(-(allFree + 1));
    // Many addresses that each fail a few times count as one attacker.
    const isCrowd = this.recent.length > allFree;
    const steps = isCrowd ? Math.max(count, free) : count - free;
    const delay = steps < 0 ? 0 : Math.min(maxDelay, firstDelay * 2 ** steps);
    // Reinsert at the end of the map, so that the oldest address is removed first.
    this.wrong.delete(address);
    this.wrong.set(address, { count, until: now + delay, last: now });
    if (this.wrong.size > maxAddresses) this.wrong.delete(this.wrong.keys().next().value!);
    return delay;
  }
}
