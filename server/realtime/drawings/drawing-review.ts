/**
 * Decides when visitors receive the seeds of their drawings. If the host wants to review drawings,
 * each drawing waits until the host or an extension approves it. A drawing remains stored until its
 * visitor has been sent the decision.
 */
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { countBy } from '../../platform/collections.ts';
import type { Answer } from '../../world/commands.ts';
import { type Moderation, unkept } from '../policy/moderation.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import type { RoomContext } from '../sessions/room-context.ts';

/** Limits for drawings that wait for the host's decision; times are in ms. */
export const DRAWINGS = {
  /**
   * Maximum number of waiting drawings in a room (`maxWaiting`), and of those from one participant
   * (`maxWaitingEach`).
   */
  maxWaiting: 60,
  maxWaitingEach: 3,
  /** How long a drawing waits for the host's decision before it expires. */
  expires: 600_000,
  /**
   * After a visitor's page has reconnected, how long the server waits for the page to send the
   * waiting drawing again.
   */
  sentAgain: 3_000,
} as const;

/**
 * Request id in an answer about a drawing, if the page has been reloaded and therefore does not
 * know the id of the request that sent the drawing. Pages count their requests from 1, so 0 is not
 * the id of any request.
 */
const NO_REQUEST = 0;

/** A drawing that a participant has sent. */
export interface SentDrawing {
  readonly by: ParticipantView;
  /**
   * Connection that sent the drawing; undefined if the server has restarted since and the page has
   * not sent the drawing again.
   */
  readonly client: RoomClient | undefined;
  /** Id of the request, chosen by the page. */
  readonly request: number;
  /** Pixels of the drawing: [side, side] ink or [side, side, 4] premultiplied RGBA. */
  readonly pixels: Uint8Array;
  /** The drawing's latent, [latentSize]. */
  readonly latent: Float32Array;
}

/** A drawing that waits for a decision, or whose decision has not been sent to the visitor yet. */
export interface WaitingDrawing extends SentDrawing {
  readonly id: number;
  /** When the drawing was submitted, in ms. */
  readonly since: number;
  /** The host's decision, which is kept until the visitor has received it. */
  readonly decision?: Decision | undefined;
  /**
   * Id of the queued command that gives the seed to the visitor; undefined until the command is
   * queued. The drawing is removed when the room answers the command.
   */
  readonly given?: number;
  /**
   * Set once a decision cannot be sent over `client`, because the visitor's connection has changed
   * or is lost. `member` is the visitor's new connection, or undefined while the visitor is away.
   * `at` is when the server noticed this, in ms.
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
  /**
   * Drawings by id, oldest first. Each either waits for a decision, or has a decision that has not
   * been sent to the visitor yet.
   */
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

  /** Drawings that the host has not decided on. */
  get waiting(): WaitingDrawing[] {
    return [...this.queue.values()].filter(({ decision }) => !decision);
  }

  /** Checks that visitors may draw in this room. @throws Refusal `no-drawings` */
  requireOn(): void {
    if (this.context.policy.settings.drawings === 'off') throw new Refusal('no-drawings');
  }

  /**
   * Checks that a participant may plant one of the seeds that they hold. Only the seeds of drawings
   * can be forbidden here.
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
   * Checks whether a drawing is in the queue already, because a page that has lost its connection
   * sends its drawing again. If so, records the page's new connection and request. The drawing
   * keeps its position in the queue and its decision, if any.
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
   * Gives the seed of a drawing to the visitor, or adds the drawing to the review queue.
   *
   * @throws Refusal `muted`, `paused`, `no-drawings`, `not-here`, `drawings-waiting`,
   *   `too-many-drawings`, `too-fast`, `room-busy`, `elsewhere`
   */
  async submit(drawing: SentDrawing): Promise<void> {
    const { policy, hooks } = this.context;
    if (this.sentAgain(drawing)) return;
    const allowed = await hooks()?.draw(drawing.by, drawing.pixels);
    // Check the policy again: while the drawing was being encoded and checked by an extension, the
    // host may have paused the room.
    policy.requireMayAct(drawing.by.id);
    this.requireOn();
    if (policy.settings.drawings === 'on') this.give(drawing);
    else if (allowed) this.give(drawing, true);
    else await this.enqueue(drawing);
  }

  /**
   * Finds a waiting drawing by its id. @returns undefined if no drawing with this id waits for a
   * decision
   */
  find(id: number): WaitingDrawing | undefined {
    const drawing = this.queue.get(id);
    return drawing?.decision ? undefined : drawing;
  }

  /**
   * Approves or declines a waiting drawing. The visitor is sent the decision at the end of a later
   * tick.
   *
   * @returns whether the drawing was waiting
   * @throws Refusal `elsewhere` if the decision cannot be stored, because another server may lead
   *   the room
   */
  async decide(id: number, approve: boolean): Promise<boolean> {
    const drawing = this.find(id);
    if (drawing)
      await this.put({ ...drawing, decision: approve ? 'approved' : 'drawing-declined' });
    return drawing !== undefined;
  }

  /**
   * Decides all waiting drawings if the new settings require no review. Approves the drawings if
   * visitors may now draw without review, and refuses them if visitors may no longer draw. Call
   * after each change of the settings.
   */
  settingsChanged(): void {
    const { drawings } = this.context.policy.settings;
    for (const drawing of this.waiting) {
      if (drawings === 'on') this.put({ ...drawing, decision: 'approved' }).catch(unkept);
      if (drawings === 'off') this.put({ ...drawing, decision: 'no-drawings' }).catch(unkept);
    }
  }

  /**
   * Removes a drawing from the queue once the room has answered the command that gives its seed to
   * the visitor.
   */
  answered({ by, id, what }: Answer): void {
    if (what !== 'hold') return;
    const of = [...this.queue.values()].find((one) => one.by.id === by && one.given === id);
    if (of) this.remove(of.id);
  }

  /**
   * Sends decisions to connected visitors. Refuses drawings that nobody has reviewed in time. Call
   * at the end of each tick.
   *
   * @param gone participants whose seats have expired, so that they cannot return
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
    // The decoded pixels are a view into the buffer of the whole received message. Copy the pixels,
    // so that the buffer can be freed.
    await this.put({ ...drawing, pixels: drawing.pixels.slice(), id, since }).catch((error) => {
      this.queue.delete(id);
      throw error;
    });
  }

  /**
   * Makes room in a full queue: finds the network address with the most drawings in the queue, and
   * refuses the newest drawing of this address that still waits for a decision.
   *
   * @param newcomer the participant whose drawing is to be added
   * @throws Refusal `too-many-drawings` if the newcomer's own address has the most drawings, or if
   *   none of the address's drawings waits for a decision
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
   * Makes the room give the seed of a drawing to the visitor in the next tick. Does nothing while
   * the visitor is away: if the visitor never returned, the room would keep the seed forever.
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
   * Sends the visitor the decision about a drawing, but not before their page can tell which
   * drawing is meant. A page that has reconnected sends the drawing again in a new request, whose
   * id the decision then names. A page that has been reloaded does not send the drawing again, so
   * such a page is sent the decision after a delay.
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
   * @throws Refusal `too-fast` or `room-busy` if the seed cannot be given to the visitor now. The
   *   caller must then try again later
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
   * Finds the visitor's current connection, and the id of the request that an answer must name.
   *
   * @returns undefined if the visitor is away
   */
  private addressee({ by, client, request }: SentDrawing) {
    const member = this.context.seats.memberOf(by.id);
    return member && { member, request: member === client ? request : NO_REQUEST };
  }
}
