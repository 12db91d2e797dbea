/** Commands of participants and the host to a room, after schema validation, and their answers. */
import type { Rect } from '../../shared/geometry.ts';
import type { SeedSource } from '../../shared/protocol/commands.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismId, Origin, ParticipantView, SeedView } from '../../shared/vocabulary.ts';

/**
 * A seed as the journal stores it. `spot` holds the latent of a map point and `thrown` that of a
 * throw, as maps and samplers may change. `heir` is what a day of a room begins with.
 */
export type PlantedSeed =
  | SeedSource
  | { readonly from: 'spot' | 'thrown'; readonly latent: readonly number[] }
  | {
      readonly from: 'heir';
      readonly latent: readonly number[];
      readonly origin: Origin;
      readonly kind: string;
      /** They may be dead. */
      readonly parents: readonly OrganismId[];
    };

/** A command, discriminated by `what`. */
export type RoomCommand = { readonly by: ParticipantView } & (
  | { readonly what: 'plant'; readonly x: number; readonly y: number; readonly seed: PlantedSeed }
  | { readonly what: 'damage'; readonly radius: number; readonly points: readonly number[] }
  | {
      readonly what: 'cross';
      readonly a: number;
      readonly b: number;
      /** Share of b, 0…1. */
      readonly mix: number;
      /** Strength of the mutation, 0…1; absent: none. */
      readonly mutation?: number | undefined;
    }
  /** Has a living organism turn into what a seed grows into (rule TRF-1). */
  | { readonly what: 'transform'; readonly organism: OrganismId; readonly seed: PlantedSeed }
  /** Keeps one of the participant's own organisms that departs or has departed (rule DEP-10). */
  | { readonly what: 'renew'; readonly organism: OrganismId }
  /** Gives the participant a seed that was made outside of the room. */
  | {
      readonly what: 'hold';
      readonly latent: readonly number[];
      readonly origin: 'drawing';
      /** The host, or an extension, has approved the drawing. */
      readonly approved?: true;
    }
  /** The host removes an organism. */
  | { readonly what: 'remove'; readonly organism: OrganismId }
  /** The host removes all organisms that own a place in a rectangle. */
  | { readonly what: 'clear'; readonly area: Rect }
  /** The host has an organism depart, within so many seconds, and nobody can renew it. */
  | { readonly what: 'depart'; readonly organism: OrganismId; readonly seconds: number }
  /**
   * The gardener has one of its own organisms depart, or without `organism` the one that has been
   * unattended longest.
   */
  | { readonly what: 'thin'; readonly organism?: OrganismId | undefined }
);

/** Whether a command uses a seed: it plants one, or turns an organism into what it grows into. */
export const usesSeed = <C extends Pick<RoomCommand, 'what'>>(
  command: C,
): command is C & { readonly what: 'plant' | 'transform' } =>
  command.what === 'plant' || command.what === 'transform';

/** The result of one command. */
export interface Answer {
  readonly by: number;
  /** The sender's id of the command. */
  readonly id: number;
  /** Scope within which the ids of repeatable commands are unique. */
  readonly session?: number | undefined;
  readonly what: RoomCommand['what'];
  /** The sender's remaining energy. */
  readonly energy: number;
  readonly refused?: { readonly reason: Reason; readonly detail: string };
  /** The seed that the sender now holds. */
  readonly seed?: SeedView;
  /** Number of organisms removed. */
  readonly removed?: number;
  /** Number of organisms that the stroke did not wound because they are protected. */
  readonly spared?: number;
  /** It continues a stroke of the messages before it. */
  readonly continued?: boolean;
}

/** What a command has done, or why nothing. */
export type Outcome = Pick<Answer, 'seed' | 'removed' | 'spared' | 'continued' | 'refused'>;
