/** External events that change a room, as its journal stores them. */
import type { EnergySettings, ParticipantId } from '../../shared/vocabulary.ts';
import type { RoomCommand } from './commands.ts';

/** An event, discriminated by `what`. Replaying a room's events reproduces the room. */
export type RoomEvent =
  /** Refused commands are included: a replay refuses them again. */
  | {
      readonly what: 'command';
      readonly id: number;
      readonly command: RoomCommand;
      /** Set when an undo replays the journal: accepted originally, or withdrawn by the undo. */
      readonly past?: 'accepted' | 'withdrawn';
    }
  /** A participant entered. `at` is a tick, here and below. */
  | {
      readonly what: 'enter';
      readonly participant: ParticipantId;
      readonly at: number;
      /** Initial energy; absent in older journals: a newcomer's. */
      readonly granted?: number;
    }
  /** A participant left. */
  | {
      readonly what: 'leave';
      readonly participant: ParticipantId;
      /** Absent in older journals. */
      readonly at?: number;
    }
  /**
   * Starts tracking attendance with these participants. Full rooms remove organisms for new ones
   * only
   * from here on, so journals of earlier releases replay as they ran.
   */
  | { readonly what: 'attendance'; readonly present: readonly ParticipantId[] }
  /** Changes how many organisms may live at once. */
  | { readonly what: 'limit'; readonly maxOrganisms: number }
  /** Changes the energy settings and the tick rate. */
  | {
      readonly what: 'energy';
      readonly settings: EnergySettings;
      readonly tickRate: number;
      readonly at: number;
    }
  /** The engine was out of memory for the organisms planted in this tick. */
  | { readonly what: 'no-memory' };

/** An event that waits for the next tick. */
export type CommandEvent = RoomEvent & { readonly what: 'command' };
/** An event that takes effect immediately. */
export type OuterEvent = Exclude<RoomEvent, CommandEvent>;

/** Replaces −0 by 0, as codecs do not preserve it and a replay must see the same numbers. */
export function plainNumbers<T>(value: T): T {
  if (typeof value === 'number') return (value + 0) as T;
  if (Array.isArray(value)) return value.map(plainNumbers) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, plainNumbers(inner)]),
  ) as T;
}
