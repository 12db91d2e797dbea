/** How what visitors and the house wish of a room reaches it, and how the answers find back. */
import { Refusal } from '../../shared/protocol/reasons.ts';
import { HOUSE, type ParticipantId } from '../../shared/vocabulary.ts';
import type { Clock } from '../platform/clock.ts';
import type { Answer, RoomCommand } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import type { Attendant, Member } from './member.ts';
import type { Rules } from './rules.ts';
import { Stagehand } from './stagehand.ts';

export interface WishesOptions {
  readonly room: Pick<Room, 'enqueue' | 'energyOf'>;
  readonly rules: Rules;
  readonly clock: Clock;
  readonly attendant: () => Attendant | undefined;
  /** Who has this number, if she is there. */
  readonly memberOf: (participant: ParticipantId) => Member | undefined;
  /** A number that nobody has. */
  readonly newNumber: () => ParticipantId;
}

export class Wishes {
  private readonly stagehands = new Map<ParticipantId, Stagehand>();

  constructor(private readonly options: WishesOptions) {}

  /**
   * A member wants something of the room; the answer comes with the next tick.
   *
   * @throws Refusal
   */
  wish(member: Member, id: number, command: RoomCommand): void {
    this.stirred();
    this.admit(id, command, ({ reason, detail }) => {
      const energy = this.options.room.energyOf(command.by.id);
      member.send('rejected', { id, reason, energy, ...(detail && { detail }) });
    });
  }

  /**
   * A member wants something that takes its time and is not the room's to answer: it is refused late, but with its reason like
   * everything else.
   */
  async attend(member: Member, id: number, work: () => Promise<void>): Promise<void> {
    this.stirred();
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { reason, detail } = error;
      member.send('rejected', { id, reason, ...(detail && { detail }) });
    }
  }

  /**
   * Somebody of the house who acts here.
   *
   * @param plays whether its acts count as somebody playing
   */
  employ(name: string, plays: boolean): Stagehand {
    return new Stagehand({
      name,
      enrol: (stagehand) => {
        const id = this.options.newNumber();
        this.stagehands.set(id, stagehand);
        return id;
      },
      pass: (id, command, refuse) => {
        if (plays) this.stirred();
        this.admit(id, command, refuse, true);
      },
    });
  }

  /** Who acts for the host here: nobody, by the number of the house. */
  get house(): Stagehand {
    const known = this.stagehands.get(HOUSE.id);
    if (known) return known;
    const house = new Stagehand({
      name: HOUSE.name,
      enrol: () => HOUSE.id,
      pass: (id, command) => this.options.room.enqueue(id, command),
    });
    this.stagehands.set(HOUSE.id, house);
    return house;
  }

  /** The room has answered. */
  answer(answer: Answer): void {
    const { by, id, energy, refused, seed } = answer;
    if (refused && answer.what === 'plant') this.options.rules.forgive(by);
    this.stagehands.get(by)?.answer(answer);
    const member = this.options.memberOf(by);
    if (refused) member?.send('rejected', { id, energy, ...refused });
    else member?.send('accepted', { id, energy, ...(seed && { seed: seed as never }) });
  }

  private stirred(): void {
    this.options.attendant()?.stirred();
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
    const { room, rules, clock, attendant } = this.options;
    if (ofHouse) rules.requireHands(wish.by.id);
    const command = ofHouse ? wish : rules.admit(wish, clock.now());
    const forgiven = (error: unknown): unknown => {
      if (command.what === 'plant') rules.forgive(command.by.id);
      return error;
    };
    try {
      const asked = attendant()?.wish(command);
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
