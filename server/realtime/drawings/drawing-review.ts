/**
 * Drawn seeds on their way into a visitor's hand. If the host asks to look first, they wait here
 * until the host or an extension says yes. Each is stored until its visitor has been answered.
 */
import { DEFAULTS } from '../../../shared/defaults.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { countBy } from '../../platform/collections.ts';
import type { Answer } from '../../world/commands.ts';
import { type Moderation, unkept } from '../policy/moderation-records.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import type { RoomContext } from '../sessions/room-context.ts';

/** Request number of answers to a page that has been reloaded, which count from 1. */
const NO_REQUEST = 0;

/** A drawing that a participant has sent. */
export interface SentDrawing {
  readonly by: ParticipantView;
  /** Undefined if the server has restarted and the page has not sent the drawing again. */
  readonly client: RoomClient | undefined;
  /** The client's number of the request. */
  readonly request: number;
  /** [side, side] ink or [side, side, 4] premultiplied RGBA. */
  readonly pixels: Uint8Array;
  /** [Z] */
  readonly latent: Float32Array;
}

/** A drawing in the queue. */
export interface WaitingDrawing extends SentDrawing {
  readonly id: number;
  /** ms */
  readonly since: number;
  /** The decision, until its visitor has received it. */
  readonly decision?: Decision | undefined;
  /** The request with which the room has been asked to give the seed; it has not answered yet. */
  readonly given?: number;
  /** Who is there in place of `client` since it was decided, and since when, ms. */
  readonly returned?: { readonly member: RoomClient | undefined; readonly at: number };
}

/** Approved, or why it was refused. */
type Decision = NonNullable<Moderation['drawings'][number]['decision']>;

type ReviewContext = Pick<
  RoomContext,
  'room' | 'policy' | 'seats' | 'visits' | 'clock' | 'date' | 'hooks' | 'kept' | 'keep'
>;

/** The drawings of one room. */
export class DrawingReview {
  /** By id, the longest waiting first. */
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

  /** The drawings that the host has not decided about. */
  get waiting(): WaitingDrawing[] {
    return [...this.queue.values()].filter(({ decision }) => !decision);
  }

  /** @throws Refusal no-drawings */
  requireOn(): void {
    if (this.context.policy.settings.drawings === 'off') throw new Refusal('no-drawings');
  }

  /**
   * Checks that a seed in a participant's hand may be planted now, if it is a drawing.
   *
   * @throws Refusal no-drawings, drawing-unseen
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
   * Recognises a drawing that is sent again, as a page does after a lost connection: it keeps its
   * place in the queue, and the decision made meanwhile.
   *
   * @returns whether it is in the queue
   */
  sentAgain({ by, client, request, pixels }: Omit<SentDrawing, 'latent'>): boolean {
    const isSame = (drawing: WaitingDrawing): boolean =>
      drawing.by.id === by.id && Buffer.compare(drawing.pixels, pixels) === 0;
    const known = [...this.queue.values()].find(isSame);
    if (known) this.queue.set(known.id, { ...known, by, client, request });
    return known !== undefined;
  }

  /**
   * Puts the seed of a drawing into the hand of its visitor, or the drawing into the queue.
   *
   * @throws Refusal muted, paused, no-drawings, not-here, drawings-waiting, too-many-drawings,
   *   too-fast, room-busy, elsewhere
   */
  async submit(drawing: SentDrawing): Promise<void> {
    const { policy, hooks } = this.context;
    if (this.sentAgain(drawing)) return;
    const allowed = await hooks()?.draw(drawing.by, drawing.pixels);
    // The host may have paused the room while the drawing was encoded and judged.
    policy.requireMayAct(drawing.by.id);
    this.requireOn();
    if (policy.settings.drawings === 'on') this.give(drawing);
    else if (allowed) this.give(drawing, true);
    else await this.enqueue(drawing);
  }

  /** @returns undefined if the drawing does not wait any more */
  find(id: number): WaitingDrawing | undefined {
    const drawing = this.queue.get(id);
    return drawing?.decision ? undefined : drawing;
  }

