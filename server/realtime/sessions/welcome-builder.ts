/** What one who comes is told first: the room as it is, who is in it, and what she has in her hand. */
import type { Event } from '../../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/version.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import type { Room } from '../../world/room.ts';
import type { Pace } from '../../world/ticker.ts';
import type { RoomPolicy } from '../policy/room-policy.ts';
import type { ParticipantSlots } from './participant-slots.ts';
import type { RoomClient, RoomInfo, WallInfo } from './room-client.ts';

type People = Pick<ParticipantSlots<RoomClient>, 'participants' | 'tokenOf'>;

export class WelcomeBuilder {
  constructor(
    private readonly room: Room,
    private readonly facts: RoomInfo,
    private readonly pace: () => Pace,
    private readonly rules: RoomPolicy,
    private readonly wallFacts: () => WallInfo,
  ) {}

  /**
   * @param you who they are, with a place already
   * @param mark for their device, where it has none
   */
  sendWelcome(client: RoomClient, you: ParticipantView, people: People, mark?: string): void {
    const welcome: Event<'welcome'> = {
      ...this.opening(people),
      you,
      resume: people.tokenOf(client)!,
      ...(mark !== undefined && { mark }),
      energy: this.energyOf(you.id),
      hand: this.room.seedsOf(you.id) as Event<'welcome'>['hand'],
    };
    client.send('welcome', this.rules.redactNames('welcome', welcome));
    client.send('settings', this.rules.publicSettings);
  }

  sendWallWelcome(wall: RoomClient, people: People): void {
    wall.send(
      'wall',
      this.rules.redactNames('wall', { ...this.opening(people), ...this.wallFacts() }),
    );
    wall.send('settings', this.rules.publicSettings);
  }

  /** What one has, and what acts cost. */
  energyOf(participant: ParticipantId): Event<'energy'> {
    const { newcomer, ...costs } = this.room.energySettings;
    return { ...costs, level: this.room.energyOf(participant) };
  }

  private opening({ participants }: People) {
    const { name, tick, maxOrganisms, grid: ground, organisms } = this.room;
    const { width, height } = ground.planes;
    return {
      protocol: PROTOCOL_VERSION,
      room: { name, width, height, tickRate: this.pace().tickRate, tick, maxOrganisms },
      ...this.facts,
      organisms: organisms as Event<'welcome'>['organisms'],
      participants,
    };
  }
}
