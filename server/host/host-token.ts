/**
 * The host's token: created and shown once. Only its hash is stored, so reading it grants no
 * access.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { putNewServerRecord } from '../storage/record-access.ts';
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

interface HostTokenOptions {
  readonly store: Store;
  /** Whether a token that is created replaces any other. */
  readonly renew: boolean;
  /** Wall clock, ms. */
  readonly date: () => number;
}

/** Verifies the host's token. */
export class HostToken {
  private constructor(
    private hash: Buffer,
    /** A token that was created now. */
    private created: string | undefined,
    private isStored: boolean,
    private readonly options: HostTokenOptions,
  ) {}

  /**
   * Reads the stored hash, or creates a token that `keep` stores.
   *
   * @param renew always creates a new token, which invalidates the old one
   * @param date wall clock, ms
   * @throws StoreError
   */
  static async open(hostStore: Store, renew: boolean, date: () => number): Promise<HostToken> {
    const options = { store: hostStore, renew, date };
    const kept = renew ? undefined : await hostStore.serverRecord('token', tokenRecord);
    if (kept) return new HostToken(Buffer.from(kept.hash, 'hex'), undefined, true, options);
    const token = newToken();
    return new HostToken(hashOf(token), token, false, options);
  }

  /** The token itself if it was created now, to be shown once it is kept. */
  get fresh(): string | undefined {
    return this.created;
  }

  /**
   * Stores the hash of a new token. Call it just before showing the token: a stored token that was
   * never shown would lock the host out. Of several servers that start together with one store, one
   * keeps its token; the others take that one, and have none to show.
   *
   * @throws StoreError
   */
  async keep(): Promise<void> {
    if (this.isStored) return;
    const { store, renew, date } = this.options;
    const record = { hash: this.hash.toString('hex'), made: date() };
    let isTheOne = true;
    if (renew) await store.putServerRecord('token', record);
    else isTheOne = await putNewServerRecord(store.records, 'token', record);
    this.isStored = true;
    if (!isTheOne) await this.reload();
  }

  /**
   * Takes the token that is stored now, perhaps by another server.
   *
   * @returns whether it is another one
   * @throws StoreError
   */
  async reload(): Promise<boolean> {
    // Its own is yet to replace what is there.
    if (!this.isStored) return false;
    const kept = await this.options.store.serverRecord('token', tokenRecord);
    if (!kept || kept.hash === this.hash.toString('hex')) return false;
    this.hash = Buffer.from(kept.hash, 'hex');
    this.created = undefined;
    return true;
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
