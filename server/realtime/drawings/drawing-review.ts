/**
 * The review queue for visitors' drawings. If the host reviews drawings, a visitor receives the
 * seed of a drawing only after the host or an extension has approved the drawing.
 */
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { countBy } from '../../platform/collections.ts';
import type { Answer } from '../../world/commands.ts';
import { type Moderation, unkept } from '../policy/moderation.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import type { RoomContext } from '../sessions/room-context.ts';

/** Limits of the review queue. Times are in ms. */
export const DRAWINGS = {
  /**
   * Maximum number of queued drawings per room (`maxWaiting`) and per participant
   * (`maxWaitingEach`).
   */
  maxWaiting: 60,
  maxWaitingEach: 3,
  /** A drawing is refused if nobody has reviewed it for this long. */
  expires: 600_000,
  /**
   * If a page has reconnected, how long the server waits before it sends the decision, so that the
   * page can send its drawing again first.
   */
  sentAgain: 3_000,
} as const;

/**
 * Request id in a decision if the page has reconnected and has not sent its drawing again. Pages
 * count their requests from 1, so 0 stands for no request.
 */
const NO_REQUEST = 0;

/** A drawing that a participant has sent. */
export interface SentDrawing {
  readonly by: ParticipantView;
  /**
   * Connection that sent the drawing. After a restart of the server, undefined until the page sends
   * the drawing again.
   */
  readonly client: RoomClient | undefined;
  /** Id of the page's request that contained the drawing. */
  readonly request: number;
  /** Pixels of the drawing: [side, side] ink or [side, side, 4] premultiplied RGBA. */
  readonly pixels: Uint8Array;
  /** The drawing's latent, [latentSize]. */
  readonly latent: Float32Array;
}

/**
 * A drawing in the review queue. Either the drawing waits for a decision, or the visitor has not
 * received the decision yet.
 */
export interface WaitingDrawing extends SentDrawing {
  readonly id: number;
  /** When the drawing was submitted, in ms. */
  readonly since: number;
  /** Undefined while the drawing waits for a decision. */
  readonly decision?: Decision | undefined;
  /** Id of the queued command that gives the drawing's seed to the visitor. */
  readonly given?: number;
  /**
   * Set if the server postponed sending the decision, because the visitor had left the connection
   * that sent the drawing. `member`: the visitor's new connection; undefined while the visitor is
   * away. `at`: when the server noticed the absence or the new connection, in ms.
   */
  readonly returned?: { readonly member: RoomClient | undefined; readonly at: number };
}

/** Approval, or the reason for a refusal. */
type Decision = NonNullable<Moderation['drawings'][number]['decision']>;

type ReviewContext = Pick<
  RoomContext,
  'room' | 'policy' | 'seats' | 'visits' | 'clock' | 'date' | 'hooks' | 'kept' | 'keep'
>;

/** The review queue for the drawings of one room. */
export class DrawingReview {
  /** Drawings by id, oldest first. */
  private readonly queue = new Map<number, WaitingDrawing>();
  private nextId = 1;

  constructor(private readonly context: ReviewContext) {
    const { kept, room, clock, date } = context;
    const expected = room.participantsWithState;
    for (const { at, ...drawing } of kept.drawings) {
      this.nextId = drawing.id + 1;
      const since = clock.now() - Math.max(0, date() - at);
      const restored = { ...drawing, since, client: undefined, request: NO_REQUEST };
      this.queue.set(drawing.id, restored);
      if (!expected.includes(drawing.by.id)) this.remove(drawing.id);
    }
    this.settingsChanged();
  }

  /** Drawings that wait for a decision. */
  get waiting(): WaitingDrawing[] {
    return [...this.queue.values()].filter(({ decision }) => !decision);
  }

  /** Checks that visitors may draw in this room. @throws Refusal `no-drawings` */
  requireOn(): void {
    if (this.context.policy.settings.drawings === 'off') throw new Refusal('no-drawings');
  }

  /**
   * Checks that a participant may plant a seed. Only seeds of drawings can be forbidden.
   *
   * @throws Refusal `no-drawings` if the room allows no drawings; `drawing-unseen` if the drawing
   *   has not been approved
   */
  requirePlantable(participant: ParticipantId, seed: number): void {
    const { room, policy } = this.context;
    const { drawings } = policy.settings;
    if (drawings === 'on') return;
    const held = room.seedsOf(participant).find(({ id }) => id === seed);
    if (held?.origin !== 'drawing') return;
    this.requireOn();
    if (!held.approved) throw new Refusal('drawing-unseen');
  }

