/**
 * Decides who may use the host's API: a host who has signed in with the host's token, and programs
 * with an access token. The server stores only hashes of tokens.
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

/**
 * Characters used in tokens. Similar-looking characters are left out, because people type tokens.
 */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
/**
 * Number of characters in a token: enough for 160 random bits. Such a token cannot be guessed, so
 * its hash is safe without a salt.
 */
const LENGTH = Math.ceil(160 / Math.log2(LETTERS.length));

/** Hashes a token. Ignores case, spaces and dashes, because people type tokens. */
const digestOf = (token: string): Buffer =>
  createHash('sha256')
    .update(token.toLowerCase().replace(/[\s-]+/g, ''))
    .digest();

/** Creates a random token, written in groups of five characters. */
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
    /**
     * The token in plain text if it was created at this start. Call `keep` before showing the
     * token.
     */
    public fresh?: string,
    private isStored = fresh === undefined,
  ) {}

  /**
   * Reads the stored hash of the token. If none is stored, creates a new token, which `keep`
   * stores.
   *
   * @param renew whether to replace a stored token; the old token becomes invalid
   * @throws StoreError
   */
  static async open(store: Store, renew: boolean): Promise<HostToken> {
    const stored = renew ? undefined : await store.serverRecord('token', tokenRecord);
    if (stored) return new HostToken(store, renew, Buffer.from(stored.hash, 'hex'));
    const token = newToken();
    return new HostToken(store, renew, digestOf(token), token);
  }

  /**
   * Stores the hash of a new token. Call this just before showing the token: if the server stored a
   * token without showing it, the host would be locked out. If several servers with the same store
   * start at the same time, only one stores its token. The other servers adopt that token and have
   * none to show.
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

  /**
   * Reads the stored hash again, in case another server has changed the token.
   *
   * @throws StoreError
   */
  async reload(): Promise<void> {
    // Do not discard this server's new token, which is not stored yet.
    if (!this.isStored) return;
    const stored = await this.store.serverRecord('token', tokenRecord);
    if (!stored || stored.hash === this.hash.toString('hex')) return;
    this.hash = Buffer.from(stored.hash, 'hex');
    this.fresh = undefined;
  }

  /** A string that identifies the token without revealing the stored hash. */
  get mark(): string {
    return createHash('sha256').update('mark').update(this.hash).digest('base64url');
  }

  /** Returns whether a token is the host's token. Takes constant time to prevent timing attacks. */
  is(token: string): boolean {
    return timingSafeEqual(digestOf(token), this.hash);
  }
}

const quoted = (text: string): string =>
  /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Creates the hint that is logged with the host's token: how to get a new token.
 *
 * @param data the value of `--data`: a folder, or `none`
 * @param isShared whether servers share the rooms through Valkey. The hint omits Valkey's URL,
 *   which is secret
 */
export function tokenRecoveryHint(data: string, isShared: boolean): string {
  if (data === 'none' && !isShared) return 'the next start creates a new token';
  const command = commandLine(
    'host-token',
    data === 'none' ? '' : `--data ${quoted(resolve(data))}`,
  );
  const advice = isShared
    ? `run: VIVARIUM_CLUSTER=... ${command}`
    : `stop the server and run: ${command}`;
  return `${advice}; if the server is a service or container, see server/deploy/HOSTING.md`;
}

const MAX_TOKENS = 32;
/** Limits of calls with one access token, per server: calls per second, and calls at once. */
const RATE = { perSecond: 20, atOnce: 60 } as const;
const MAX_ID = 0x7fffffff;

const accessRecord = v.strictObject({ ...accessTokenState.entries, hash: v.string() });
type AccessToken = v.InferOutput<typeof accessRecord>;

const RECORDS = 'tokens/';

