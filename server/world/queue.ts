/** Commands that wait for the next tick (rule TIM-1). */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { RoomCommand } from './commands.ts';

interface Waiting {
  /** What the asker calls it. */
  readonly id: number;
  readonly command: RoomCommand;
}

export class CommandQueue {
  private waiting: Waiting[] = [];

  /** @throws Refusal too-fast when its asker has too many waiting */
  add(id: number, command: RoomCommand): void {
    const queued = this.waiting.filter((other) => other.command.by.id === command.by.id).length;
    if (queued >= DEFAULTS.room.maxQueuedPerParticipant) throw new Refusal('too-fast');
    this.waiting.push({ id, command });
  }

  /** All that wait, in the order they came; none does then. */
  take(): readonly Waiting[] {
    const commands = this.waiting;
    this.waiting = [];
    return commands;
  }
}
