/** Limits the number of walls of a room, fairly between addresses, and keeps places for some. */
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { getOrAdd } from '../../platform/get-or-add.ts';

/** Where a wall is. */
interface Slot {
  /** Address key of the wall. */
  readonly address: string;
  /** Id of the wall's own place; undefined: it has none. */
  readonly place: number | undefined;
}

/** IPv6 networks of one customer share their first 48 bits. */
const siteOf = ({ address }: Slot): string => address.replace(/^((?:[^:]+:){3}).*::\/64$/, '$1');

/**
 * The connected walls.
 *
 * @typeParam M a connection
 */
export class WallSlots<M> {
  private readonly walls = new Map<M, Slot>();

  /** @param full why a newcomer is refused */
  constructor(
    private readonly limit: number,
    private readonly full: Reason = 'too-many-walls',
  ) {}

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
   * that no single site can keep the venue's own wall out. A wall with a place of its own always
   * replaces one without, and is replaced only for another one with a place.
   *
   * @param address address key of the wall
   * @param place id of the wall's own place
   * @returns the replaced wall, if any
   * @throws Refusal `full` if no other may be replaced
   */
  add(member: M, address: string, place?: number): M | undefined {
    const slot = { address, place };
    let evicted: M | undefined;
    if (this.walls.size >= this.limit) {
      evicted = this.replacedFor(slot);
      if (evicted === undefined) throw new Refusal(this.full);
      this.walls.delete(evicted);
    }
    this.walls.set(member, slot);
    return evicted;
  }

  /** Whether a wall is connected from this address. */
  hasWallAt(address: string): boolean {
    return [...this.walls.values()].some((slot) => slot.address === address);
  }

  /** The place of a connected wall. */
  placeOf(member: M): number | undefined {
    return this.walls.get(member)?.place;
  }

  /** Whether a wall is connected that has this place. */
  hasWallOf(place: number): boolean {
    return [...this.walls.values()].some((slot) => slot.place === place);
  }

  /** From now on, the walls of this place have none. */
  release(place: number): void {
    for (const [member, slot] of this.walls) {
      if (slot.place === place) this.walls.set(member, { ...slot, place: undefined });
    }
  }

  /** @returns whether the connection was a wall */
  remove(member: M): boolean {
    return this.walls.delete(member);
  }

  private replacedFor(newcomer: Slot): M | undefined {
    const guests = [...this.walls].filter(([, { place }]) => place === undefined);
    if (newcomer.place === undefined) return newestOfLargest(guests, siteOf, siteOf(newcomer));
    if (guests.length > 0) return newestOfLargest(guests, siteOf);
    // Screens of one wall may share its place.
    return newestOfLargest([...this.walls], ({ place }) => place, newcomer.place);
  }
}

/**
 * The newest member of the largest group.
 *
 * @param own the newcomer's group, which must remain smaller than the other
 * @returns undefined if it would not
 */
function newestOfLargest<M, K>(
  walls: readonly [M, Slot][],
  groupOf: (slot: Slot) => K,
  own?: K,
): M | undefined {
  const groups = new Map<K, M[]>();
  for (const [member, slot] of walls) {
    getOrAdd(groups, groupOf(slot), () => []).push(member);
  }
  const [largest = []] = [...groups.values()].sort((a, b) => b.length - a.length);
  const least = own === undefined ? 0 : (groups.get(own)?.length ?? 0) + 1;
  return largest.length > least ? largest[largest.length - 1] : undefined;
}