/**
 * The access tokens of programs. Each token is a separate record, so that servers of a cluster do
 * not overwrite one another's changes.
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
   * @param announce makes the other servers of a cluster call `reload`
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

  /** Reads the stored tokens again. @throws StoreError */
  reload(): Promise<void> {
    return this.change(async () => {});
  }

  /**
   * Creates an access token.
   *
   * @param made time of creation (wall clock, ms)
   * @returns the token's entry in `list`, and the token itself, which is not stored
   * @throws HostRefusal 'too-many-tokens'
   * @throws StoreError
   */
  async make(name: string, role: Role, made: number) {
    if (this.tokens.length >= MAX_TOKENS) throw new HostRefusal('too-many-tokens');
    const token = newToken();
    // Use a random id, so that two servers do not give the same id to two tokens.
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
   * @throws HostRefusal 'no-such-token'
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

  private change(write: () => Promise<void>): Promise<void> {
    return this.mutex.runExclusive(async () => {
      await write();
      const stored = await this.store.serverRecords(RECORDS, accessRecord);
      this.tokens = stored.sort((a, b) => a.made - b.made);
    });
  }

  /**
   * Finds an access token; undefined if it is unknown or revoked. Compares hashes to prevent timing
   * attacks.
   */
  find(token: string): AccessToken | undefined {
    const hash = digestOf(token).toString('hex');
    return this.tokens.find((one) => one.hash === hash);
  }

  /**
   * Counts a call towards an access token's rate limit, and checks the token's role.
   *
   * @param least lowest role that may make the call
   * @throws HostRefusal 'not-allowed' or 'too-many-calls'
   */
  charge({ id, role }: AccessToken, least: Role): void {
    const now = this.clock.now();
    const rate = getOrAdd(this.rates, id, () => new TokenBucket(RATE.perSecond, RATE.atOnce, now));
    if (!rate.take(1, now)) throw new HostRefusal('too-many-calls', '', rate.wait(1, now));
    if (ROLES.indexOf(role) < ROLES.indexOf(least)) throw new HostRefusal('not-allowed', least);
  }
}

/** A session ends after `idle` ms without activity, and at the latest after `life` ms. */
export const SESSION = {
  idle: 3_600_000,
  life: 43_200_000,
  /** Maximum number of sessions. At this maximum, a new session ends the oldest one. */
  most: 32,
} as const;
/** Minimum interval between two writes of a session's last use, in ms. */
const RECORD_USE = 60_000;
const SESSIONS = 'sessions/';

const sessionRecord = v.strictObject({
  /** Hash of the session cookie's value. The hash cannot be used as the cookie. */
  hash: v.string(),
  /**
   * Secret against cross-site request forgery (CSRF). The page sends it with every call that
   * changes data.
   */
  key: v.string(),
  /** `HostToken.mark` of the token with which the session was started. */
  token: v.string(),
  /** When the host signed in (`since`) and was last active (`used`), in ms. */
  since: v.number(),
  used: v.number(),
});
export type HostSession = v.InferOutput<typeof sessionRecord>;

const random = (): string => randomBytes(32).toString('base64url');
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** The host's sessions. The servers of a cluster share the sessions. */
export class HostSessions {
  /**
   * @param now returns the current time, in ms. Servers that share `store` must use the same
   *   clock
   * @param tokenMark returns `HostToken.mark` of the current token. A session that was started
   *   with another token is invalid
   */
  constructor(
    private readonly store: Store,
    private readonly now: () => number,
    private readonly tokenMark: () => string,
  ) {}

  /** Starts a session. @returns the cookie's value (`word`) and the session. @throws StoreError */
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
   * Finds a cookie's session; undefined if the session has ended.
   *
   * @param word the cookie's value
   * @param isUse true if the host is active, which extends the session; false if the page only
   *   polls
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

  /** Ends a cookie's session, if there is one. @throws StoreError */
  async end(word: string | undefined): Promise<void> {
    if (word) await this.store.removeServerRecord(SESSIONS + hashOf(word));
  }

  /** Returns how long the session lasts without further activity, in ms. */
  left({ since, used }: HostSession): number {
    return Math.min(used + SESSION.idle, since + SESSION.life) - this.now();
  }

