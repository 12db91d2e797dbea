/** Waits for rooms that no process owns, and takes them over. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Clock } from '../platform/clock.ts';
import type { RoomLeases } from './room-leases.ts';

const { attempt, failed } = DEFAULTS.cluster;

export interface StandbyOptions {
  readonly leases: RoomLeases;
  readonly clock: Clock;
  /** Rooms that should run, and that this process does not run. */
  readonly waiting: () => Iterable<string>;
  /** Opens a room whose lease this process has just acquired. It releases it if that fails. */
  readonly open: (room: string) => Promise<void>;
  /** A room could not be opened; it is tried again later. */
  readonly onFailure: (room: string, error: unknown) => void;
}

/** Tries again and again to acquire the leases of the rooms that wait. */
export class Standby {
  private readonly trying = new Set<string>();
  private stopped = false;
  private cancel: () => void;

  constructor(private readonly options: StandbyOptions) {
    this.cancel = options.clock.after(0, this.look);
  }

  /** Ends the attempts; one that has begun may still open its room. */
  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private readonly look = (): void => {
    const { leases, waiting, clock } = this.options;
    this.cancel = clock.after(attempt, this.look);
    for (const room of waiting()) {
      if (leases.mayTakeOver(room) && !this.trying.has(room)) void this.try(room);
    }
  };

  private async try(room: string): Promise<void> {
    const { leases, open, onFailure } = this.options;
    this.trying.add(room);
    try {
      if (!(await leases.acquire(room))) return;
      if (this.stopped) await leases.release(room);
      else await open(room);
    } catch (error) {
      leases.holdOff(room, failed);
      onFailure(room, error);
    } finally {
      this.trying.delete(room);
    }
  }
}
