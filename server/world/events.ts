/** Everything from outside that changes a room, as its journal keeps it. */
import type { EnergySettings, ParticipantId } from '../../shared/vocabulary.ts';
import type { RoomCommand } from './commands.ts';

export type RoomEvent =
  /** Also one that was refused: its refusal is worked out again. */
  | {
      readonly what: 'command';
      readonly id: number;
      readonly command: RoomCommand;
      /** In a past that is lived again, otherwise than it was: it had been accepted then, and may be; or is withdrawn now. */
      readonly past?: 'accepted' | 'withdrawn';
    }
  /** A participant has come. `at` is a tick, here and below. */
  | {
      readonly what: 'enter';
      readonly participant: ParticipantId;
      readonly at: number;
      /** Energy that they begin with; absent in older journals: that of a newcomer. */
      readonly granted?: number;
    }
  /** A participant has left. */
  | {
      readonly what: 'leave';
      readonly participant: ParticipantId;
      /** Absent in older journals. */
      readonly at?: number;
    }
  /**
   * From now on the room knows who is here: these, and whoever enters. Only then does it make room
   * for newcomers: journals of earlier releases are replayed without.
   */
  | { readonly what: 'attendance'; readonly present: readonly ParticipantId[] }
  /** From now on so many organisms may live at once. */
  | { readonly what: 'limit'; readonly maxOrganisms: number }
  /** What acts cost, and how often the room ticks, is this from now on. */
  | {
      readonly what: 'energy';
      readonly settings: EnergySettings;
      readonly tickRate: number;
      readonly at: number;
    }
  /** The engine had no memory for what was planted in this tick. */
  | { readonly what: 'no-memory' };

export type CommandEvent = RoomEvent & { readonly what: 'command' };
/** What acts as soon as it comes, and does not wait for the tick. */
export type OuterEvent = Exclude<RoomEvent, CommandEvent>;

/** Numbers as every codec gives them back: −0 is 0. */
export function plainNumbers<T>(value: T): T {
  if (typeof value === 'number') return (value + 0) as T;
  if (Array.isArray(value)) return value.map(plainNumbers) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, plainNumbers(inner)]),
  ) as T;
}
