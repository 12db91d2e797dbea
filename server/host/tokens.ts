/**
 * The token with which the host signs in, and the access tokens with which programs make the host's
 * calls. Each token is shown once, and stored as a hash.
 */
import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { HostRefusal } from '../../shared/host/reasons.ts';
import { ROLES, type Role } from '../../shared/host/roles.ts';
import { accessTokenState } from '../../shared/host/state.ts';
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
