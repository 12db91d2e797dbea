/** The host's token, with which the host signs in. Only the token's hash is stored. */
import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { commandLine } from '../platform/installation.ts';
import type { Store } from '../storage/store.ts';

/**
 * Characters used in tokens. Similar-looking characters are left out, because people type tokens.
 */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
/**
 * Number of characters in a token: enough for 160 random bits. Such a token cannot be guessed, so
 * its stored hash needs no salt.
 */
const LENGTH = Math.ceil(160 / Math.log2(LETTERS.length));

/** Hashes a token. Ignores case, spaces and dashes, because people type tokens. */
export const digestOf = (token: string): Buffer =>
  createHash('sha256')
    .update(token.toLowerCase().replace(/[\s-]+/g, ''))
    .digest();

/** Creates a random token, written in groups of five characters. */
export function newToken(): string {
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
     * The token in plain text if the server created it when it last started; otherwise undefined.
     * Call `keep` before showing the token.
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
   * Stores the hash of a new token. Call this just before showing the token, so that the host sees
   * every token that is stored. If another server has stored a token first and `renew` is false,
   * uses that token instead, and sets `fresh` to undefined.
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
 * Creates a hint that tells the host how to get a new token.
 *
 * @param data the value of `--data`: a folder, or `none`
 * @param isShared whether servers share the rooms through Valkey. The hint omits Valkey's URL,
 *   which is secret
 */
export function tokenRecoveryHint(data: string, isShared: boolean): string {
  if (data === 'none' && !isShared) return 'the next start creates a new token';
  const option = data === 'none' ? '' : `--data ${quoted(resolve(data))}`;
  const command = commandLine('host-token', option);
  const advice = isShared
    ? `run: VIVARIUM_CLUSTER=... ${command}`
    : `stop the server and run: ${command}`;
  return `${advice}; if the server is a service or container, see server/deploy/HOSTING.md`;
}