  private isValid(session: HostSession): boolean {
    const now = this.now();
    // If the last use is in the future, the clock was set back. Reject the session, because its
    // real age is unknown.
    const isPast = session.used - RECORD_USE <= now;
    return session.token === this.tokenMark() && isPast && this.left(session) > 0;
  }
}

/** Returns whether `given` is the session's key. Takes constant time to prevent timing attacks. */
export function hasKey({ key }: HostSession, given = ''): boolean {
  return timingSafeEqual(Buffer.from(hashOf(key)), Buffer.from(hashOf(given)));
}

/** Limits for wrong tokens. All times are in ms. */
export const LOGIN = {
  /** Number of wrong tokens after which an address is delayed. */
  free: 5,
  /**
   * Delay after wrong token number `free`. Doubles with each further wrong token, up to `maxDelay`.
   */
  firstDelay: 2_000,
  maxDelay: 600_000,
  /** Time without wrong tokens after which an address's count of wrong tokens is reset. */
  forget: 3_600_000,
  /**
   * Number of wrong tokens within `window`, from all addresses together, above which every wrong
   * token delays its address.
   */
  allFree: 50,
  window: 600_000,
  /** Maximum number of addresses whose wrong tokens are counted. */
  maxAddresses: 10_000,
} as const;

const TRIES = 'host:tries';
const triedMessage = v.strictObject({
  /** Random id of the sending server. */
  node: v.pipe(v.string(), v.maxLength(256)),
  address: v.pipe(v.string(), v.maxLength(256)),
  isRight: v.boolean(),
});

/**
 * Counts wrong tokens per client address, and delays addresses that send many. The servers of a
 * cluster share their counts, so that an attacker behind a load balancer does not get more
 * attempts.
 */
export class LoginThrottle {
  private readonly node = randomUUID();
  /**
   * For each address: number of wrong tokens, end of the delay (`until`), and time of the last
   * wrong token (`last`). Times are in ms of the monotonic clock.
   */
  private readonly wrong = new Map<string, { count: number; until: number; last: number }>();
  /** Times of recent wrong tokens from all addresses (monotonic clock, ms). */
  private recent: number[] = [];
  private subscription: Subscription | undefined;

  private constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private bus: Bus | undefined,
  ) {}

  /**
   * Creates a throttle that also counts attempts on other servers.
   *
   * @throws Error if the bus has been closed
   */
  static async open(clock: Pick<Clock, 'now'>, bus?: Bus): Promise<LoginThrottle> {
    const throttle = new LoginThrottle(clock, bus);
    throttle.subscription = await bus?.subscribe(TRIES, (bytes) => {
      const tried = decodeMessage(triedMessage, bytes);
      // Skip this server's own messages, because their attempts have already been counted.
      if (!tried || tried.node === throttle.node) return;
      if (tried.isRight) throttle.wrong.delete(tried.address);
      else throttle.count(tried.address);
    });
    return throttle;
  }

  /** Returns how long an address must wait before its next attempt, in ms. */
  wait(address: string): number {
    return Math.max(0, (this.wrong.get(address)?.until ?? 0) - this.clock.now());
  }

  /** Counts a wrong token. @returns how long the address must wait before its next attempt, in ms */
  fail(address: string): number {
    this.publish(address, false);
    return this.count(address);
  }

  /** Resets an address's count after a correct token. */
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
    // Many addresses that each send a few wrong tokens may be one attacker.
    const isCrowd = this.recent.length > allFree;
    const steps = isCrowd ? Math.max(count, free) : count - free;
    const delay = steps < 0 ? 0 : Math.min(maxDelay, firstDelay * 2 ** steps);
    // Delete the address first, to move it to the end of the map. The map's first address is then
    // the one whose last wrong token is oldest.
    this.wrong.delete(address);
    this.wrong.set(address, { count, until: now + delay, last: now });
    if (this.wrong.size > maxAddresses) this.wrong.delete(this.wrong.keys().next().value!);
    return delay;
  }
}
