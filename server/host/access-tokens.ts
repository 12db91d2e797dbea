/** The access tokens of programs, with their roles and rate limits. */
import { randomInt } from 'node:crypto';
import * as v from 'valibot';
import { HostRefusal } from '../../shared/host/reasons.ts';
import { ROLES, type Role } from '../../shared/host/roles.ts';
import { accessTokenState } from '../../shared/host/state.ts';
import type { Clock } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import { Mutex, TokenBucket } from '../platform/queues.ts';
import type { Store } from '../storage/store.ts';
import { digestOf, newToken } from './host-token.ts';

const MAX_TOKENS = 32;
/** Rate limit of each access token, per server: calls per second, and maximum size of a burst. */
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
   * Finds an access token. Returns undefined if the token is unknown or revoked. Compares hashes to
   * prevent timing attacks.
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
