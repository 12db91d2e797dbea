/** What a room is created from, and what its ticks give and take. */
import type {
  EnergySettings,
  FlashLimit,
  LifeEvent,
  LifeSettings,
  OrganismView,
} from '../../shared/vocabulary.ts';
import type { NewPatch, PatchId, PatchStep } from '../engine/engine.ts';
import type { Answer, RoomEvent } from './commands.ts';
import type { Expressing } from './organisms/expressions.ts';
import type { RoomState } from './room-state.ts';
import type { Species } from './species.ts';

/** How a room is created or restored. */
export interface RoomOptions {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly maxOrganisms: number;
  /** Seed of the room's random numbers. */
  readonly seed: number;
  readonly species: Species;
  /** What commands cost; absent: nothing. */
  readonly energy?: EnergySettings | undefined;
  /** Nominal ticks per second; sets how fast energy refills. */
  readonly tickRate?: number | undefined;
  /** Most flashes a second that organisms may show; absent: the default. */
  readonly flashLimit?: FlashLimit | undefined;
  /** How often organisms step; absent: each tick. */
  readonly life?: LifeSettings | undefined;
  /** Returns a patch id that no other room uses. */
  readonly nextPatch: () => PatchId;
  /** State to restore, whose seed and size take precedence. The room takes ownership of it. */
  readonly from?: RoomState | undefined;
}

/** The engine's work for a tick, in this order, and the events to journal. */
export interface TickWork {
  readonly dispose: readonly PatchId[];
  readonly plant: readonly NewPatch[];
  readonly step: readonly PatchStep[];
  /** The external events of this tick, in order. */
  readonly events: readonly RoomEvent[];
}

/** The outcome of a tick. */
export interface TickResult {
  readonly tick: number;
  readonly answers: readonly Answer[];
  readonly life: readonly LifeEvent[];
  /** Who has begun to express a relative; absent: nobody. */
  readonly expressing?: readonly Expressing[];
  /** The organisms that died. */
  readonly died: readonly OrganismView[];
  /** Chunks of the planes that have changed. */
  readonly changed: readonly number[];
}
