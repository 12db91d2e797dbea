/** The walls of a room: they are shown everything and do nothing, and take nobody's place. */
import { Refusal } from '../../shared/protocol/reasons.ts';

/** @typeParam M what stands for a connection */
export class Walls<M> {
  private readonly hung = new Set<M>();

  constructor(private readonly limit: number) {}

  get members(): Iterable<M> {
    return this.hung;
  }

  get size(): number {
    return this.hung.size;
  }

  /** @throws Refusal too-many-walls */
  hang(member: M): void {
    if (this.hung.size >= this.limit) throw new Refusal('too-many-walls');
    this.hung.add(member);
  }

  /** @returns whether it was one */
  takeDown(member: M): boolean {
    return this.hung.delete(member);
  }
}
