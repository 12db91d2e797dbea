/** Login sessions of the host. They are in memory only and end with the server, or the cluster. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DEFAULTS } from '../../shared/defaults.ts';

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