  /**
   * Recognises a queued drawing that a reconnected page has sent again, and records the new
   * connection and request.
   *
   * @returns whether the drawing is in the queue
   */
  sentAgain({ by, client, request, pixels }: Omit<SentDrawing, 'latent'>): boolean {
    const isSame = (drawing: WaitingDrawing): boolean =>
      drawing.by.id === by.id && Buffer.compare(drawing.pixels, pixels) === 0;
    const known = [...this.queue.values()].find(isSame);
    if (known) this.queue.set(known.id, { ...known, by, client, request });
    return known !== undefined;
  }

  /**
   * Gives the drawing's seed to the visitor, or queues the drawing for review.
   *
   * @throws Refusal `muted`, `paused`, `no-drawings`, `not-here`, `drawings-waiting`,
   *   `too-many-drawings`, `too-fast`, `room-busy`, `elsewhere`
   */
  async submit(drawing: SentDrawing): Promise<void> {
    const { policy, hooks } = this.context;
    if (this.sentAgain(drawing)) return;
    const allowed = await hooks()?.draw(drawing.by, drawing.pixels);
    // The host may have paused the room while an extension was checking the drawing.
    policy.requireMayAct(drawing.by.id);
    this.requireOn();
    if (policy.settings.drawings === 'on') this.give(drawing);
    else if (allowed) this.give(drawing, true);
    else await this.enqueue(drawing);
  }

  /** Finds a drawing that waits for a decision. @returns undefined if none has this id */
  find(id: number): WaitingDrawing | undefined {
    const drawing = this.queue.get(id);
    return drawing?.decision ? undefined : drawing;
  }

  /**
   * Approves or declines a drawing. The visitor is sent the decision at the end of a later tick.
   *
   * @returns whether the drawing was waiting for a decision
   * @throws Refusal `elsewhere` if the decision cannot be stored
   */
  async decide(id: number, approve: boolean): Promise<boolean> {
    const drawing = this.find(id);
    if (drawing)
      await this.put({ ...drawing, decision: approve ? 'approved' : 'drawing-declined' });
    return drawing !== undefined;
  }

  /**
   * Approves all waiting drawings if the room no longer requires a review. Refuses all waiting
   * drawings if the room no longer allows drawings. Call after each change of the settings.
   */
  settingsChanged(): void {
    const { drawings } = this.context.policy.settings;
    for (const drawing of this.waiting) {
      if (drawings === 'on') this.put({ ...drawing, decision: 'approved' }).catch(unkept);
      if (drawings === 'off') this.put({ ...drawing, decision: 'no-drawings' }).catch(unkept);
    }
  }

  /**
   * Removes a drawing when the room has answered the command `hold`, which gave the drawing's seed
   * to the visitor.
   */
  answered({ by, id, what }: Answer): void {
    if (what !== 'hold') return;
    const of = [...this.queue.values()].find((one) => one.by.id === by && one.given === id);
    if (of) this.remove(of.id);
  }

  /**
   * Refuses drawings that nobody has reviewed in time, and sends decisions to connected visitors.
   * Call at the end of each tick.
   *
   * @param gone participants who cannot return, because their seats have expired
   */
  endTick(now: number, gone: readonly ParticipantId[]): void {
    for (const drawing of this.waiting) {
      if (now - drawing.since < DRAWINGS.expires) continue;
      this.put({ ...drawing, decision: 'drawing-expired' }).catch(unkept);
    }
    for (const drawing of [...this.queue.values()]) {
      if (gone.includes(drawing.by.id)) this.remove(drawing.id);
      else if (drawing.decision) this.settle(drawing, drawing.decision, now);
    }
  }

