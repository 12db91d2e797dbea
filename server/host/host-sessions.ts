/** Who is signed in as the host. Sessions end with the server: who manages rooms signs in again. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DEFAULTS } from '../../shared/defaults.ts';

export interface HostSession {
  /** Goes with each call that changes something; pages of other origins cannot read it. */
  readonly key: string;
  /** When it was begun, ms of the clock; and when its host last did something. */
  readonly since: number;
  used: number;
}

const random = (): string => randomBytes(32).toString('base64url');
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

export class HostSessions {
  /** By the hash of the cookie's word. */
  private readonly sessions = new Map<string, HostSession>();

  /** @param now ms of a clock that never goes back */
  constructor(
    private readonly now: () => number,
    private readonly limits: {
      readonly idle: number;
      readonly life: number;
      readonly most: number;
    } = DEFAULTS.session,
  ) {}

  /** @returns the word for the cookie, and the session */
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
   * The session of a cookie's word, if it is not over.
   *
   * @param isUse whether its host does something, and not her page alone: it lives on from now
   */
  find(word: string | undefined, isUse: boolean): HostSession | undefined {
    if (!word) return undefined;
    this.forgetOld();
    const session = this.sessions.get(hashOf(word));
    if (session && isUse) session.used = this.now();
    return session;
  }

  end(word: string | undefined): void {
    if (word) this.sessions.delete(hashOf(word));
  }

  /** ms until a session ends, when it is not used any more */
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

/** Whether a call carries the session's key; takes as long for a wrong one. */
export function hasKey({ key }: HostSession, given: string | undefined): boolean {
  const [a, b] = [key, given ?? ''].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a, b);
}
