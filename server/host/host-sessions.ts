/**
 * Decides who may make the host's calls: a host who has signed in with the host's token, and programs
 * with access tokens. Each token is shown once, and stored as a hash.
 */
import { createHash, randomBytes, randomInt, randomUUID, timingSafeEqual } from 'node:crypto';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { HostRefusal } from '../../shared/host/reasons.ts';
import { ROLES, type Role } from '../../shared/host/roles.ts';
import { accessTokenState } from '../../shared/host/state.ts';
import { type Bus, decodeMessage, encodeMessage, type Subscription } from '../cluster/bus/bus.ts';
import type { Clock } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import { commandLine } from '../platform/installation.ts';
import { Mutex, TokenBucket } from '../platform/queues.ts';
import type { Store } from '../storage/store.ts';

/** Characters of a token. Characters that look alike are excluded, because people type tokens. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
/** Number of characters for 160 random bits, which cannot be guessed, so a plain hash is safe. */
const LENGTH = Math.ceil(160 / Math.log2(LETTERS.length));

/** Hashes a token. Ignores what people may type differently: case, spaces and dashes. */
const digestOf = (token: string): Buffer =>
  createHash('sha256')
    .update(token.toLowerCase().replace(/[\s-]+/g, ''))
    .digest();

/** Draws a token at random, in groups of five characters. */
function newToken(): string {
  const letters = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]);
  return letters.join('').replace(/(.{5})(?=.)/g, '$1-');
}

const tokenRecord = v.strictObject({ hash: v.string(), made: v.number() });

/** The token with which the host signs in. */
export class HostToken {
  private constructor(
    private readonly store: Store,
    private readonly renew: boolean,
    private hash: Buffer,
    /** The token itself, if this server created it now. Show it after it is stored. */
    public fresh?: string,
    private isStored = fresh === undefined,
  ) {}

  /**
   * Reads the stored hash, or creates a token. `keep` stores the new token.
   *
   * @param renew creates a new token even if one is stored; the old token becomes invalid
   * @throws StoreError
   */
  static async open(store: Store, renew: boolean): Promise<HostToken> {
    const stored = renew ? undefined : await store.serverRecord('token', tokenRecord);
    if (stored) return new HostToken(store, renew, Buffer.from(stored.hash, 'hex'));
    const token = newToken();
    return new HostToken(store, renew, digestOf(token), token);
  }

  /**
   * Stores the hash of a new token. Call it just before showing the token: a stored token that was
   * never shown would lock the host out. If several servers with one store start simultaneously,
   * one server stores its token; the others adopt it, and have no token to show.
   *
   * @param now wall clock, ms
   * @throws StoreError
   */
  async keep(now: number): Promise<void> {
    if (this.isStored) return;
    const record = { hash: this.hash.toString('hex'), made: now };
    if (this.renew) await this.store.putServerRecord('token', record);
    const isStored = this.renew || (await this.store.putNewServerRecord('token', record));
    this.isStored = true;
    if (!isStored) await this.reload();
  }

  /** Adopts the stored token, which another server may have changed. @throws StoreError */
  async reload(): Promise<void> {
    // Keep this server's new token, which is about to replace the stored one.
    if (!this.isStored) return;
    const stored = await this.store.serverRecord('token', tokenRecord);
    if (!stored || stored.hash === this.hash.toString('hex')) return;
    this.hash = Buffer.from(stored.hash, 'hex');
    this.fresh = undefined;
  }

  /** Identifies the token without revealing its hash. */
  get mark(): string {
    return createHash('sha256').update('mark').update(this.hash).digest('base64url');
  }

  /** Checks a token, in constant time. */
  is(token: string): boolean {
    return timingSafeEqual(digestOf(token), this.hash);
  }
}

const quoted = (text: string): string =>
  /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Creates the hint that the log shows beside the host's token, for a host who loses the token.
 *
 * @param data the value of `--data`: a folder, or `none`
 * @param isShared whether servers share the rooms over Valkey, whose URL must stay secret
 */
export function tokenRecoveryHint(data: string, isShared: boolean): string {
  if (data === 'none' && !isShared) return 'the next start creates a new token';
  const command = commandLine(
    'host-token',
    data === 'none' ? '' : `--data ${quoted(resolve(data))}`,
  );
  const how = isShared
    ? `run: VIVARIUM_CLUSTER=... ${command}`
    : `stop the server and run: ${command}`;
  return `${how}; for a service or container, see server/deploy/HOSTING.md`;
}

/** Maximum number of access tokens. */
const MAX_TOKENS = 32;
/** Maximum rate of calls with one access token, on each server. */
const RATE = { perSecond: 20, atOnce: 60 } as const;
const MAX_ID = 0x7fffffff;

const accessRecord = v.strictObject({ ...accessTokenState.entries, hash: v.string() });
type AccessToken = v.InferOutput<typeof accessRecord>;

const RECORDS = 'tokens/';

/**
 * The tokens of programs. Each token has a role. Each token is a separate record, so that servers
 * of a cluster do not overwrite one another's changes.
 */
