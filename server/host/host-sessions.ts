/** Login sessions of the host. They are in memory only and end with the server, or the cluster. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Store } from '../storage/store.ts';

/** One login. */
export interface HostSession {
  /** CSRF key, required by each call that changes something. */
  readonly key: string;
  /** Time of the login, ms of the clock. */
  readonly since: number;
  /** Time of the host's last action, ms of the clock. */
  used: number;
}

/** What another server is to know of a session. */
export interface SessionNews {
  /** By the hash of the cookie's value; a session's times are ms before now. */
  readonly sessions: readonly {
    readonly hash: string;
    readonly key: string;
    readonly since: number;
    readonly used: number;
  }[];
  /** Hashes of those that the host has ended. */
  readonly ended: readonly string[];
}

/** A server tells others of the host's actions this often, ms. */
const TELL_USED = 60_000;
/** Ended sessions that are remembered, so that nobody brings them back. */
const MAX_ENDED = 256;

const random = (): string => randomBytes(32).toString('base64url');
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** All current sessions. */
export class HostSessions {
  /** By the hash of the cookie's value. */
  private readonly sessions = new Map<string, HostSession>();
  /** Hashes of cookies' values. */
  private readonly ended = new Set<string>();
  /** When others were last told of a session, ms of the clock. */
  private readonly told = new WeakMap<HostSession, number>();
  /** Called with what other servers should know. */
  onNews: (news: SessionNews) => void = () => {};
  /** Resolves once all news that any server has published until now have arrived here. */
  caughtUp: () => Promise<void> = async () => {};

  /** @param now ms of a clock that never goes back */
  constructor(
    private readonly now: () => number,
    private readonly limits: Readonly<Record<'idle' | 'life' | 'most', number>> = DEFAULTS.session,
  ) {}

  /** Starts a session. @returns the cookie's value, and the session */
  begin(): { readonly word: string; readonly session: HostSession } {
    this.forgetOld();
    const word = random();
    const now = this.now();
    const session = { key: random(), since: now, used: now };
    this.add(hashOf(word), session);
    this.tell(hashOf(word), session);
    return { word, session };
  }

  /**
   * The session of a cookie, if it has not expired.
   *
   * @param isUse whether the host acts, as opposed to the page polling; renews the session
   */
  find(word: string | undefined, isUse: boolean): HostSession | undefined {
    if (!word) return undefined;
    this.forgetOld();
    const hash = hashOf(word);
    const session = this.sessions.get(hash);
    if (!session || !isUse) return session;
    session.used = this.now();
    if (session.used - (this.told.get(session) ?? 0) >= TELL_USED) this.tell(hash, session);
    return session;
  }

  /** Ends the session of a cookie, if any. */
  end(word: string | undefined): void {
    const hash = hashOf(word ?? '');
    if (!this.sessions.delete(hash)) return;
    this.forget(hash);
    this.onNews({ sessions: [], ended: [hash] });
  }

  /** Ends all sessions, here only. */
  endAll(): void {
    this.sessions.clear();
  }

  /** All that other servers should know. */
  get news(): SessionNews {
    this.forgetOld();
    const sessions = [...this.sessions].map(([hash, session]) => this.newsOf(hash, session));
    return { sessions, ended: [...this.ended] };
  }

  /** Takes what another server tells. */
  hear({ sessions, ended }: SessionNews): void {
    for (const hash of ended) {
      this.sessions.delete(hash);
      this.forget(hash);
    }
    const now = this.now();
    for (const { hash, key, ...ago } of sessions) {
      if (this.ended.has(hash)) continue;
      const [since, used] = [now - ago.since, now - ago.used];
      const known = this.sessions.get(hash);
      if (known) known.used = Math.max(known.used, used);
      else this.add(hash, { key, since, used });
    }
    this.forgetOld();
  }

  /** Time until an unused session expires, ms. */
  left({ since, used }: HostSession): number {
    const { idle, life } = this.limits;
    return Math.max(0, Math.min(used + idle, since + life) - this.now());
  }

  private add(hash: string, session: HostSession): void {
    this.sessions.set(hash, session);
    if (this.sessions.size > this.limits.most) {
      this.sessions.delete(this.sessions.keys().next().value!);
    }
  }

  /** Remembers that a session has been ended. */
  private forget(hash: string): void {
    this.ended.add(hash);
    if (this.ended.size > MAX_ENDED) this.ended.delete(this.ended.values().next().value!);
  }

  private tell(hash: string, session: HostSession): void {
    this.told.set(session, this.now());
    this.onNews({ sessions: [this.newsOf(hash, session)], ended: [] });
  }

  private newsOf(hash: string, { key, since, used }: HostSession): SessionNews['sessions'][number] {
    const now = this.now();
    return { hash, key, since: now - since, used: now - used };
  }

  private forgetOld(): void {
    for (const [hash, session] of this.sessions) {
      if (this.left(session) === 0) this.sessions.delete(hash);
    }
  }
}

