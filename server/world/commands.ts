/** What participants may ask of a room, after the wire's schema check. */
import type { SeedSource } from '../../shared/protocol/commands.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { ParticipantView, SeedView } from '../../shared/vocabulary.ts';

export type RoomCommand =
  | {
      readonly what: 'plant';
      readonly by: ParticipantView;
      readonly x: number;
      readonly y: number;
      readonly seed: SeedSource;
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
      readonly mix: number;
    };

/** What became of one command. */
export interface Answer {
  readonly by: number;
  /** What the asker called it. */
  readonly id: number;
  /** Energy that the asker has left. */
  readonly energy: number;
  readonly refused?: { readonly reason: Reason; readonly detail: string };
  /** The seed that a cross has put in her hand. */
  readonly seed?: SeedView;
}
