/** Limits the number of walls of a room, fairly between addresses. */
import { Refusal } from '../../../shared/protocol/reasons.ts';

/** IPv6 networks of one customer share their first 48 bits. */
const siteOf = (address: string): string => address.replace(/^((?:[^:]+:){3}).*::\/64$/, '$1');

/**
 * The connected walls.
 *
 * @typeParam M a connection
 */
export class WallSlots<M> {
  /** With the address key of each. */
  private readonly walls = new Map<M, string>();

  constructor(private readonly limit: number) {}

  /** The connections of the walls. */
  get members(): Iterable<M> {
    return this.walls.keys();
  }

  /** Number of walls. */
  get size(): number {
    return this.walls.size;
  }

  /**
   * Adds a wall. At the limit, it replaces the newest wall of the site with the most walls, so
   * that no single site can keep the venue's own wall out.
   *
   * @param address address key of the wall
   * @returns the replaced wall, if any
   * @throws Refusal too-many-walls if no site has more walls than this one would have
   */
  add(member: M, address: string): M | undefined {
    const evicted = this.walls.size < this.limit ? undefined : this.newestOfLargestSite(address);
    if (evicted) this.walls.delete(evicted);
    this.walls.set(member, address);
    return evicted;
  }

  /** Whether a wall is connected from this address. */
  hasWallAt(address: string): boolean {
    return [...this.walls.values()].includes(address);
  }

  /** @throws Refusal too-many-walls */
  private newestOfLargestSite(address: string): M {
    const bySite = new Map<string, M[]>();
    for (const [member, wallAddress] of this.walls) {
      const site = siteOf(wallAddress);
      bySite.set(site, [...(bySite.get(site) ?? []), member]);
    }
    const own = bySite.get(siteOf(address))?.length ?? 0;
    const [largest] = [...bySite.values()].sort((a, b) => b.length - a.length);
    if (largest.length <= own + 1) throw new Refusal('too-many-walls');
    return largest[largest.length - 1];
  }

  /** @returns whether the connection was a wall */
  remove(member: M): boolean {
    return this.walls.delete(member);
  }
}
