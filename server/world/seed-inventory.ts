/** The seeds that each participant holds. */
import type { SeedView } from '../../shared/vocabulary.ts';
import type { RoomState } from './room-state.ts';

type SeedInventoryState = RoomState['hands'];
/** A held seed with its latent [Z]. */
export type HeldSeed = SeedInventoryState['held'][number]['seeds'][number];

/** The seed as pages are sent it. */
export const viewOfSeed = ({ id, origin, parents }: HeldSeed): SeedView => ({
  id,
  origin,
  parents,
});

/** A bounded list of seeds for each participant. */
export class SeedInventory {
  private nextId: number;
  private readonly seeds: Map<number, HeldSeed[]>;

  /**
   * @param size most seeds per participant; adding another drops the oldest
   * @param from restored state
   */
  constructor(
    private readonly size: number,
    from: SeedInventoryState = { nextId: 1, held: [] },
  ) {
    this.nextId = from.nextId;
    this.seeds = new Map(from.held.map(({ participant, seeds }) => [participant, [...seeds]]));
  }

  /** Gives a participant a new seed. */
  add(participant: number, seed: Omit<HeldSeed, 'id'>): HeldSeed {
    const held = { ...seed, id: this.nextId++ };
    this.seeds.set(participant, [...this.of(participant), held].slice(-this.size));
    return held;
  }

  /** Uses up an id without adding a seed. */
  skipId(): void {
    this.nextId++;
  }

  /** A seed by its id, if the participant holds it. */
  find(participant: number, id: number): HeldSeed | undefined {
    return this.of(participant).find((seed) => seed.id === id);
  }

  /** The seeds that a participant holds, oldest first. */
  of(participant: number): readonly HeldSeed[] {
    return this.seeds.get(participant) ?? [];
  }

  /** Participants who hold seeds. */
  get participants(): number[] {
    return [...this.seeds.keys()];
  }

  export(): SeedInventoryState {
    const held = [...this.seeds].map(([participant, seeds]) => ({ participant, seeds }));
    return { nextId: this.nextId, held };
  }

  /** Drops all seeds of a participant. */
  clear(participant: number): void {
    this.seeds.delete(participant);
  }
}
