/**
 * The first message to a new client: the state of the room, who is present, and the client's own
 * seeds.
 */
import type { Event } from '../../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { viewOfSeed } from '../../world/planting.ts';
import { type Opening, type Own, type RoomClient, welcomeOf } from './room-client.ts';
import type { RoomContext } from './room-context.ts';

/** Builds and sends the welcomes of a room. */
export class WelcomeBuilder {
  /** Made once for all who come between two ticks, and which names it hides. */
  private made: { readonly opening: Opening; readonly hiddenNamesKey: string } | undefined;

  constructor(private readonly context: RoomContext) {}

  /** Everybody has been told who has come and gone: later welcomes must know of them. */
  endTick(): void {
    this.made = undefined;
  }

  /**
   * Sends a participant the welcome and the settings.
   *
   * @param you the participant, who has a slot already
   * @param mark a new device mark, if the device has none
   */
  sendWelcome(client: RoomClient, you: ParticipantView, mark?: string): void {
    const { room, slots, policy } = this.context;
    this.send(client, 'welcome', {
      ...this.facts(),
      you,
      resume: slots.tokenOf(client)!,
      ...(mark !== undefined && { mark }),
      energy: this.energyOf(you.id),
      hand: room.seedsOf(you.id).map(viewOfSeed) as Event<'welcome'>['hand'],
    });
    client.send('settings', policy.publicSettings);
  }

  /** Sends a wall its welcome and the settings. */
  sendWallWelcome(wall: RoomClient): void {
    const { policy, wallInfo } = this.context;
    this.send(wall, 'wall', { ...this.facts(), ...wallInfo() });
    wall.send('settings', policy.publicSettings);
  }

  /** A participant's energy level, and what commands cost. */
  energyOf(participant: ParticipantId): Event<'energy'> {
    const { room } = this.context;
    const { newcomer, ...costs } = room.energySettings;
    return { ...costs, level: room.energyOf(participant) };
  }

  private send<N extends 'welcome' | 'wall'>(client: RoomClient, event: N, own: Own<N>): void {
    const opening = this.opening();
    if (client.sendWelcome) client.sendWelcome(event, opening, own);
    else client.send(event, welcomeOf(opening, own));
  }

  private facts() {
    const { room, pace } = this.context;
    const { name, tick, maxOrganisms, flashLimit, grid } = room;
    const { width, height } = grid.planes;
    return {
      protocol: PROTOCOL_VERSION,
      room: { name, width, height, tickRate: pace().tickRate, tick, maxOrganisms, flashLimit },
    };
  }

  /** Who has come or gone since it was made is told to everybody after the next tick. */
  private opening(): Opening {
    const { room, info, slots, policy } = this.context;
    const { hiddenNamesKey } = policy;
    if (this.made?.hiddenNamesKey === hiddenNamesKey) return this.made.opening;
    const opening: Opening = {
      ...info,
      organisms: room.organisms as Event<'welcome'>['organisms'],
      participants: slots.participants,
    };
    const shown = policy.redactNames('wall', opening as Event<'wall'>);
    this.made = { opening: shown, hiddenNamesKey };
    return shown;
  }
}
