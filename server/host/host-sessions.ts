/** The sessions of signed-in hosts. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import type { Store } from '../storage/store.ts';

/** A session ends after `idle` ms without activity, and at the latest after `life` ms. */
export const SESSION = {
  idle: 3_600_000,
  life: 43_200_000,
  /** Maximum number of sessions. If there are more, the oldest session ends. */
  most: 32,
} as const;
/** Minimum interval between two writes of a session's last use, in ms. */
const RECORD_USE = 60_000;
const SESSIONS = 'sessions/';

const sessionRecord = v.strictObject({
  /** Hash of the session cookie's value. */
  hash: v.string(),
  /**
   * Secret against cross-site request forgery (CSRF). The page sends it with every call that
   * changes data.
   */
  key: v.string(),
  /** `HostToken.mark` of the token with which the session was started. */
  token: v.string(),
  /** When the host signed in (`since`) and was last active (`used`), in ms. */
  since: v.number(),
  used: v.number(),
});
export type HostSession = v.InferOutput<typeof sessionRecord>;

const random = (): string => randomBytes(32).toString('base64url');
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** The host's sessions. The servers of a cluster share the sessions. */
export class HostSessions {
  /**
   * @param now returns the current time, in ms. Servers that share `store` must use the same
   *   clock
   * @param tokenMark returns `HostToken.mark` of the current token. A session that was started
   *   with another token is invalid
   */
  constructor(
    private readonly store: Store,
    private readonly now: () => number,
    private readonly tokenMark: () => string,
  ) {}

  /** Starts a session. @returns the cookie's value (`word`) and the session. @throws StoreError */
  async begin(): Promise<{ readonly word: string; readonly session: HostSession }> {
    const stored = await this.store.serverRecords(SESSIONS, sessionRecord);
    const valid = stored.filter((one) => this.isValid(one)).sort((a, b) => b.since - a.since);
    const kept = new Set(valid.slice(0, SESSION.most - 1));
    for (const one of stored) {
      if (!kept.has(one)) await this.store.removeServerRecord(SESSIONS + one.hash);
    }
    const [word, now] = [random(), this.now()];
    const times = { since: now, used: now };
    const session = { hash: hashOf(word), key: random(), token: this.tokenMark(), ...times };
    await this.store.putServerRecord(SESSIONS + session.hash, session);
    return { word, session };
  }

  /**
   * Finds a cookie's session; undefined if the session has ended.
   *
   * @param word the cookie's value
   * @param isUse true if the host is active, which extends the session; false if the page only
   *   polls
   * @throws StoreError
   */
  async find(word: string | undefined, isUse: boolean): Promise<HostSession | undefined> {
    if (!word) return undefined;
    const name = SESSIONS + hashOf(word);
    const found = await this.store.serverRecord(name, sessionRecord);
    if (!found || !this.isValid(found)) return undefined;
    const now = this.now();
    if (!isUse || now - found.used < RECORD_USE) return found;
    const session = { ...found, used: now };
    await this.store.putServerRecord(name, session);
    return session;
  }

  /** Ends a cookie's session, if there is one. @throws StoreError */
  async end(word: string | undefined): Promise<void> {
    if (word) await this.store.removeServerRecord(SESSIONS + hashOf(word));
  }

  /** Returns how long the session lasts without further activity, in ms. */
  left({ since, used }: HostSession): number {
    return Math.min(used + SESSION.idle, since + SESSION.life) - this.now();
  }

  private isValid(session: HostSession): boolean {
    const now = this.now();
    // If the last use is in the future, the clock was set back. Reject the session, because its
    // real age is unknown.
    const isPast = session.used - RECORD_USE <= now;
    return session.token === this.tokenMark() && isPast && this.left(session) > 0;
  }
}

/** Returns whether `given` is the session's key. Takes constant time to prevent timing attacks. */
export function hasKey({ key }: HostSession, given = ''): boolean {
  return timingSafeEqual(Buffer.from(hashOf(key)), Buffer.from(hashOf(given)));
}
