/** Sends commands, and matches each answer with its request and position. */
import type { Command } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
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

/** Requests that their senders repeat by themselves after a lost connection. */
const REPEATED = /^(draw|preview|keep|follow)$/;

/**
 * Commands that may await an answer; as many as a room remembers. Beyond this, the oldest is
 * assumed to be lost.
 */
const MAX_PENDING = 64;

/**
 * Age up to which a command is sent again, ms. The room remembers for longer what it has done for a
 * participant who is away, and a visitor still expects the effect.
 */
const MAX_AGE = 30_000;

interface Pending {
  readonly name: Asked;
  readonly command: Command<Asked>;
  readonly answers: Answers;
  /** ms */
  readonly sentAt: number;
}

/** Numbers requests and hands each answer to its request. */
export class RequestTracker {
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();
  private you: ParticipantId = 0;

  /** @param date ms; goes on while the device sleeps */
  constructor(
    private readonly send: Send,
    private readonly date: () => number = Date.now,
  ) {}

  readonly ask = <N extends Asked>(
    name: N,
    payload: Omit<Command<N>, 'id'>,
    answers: Answers = {},
  ): void => {
    const isPending = [...this.pending.values()].some((other) => other.answers === answers);
    // The room was silent for a while, but the connection held.
    if (name === 'draw' && isPending) return;
    const id = this.nextId++;
    const command = { ...payload, id } as unknown as Command<N>;
    this.pending.set(id, { name, command, answers, sentAt: this.date() });
    const [oldest] = this.pending.keys();
    if (this.pending.size > MAX_PENDING) this.giveUp(oldest);
    this.send(name, command);
  };

  /** Whether anything that the visitor did awaits its answer. */
  get isWaiting(): boolean {
    return [...this.pending.values()].some(({ name }) => !REPEATED.test(name));
  }

  /** After a lost connection: sends unanswered commands again, or refuses them as `elsewhere`. */
  resume(you: ParticipantId): void {
    // What another participant did is unknown to the room.
    const youngest = you === this.you ? this.date() - MAX_AGE : Number.POSITIVE_INFINITY;
    this.you = you;
    for (const [id, { name, command, sentAt }] of [...this.pending]) {
      // A beacon would be shown twice.
      const isOnce = name !== 'beacon' && !REPEATED.test(name);
      if (isOnce && sentAt > youngest) this.send(name, command);
      else this.giveUp(id);
    }
  }

  /** @returns whether a request was waiting for this answer */
  accepted(answer: Event<'accepted'>): boolean {
    const pending = this.take(answer.id);
    pending?.answers.accepted?.(answer);
    return pending !== undefined;
  }

  /** @returns whether a request was waiting for this answer */
  rejected({ id, reason }: Event<'rejected'>): boolean {
    const pending = id === undefined ? undefined : this.take(id);
    pending?.answers.rejected?.(reason);
    return pending?.answers.rejected !== undefined;
  }

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }

  private giveUp(id: number): void {
    const pending = this.take(id);
    if (pending && !REPEATED.test(pending.name)) pending.answers.rejected?.('elsewhere');
  }
}