export class AccessTokens {
  private readonly rates = new Map<number, TokenBucket>();
  private readonly mutex = new Mutex();
  private tokens: readonly AccessToken[] = [];

  private constructor(
    private readonly store: Store,
    private readonly clock: Pick<Clock, 'now'>,
    private readonly announce: () => void,
  ) {}

  /**
   * Reads the stored tokens.
   *
   * @param announce tells the other servers of a cluster to call `reload`
   * @throws StoreError
   */
  static async open(
    store: Store,
    clock: Pick<Clock, 'now'>,
    announce: () => void,
  ): Promise<AccessTokens> {
    const tokens = new AccessTokens(store, clock, announce);
    await tokens.reload();
    return tokens;
  }

  /** The tokens without their hashes, oldest first. */
  get list() {
    return this.tokens.map(({ hash: _, ...token }) => token);
  }

  /** Adopts the stored tokens, which another server may have changed. @throws StoreError */
  reload(): Promise<void> {
    return this.change(async () => {});
  }

  /**
   * Makes a token.
   *
   * @param made wall clock, ms
   * @returns the token, which only its owner keeps, and its entry in the list
   * @throws HostRefusal too-many-tokens
   * @throws StoreError
   */
  async make(name: string, role: Role, made: number) {
    if (this.tokens.length >= MAX_TOKENS) throw new HostRefusal('too-many-tokens');
    const token = newToken();
    // Draw the id at random, so that it differs from the ids of tokens that other servers make.
    const state = { id: randomInt(1, MAX_ID), name, role, made };
    const record = { ...state, hash: digestOf(token).toString('hex') };
    await this.change(() => this.store.putServerRecord(RECORDS + state.id, record));
    this.announce();
    return { ...state, token };
  }

  /**
   * Revokes a token on all servers.
   *
   * @returns the name of the revoked token
   * @throws HostRefusal no-such-token
   * @throws StoreError
   */
  async revoke(id: number): Promise<string> {
    const found = this.tokens.find((one) => one.id === id);
    if (!found) throw new HostRefusal('no-such-token');
    await this.change(() => this.store.removeServerRecord(RECORDS + id));
    this.rates.delete(id);
    this.announce();
    return found.name;
  }

  /** Changes the stored tokens, and adopts the result. */
  private change(write: () => Promise<void>): Promise<void> {
    return this.mutex.runExclusive(async () => {
      await write();
      const stored = await this.store.serverRecords(RECORDS, accessRecord);
      this.tokens = stored.sort((a, b) => a.made - b.made);
    });
  }

  /** Finds a token that has not been revoked. Only hashes are compared, so timing reveals nothing. */
  find(token: string): AccessToken | undefined {
    const hash = digestOf(token).toString('hex');
    return this.tokens.find((one) => one.hash === hash);
  }

  /**
   * Counts a call.
   *
   * @param least the role that the call needs
   * @throws HostRefusal not-allowed, too-many-calls
   */
  charge({ id, role }: AccessToken, least: Role): void {
    const now = this.clock.now();
    const rate = getOrAdd(this.rates, id, () => new TokenBucket(RATE.perSecond, RATE.atOnce, now));
    if (!rate.take(1, now)) throw new HostRefusal('too-many-calls', '', rate.wait(1, now));
    if (ROLES.indexOf(role) < ROLES.indexOf(least)) throw new HostRefusal('not-allowed', least);
  }
}

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
   * @param now current time in ms, by a clock that all servers with this store share
   * @param tokenMark identifies the host's current token; sessions of other tokens are not valid
   */
  constructor(
    private readonly store: Store,
    private readonly now: () => number,
    private readonly tokenMark: () => string,
  ) {}

  /** Starts a session. @returns the cookie's value, and the session. @throws StoreError */
  async begin(): Promise<{ readonly word: string; readonly session: HostSession }> {
    const stored = await this.store.serverRecords(SESSIONS, sessionRecord);
    const valid = stored.filter((one) => this.isValid(one)).sort((a, b) => b.since - a.since);
    const kept = new Set(valid.slice(0, SESSION.most - 1));
    for (const one of stored) {
      if (!kept.has(one)) await this.store.removeServerRecord(SESSIONS + one.hash);
    }
    const [word, now] = [random(), this.now()];
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
    const now = this.now();
    if (!isUse || now - found.used < RECORD_USE) return found;
    const session = { ...found, used: now };
    await this.store.putServerRecord(name, session);
    return session;
  }

  /** Ends the session of a cookie, if there is one. @throws StoreError */
  async end(word: string | undefined): Promise<void> {
    if (word) await this.store.removeServerRecord(SESSIONS + hashOf(word));
  }

  /** Returns the time until an unused session ends, in ms. */
  left({ since, used }: HostSession): number {
    return Math.min(used + SESSION.idle, since + SESSION.life) - this.now();
  }

  private isValid(session: HostSession): boolean {
    const now = this.now();
    // If the clock was set back behind the session's last use, the session's age is unknown.
    const isPast = session.used - RECORD_USE <= now;
    return session.token === this.tokenMark() && isPast && this.left(session) > 0;
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
