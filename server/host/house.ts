/** Acts of the house in a room: commands like a visitor's, in its journal, by nobody. */
import { type HostReason, HostRefusal } from '../../shared/host/reasons.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { Act } from '../net/stagehand.ts';
import type { LiveRoom } from '../rooms.ts';
import type { Answer } from '../world/commands.ts';

/** @returns what became of it, with the next tick. @throws HostRefusal room-busy */
export async function asHouse({ lobby }: LiveRoom, act: Act): Promise<Answer> {
  try {
    return await lobby.house.act(act);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new HostRefusal('room-busy', error.reason);
  }
}

const REASONS: Readonly<Record<string, HostReason>> = {
  'no-such-organism': 'no-such-organism',
  'off-grid': 'off-grid',
};

/** The same, for what must not be refused. @throws HostRefusal */
export async function mustAsHouse(live: LiveRoom, act: Act): Promise<Answer> {
  const answer = await asHouse(live, act);
  const { refused } = answer;
  if (refused) throw new HostRefusal(REASONS[refused.reason] ?? 'failed', refused.detail);
  return answer;
}
