/**
 * Limits each network address: how many connections it may have open, and how often it may connect,
 * join a room or send an HTTP request. Also bans addresses temporarily. An address with several
 * open connections is not banned, because many visitors may share the address.
 */
import { isIPv6 } from 'node:net';
import * as v from 'valibot';
import { count } from '../../../shared/common-schemas.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import { type Bus, decodeMessage, encodeMessage } from '../../cluster/bus/bus.ts';
import { type Clock, repeat } from '../../platform/clock.ts';
import { getOrAdd, type NumberTable } from '../../platform/collections.ts';
import { TokenBucket } from '../../platform/queues.ts';

/**
 * Default limits per network address, each with its help text. The limits are generous, because all
 * phones in a museum may share one address.
 */
export const ADDRESS_LIMITS = {
  connections: [5_000, 'maximum number of open connections to the server', 1],
  connectionsPerAddress: [2_000, 'maximum number of open connections per IP address', 1],
  connectsPerSecond: [40, 'maximum number of new connections per second from one IP address'],
  connectsAtOnce: [1_500, 'maximum number of new connections from one IP address in one burst', 1],
  joinsPerSecond: [40, 'how many visitors from one IP address may join rooms per second'],
  joinsAtOnce: [1_500, 'how many visitors from one IP address may join rooms in one burst', 1],
  fetchesPerSecond: [
    500,
    'maximum number of HTTP requests per second from one IP address; opening one page takes about twelve requests',
  ],
  fetchesAtOnce: [20_000, 'maximum number of HTTP requests from one IP address in one burst', 1],
  banSeconds: [
    30,
    'number of seconds for which an IP address is blocked after one of its connections was closed because of too many rejected messages (`refusals`); an address with other open connections is not blocked',
  ],
} as const satisfies NumberTable;

/**
 * Events whose rate is limited per network address. `ADDRESS_LIMITS` contains each event's maximum
 * rate (`…PerSecond`) and largest burst (`…AtOnce`).
 */
const RATES = ['connects', 'joins', 'fetches'] as const;

/** How the servers of a cluster share their counts per IP address. */
export const SHARED_LIMITS = {
  /** Interval at which a server sends reports to the other servers, in ms. */
  every: 500,
  /** How long a server's last report counts, in ms. */
  silence: 3_000,
  /**
   * A server reports a network address's open connections if they are at least this fraction of
   * `connectionsPerAddress`.
   */
  tellFrom: 0.05,
  /** Maximum number of network addresses in each list of a report. */
  most: 20_000,
} as const;

interface Entry {
  open: number;
  readonly buckets: Readonly<Record<(typeof RATES)[number], TokenBucket>>;
  bannedUntil: number;
}

const CHANNEL = 'limits';

const address = v.pipe(v.string(), v.maxLength(64));
const list = <S extends v.GenericSchema>(item: S) =>
  v.pipe(v.array(item), v.maxLength(SHARED_LIMITS.most));

/** Schema of a server's report to the other servers about the network addresses of clients. */
const report = v.strictObject({
  node: address,
  /**
   * Network addresses with new activity: [address, connects, joins, HTTP requests], counted since
   * the last report.
   */
  taken: list(v.strictTuple([address, count, count, count])),
  /**
   * Network addresses with many connections: [address, number of open connections to the reporting
   * server].
   */
  open: list(v.strictTuple([address, count])),
  /** Network addresses that the reporting server has banned since its last report. */
  banned: list(address),
  /**
   * Network addresses whose bans all servers must lift. Another server banned these addresses, but
   * they have open connections to the reporting server.
   */
  lifted: list(address),
});
type LimitReport = Omit<v.InferOutput<typeof report>, 'node'>;

/**
 * The number of remembered network addresses may exceed the maximum number of open connections by
 * this much. If there are more addresses, idle addresses are forgotten.
 */
const MAX_IDLE = 10_000;

/**
 * Returns the key that identifies an IP address in all counts. All addresses of an IPv6 /64 network
 * have the same key, because a single device may use the whole network. An IPv4-mapped IPv6 address
 * has the key of the IPv4 address.
 */
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