  /**
   * Adds a drawing to the review queue.
   *
   * @throws Refusal `drawings-waiting` if the participant has too many waiting drawings;
   *   `too-many-drawings` if the queue is full; `elsewhere` if the drawing cannot be stored
   */
  private async enqueue(drawing: SentDrawing): Promise<void> {
    const ofThem = [...this.queue.values()].filter(({ by }) => by.id === drawing.by.id);
    if (ofThem.length >= DRAWINGS.maxWaitingEach) throw new Refusal('drawings-waiting');
    if (this.queue.size >= DRAWINGS.maxWaiting) this.makeRoom(drawing.by.id);
    const id = this.nextId++;
    const since = this.context.clock.now();
    // `pixels` is a view into the whole received message. Copy the pixels, so that the message can
    // be freed.
    await this.put({ ...drawing, pixels: drawing.pixels.slice(), id, since }).catch((error) => {
      this.queue.delete(id);
      throw error;
    });
  }

  /**
   * Makes room in a full queue by refusing the newest waiting drawing of the network address with
   * the most drawings.
   *
   * @param newcomer the participant whose drawing is to be added
   * @throws Refusal `too-many-drawings` if the newcomer's own address has the most drawings, or if
   *   no drawing can be refused
   */
  private makeRoom(newcomer: ParticipantId): void {
    const sourceOf = (id: ParticipantId) => this.context.visits.sourceOf(id) ?? id;
    const all = [newcomer, ...[...this.queue.values()].map(({ by }) => by.id)];
    const counts = countBy(all, sourceOf);
    const most = Math.max(...counts.values());
    const isOfMost = (id: ParticipantId): boolean => counts.get(sourceOf(id)) === most;
    const newest = this.waiting.filter(({ by }) => isOfMost(by.id)).at(-1);
    if (!newest || isOfMost(newcomer)) throw new Refusal('too-many-drawings');
    this.answer(newest, 'too-many-drawings');
  }

  /**
   * Queues the command that gives the drawing's seed to the visitor. Does nothing while the visitor
   * is away. Otherwise, the room would keep the seeds of visitors who never return.
   *
   * @throws Refusal `too-fast`, `room-busy`
   */
  private give(drawing: SentDrawing, isApproved?: true): void {
    const { by, latent } = drawing;
    const to = this.addressee(drawing);
    if (!to) return;
    const approved = isApproved && { approved: isApproved };
    const hold = { what: 'hold', by, latent: [...latent], origin: 'drawing', ...approved } as const;
    this.context.room.enqueue(to.request, hold);
  }

  /**
   * Sends the visitor the decision about a drawing. If the page has reconnected, waits a while for
   * the page to send the drawing again, so that the decision can contain the id of the new
   * request.
   */
  private settle(drawing: WaitingDrawing, decision: Decision, now: number): void {
    const { id, by, client, returned, given } = drawing;
    if (given !== undefined) return;
    const member = this.context.seats.memberOf(by.id);
    if (!member || member !== client) {
      const hasChanged = !returned || member !== returned.member;
      if (hasChanged) this.queue.set(id, { ...drawing, returned: { member, at: now } });
      if (hasChanged || !member || now - returned.at < DRAWINGS.sentAgain) return;
    }
    try {
      this.answer(drawing, decision);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  /**
   * Sends the visitor the decision about a drawing.
   *
   * @throws Refusal `too-fast` or `room-busy` if the seed cannot be given yet; try again later
   */
  private answer(drawing: WaitingDrawing, decision: Decision): void {
    const to = this.addressee(drawing);
    if (to && decision === 'approved') {
      this.give(drawing, true);
      this.queue.set(drawing.id, { ...drawing, given: to.request });
      return;
    }
    if (decision !== 'approved') to?.member.send('rejected', { id: to.request, reason: decision });
    this.remove(drawing.id);
  }

  private put(drawing: WaitingDrawing): Promise<void> {
    this.queue.set(drawing.id, drawing);
    const { clock, date, keep } = this.context;
    const { id, by, pixels, latent, since, decision } = drawing;
    const at = date() - (clock.now() - since);
    return keep('drawings', id, { id, by, pixels, latent, at, ...(decision && { decision }) });
  }

  private remove(id: number): void {
    this.queue.delete(id);
    this.context.keep('drawings', id).catch(unkept);
  }

  /**
   * Finds the visitor's current connection, and the request id that an answer must name.
   *
   * @returns undefined if the visitor is away
   */
  private addressee({ by, client, request }: SentDrawing) {
    const member = this.context.seats.memberOf(by.id);
    return member && { member, request: member === client ? request : NO_REQUEST };
  }
}
