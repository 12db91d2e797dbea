/** How what visitors and the house wish of a room reaches it, and how the answers find back. */
import { Refusal } from '../../../shared/protocol/reasons.ts';
import { HOUSE, type ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Answer, RoomCommand } from '../../world/commands.ts';
import type { Room } from '../../world/room.ts';
import type { RoomPolicy } from '../policy/room-policy.ts';
import type { RoomClient, RoomHooks } from '../sessions/room-client.ts';
import { SystemActor } from './system-actor.ts';

export interface CommandDispatcherOptions {
  readonly room: Pick<Room, 'enqueue' | 'energyOf'>;
  readonly policy: RoomPolicy;
  readonly clock: Clock;
  readonly hooks: () => RoomHooks | undefined;
  /** Who has this number, if she is there. */
  readonly clientOf: (participant: ParticipantId) => RoomClient | undefined;
  /** A number that nobody has. */
  readonly newNumber: () => ParticipantId;
}

export class CommandDispatcher {
  private readonly systemActors = new Map<ParticipantId, SystemActor>();

  constructor(private readonly options: CommandDispatcherOptions) {}

  /**
   * A member wants something of the room; the answer comes with the next tick.
   *
   * @throws Refusal
   */
  dispatch(client: RoomClient, id: number, command: RoomCommand): void {
    this.reportActivity();
    this.admit(id, command, ({ reason, detail }) => {
      const energy = this.options.room.energyOf(command.by.id);
      client.send('rejected', { id, reason, energy, ...(detail && { detail }) });
    });
  }

  /**
   * A member wants something that takes its time and is not the room's to answer: it is refused late, but with its reason like
   * everything else.
   */
  async runAsync(client: RoomClient, id: number, work: () => Promise<void>): Promise<void> {
    this.reportActivity();
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { reason, detail } = error;
      client.send('rejected', { id, reason, ...(detail && { detail }) });
    }
  }

  /**
   * Somebody of the house who acts here.
   *
   * @param plays whether its acts count as somebody playing
   */
  createSystemActor(name: string, plays: boolean): SystemActor {
    return new SystemActor({
      name,
      assignId: (actor) => {
        const id = this.options.newNumber();
        this.systemActors.set(id, actor);
        return id;
      },
      submit: (id, command, refuse) => {
        if (plays) this.reportActivity();
        this.admit(id, command, refuse, true);
      },
    });
  }

  /** Who acts for the host here: nobody, by the number of the house. */
  get hostActor(): SystemActor {
    const known = this.systemActors.get(HOUSE.id);
    if (known) return known;
    const house = new SystemActor({
      name: HOUSE.name,
      assignId: () => HOUSE.id,
      submit: (id, command) => this.options.room.enqueue(id, command),
    });
    this.systemActors.set(HOUSE.id, house);
    return house;
  }

  /** The room has answered. */
  answer(answer: Answer): void {
    const { by, id, energy, refused, seed } = answer;
    if (refused && answer.what === 'plant') this.options.policy.resetCooldown(by);
    this.systemActors.get(by)?.answer(answer);
    const client = this.options.clientOf(by);
    if (refused) client?.send('rejected', { id, energy, ...refused });
    else client?.send('accepted', { id, energy, ...(seed && { seed: seed as never }) });
  }

  private reportActivity(): void {
    this.options.hooks()?.active();
  }

  /**
   * On its way to the room, as the rules have it and unless somebody objects.
   *
   * @param ofHouse how wide and how often is for visitors; whether hands are paused is for all
   * @throws Refusal
   */
  private admit(
    id: number,
    wish: RoomCommand,
    refuse: (refusal: Refusal) => void,
    ofHouse = false,
  ): void {
    const { room, policy: rules, clock, hooks: attendant } = this.options;
    if (ofHouse) rules.requireMayAct(wish.by.id);
    const command = ofHouse ? wish : rules.admit(wish, clock.now());
    const forgiven = (error: unknown): unknown => {
      if (command.what === 'plant') rules.resetCooldown(command.by.id);
      return error;
    };
    try {
      const asked = attendant()?.command(command);
      if (!asked) {
        room.enqueue(id, command);
        return;
      }
      asked
        .then(() => room.enqueue(id, command))
        .catch((error: unknown) => {
          if (!(error instanceof Refusal)) throw error;
          forgiven(error);
          refuse(error);
        });
    } catch (error) {
      throw forgiven(error);
    }
  }
}
