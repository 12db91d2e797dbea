/** Wishes that somebody is asked about: each participant's reach the room in the order they came, whoever takes how long over which. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';

interface Line {
  count: number;
  last: Promise<unknown>;
}

export class ApprovalQueue {
  private readonly queues = new Map<ParticipantId, Line>();

  /**
   * @param asked resolves to an objection in words, or to undefined; absent: nobody is asked. Never rejects.
   * @returns undefined when the wish may go on at once; else resolves when it may, and rejects with Refusal not-here
   * @throws Refusal too-fast when she has too many that wait
   */
  submit(
    by: ParticipantId,
    asked: (() => Promise<string | undefined>) | undefined,
  ): Promise<void> | undefined {
    const line = this.queues.get(by) ?? { count: 0, last: Promise.resolve() };
    if (line.count === 0 && !asked) return undefined;
    if (line.count >= DEFAULTS.room.maxQueuedPerParticipant) throw new Refusal('too-fast');
    this.queues.set(by, line);
    line.count++;
    const turn = Promise.all([asked?.(), line.last]).then(([objection]) => {
      if (--line.count === 0) this.queues.delete(by);
      if (objection !== undefined) throw new Refusal('not-here', objection);
    });
    line.last = turn.catch(() => {});
    return turn;
  }
}