/**
 * Returns how many connections to a server may come from one network address. A tenth of the
 * server's connections is reserved for other addresses.
 *
 * @param connections maximum number of connections to the server
 */
export function allButReserve(connections: number): number {
  return Math.ceil(0.9 * connections);
}

const createNews = () => ({
  /**
   * For each network address, the number of events of each type in `RATES` since the last report.
   */
  taken: new Map<string, [number, number, number]>(),
  banned: new Set<string>(),
  lifted: new Set<string>(),
});

/**
 * Applies the limits of network addresses to connections, joins and HTTP requests, and bans
 * addresses.
 */
export class AddressLimits {
  private readonly entries = new Map<string, Entry>();
  private total = 0;
  private news = createNews();
  /**
   * The latest report of each other server, by server name. `at`: when the report arrived, in ms.
   * `open`: the number of open connections of each network address.
   */
  private readonly elsewhere = new Map<
    string,
    { readonly at: number; readonly open: ReadonlyMap<string, number> }
  >();

  /** @param isShared whether to record counts and bans for `takeReport` */
  constructor(
    private readonly limits: Readonly<Record<keyof typeof ADDRESS_LIMITS, number>>,
    private readonly isShared = false,
  ) {}

  /** Total number of open connections to this server. */
  get open(): number {
    return this.total;
  }

  /**
   * Counts a new connection if the limits allow it. When an admitted connection closes, the caller
   * must call `close` exactly once.
   *
   * @returns why the connection is rejected; undefined if it is admitted
   */
  connect(key: string, now: number): Reason | undefined {
    const { connections, connectionsPerAddress } = this.limits;
    if (this.total >= connections) return 'too-many-connections';
    const entry = this.entry(key, now);
    if (!entry) return 'too-many-connections';
    if (now < entry.bannedUntil) return 'banned';
    // `allButReserve` limits a network address's connections to this server,
    // `connectionsPerAddress` its connections to all servers of the cluster.
    if (
      entry.open >= allButReserve(connections) ||
      entry.open + this.openElsewhere(key, now) >= connectionsPerAddress
    )
      return 'too-many-connections';
    if (!this.take(key, 'connects', now)) return 'too-fast';
    entry.open++;
    this.total++;
    return undefined;
  }

  /** Counts an admitted connection as closed. */
  close(key: string): void {
    const entry = this.entries.get(key);
    if (!entry || entry.open === 0) return;
    entry.open--;
    this.total--;
  }

  /**
   * Counts a join.
   *
   * @returns false if too many clients with this network address have joined recently
   */
  join(key: string, now: number): boolean {
    return this.take(key, 'joins', now);
  }

  /**
   * Counts an HTTP request.
   *
   * @returns how long to wait before the request is allowed, in ms; 0 if it is allowed now
   */
  request(key: string, now: number): number {
    const fetches = this.entry(key, now)?.buckets.fetches;
    if (!fetches) return 1_000;
    return this.take(key, 'fetches', now) ? 0 : fetches.wait(1, now);
  }

  /**
   * Bans a network address temporarily, unless the address has several open connections.
   *
   * @returns whether the network address is banned now
   */
  ban(key: string, now: number): boolean {
    const entry = this.entries.get(key);
    if (!entry || entry.open > 1 || this.openElsewhere(key, now) > 0) return false;
    entry.bannedUntil = now + this.limits.banSeconds * 1000;
    if (this.isShared) this.news.banned.add(key);
    return true;
  }

  /** Returns the counts and bans since the last report, and resets them. */
  takeReport(): LimitReport {
    const { limits } = this;
    const { taken, banned, lifted } = this.news;
    this.news = createNews();
    const from = SHARED_LIMITS.tellFrom * limits.connectionsPerAddress;
    const open = [...this.entries].filter(([, { open }]) => open > 0 && open >= from);
    return {
      taken: [...taken].slice(0, SHARED_LIMITS.most).map(([key, counts]) => [key, ...counts]),
      open: open.slice(0, SHARED_LIMITS.most).map(([key, { open }]) => [key, open]),
      banned: [...banned].slice(0, SHARED_LIMITS.most),
      lifted: [...lifted].slice(0, SHARED_LIMITS.most),
    };
  }

