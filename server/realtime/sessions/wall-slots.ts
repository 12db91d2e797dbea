/** The walls of a room: they are shown everything and do nothing, and take nobody's place. */
import { Refusal } from '../../../shared/protocol/reasons.ts';

/** One customer's networks have their first 48 bits in common. */
const siteOf = (address: string): string => address.replace(/^((?:[^:]+:){3}).*::\/64$/, '$1');

/** @typeParam M what stands for a connection */
export class WallSlots<M> {
  /** Each with what its address is called. */
  private readonly walls = new Map<M, string>();

  constructor(private readonly limit: number) {}

  get members(): Iterable<M> {
    return this.walls.keys();
  }

  get size(): number {
    return this.walls.size;
  }

  /**
   * One more. Where there is no place left, one of the address that has most makes place for an address that has fewer: nobody
   * alone can keep a house's own wall out.
   *
   * @returns that one, if any; it hangs no longer
   * @throws Refusal too-many-walls: no address has more than this one would have
   */
  add(member: M, address: string): M | undefined {
    const last = this.walls.size < this.limit ? undefined : this.lastOfMost(address);
    if (last) this.walls.delete(last);
    this.walls.set(member, address);
    return last;
  }

  hasWallAt(address: string): boolean {
    return [...this.walls.values()].includes(address);
  }

  /** The wall that was hung last from the address that has most. @throws Refusal too-many-walls */
  private lastOfMost(address: string): M {
    const bySite = new Map<string, M[]>();
    for (const [member, at] of this.walls) {
      const site = siteOf(at);
      bySite.set(site, [...(bySite.get(site) ?? []), member]);
    }
    const own = bySite.get(siteOf(address))?.length ?? 0;
    const [most] = [...bySite.values()].sort((a, b) => b.length - a.length);
    if (most.length <= own + 1) throw new Refusal('too-many-walls');
    return most[most.length - 1];
  }

  /** @returns whether it was one */
  remove(member: M): boolean {
    return this.walls.delete(member);
  }
}
