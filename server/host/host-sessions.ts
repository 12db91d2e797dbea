/** Login sessions of the host. They are in memory only and end with the server. */
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

const random = (): string => randomBytes(32).toString('base64url');
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** All current sessions. */
export class HostSessions {
  /** By the hash of the cookie's value. */
  private readonly sessions = new Map<string, HostSession>();

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
    this.sessions.set(hashOf(word), session);
    if (this.sessions.size > this.limits.most) {
      this.sessions.delete(this.sessions.keys().next().value!);
    }
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
    const session = this.sessions.get(hashOf(word));
    if (session && isUse) session.used = this.now();
    return session;
  }

  /** Ends the session of a cookie, if any. */
  end(word: string | undefined): void {
    if (word) this.sessions.delete(hashOf(word));
  }

  /** Time until an unused session expires, ms. */
  left({ since, used }: HostSession): number {
    const { idle, life } = this.limits;
    return Math.max(0, Math.min(used + idle, since + life) - this.now());
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
