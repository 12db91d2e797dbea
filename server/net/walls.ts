/** The walls of a room: they are shown everything and do nothing, and take nobody's place. */
import { Refusal } from '../../shared/protocol/reasons.ts';

/** @typeParam M what stands for a connection */
export class Walls<M> {
  /** Each with what its address is called. */
  private readonly hung = new Map<M, string>();

  constructor(private readonly limit: number) {}

  get members(): Iterable<M> {
    return this.hung.keys();
  }

  get size(): number {
    return this.hung.size;
  }

  /** @throws Refusal too-many-walls */
  hang(member: M, address: string): void {
    if (this.hung.size >= this.limit) throw new Refusal('too-many-walls');
    this.hung.set(member, address);
  }

  hangsAt(address: string): boolean {
    return [...this.hung.values()].includes(address);
  }

  /** @returns whether it was one */
  takeDown(member: M): boolean {
    return this.hung.delete(member);
  }
}
