/**
 * A participant without a connection: the gardener, OSC, an extension or the host. It has a number and
 * energy of its own, and its commands are journalled, but it takes no slot and is not listed as
 * present.
 */
import { hueOf } from '../../../shared/hues.ts';
import { HOUSE, type ParticipantId, type ParticipantView } from '../../../shared/vocabulary.ts';
import type { Answer, RoomCommand } from '../../world/commands.ts';

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A command without its sender. */
export type SystemCommand = Without<RoomCommand, 'by'>;

export interface SystemActorOptions {
  /** Shown as the planter's name. */
  readonly name: string;
  /** Assigns a number, at the first command. */
  readonly assignId: (actor: SystemActor) => ParticipantId;
  /**
   * Submits a command; calls `refuse` if it is rejected later, before the room runs it.
   *
   * @throws Refusal
   */
  readonly submit: (id: number, command: RoomCommand, refuse: (error: Error) => void) => void;
}

/** A command that the room has not answered. */
interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly refuse: (error: Error) => void;
}

/** Sends commands to a room and waits for the answers. */
export class SystemActor {
  /** The actor as a participant; undefined before its first command. */
  you: ParticipantView | undefined;
  private nextId = 1;
  private readonly waiting = new Map<number, Waiting>();

  constructor(private readonly options: SystemActorOptions) {}

  /** Runs a command. @returns the room's answer. @throws Refusal if it does not reach the room */
  act(command: SystemCommand): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      const refuse = (error: Error): void => {
        this.waiting.delete(id);
        reject(error);
      };
      this.waiting.set(id, { resolve, refuse });
      try {
        this.options.submit(id, { ...command, by: this.register() } as RoomCommand, refuse);
      } catch (error) {
        refuse(error as Error);
      }
    });
  }

  /** Resolves the command that the room has answered. */
  answer(answer: Answer): void {
    this.waiting.get(answer.id)?.resolve(answer);
    this.waiting.delete(answer.id);
  }

  /** Refuses what the room has not answered: it has stopped. */
  refuseAll(error: Error): void {
    for (const { refuse } of [...this.waiting.values()]) refuse(error);
  }

  private register(): ParticipantView {
    if (!this.you) {
      const id = this.options.assignId(this);
      this.you = id === HOUSE.id ? HOUSE : { id, name: this.options.name, hue: hueOf(id) };
    }
    return this.you;
  }
}
