/**
 * The first message to a new client: the state of the room, who is present, and the client's own
 * seeds.
 */
import type { Event } from '../../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/version.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import type { Room } from '../../world/room.ts';
import type { Pace } from '../../world/ticker.ts';
import type { RoomPolicy } from '../policy/room-policy.ts';
import type { ParticipantSlots } from './participant-slots.ts';
import type { RoomClient, RoomInfo, WallInfo } from './room-client.ts';

type People = Pick<ParticipantSlots<RoomClient>, 'participants' | 'tokenOf'>;

export interface WelcomeBuilderOptions {
  readonly room: Room;
  readonly info: RoomInfo;
  readonly pace: () => Pace;
  readonly policy: RoomPolicy;
  readonly wallInfo: () => WallInfo;
}

/** Builds and sends the welcomes of a room. */
export class WelcomeBuilder {
  constructor(private readonly options: WelcomeBuilderOptions) {}

  /**
   * Sends a participant the welcome and the settings.
   *
   * @param you the participant, who has a slot already
   * @param mark a new device mark, if the device has none
   */
  sendWelcome(client: RoomClient, you: ParticipantView, people: People, mark?: string): void {
    const welcome: Event<'welcome'> = {
      ...this.opening(people),
      you,
      resume: people.tokenOf(client)!,
      ...(mark !== undefined && { mark }),
      energy: this.energyOf(you.id),
      hand: this.options.room.seedsOf(you.id) as Event<'welcome'>['hand'],
    };
    const { policy } = this.options;
    client.send('welcome', policy.redactNames('welcome', welcome));
    client.send('settings', policy.publicSettings);
  }

  /** Sends a wall its welcome and the settings. */
  sendWallWelcome(wall: RoomClient, people: People): void {
    const { policy, wallInfo } = this.options;
    const welcome: Event<'wall'> = { ...this.opening(people), ...wallInfo() };
    wall.send('wall', policy.redactNames('wall', welcome));
    wall.send('settings', policy.publicSettings);
  }

  /** A participant's energy level, and what commands cost. */
  energyOf(participant: ParticipantId): Event<'energy'> {
    const { room } = this.options;
    const { newcomer, ...costs } = room.energySettings;
    return { ...costs, level: room.energyOf(participant) };
  }

  private opening({ participants }: People) {
    const { room, info, pace } = this.options;
    const { name, tick, maxOrganisms, grid, organisms } = room;
    const { width, height } = grid.planes;
    return {
      protocol: PROTOCOL_VERSION,
      room: { name, width, height, tickRate: pace().tickRate, tick, maxOrganisms },
      ...info,
      organisms: organisms as Event<'welcome'>['organisms'],
      participants,
    };
  }
}
