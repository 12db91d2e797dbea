/** The host's token: made once, shown once; what is kept is its hash alone, so that who reads the data folder is no host yet. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import type { Store } from '../storage/store.ts';

/** 160 bits: too many to be guessed, so that a plain hash of it will do. */
const BYTES = 20;
/** Without letters that look like others: people type it from a terminal. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const LENGTH = Math.ceil((BYTES * 8) / Math.log2(LETTERS.length));
const GROUP = 5;

const tokenRecord = v.strictObject({ hash: v.string(), made: v.number() });

/** As it is compared: case, spaces and dashes do not matter. */
const plain = (token: string): string => token.toLowerCase().replace(/[\s-]+/g, '');

const hashOf = (token: string): Buffer => createHash('sha256').update(plain(token)).digest();

function newToken(): string {
  let token = '';
  while (token.length < LENGTH) {
    for (const byte of randomBytes(LENGTH)) {
      // Bytes beyond the last whole round of letters would make some letters likelier.
      if (byte < 256 - (256 % LETTERS.length)) token += LETTERS[byte % LETTERS.length];
    }
  }
  return token.slice(0, LENGTH).replace(new RegExp(`(.{${GROUP}})(?=.)`, 'g'), '$1-');
}

export class HostToken {
  private constructor(
    private readonly hash: Buffer,
    /** The token itself, where it was made just now: to be shown once. */
    readonly fresh: string | undefined,
    private readonly put: () => Promise<void>,
  ) {}

  /**
   * Reads the hash that is kept, or makes a token, of which nothing is kept yet.
   *
   * @param anew makes another one in any case: the old one opens nothing any more
   * @param date wall clock, ms
   * @throws StoreError
   */
  static async open(hostStore: Store, anew: boolean, date: () => number): Promise<HostToken> {
    const kept = anew ? undefined : await hostStore.serverRecord('token', tokenRecord);
    if (kept) return new HostToken(Buffer.from(kept.hash, 'hex'), undefined, async () => {});
    const token = newToken();
    const hash = hashOf(token);
    return new HostToken(hash, token, () =>
      hostStore.putServerRecord('token', { hash: hash.toString('hex'), made: date() }),
    );
  }

  /**
   * Keeps the hash of a token that was made just now. For whoever shows it right after: one that is kept and was never shown
   * would lock the host out.
   *
   * @throws StoreError
   */
  keep(): Promise<void> {
    return this.put();
  }

  /** Whether this is the token; takes as long for a wrong one. */
  is(token: string): boolean {
    return timingSafeEqual(hashOf(token), this.hash);
  }
}
