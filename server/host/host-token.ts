/** The token with which the host signs in. It is created once, shown once, and stored as a hash. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { commandLine } from '../platform/installation.ts';
import type { Store } from '../storage/store.ts';

/** Bytes of a token. Its 160 random bits cannot be guessed, so a plain hash of it can be stored. */
const BYTES = 20;
/** Characters of a token. Those that look alike are excluded, because people type the token. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const LENGTH = Math.ceil((BYTES * 8) / Math.log2(LETTERS.length));
const GROUP = 5;

const tokenRecord = v.strictObject({ hash: v.string(), made: v.number() });

/** Removes what people may type differently: case, spaces and dashes. */
const plain = (token: string): string => token.toLowerCase().replace(/[\s-]+/g, '');

/** Computes the hash of a token, however it is typed. */
export const digestOf = (token: string): Buffer =>
  createHash('sha256').update(plain(token)).digest();

/** Draws a token at random. */
export function newToken(): string {
  let token = '';
  while (token.length < LENGTH) {
    for (const byte of randomBytes(LENGTH)) {
      // Skip the highest byte values, which would make some letters more likely.
      if (byte < 256 - (256 % LETTERS.length)) token += LETTERS[byte % LETTERS.length];
    }
  }
  return token.slice(0, LENGTH).replace(new RegExp(`(.{${GROUP}})(?=.)`, 'g'), '$1-');
}

export class HostToken {
  private constructor(
    private readonly store: Store,
    private readonly renew: boolean,
    private hash: Buffer,
    /** The token itself if it was created at this start; it is shown after it is stored. */
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

  /**
   * Adopts the stored token, which another server may have changed.
   *
   * @returns whether the token has changed
   * @throws StoreError
   */
  async reload(): Promise<boolean> {
    // Keep this server's new token, which is about to replace the stored one.
    if (!this.isStored) return false;
    const stored = await this.store.serverRecord('token', tokenRecord);
    if (!stored || stored.hash === this.hash.toString('hex')) return false;
    this.hash = Buffer.from(stored.hash, 'hex');
    this.fresh = undefined;
    return true;
  }

  /** A mark by which servers recognise that they have the same token. */
  get mark(): string {
    return createHash('sha256').update('mark').update(this.hash).digest('base64url');
  }

  /** Checks a token, in constant time. */
  is(token: string): boolean {
    return timingSafeEqual(digestOf(token), this.hash);
  }
}

/** How the server was started, for the hint. */
interface ServerStart {
  /** What started the server: a person, systemd, or a container engine. */
  readonly by: 'hand' | 'service' | 'container';
  /** The value of `--data`: a folder, or `none`. */
  readonly data: string;
  /** Whether servers share its rooms over Valkey. Valkey's URL must stay secret. */
  readonly isShared?: boolean;
  /** The working directory. */
  readonly folder: string;
  /** The user that the service runs as, if known. */
  readonly user?: string | undefined;
}

const DEFAULT_FOLDER = '.data';

const quoted = (text: string): string =>
  /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** Creates the hint that the log shows beside the token, for a host who loses it. */
export function tokenRecoveryHint(start: ServerStart): string {
  const { by, data, folder, user, isShared = false } = start;
  const isStored = data !== 'none';
  if (!isStored && !isShared) return 'the next start creates a new token';
  const place = isStored ? quoted(resolve(folder, data)) : data;
  const shared = isShared ? ' VIVARIUM_CLUSTER=...' : '';
  if (by === 'container') {
    return `stop the container; run its image once with the same ${isStored ? `${place} and ` : ''}settings${shared && `, including${shared}`}, and the command: vivarium --new-host-token; note the new token, press Ctrl-C and start the container`;
  }
  if (by === 'service') {
    const as = user === undefined ? '' : `runuser -u ${quoted(user)} -- `;
    return `stop the service; in ${quoted(folder)}, with the other VIVARIUM_… variables of the service before npm, run: ${as}env VIVARIUM_DATA=${place}${shared} ${commandLine('start', '--new-host-token')}; note the new token, press Ctrl-C and start the service`;
  }
  const command = commandLine(
    'start',
    `${data === DEFAULT_FOLDER ? '' : `--data ${place} `}--new-host-token`,
  );
  return shared ? `${shared.trim()} ${command}` : command;
}
