/**
 * The first message to a new client: the state of the room, who is present, and the client's own
 * seeds.
 */
import type { Event } from '../../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/version.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';

/** Builds and sends the welcomes of a room. */
export class WelcomeBuilder {
  constructor(private readonly context: RoomContext) {}

  /**
   * Sends a participant the welcome and the settings.
   *
   * @param you the participant, who has a slot already
   * @param mark a new device mark, if the device has none
   */
  sendWelcome(client: RoomClient, you: ParticipantView, mark?: string): void {
    const { room, slots, policy } = this.context;
    const welcome: Event<'welcome'> = {
      ...this.opening(),
      you,
      resume: slots.tokenOf(client)!,
      ...(mark !== undefined && { mark }),
      energy: this.energyOf(you.id),
      hand: room.seedsOf(you.id) as Event<'welcome'>['hand'],
    };
    client.send('welcome', policy.redactNames('welcome', welcome));
    client.send('settings', policy.publicSettings);
  }

  /** Sends a wall its welcome and the settings. */
  sendWallWelcome(wall: RoomClient): void {
    const { policy, wallInfo } = this.context;
    const welcome: Event<'wall'> = { ...this.opening(), ...wallInfo() };
    wall.send('wall', policy.redactNames('wall', welcome));
    wall.send('settings', policy.publicSettings);
  }

  /** A participant's energy level, and what commands cost. */
  energyOf(participant: ParticipantId): Event<'energy'> {
    const { room } = this.context;
    const { newcomer, ...costs } = room.energySettings;
    return { ...costs, level: room.energyOf(participant) };
  }

  private opening() {
    const { room, info, pace, slots } = this.context;
    const { name, tick, maxOrganisms, flashLimit, grid, organisms } = room;
    const { width, height } = grid.planes;
    return {
      protocol: PROTOCOL_VERSION,
      room: { name, width, height, tickRate: pace().tickRate, tick, maxOrganisms, flashLimit },
      ...info,
      organisms: organisms as Event<'welcome'>['organisms'],
      participants: slots.participants,
    };
  }
}
