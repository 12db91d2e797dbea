/** The seeds that participants hold in their hands. */
import type { SeedView } from '../../shared/vocabulary.ts';

export interface HeldSeed extends SeedView {
  /** [Z] */
  readonly latent: Float32Array;
}

export interface SeedInventoryState {
  readonly nextId: number;
  readonly held: readonly { readonly participant: number; readonly seeds: readonly HeldSeed[] }[];
}

export class SeedInventory {
  private nextId: number;
  private readonly hands: Map<number, HeldSeed[]>;

  /**
   * @param size seeds a hand can hold; the oldest falls out
   * @param from where other hands stood, to go on from there
   */
  constructor(
    private readonly size: number,
    from: SeedInventoryState = { nextId: 1, held: [] },
  ) {
    this.nextId = from.nextId;
    this.hands = new Map(from.held.map(({ participant, seeds }) => [participant, [...seeds]]));
  }

  /** Puts a new seed into a participant's hand. */
  add(participant: number, seed: Omit<HeldSeed, 'id'>): HeldSeed {
    const held = { ...seed, id: this.nextId++ };
    const hand = [...(this.hands.get(participant) ?? []), held];
    this.hands.set(participant, hand.slice(-this.size));
    return held;
  }

  /** A seed that comes into no hand: its number is used up. */
  skipId(): void {
    this.nextId++;
  }

  find(participant: number, id: number): HeldSeed | undefined {
    return this.hands.get(participant)?.find((seed) => seed.id === id);
  }

  /** What a participant holds, the oldest first. */
  of(participant: number): readonly HeldSeed[] {
    return this.hands.get(participant) ?? [];
  }

  /** Who holds something. */
  get participants(): number[] {
    return [...this.hands.keys()];
  }

  export(): SeedInventoryState {
    const held = [...this.hands].map(([participant, seeds]) => ({ participant, seeds }));
    return { nextId: this.nextId, held };
  }

  /** A participant has left. */
  clear(participant: number): void {
    this.hands.delete(participant);
  }
}
