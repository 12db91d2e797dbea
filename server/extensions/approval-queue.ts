/** Holds commands until extensions have approved them, and keeps each participant's order. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';

interface ParticipantQueue {
  count: number;
  tail: Promise<unknown>;
}

/** A queue of commands for each participant. */
export class ApprovalQueue {
  private readonly queues = new Map<ParticipantId, ParticipantQueue>();

  /**
   * Queues a command.
   *
   * @param askExtensions resolves to an objection or undefined, never rejects; absent: no approval
   *   needed
   * @returns undefined if the command may run immediately; otherwise resolves when it may, or
   *   rejects with Refusal not-here
   * @throws Refusal too-fast when the participant has too many commands queued
   */
  submit(
    by: ParticipantId,
    askExtensions: (() => Promise<string | undefined>) | undefined,
  ): Promise<void> | undefined {
    const queue = this.queues.get(by) ?? { count: 0, tail: Promise.resolve() };
    if (queue.count === 0 && !askExtensions) return undefined;
    if (queue.count >= DEFAULTS.room.maxQueuedPerParticipant) throw new Refusal('too-fast');
    this.queues.set(by, queue);
    queue.count++;
    const approved = Promise.all([askExtensions?.(), queue.tail]).then(([objection]) => {
      if (--queue.count === 0) this.queues.delete(by);
      if (objection !== undefined) throw new Refusal('not-here', objection);
    });
    queue.tail = approved.catch(() => {});
    return approved;
  }
}
