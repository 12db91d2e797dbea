/** Limits how fast a network address can try tokens. */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { type Bus, decodeMessage, encodeMessage, type Subscription } from '../cluster/bus/bus.ts';
import type { Clock } from '../platform/clock.ts';

/** Limits for wrong tokens. All times are in ms. */
export const LOGIN = {
  /** Number of wrong tokens after which a network address is delayed. */
  free: 5,
  /**
   * Delay of an address that has sent `free` wrong tokens. Each further wrong token doubles the
   * delay, up to `maxDelay`.
   */
  firstDelay: 2_000,
  maxDelay: 600_000,
  /** Time without wrong tokens after which a network address's count of wrong tokens is reset. */
  forget: 3_600_000,
  /**
   * Number of wrong tokens from all network addresses within `window`. Above this number, even an
   * address's first wrong token causes a delay.
   */
  allFree: 50,
  window: 600_000,
  /** Maximum number of network addresses whose wrong tokens are counted. */
  maxAddresses: 10_000,
} as const;

const TRIES = 'host:tries';
const triedMessage = v.strictObject({
  /** Random id of the sending server. */
  node: v.pipe(v.string(), v.maxLength(256)),
  address: v.pipe(v.string(), v.maxLength(256)),
  isRight: v.boolean(),
});

/**
 * Counts the wrong tokens from each network address, and delays addresses that send many. The
 * servers of a cluster share their counts.
 */
export class LoginThrottle {
  private readonly node = randomUUID();
  /**
   * For each network address: number of wrong tokens, end of the delay (`until`), and time of the
   * last wrong token (`last`). Times are in ms of the monotonic clock.
   */
  private readonly wrong = new Map<string, { count: number; until: number; last: number }>();
  /** Times of recent wrong tokens from all network addresses (monotonic clock, ms). */
  private recent: number[] = [];
  private subscription: Subscription | undefined;

  private constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private bus: Bus | undefined,
  ) {}

  /**
   * Creates a throttle that also counts attempts on other servers.
   *
   * @throws Error if the bus has been closed
   */
  static async open(clock: Pick<Clock, 'now'>, bus?: Bus): Promise<LoginThrottle> {
    const throttle = new LoginThrottle(clock, bus);
    throttle.subscription = await bus?.subscribe(TRIES, (bytes) => {
      const tried = decodeMessage(triedMessage, bytes);
      // Skip this server's own messages, because their attempts have already been counted.
      if (!tried || tried.node === throttle.node) return;
      if (tried.isRight) throttle.wrong.delete(tried.address);
      else throttle.count(tried.address);
    });
    return throttle;
  }

  /** Returns how long a network address must wait before its next attempt, in ms. */
  wait(address: string): number {
    return Math.max(0, (this.wrong.get(address)?.until ?? 0) - this.clock.now());
  }

  /**
   * Counts a wrong token.
   *
   * @returns how long the network address must wait before its next attempt, in ms
   */
  fail(address: string): number {
    this.publish(address, false);
    return this.count(address);
  }

  /** Resets a network address's count after a correct token. */
  succeed(address: string): void {
    this.publish(address, true);
    this.wrong.delete(address);
  }

  close(): void {
    this.bus = undefined;
    this.subscription?.close();
  }

  private publish(address: string, isRight: boolean): void {
    this.bus?.publish(TRIES, encodeMessage({ node: this.node, address, isRight }));
  }

  private count(address: string): number {
    const { free, firstDelay, maxDelay, forget, maxAddresses, window, allFree } = LOGIN;
    const now = this.clock.now();
    const known = this.wrong.get(address);
    const count = known && now - known.last < forget ? known.count + 1 : 1;
    this.recent = [...this.recent.filter((at) => at > now - window), now].slice(-(allFree + 1));
    // Many network addresses that each send a few wrong tokens may be one attacker.
    const isCrowd = this.recent.length > allFree;
    const steps = isCrowd ? Math.max(count, free) : count - free;
    const delay = steps < 0 ? 0 : Math.min(maxDelay, firstDelay * 2 ** steps);
    // Move the network address to the end of the map. The address at the start is then the one
    // whose last wrong token is oldest.
    this.wrong.delete(address);
    this.wrong.set(address, { count, until: now + delay, last: now });
    if (this.wrong.size > maxAddresses) this.wrong.delete(this.wrong.keys().next().value!);
    return delay;
  }
}
