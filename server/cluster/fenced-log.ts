/**
 * A durable log that only the owner of a room can write to. The fence is in the log itself: whatever
 * an owner believes, a write with an earlier epoch has no effect.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { type Clock, pause } from '../platform/clock.ts';
import { Refused } from './cluster-error.ts';
import type { Lease } from './lease.ts';
import type { Epoch } from './lease-store.ts';

/** Which write of which owner. */
export interface Position {
  readonly epoch: Epoch;
  /** Counts an owner's writes, from 1. */
  readonly number: number;
}

/** Keeps writes of type `W`. */
export interface FencedLog<W> {
  /**
   * Writes atomically, if the epoch is the room's latest. A write whose number the room has seen
   * has no effect and counts as written: it is a repetition, or has been overtaken by one.
   *
   * @returns whether it is written, and survives a loss of power
   * @throws LogFull; Refused; Error: there is no answer, and whether it is written is not known
   */
  write(room: string, position: Position, write: W): Promise<boolean>;
}

/** The log takes no more. Nothing is written. */
export class LogFull extends Refused {
  override readonly name: string = 'LogFull';
}

export interface FencedWrite<W> {
  readonly log: FencedLog<W>;
  readonly room: string;
  readonly lease: Lease;
  readonly clock: Clock;
}

/**
 * Writes after the lease's earlier writes, as often as it takes while the lease is held. If it
 * cannot, the lease has ended: what is not durable is not shown either.
 *
 * @returns whether it is durable
 * @throws LogFull; Refused; the lease has ended then
 */
export function writeFenced<W>(
  { log, room, lease, clock }: FencedWrite<W>,
  write: W,
): Promise<boolean> {
  return lease.inOrder(async (number) => {
    const position = { epoch: lease.epoch, number };
    while (lease.isHeld) {
      try {
        const written = await lease.whileHeld(log.write(room, position, write));
        if (written) return true;
        lease.end();
      } catch (error) {
        if (error instanceof Refused) {
          lease.end();
          throw error;
        }
        await lease.whileHeld(pause(clock, DEFAULTS.cluster.writeRetry));
      }
    }
    return false;
  });
}
