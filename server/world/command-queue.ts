/**
 * Commands that wait for the next tick, and which of those that may arrive twice have been done. A
 * command arrives again when a room has changed owners before its answer came; it belongs to the
 * session that first sent it, as ids begin again with each page.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { HOUSE, type ParticipantId } from '../../shared/vocabulary.ts';
import type { Answer, RoomCommand } from './commands.ts';
import type { CommandEvent } from './events.ts';
import type { RoomState } from './room-state.ts';

type DoneInSession = NonNullable<RoomState['done']>[number];

const { maxQueued, maxQueuedPerParticipant } = DEFAULTS.room;
/** Commands of a session that are remembered; more than may be unanswered. */
const REMEMBERED = 2 * maxQueuedPerParticipant;

/** The commands that wait for a room's next tick, and those that are done and may be sent again. */
export class CommandQueue {
  private waiting: CommandEvent[] = [];
  /** Number of waiting commands by participant. */
  private readonly queued = new Map<ParticipantId, number>();
  private done = new Map<ParticipantId, DoneInSession>();

  /** @returns false if the command waits already @throws Refusal too-fast, room-busy */
  admits(id: number, by: ParticipantId, session?: number): boolean {
    const isSame = (other: CommandEvent): boolean =>
      other.session === session && other.id === id && other.command.by.id === by;
    if (session !== undefined && this.waiting.some(isSame)) return false;
    const queued = this.queued.get(by) ?? 0;
    if (queued >= maxQueuedPerParticipant && by !== HOUSE.id) throw new Refusal('too-fast');
    if (this.waiting.length >= maxQueued) throw new Refusal('room-busy');
    return true;
  }

  /** Adds a command. Ask `admits` first. */
  add(id: number, command: RoomCommand, session?: number): void {
    const by = command.by.id;
    const ofSession = session !== undefined && { session };
    this.waiting.push({ what: 'command', id, ...ofSession, command });
    this.queued.set(by, (this.queued.get(by) ?? 0) + 1);
  }

  /** Adds a command of the journal. */
  redo(event: CommandEvent): void {
    this.waiting.push(event);
  }

  /** Takes all commands, in the order of their arrival. */
  take(): CommandEvent[] {
    this.queued.clear();
    return this.waiting.splice(0);
  }

  /** Remembers what has been done in a tick, for those who have not left meanwhile. */
  answered(answers: readonly Answer[], isPresent: (by: ParticipantId) => boolean): void {
    for (const { by, id, session, refused, seed } of answers) {
      if (session === undefined || refused || !isPresent(by)) continue;
      const known = this.done.get(by);
      const commands = known?.session === session ? known.commands : [];
      const one = { id, ...(seed && { seed: seed.id }) };
      const latest = [...commands, one].slice(-REMEMBERED);
      this.done.set(by, { participant: by, session, commands: latest });
    }
  }

  /** A command that has been done; undefined if it has not. */
  find(
    by: ParticipantId,
    session: number,
    id: number,
  ): DoneInSession['commands'][number] | undefined {
    const known = this.done.get(by);
    return known?.session === session ? known.commands.find((one) => one.id === id) : undefined;
  }

  /** Forgets what a participant has had done. */
  leave(participant: ParticipantId): void {
    this.done.delete(participant);
  }

  export(): Pick<RoomState, 'done'> {
    return this.done.size > 0 ? { done: [...this.done.values()] } : {};
  }

  restore({ done = [] }: Pick<RoomState, 'done'>): void {
    this.done = new Map(done.map((one) => [one.participant, one]));
  }
}
