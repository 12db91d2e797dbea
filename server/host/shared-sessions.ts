/**
 * Has a session of the host hold at all servers of a cluster, wherever it began: each server tells
 * the others, and asks them when it starts or may have missed something. What is told signs nobody
 * in, as it has only hashes of the cookies.
 */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import { type Bus, decodeMessage, encodeMessage } from '../cluster/bus/bus.ts';
import type { Clock } from '../platform/clock.ts';
import type { HostSessions, SessionNews } from './host-sessions.ts';

const CHANNEL = 'host:sessions';

const text = v.pipe(v.string(), v.maxLength(64));
const ago = v.pipe(v.number(), v.minValue(0), v.maxValue(DEFAULTS.session.life));
const list = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.maxLength(1_000));
const message = v.strictObject({
  /** Names the token that the sessions began with. */
  token: text,
  sessions: list(v.strictObject({ hash: text, key: text, since: ago, used: ago })),
  ended: list(text),
  /** Whether the others are to say what they know. */
  asks: v.optional(v.boolean(), false),
  /** Names this message, if its publisher waits for it. */
  echo: v.optional(text),
});

/**
 * Starts sharing. Sessions of a token that has been replaced are not taken.
 *
 * @param token names the host's token as it is now
 * @returns ends it
 * @throws Error the bus has been closed
 */
export async function shareSessions(
  sessions: HostSessions,
  bus: Bus,
  token: () => string,
  clock: Clock,
): Promise<() => void> {
  /** Ends a wait, by the message that is waited for. */
  const waits = new Map<string, () => void>();
  const publish = (news: SessionNews, more: { asks?: boolean; echo?: string } = {}): void => {
    bus.publish(CHANNEL, encodeMessage({ token: token(), ...news, ...more }));
  };
  const subscription = await bus.subscribe(CHANNEL, (bytes) => {
    const heard = decodeMessage(message, bytes);
    waits.get(heard?.echo ?? '')?.();
    if (heard?.token !== token()) return;
    sessions.hear(heard);
    // A server that asks hears itself too.
    if (heard.asks) publish(sessions.news);
  });
  const ask = (): void => publish(sessions.news, { asks: true });
  const gaps = bus.onGap(ask);
  sessions.onNews = publish;
  // Valkey sends each server all messages in one order: after a server's own message has come back,
  // none is missing that was published before it.
  sessions.caughtUp = () =>
    new Promise((resolve) => {
      if (!bus.isUp) return resolve();
      const echo = randomUUID();
      const end = (): void => {
        cancel();
        waits.delete(echo);
        resolve();
      };
      const cancel = clock.after(DEFAULTS.cluster.answer, end);
      waits.set(echo, end);
      publish({ sessions: [], ended: [] }, { echo });
    });
  ask();
  return () => {
    sessions.onNews = () => {};
    sessions.caughtUp = async () => {};
    for (const end of [...waits.values()]) end();
    subscription.close();
    gaps.close();
  };
}
