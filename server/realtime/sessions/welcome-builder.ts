/**
 * Builds the first message to a new client. It contains the state of the room, who is present, and
 * the client's own seeds. Frames are sent separately: see `RoomBroadcaster`.
 */
import type { Event } from '../../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { skyAt } from '../../platform/clock.ts';
import { viewOfSeed } from '../../world/planting.ts';
import {
  type CommonWelcome,
  type PersonalWelcome,
  type RoomClient,
  welcomeOf,
} from './room-client.ts';
import type { RoomContext } from './room-context.ts';

/** Builds and sends the welcomes of a room. */
export class WelcomeBuilder {
  /**
   * The part of the welcome that all clients joining between two ticks have in common, and the key
   * of the set of names hidden in it.
   */
  private made: { readonly common: CommonWelcome; readonly hiddenNamesKey: string } | undefined;

  constructor(private readonly context: RoomContext) {}

  /**
   * Drops the common part of the welcome. All presence changes so far have been sent, so later
   * welcomes must include these changes.
   */
  endTick(): void {
    this.made = undefined;
  }

  /**
   * Sends a participant the welcome and the settings.
   *
   * @param you the participant, who already has a seat
   * @param mark a new device mark, if the device has none
   */
  sendWelcome(client: RoomClient, you: ParticipantView, mark?: string): void {
    const { room, seats } = this.context;
    this.send(client, 'welcome', {
      ...this.facts(),
      you,
      resume: seats.tokenOf(client)!,
      ...(mark !== undefined && { mark }),
      energy: this.energyOf(you.id),
      hand: room.seedsOf(you.id).map(viewOfSeed) as Event<'welcome'>['hand'],
    });
  }

  /** Sends a wall or a spectator its welcome and the settings. */
  sendWallWelcome(wall: RoomClient): void {
    this.send(wall, 'wall', { ...this.facts(), ...this.context.wallInfo() });
  }

  /** Returns a participant's energy level and the costs of commands. */
  energyOf(participant: ParticipantId): Event<'energy'> {
    const { room } = this.context;
    const { newcomer, ...costs } = room.energySettings;
    return { ...costs, level: room.energyOf(participant) };
  }

  private send<N extends 'welcome' | 'wall'>(
    client: RoomClient,
    event: N,
    personal: PersonalWelcome<N>,
  ): void {
    const common = this.common();
    if (client.sendWelcome) client.sendWelcome(event, common, personal);
    else client.send(event, welcomeOf(common, personal));
    client.send('settings', this.context.policy.publicSettings);
    this.context.eventQueue.startFor(client);
  }

  private facts() {
    const { room, pace, date } = this.context;
    const { name, tick, maxOrganisms, flashLimit, grid } = room;
    const { width, height } = grid.planes;
    return {
      protocol: PROTOCOL_VERSION,
      room: {
        ...{ name, width, height, tickRate: pace().tickRate, tick, maxOrganisms, flashLimit },
        sky: skyAt(date()),
      },
    };
  }

  /**
   * Returns the common part of the welcome. Joins and departures after it was built are sent to
   * everybody after the next tick.
   */
  private common(): CommonWelcome {
    const { room, info, seats, policy } = this.context;
    const { hiddenNamesKey } = policy;
    if (this.made?.hiddenNamesKey === hiddenNamesKey) return this.made.common;
    const all: CommonWelcome = {
      ...info,
      organisms: room.organisms as Event<'welcome'>['organisms'],
      participants: seats.participants,
    };
    const common = policy.redactNames('wall', all as Event<'wall'>);
    this.made = { common, hiddenNamesKey };
    return common;
  }
}
