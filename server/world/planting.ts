/** Plants organisms: gives them their ids, patches and first places. */
import type { ParticipantView } from '../../shared/vocabulary.ts';
import type { NewPatch, PatchId } from '../engine/engine.ts';
import type { GridPlanes } from './grid-planes.ts';
import { newOrganism, type Organism } from './organism.ts';
import type { OrganismLifecycle } from './organism-lifecycle.ts';
import { seedPlaces } from './ownership.ts';
import type { Departed } from './room-state.ts';
import { growthStep, type Species } from './species.ts';

/** What is planted, where and by whom. */
export interface NewSeed
  extends Pick<Organism, 'window' | 'latent' | 'origin' | 'kind' | 'parents'> {
  readonly by: ParticipantView;
  /** Index of the answer to the command. */
  readonly answer: number;
  /** What it was before, if it had departed. */
  readonly departed?: Departed | undefined;
}

/** An organism planted in this tick. */
interface PendingPlant extends Pick<NewSeed, 'answer' | 'departed'> {
  readonly organism: Organism;
}

/** Plants the organisms of a room. */
export class Planting {
  /** Id of the next organism; never less than it was. */
  nextOrganism = 1;
  /** The organisms planted in this tick. */
  pending: PendingPlant[] = [];
  private readonly planted: NewPatch[] = [];

  /** @param nextPatch returns a patch id that no other room uses */
  constructor(
    private readonly species: Species,
    private readonly grid: GridPlanes,
    private readonly lifecycle: OrganismLifecycle,
    private readonly nextPatch: () => PatchId,
  ) {}

  /** Of a window. */
  get side(): number {
    return this.species.side;
  }

  /** Plants an organism where its seed places are bare. @param tick ticks completed */
  plant({ window, latent, by, answer, departed, ...seed }: NewSeed, tick: number): void {
    const organism = newOrganism({
      ...{ window, latent, origin: seed.origin, kind: seed.kind, parents: seed.parents },
      id: this.nextOrganism++,
      patch: this.nextPatch(),
      planter: { id: by.id, name: by.name, hue: by.hue },
      born: tick,
      stage: growthStep(this.species, 0).stage,
    });
    for (const place of seedPlaces(window, this.grid)) this.grid.claim(place, organism.id);
    this.lifecycle.add(organism);
    this.pending.push({ organism, answer, departed });
    this.planted.push({ patch: organism.patch, checkpoint: this.species.checkpoint, latent });
  }

  /**
   * Takes the patches planted since the last call, for the engine.
   *
   * @param disposed patches of organisms that have died since
   */
  takePlanted(disposed: readonly PatchId[]): NewPatch[] {
    const disposedSet = new Set(disposed);
    return this.planted.splice(0).filter(({ patch }) => !disposedSet.has(patch));
  }

  /** Removes the pending organisms. @returns their patches */
  retract(): PatchId[] {
    const organisms = this.pending.map(({ organism }) => organism);
    this.lifecycle.retract(organisms);
    return organisms.map(({ patch }) => patch);
  }
}
