/**
 * Has wrong tokens count at all servers of a cluster: one that guesses behind a balancer gets no more
 * tries than at one server. While no messages arrive, each server counts alone.
 */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { type Bus, decodeMessage, encodeMessage } from '../cluster/bus/bus.ts';
import type { Clock } from '../platform/clock.ts';
import type { LoginThrottle } from './host-sessions.ts';

const CHANNEL = 'host:tries';

const text = v.pipe(v.string(), v.maxLength(256));
const message = v.strictObject({
  /** Names the server. */
  node: text,
  /** Of an address, or of a known browser. */
  address: text,
  isRight: v.boolean(),
});

/**
 * Starts sharing.
 *
 * @returns ends it
 * @throws Error the bus has been closed
 */
export async function shareThrottle(
  throttle: LoginThrottle,
  bus: Bus,
  clock: Clock,
): Promise<() => void> {
  const node = randomUUID();
  const subscription = await bus.subscribe(CHANNEL, (bytes) => {
    const heard = decodeMessage(message, bytes);
    // A server hears itself too.
    if (heard && heard.node !== node) throttle.hear(heard.address, heard.isRight, clock.now());
  });
  throttle.onTry = (address, isRight) => {
    bus.publish(CHANNEL, encodeMessage({ node, address, isRight }));
  };
  return () => {
    throttle.onTry = () => {};
    subscription.close();
  };
}
