/** A visitor's connection. It resumes the visit after each disconnection. */
import type { Command } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import { type Means, RoomConnection } from './room-connection.ts';

/** Refusals after which an automatic retry would only be refused again. */
const FINAL: ReadonlySet<Reason> = new Set([
  'protocol-version',
  'no-such-room',
  'replaced',
  'gave-way',
  'sent-away',
]);

/** Refused joins that leave the connection open. The page asks again over it. */
const PASSING: ReadonlySet<Reason> = new Set(['room-full', 'too-many-joins', 'not-here']);

/** Refused joins after which the server closes the connection. The page reconnects. */
const HANGS_UP: ReadonlySet<Reason> = new Set(['room-closed', 'no-spectators', 'join-timeout']);

/**
 * Delay before another join, ms. It doubles with each refusal up to `longest`, less up to half of it
 * at random: otherwise a thousand pages would all retry at the same moment.
 */
const WAIT = { first: 2_000, longest: 20_000 };

interface Store {
  read(): string | null;
  write(text: string): void;
}

/** What a page stores between visits. */
export interface PageMemory {
  /** The resume token: a reload keeps its place in the room, or in line. */
  readonly seat: Store;
  /** The device's mark, see `welcome.mark`. */
  readonly mark: Store;
}

/** Failed attempts to connect, before the page was ever let in, after which the visitor is told. */
const UNREACHED = 3;

/** Who joins. */
export interface Joining {
  /** Name for the next join. */
  name: string | null;
  /** Whether the page only watches, and is no participant. */
  readonly watches: boolean;
}

/** Time without a frame or pace message after which the room counts as unreachable, ms. */
const SILENCE = 3_000;

/** Format of a mark. Other values in the storage are ignored. */
const MARK = /^[\w-]{1,64}$/;

/** A visitor's connection to a room: joins, resumes, and sends commands. */
export class Connection extends RoomConnection {
  /** Called when the server cannot be reached, or lets no connection of this address in. */
  unreached: (() => void) | undefined;
  private failures = 0;
  private cancelSilence = (): void => {};
  /** Differs from that of the visitor's earlier pages, whose commands had the same ids. */
  private readonly session = Date.now() >>> 0;
  /** Refusals since the last accepted join. */
  private refusals = 0;

  constructor(
    room: string,
    readonly who: Joining,
    private readonly memory: PageMemory,
    means?: Means,
  ) {
    super(room, means);
    this.socket.on('connect_error', () => {
      if (!this.model.room && ++this.failures === UNREACHED) this.unreached?.();
    });
    const letIn = (told: object): void => {
      const { resume, mark }: Partial<Pick<Event<'welcome'>, 'resume' | 'mark'>> = told;
      if (resume) this.memory.seat.write(resume);
      if (mark) this.memory.mark.write(mark);
      // The page has a place in the room, or in its queue.
      this.cancel();
      this.refusals = 0;
    };
    for (const event of ['welcome', 'wall', 'waiting'] as const) this.model.on(event, letIn);
    this.model.on('rejected', ({ reason }) => this.refused(reason));
    for (const event of ['picture', 'pace'] as const) this.model.on(event, () => this.heard());
  }

  /** A connection may be dead long before the browser or the transport notices. */
  private heard(): void {
    this.cancelSilence();
    this.cancelSilence = this.means.after(SILENCE, () => {
      if (this.model.connection === 'live') this.model.setConnection('reconnecting');
    });
  }

  private refused(reason: Reason): void {
    if (FINAL.has(reason)) {
      this.close();
      return;
    }
    const { connection } = this.model;
    // After the join, a refusal concerns a command, not the participant.
    if (connection === 'live' || connection === 'waiting') return;
    const passes = PASSING.has(reason);
    if (passes || HANGS_UP.has(reason)) this.refusals++;
    if (passes) this.joinLater();
  }

  protected get retryDelay(): number {
    const wait = Math.min(WAIT.longest, WAIT.first * 2 ** Math.max(0, this.refusals - 1));
    return wait * (1 - this.means.random() / 2);
  }

  protected override wish(): Command<'join'> {
    const resume = this.memory.seat.read();
    const mark = this.memory.mark.read();
    const { name, watches } = this.who;
    return {
      ...super.wish(),
      ...(mark && MARK.test(mark) && { mark }),
      ...(watches
        ? { as: 'spectator' as const }
        : { session: this.session, ...(name && { name }), ...(resume && { resume }) }),
    };
  }
}
