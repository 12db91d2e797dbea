/**
 * Somebody of the house who acts in a room without being there: a console, an extension, the gardener. It has a number and energy
 * of its own and is journalled like any participant, but takes no seat and is not counted among the people.
 */
import { hueOf } from '../../../shared/hues.ts';
import { HOUSE, type ParticipantId, type ParticipantView } from '../../../shared/vocabulary.ts';
import type { Answer, RoomCommand } from '../../world/commands.ts';

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** What it wants to do. */
export type SystemCommand = Without<RoomCommand, 'by'>;

export interface SystemActorOptions {
  /** Shown as the planter's. */
  readonly name: string;
  /** Gives it a number, with its first act. */
  readonly assignId: (actor: SystemActor) => ParticipantId;
  /** @throws Refusal; `refuse` is for what is refused later, before the room has heard of it */
  readonly submit: (id: number, command: RoomCommand, refuse: (error: Error) => void) => void;
}

export class SystemActor {
  private me: ParticipantView | undefined;
  private nextId = 1;
  private readonly waiting = new Map<number, (answer: Answer) => void>();

  constructor(private readonly options: SystemActorOptions) {}

  /** Who it is; nobody before its first act. */
  get you(): ParticipantView | undefined {
    return this.me;
  }

  /** @returns what became of it. @throws Refusal when it did not get as far as the room */
  act(act: SystemCommand): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      const refuse = (error: Error): void => {
        this.waiting.delete(id);
        reject(error);
      };
      this.waiting.set(id, resolve);
      try {
        this.options.submit(id, { ...act, by: this.enrolled() } as RoomCommand, refuse);
      } catch (error) {
        refuse(error as Error);
      }
    });
  }

  /** The room has answered. */
  answer(answer: Answer): void {
    this.waiting.get(answer.id)?.(answer);
    this.waiting.delete(answer.id);
  }

  private enrolled(): ParticipantView {
    if (!this.me) {
      const id = this.options.assignId(this);
      this.me = id === HOUSE.id ? HOUSE : { id, name: this.options.name, hue: hueOf(id) };
    }
    return this.me;
  }
}
