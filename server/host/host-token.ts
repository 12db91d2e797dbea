/**
 * The host's token: created and shown once. Only its hash is stored, so reading it grants no
 * access.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import type { Store } from '../storage/store.ts';

/** 160 bits cannot be guessed, so a plain hash is sufficient. */
const BYTES = 20;
/** No letters that look alike, as people type the token. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const LENGTH = Math.ceil((BYTES * 8) / Math.log2(LETTERS.length));
const GROUP = 5;

const tokenRecord = v.strictObject({ hash: v.string(), made: v.number() });

/** Ignores case, spaces and dashes. */
const plain = (token: string): string => token.toLowerCase().replace(/[\s-]+/g, '');

const hashOf = (token: string): Buffer => createHash('sha256').update(plain(token)).digest();

function newToken(): string {
  let token = '';
  while (token.length < LENGTH) {
    for (const byte of randomBytes(LENGTH)) {
      // Reject the remaining bytes, which would make some letters more likely.
      if (byte < 256 - (256 % LETTERS.length)) token += LETTERS[byte % LETTERS.length];
    }
  }
  return token.slice(0, LENGTH).replace(new RegExp(`(.{${GROUP}})(?=.)`, 'g'), '$1-');
}

/** Verifies the host's token. */
export class HostToken {
  private constructor(
    private readonly hash: Buffer,
    /** The token itself if it was created now, to be shown once. */
    readonly fresh: string | undefined,
    /**
     * Stores the hash of a new token. Call it just before showing the token: a stored token that
     * was never shown would lock the host out.
     *
     * @throws StoreError
     */
    readonly keep: () => Promise<void>,
  ) {}

  /**
   * Reads the stored hash, or creates a token that `keep` stores.
   *
   * @param renew always creates a new token, which invalidates the old one
   * @param date wall clock, ms
   * @throws StoreError
   */
  static async open(hostStore: Store, renew: boolean, date: () => number): Promise<HostToken> {
    const kept = renew ? undefined : await hostStore.serverRecord('token', tokenRecord);
    if (kept) return new HostToken(Buffer.from(kept.hash, 'hex'), undefined, async () => {});
    const token = newToken();
    const hash = hashOf(token);
    return new HostToken(hash, token, () =>
      hostStore.putServerRecord('token', { hash: hash.toString('hex'), made: date() }),
    );
  }

  /** Names the token, to servers that have the same one. */
  get mark(): string {
    return createHash('sha256').update('mark').update(this.hash).digest('base64url');
  }

  /** Whether a token is correct; compares in constant time. */
  is(token: string): boolean {
    return timingSafeEqual(hashOf(token), this.hash);
  }
}