  /** Applies the report of another server. @param node name of the other server */
  hear(node: string, { taken, open, banned, lifted }: LimitReport, now: number): void {
    this.elsewhere.set(node, { at: now, open: new Map(open) });
    for (const [key, ...counts] of taken) {
      const buckets = this.entry(key, now)?.buckets;
      for (const [i, what] of RATES.entries()) buckets?.[what].drain(counts[i], now);
    }
    for (const key of banned) {
      const entry = this.entry(key, now);
      // If people at the banned address are connected to this server, they may be innocent. So make
      // all servers lift the ban.
      if (entry && entry.open > 0) this.news.lifted.add(key);
      else if (entry) entry.bannedUntil = now + this.limits.banSeconds * 1000;
    }
    for (const key of lifted) {
      const entry = this.entries.get(key);
      if (entry) entry.bannedUntil = Number.NEGATIVE_INFINITY;
    }
  }

  private take(key: string, what: (typeof RATES)[number], now: number): boolean {
    if (!this.entry(key, now)?.buckets[what].take(1, now)) return false;
    if (!this.isShared) return true;
    const counts = getOrAdd(this.news.taken, key, () => [0, 0, 0] as [number, number, number]);
    counts[RATES.indexOf(what)]++;
    return true;
  }

  private openElsewhere(key: string, now: number): number {
    let open = 0;
    for (const [node, told] of this.elsewhere) {
      if (now - told.at >= SHARED_LIMITS.silence) this.elsewhere.delete(node);
      else open += told.open.get(key) ?? 0;
    }
    return open;
  }

  private entry(key: string, now: number): Entry | undefined {
    const known = this.entries.get(key);
    if (known) return known;
    if (this.entries.size >= this.limits.connections + MAX_IDLE) {
      this.forgetIdle(now);
      if (this.entries.size >= this.limits.connections + MAX_IDLE) return undefined;
    }
    const bucket = (what: (typeof RATES)[number]) =>
      new TokenBucket(this.limits[`${what}PerSecond`], this.limits[`${what}AtOnce`], now);
    const [connects, joins, fetches] = RATES.map(bucket);
    const buckets = { connects, joins, fetches };
    const entry: Entry = { open: 0, buckets, bannedUntil: Number.NEGATIVE_INFINITY };
    this.entries.set(key, entry);
    return entry;
  }

  private forgetIdle(now: number): void {
    for (const [key, { open, buckets, bannedUntil }] of this.entries) {
      const isIdle = Object.values(buckets).every((bucket) => bucket.isFull(now));
      if (open === 0 && now >= bannedUntil && isIdle) this.entries.delete(key);
    }
  }
}

/** Exchanges counts and bans of network addresses with the other servers of the cluster. */
export class SharedLimits {
  /** Resolves to undefined if the bus is closed. */
  private readonly subscription = this.options.bus
    .subscribe(CHANNEL, (bytes) => this.hear(bytes))
    .catch(() => undefined);
  private readonly cancel = repeat(this.options.clock, SHARED_LIMITS.every, () => this.tell());
  private isClosed = false;

  constructor(
    private readonly options: {
      readonly bus: Bus;
      readonly clock: Clock;
      readonly node: string;
      readonly addresses: Pick<AddressLimits, 'takeReport' | 'hear'>;
    },
  ) {}

  /** Sends a final report that lists no open connections, and stops sharing. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancel();
    this.tell({ open: [] });
    void this.subscription.then((subscription) => subscription?.close());
  }

  private tell(change?: Partial<LimitReport>): void {
    const { bus, node, addresses } = this.options;
    bus.publish(CHANNEL, encodeMessage({ node, ...addresses.takeReport(), ...change }));
  }

  private hear(bytes: Uint8Array): void {
    const { node, clock, addresses } = this.options;
    const heard = this.isClosed ? undefined : decodeMessage(report, bytes);
    if (heard && heard.node !== node) addresses.hear(heard.node, heard, clock.now());
  }
}
