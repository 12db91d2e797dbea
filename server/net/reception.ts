/** What one who comes is told first: the room as it is, who is in it, and what she has in her hand. */
import type { Event } from '../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import type { ParticipantId, ParticipantView } from '../../shared/vocabulary.ts';
import type { Room } from '../world/room.ts';
import type { Pace } from '../world/ticker.ts';
import type { Member, RoomFacts, WallFacts } from './member.ts';
import type { Rules } from './rules.ts';
import type { Seats } from './seats.ts';

type People = Pick<Seats<Member>, 'participants' | 'tokenOf'>;

export class Reception {
  constructor(
    private readonly room: Room,
    private readonly facts: RoomFacts,
    private readonly pace: () => Pace,
    private readonly rules: Rules,
    private readonly wallFacts: () => WallFacts,
  ) {}

  /** @param you who she is, with a seat already */
  greet(member: Member, you: ParticipantView, people: People): void {
    const welcome: Event<'welcome'> = {
      ...this.opening(people),
      you,
      resume: people.tokenOf(member)!,
      energy: this.energyOf(you.id),
      hand: this.room.handOf(you.id) as Event<'welcome'>['hand'],
    };
    member.send('welcome', this.rules.veil('welcome', welcome));
    member.send('settings', this.rules.told);
  }

  greetWall(wall: Member, people: People): void {
    wall.send('wall', this.rules.veil('wall', { ...this.opening(people), ...this.wallFacts() }));
    wall.send('settings', this.rules.told);
  }

  /** What one has, and what acts cost. */
  energyOf(participant: ParticipantId): Event<'energy'> {
    const { newcomer, ...costs } = this.room.energySettings;
    return { ...costs, level: this.room.energyOf(participant) };
  }

  private opening({ participants }: People) {
    const { name, tick, maxOrganisms, ground, organisms } = this.room;
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