/** Whether a call has the session's key; compares in constant time. */
export function hasKey({ key }: HostSession, given: string | undefined): boolean {
  const [a, b] = [key, given ?? ''].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a, b);
}

/** 160 bits cannot be guessed, so a plain hash is sufficient. */
const BYTES = 20;
/** No letters that look alike, as people type the token. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const LENGTH = Math.ceil((BYTES * 8) / Math.log2(LETTERS.length));
const GROUP = 5;

const tokenRecord = v.strictObject({ hash: v.string(), made: v.number() });

/** Ignores case, spaces and dashes. */
const plain = (token: string): string => token.toLowerCase().replace(/[\s-]+/g, '');

const digestOf = (token: string): Buffer => createHash('sha256').update(plain(token)).digest();

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
    return new HostToken(digestOf(token), token, false, options);
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
    else isTheOne = await store.putNewServerRecord('token', record);
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
    return timingSafeEqual(digestOf(token), this.hash);
  }
}

/** How the server was started. */
export interface ServerStart {
  /** Manually, by systemd, or in a container. */
  readonly by: 'hand' | 'service' | 'container';
  /** The value of `--data`: a folder, or `none`. */
  readonly data: string;
  /** Whether it shares its rooms with others, over a Valkey whose URL must stay secret. */
  readonly isShared?: boolean;
  /** The working directory. */
  readonly folder: string;
  /** The user that the service runs as, if known. */
  readonly user?: string | undefined;
}

/** The default of `--data`. */
const DEFAULT_FOLDER = '.data';

const quoted = (text: string): string =>
  /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** The hint that the log shows after "lost?". */
export function tokenRecoveryHint(start: ServerStart): string {
  const { by, data, folder, user, isShared = false } = start;
  const isKept = data !== 'none';
  if (!isKept && !isShared) return 'the next start makes another';
  const kept = isKept ? quoted(resolve(folder, data)) : data;
  const shared = isShared ? ' VIVARIUM_CLUSTER=...' : '';
  if (by === 'container') {
    return `stop the container; run its image once with the same ${isKept ? `${kept} and ` : ''}settings${shared && `, above all${shared}`}, and the command: node server/start.mjs --new-host-token; write it down, Ctrl-C, start the container`;
  }
  if (by === 'service') {
    const as = user === undefined ? '' : `runuser -u ${quoted(user)} -- `;
    return `stop the service; in ${quoted(folder)}, with whatever other VIVARIUM_… the service has before npm: ${as}env VIVARIUM_DATA=${kept}${shared} npm start -- --new-host-token; write it down, Ctrl-C, start the service`;
  }
  const command = `npm start -- ${data === DEFAULT_FOLDER ? '' : `--data ${kept} `}--new-host-token`;
  return shared ? `${shared.trim()} ${command}` : command;
}

interface Wrong {
  count: number;
  /** ms */
  until: number;
  last: number;
}

type Limits = { readonly [K in keyof (typeof DEFAULTS)['login']]: number };

/** Counts wrong tokens by address. */
export class LoginThrottle {
  private readonly wrong = new Map<string, Wrong>();
  /** Times of recent wrong tokens from all addresses, ms. */
  private recent: number[] = [];
  /** Called when a token has been tried here. */
  onTry: (address: string, isRight: boolean) => void = () => {};

  constructor(private readonly limits: Limits = DEFAULTS.login) {}

  /** Time that an address has to wait before its next attempt, ms; 0: none. */
  wait(address: string, now: number): number {
    const wrong = this.wrong.get(address);
    return wrong ? Math.max(0, wrong.until - now) : 0;
  }

  /** Counts a wrong token. @returns time to wait before the next attempt, ms */
  fail(address: string, now: number): number {
    this.onTry(address, false);
    return this.count(address, now);
  }

  /** Clears an address after a correct token. */
  succeed(address: string): void {
    this.onTry(address, true);
    this.wrong.delete(address);
  }

  /** Counts what has been tried at another server. */
  hear(address: string, isRight: boolean, now: number): void {
    if (isRight) this.wrong.delete(address);
    else this.count(address, now);
  }

  private count(address: string, now: number): number {
    const { free, firstDelay, maxDelay, forget, maxAddresses, window, allFree } = this.limits;
    const known = this.wrong.get(address);
    const count = known && now - known.last < forget ? known.count + 1 : 1;
    this.recent = [...this.recent.filter((at) => at > now - window), now].slice(-(allFree + 1));
    // Many addresses that each fail a few times count as one attacker.
    const crowd = this.recent.length > allFree;
    const steps = crowd ? Math.max(count, free) : count - free;
    const delay = steps < 0 ? 0 : Math.min(maxDelay, firstDelay * 2 ** steps);
    // Reinsert at the end of the map, so that the oldest address is removed first.
    this.wrong.delete(address);
    this.wrong.set(address, { count, until: now + delay, last: now });
    if (this.wrong.size > maxAddresses) this.wrong.delete(this.wrong.keys().next().value!);
    return delay;
  }
}
