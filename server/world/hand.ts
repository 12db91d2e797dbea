/** The seeds that participants hold in their hands. */
import type { SeedView } from '../../shared/vocabulary.ts';

export interface HeldSeed extends SeedView {
  /** [Z] */
  readonly latent: Float32Array;
}

export class Hands {
  private nextId = 1;
  private readonly hands = new Map<number, HeldSeed[]>();

  /** @param size seeds a hand can hold; the oldest falls out */
  constructor(private readonly size: number) {}

  /** Puts a new seed into a participant's hand. */
  give(participant: number, seed: Omit<HeldSeed, 'id'>): HeldSeed {
    const held = { ...seed, id: this.nextId++ };
    const hand = [...(this.hands.get(participant) ?? []), held];
    this.hands.set(participant, hand.slice(-this.size));
    return held;
  }

  find(participant: number, id: number): HeldSeed | undefined {
    return this.hands.get(participant)?.find((seed) => seed.id === id);
  }

  /** A participant has left. */
  empty(participant: number): void {
    this.hands.delete(participant);
  }
}
