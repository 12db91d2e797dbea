/**
 * What is known of the addresses that connections come from: how many are open, how fast new ones come, and who is kept out.
 * Many phones share one address, so nobody is kept out for what a neighbour did.
 */
import { isIPv6 } from 'node:net';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import { TokenBucket } from '../../platform/token-bucket.ts';
import type { Limits } from './command-costs.ts';

interface Entry {
  open: number;
  readonly connects: TokenBucket;
  readonly joins: TokenBucket;
  readonly requests: TokenBucket;
  bannedUntil: number;
}

/** Addresses without connections that are remembered before the idle ones are looked through. */
const MAX_IDLE = 10_000;

/** One who has IPv6 has at least 2^64 addresses: they count as one. IPv4 in IPv6's clothes is IPv4. */
export function addressKey(address: string): string {
  const plain = /^::ffff:([\d.]+)$/i.exec(address)?.[1] ?? address;
  if (!isIPv6(plain)) return plain;
  const [head, tail] = plain.split('%')[0].split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - rest.length;
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...rest];
  const network = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

export class AddressLimits {
  private readonly entries = new Map<string, Entry>();
  private total = 0;

  constructor(private readonly limits: Limits) {}

  /** Connections that are open. */
  get open(): number {
    return this.total;
  }

  /**
   * A connection wants to be opened; when it is taken in, `close` must follow once.
   *
   * @returns why not, or undefined when it is taken in
   */
  connect(key: string, now: number): Reason | undefined {
    const { connections, connectionsPerAddress } = this.limits;
    if (this.total >= connections) return 'too-many-connections';
    const entry = this.entry(key, now);
    if (!entry) return 'too-many-connections';
    if (now < entry.bannedUntil) return 'banned';
    if (entry.open >= connectionsPerAddress) return 'too-many-connections';
    if (!entry.connects.take(1, now)) return 'too-fast';
    entry.open++;
    this.total++;
    return undefined;
  }

  close(key: string): void {
    const entry = this.entries.get(key);
    if (!entry || entry.open === 0) return;
    entry.open--;
    this.total--;
  }

  /** @returns whether one more of this address may join a room now */
  join(key: string, now: number): boolean {
    return this.entry(key, now)?.joins.take(1, now) ?? false;
  }

  /** One of this address wants a page or a picture. @returns 0, or how long it should wait, ms */
  request(key: string, now: number): number {
    const requests = this.entry(key, now)?.requests;
    if (!requests) return 1_000;
    return requests.take(1, now) ? 0 : requests.wait(1, now);
  }

  /** Keeps an address out for a while if nobody else is there. @returns whether it is kept out */
  ban(key: string, now: number): boolean {
    const entry = this.entries.get(key);
    if (!entry || entry.open > 1) return false;
    entry.bannedUntil = now + this.limits.banSeconds * 1000;
    return true;
  }

  private entry(key: string, now: number): Entry | undefined {
    const known = this.entries.get(key);
    if (known) return known;
    if (this.entries.size >= this.limits.connections + MAX_IDLE) {
      this.forgetIdle(now);
      if (this.entries.size >= this.limits.connections + MAX_IDLE) return undefined;
    }
    const { connectsPerSecond, connectsAtOnce, joinsPerSecond, joinsAtOnce } = this.limits;
    const { fetchesPerSecond, fetchesAtOnce } = this.limits;
    const entry = {
      open: 0,
      connects: new TokenBucket(connectsPerSecond, connectsAtOnce, now),
      joins: new TokenBucket(joinsPerSecond, joinsAtOnce, now),
      requests: new TokenBucket(fetchesPerSecond, fetchesAtOnce, now),
      bannedUntil: Number.NEGATIVE_INFINITY,
    };
    this.entries.set(key, entry);
    return entry;
  }

  private forgetIdle(now: number): void {
    for (const [key, { open, connects, joins, requests, bannedUntil }] of this.entries) {
      const calm = [connects, joins, requests].every((bucket) => bucket.isFull(now));
      if (open === 0 && now >= bannedUntil && calm) this.entries.delete(key);
    }
  }
}
