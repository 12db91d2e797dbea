/** Sends commands, and matches each answer with its request and position. */
import type { Command } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { Send } from './room-model.ts';

/** The commands that the server answers with `accepted` or `rejected`. */
type Asked =
  | 'plant'
  | 'damage'
  | 'cross'
  | 'beacon'
  | 'report'
  | 'follow'
  | 'draw'
  | 'preview'
  | 'keep'
  | 'renew'
  | 'transform'
  | 'name';

export interface Answers {
  accepted?(answer: Event<'accepted'>): void;
  rejected?(reason: Reason): void;
}

/** Commands that may await an answer. Beyond this, the oldest is assumed to be lost. */
const MAX_PENDING = 256;

/** Numbers requests and hands each answer to its request. */
export class RequestTracker {
  private nextId = 1;
  private readonly pending = new Map<number, Answers>();

  constructor(private readonly send: Send) {}

  readonly ask = <N extends Asked>(
    name: N,
    payload: Omit<Command<N>, 'id'>,
    answers: Answers = {},
  ): void => {
    const id = this.nextId++;
    this.pending.set(id, answers);
    if (this.pending.size > MAX_PENDING) {
      const [oldest] = this.pending.keys();
      this.pending.delete(oldest);
    }
    this.send(name, { ...payload, id } as unknown as Command<N>);
  };

  /** @returns whether a request was waiting for this answer */
  accepted(answer: Event<'accepted'>): boolean {
    const answers = this.take(answer.id);
    answers?.accepted?.(answer);
    return answers !== undefined;
  }

  /** @returns whether a request was waiting for this answer */
  rejected({ id, reason }: Event<'rejected'>): boolean {
    const answers = id === undefined ? undefined : this.take(id);
    answers?.rejected?.(reason);
    return answers?.rejected !== undefined;
  }

  private take(id: number): Answers | undefined {
    const answers = this.pending.get(id);
    this.pending.delete(id);
    return answers;
  }
}