  /**
   * Lets a waiting drawing become a seed, or declines it. Its visitor is told after a tick.
   *
   * @returns whether it was waiting
   * @throws Refusal elsewhere: the decision is not stored
   */
  async decide(id: number, approve: boolean): Promise<boolean> {
    const drawing = this.find(id);
    if (drawing)
      await this.put({ ...drawing, decision: approve ? 'approved' : 'drawing-declined' });
    return drawing !== undefined;
  }

  /** Call when the host has changed whether drawings wait: nothing waits unless they do. */
  settingsChanged(): void {
    const { drawings } = this.context.policy.settings;
    for (const drawing of this.waiting) {
      if (drawings === 'on') this.put({ ...drawing, decision: 'approved' }).catch(unkept);
      if (drawings === 'off') this.put({ ...drawing, decision: 'no-drawings' }).catch(unkept);
    }
  }

  /** Takes the room's answers of a tick. */
  answered({ by, id, what }: Answer): void {
    if (what !== 'hold') return;
    const of = [...this.queue.values()].find((one) => one.by.id === by && one.given === id);
    if (of) this.remove(of.id);
  }

  /**
   * Ends a tick: tells visitors who are there what was decided, and ends the waiting of drawings that
   * nobody has looked at.
   *
   * @param gone participants who do not return
   */
  endTick(now: number, gone: readonly ParticipantId[]): void {
    for (const drawing of this.waiting) {
      if (now - drawing.since < DEFAULTS.drawings.expires) continue;
      this.put({ ...drawing, decision: 'drawing-expired' }).catch(unkept);
    }
    for (const drawing of [...this.queue.values()]) {
      if (gone.includes(drawing.by.id)) this.remove(drawing.id);
      else if (drawing.decision) this.settle(drawing, drawing.decision, now);
    }
  }

  /** @throws Refusal drawings-waiting, too-many-drawings; elsewhere: it is not stored */
  private async enqueue(drawing: SentDrawing): Promise<void> {
    const { maxWaiting, maxWaitingEach } = DEFAULTS.drawings;
    const ofThem = [...this.queue.values()].filter(({ by }) => by.id === drawing.by.id);
    if (ofThem.length >= maxWaitingEach) throw new Refusal('drawings-waiting');
    if (this.queue.size >= maxWaiting) this.makeRoom(drawing.by.id);
    const id = this.nextId++;
    const since = this.context.clock.now();
    // Decoded pixels are a part of their whole message.
    await this.put({ ...drawing, pixels: drawing.pixels.slice(), id, since }).catch((error) => {
      this.queue.delete(id);
      throw error;
    });
  }

  /**
   * Refuses the newest drawing of the network address that most of them come from.
   *
   * @throws Refusal too-many-drawings: that would be the new one
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
   * Puts the seed into its visitor's hand, unless they are away: the hand of one who does not
   * return might never be cleared. The room answers with its next tick.
   *
   * @throws Refusal too-fast, room-busy
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
   * Answers a decided drawing once its visitor's page knows what the answer is about: a page that
   * reconnects sends the drawing again, one that was reloaded does not.
   */
  private settle(drawing: WaitingDrawing, decision: Decision, now: number): void {
    const { id, by, client, returned, given } = drawing;
    if (given !== undefined) return;
    const member = this.context.seats.memberOf(by.id);
    if (!member || member !== client) {
      const hasChanged = !returned || member !== returned.member;
      if (hasChanged) this.queue.set(id, { ...drawing, returned: { member, at: now } });
      if (hasChanged || !member || now - returned.at < DEFAULTS.drawings.sentAgain) return;
    }
    try {
      this.answer(drawing, decision);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  /** Answers a decided drawing. @throws Refusal too-fast, room-busy: it is not answered yet */
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

  /** The connection of the drawing's visitor, and the request that is answered. */
  private addressee({ by, client, request }: SentDrawing) {
    const member = this.context.seats.memberOf(by.id);
    return member && { member, request: member === client ? request : NO_REQUEST };
  }
}
