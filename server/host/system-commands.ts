/** Sends the host's commands to a room: journalled like a visitor's, without a participant. */
import { type HostReason, HostRefusal } from '../../shared/host/reasons.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { SystemCommand } from '../realtime/commands/system-actor.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import type { Answer } from '../world/commands.ts';

/**
 * Runs a command; resolves to its answer with the next tick.
 *
 * @throws HostRefusal room-busy; room-closed, elsewhere: the room has stopped
 */
export async function runSystemCommand(
  { server: roomServer }: OpenRoom,
  act: SystemCommand,
): Promise<Answer> {
  try {
    return await roomServer.dispatcher.hostActor.act(act);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason } = error;
    if (reason === 'room-closed' || reason === 'elsewhere') throw new HostRefusal(reason);
    throw new HostRefusal('room-busy', reason);
  }
}

/** Whether the room has done what a command asked for. */
export const isDone = (result: PromiseSettledResult<Answer>): boolean =>
  result.status === 'fulfilled' && !result.value.refused;

const REASONS: Readonly<Record<string, HostReason>> = {
  'no-such-organism': 'no-such-organism',
  'off-grid': 'off-grid',
};

/** As `runSystemCommand`; a refusal is thrown. @throws HostRefusal */
export async function requireSystemCommand(live: OpenRoom, act: SystemCommand): Promise<Answer> {
  const answer = await runSystemCommand(live, act);
  const { refused } = answer;
  if (refused) throw new HostRefusal(REASONS[refused.reason] ?? 'failed', refused.detail);
  return answer;
}
