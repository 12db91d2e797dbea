/** What participants, and the host, may ask of a room, after the wire's schema check. */
import type { Rect } from '../../shared/geometry.ts';
import type { SeedSource } from '../../shared/protocol/commands.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismId, ParticipantView, SeedView } from '../../shared/vocabulary.ts';

/** A seed as the journal has it: for a place of the map, the latent that lies there, for maps may be drawn anew. */
export type PlantedSeed =
  | SeedSource
  | { readonly from: 'spot'; readonly latent: readonly number[] };

export type RoomCommand =
  | {
      readonly what: 'plant';
      readonly by: ParticipantView;
      readonly x: number;
      readonly y: number;
      readonly seed: PlantedSeed;
    }
  | {
      readonly what: 'damage';
      readonly by: ParticipantView;
      readonly radius: number;
      readonly points: readonly number[];
    }
  | {
      readonly what: 'cross';
      readonly by: ParticipantView;
      readonly a: number;
      readonly b: number;
      /** Share of b, 0…1. */
      readonly mix: number;
      /** Share of chance, 0…1; absent: none. */
      readonly mutation?: number | undefined;
    }
  /** Puts a seed that was made outside of the room into a hand. */
  | {
      readonly what: 'hold';
      readonly by: ParticipantView;
      readonly latent: readonly number[];
      readonly origin: 'drawing';
    }
  /** The host removes one. */
  | { readonly what: 'remove'; readonly by: ParticipantView; readonly organism: OrganismId }
  /** The host removes all that hold a place of a rectangle. */
  | { readonly what: 'clear'; readonly by: ParticipantView; readonly area: Rect }
  /** The gardener lets one go that is long unattended: the room says which. */
  | { readonly what: 'thin'; readonly by: ParticipantView };

/** What became of one command. */
export interface Answer {
  readonly by: number;
  /** What the asker called it. */
  readonly id: number;
  readonly what: RoomCommand['what'];
  /** Energy that the asker has left. */
  readonly energy: number;
  readonly refused?: { readonly reason: Reason; readonly detail: string };
  /** The seed that has come into her hand. */
  readonly seed?: SeedView;
  /** How many organisms were removed. */
  readonly removed?: number;
}
