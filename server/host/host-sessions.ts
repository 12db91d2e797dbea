/** Sign-ins of the host: sessions, and the delays after wrong tokens. */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { type Bus, decodeMessage, encodeMessage, type Subscription } from '../cluster/bus/bus.ts';
import type { Clock } from '../platform/clock.ts';
import type { Store } from '../storage/store.ts';

/** How long a host stays signed in, in ms. */
export const SESSION = {
  idle: 3_600_000,
  life: 43_200_000,
  /** Maximum number of sessions. A further session ends the oldest one. */
  most: 32,
} as const;
/** Minimum interval between two records of a session's use, in ms. */
const RECORD_USE = 60_000;
const SESSIONS = 'sessions/';

const sessionRecord = v.strictObject({
  /** Hash of the cookie's value. Nobody can sign in with this hash. */
  hash: v.string(),
  /** CSRF key. Every call that changes something must send the key. */
  key: v.string(),
  /** Identifies the host token with which the session began. */
  token: v.string(),
  /** When the host signed in, and last did something (wall clock, ms). */
  since: v.number(),
  used: v.number(),
});
export type HostSession = v.InferOutput<typeof sessionRecord>;

const random = (): string => randomBytes(32).toString('base64url');
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** The host's sessions. Servers of a cluster share their store, so a session is valid on all. */
export class HostSessions {
  /**
   * @param date wall clock, ms
   * @param tokenMark identifies the host's current token; sessions of other tokens are not valid
   */
  constructor(
    private readonly store: Store,
    private readonly date: () => number,
    private readonly tokenMark: () => string,
  ) {}

  /** Starts a session. @returns the cookie's value, and the session. @throws StoreError */
  async begin(): Promise<{ readonly word: string; readonly session: HostSession }> {
    const stored = await this.store.serverRecords(SESSIONS, sessionRecord);
    const valid = stored.filter((one) => this.isValid(one)).sort((a, b) => b.since - a.since);
    const kept = new Set(valid.slice(0, SESSION.most - 1));
    for (const one of stored) if (!kept.has(one)) await this.remove(one.hash);
    const [word, now] = [random(), this.date()];
    const times = { since: now, used: now };
    const session = { hash: hashOf(word), key: random(), token: this.tokenMark(), ...times };
    await this.store.putServerRecord(SESSIONS + session.hash, session);
    return { word, session };
  }

  /**
   * Finds the session of a cookie; undefined if the session has ended.
   *
   * @param isUse whether the host is acting, which renews the session; false if the page only polls
   * @throws StoreError
   */
  async find(word: string | undefined, isUse: boolean): Promise<HostSession | undefined> {
    if (!word) return undefined;
    const name = SESSIONS + hashOf(word);
    const found = await this.store.serverRecord(name, sessionRecord);
    if (!found || !this.isValid(found)) return undefined;
    const now = this.date();
    if (!isUse || now - found.used < RECORD_USE) return found;
    const session = { ...found, used: now };
    await this.store.putServerRecord(name, session);
    return session;
  }

  /** Ends the session of a cookie, if there is one. @throws StoreError */
  async end(word: string | undefined): Promise<void> {
    if (word) await this.remove(hashOf(word));
  }

  /** Returns when an unused session ends (wall clock, ms). */
  endOf({ since, used }: HostSession): number {
    return Math.min(used + SESSION.idle, since + SESSION.life);
  }

  private isValid(session: HostSession): boolean {
    const now = this.date();
    // If the clock was set back behind the session's last use, the session's age is unknown.
    const isPast = session.used - RECORD_USE <= now;
    return session.token === this.tokenMark() && isPast && now < this.endOf(session);
  }

  private remove(hash: string): Promise<void> {
    return this.store.removeServerRecord(SESSIONS + hash);
  }
}

/** Checks whether a call has the session's key, in constant time. */
export function hasKey({ key }: HostSession, given = ''): boolean {
  return timingSafeEqual(Buffer.from(hashOf(key)), Buffer.from(hashOf(given)));
}

/** Delays after wrong host tokens, in ms. */
export const LOGIN = {
  /** Number of wrong tokens per address without a delay. */
  free: 5,
  /** First delay. Each further wrong token doubles the delay. */
  firstDelay: 2_000,
  maxDelay: 600_000,
  /** If an address sends no wrong token for this long, its wrong tokens are forgotten. */
  forget: 3_600_000,
  /**
   * Maximum number of wrong tokens of all addresses within `window`. Above this number, every
   * address with a wrong token is delayed.
   */
  allFree: 50,
  window: 600_000,
  /** Maximum number of remembered addresses. */
  maxAddresses: 10_000,
} as const;

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
