/**
 * Drawn seeds on their way into a visitor's hand. If the host asks to look first, they wait here
 * until the host or an extension says yes. The queue is in memory: it survives a host or a visitor
 * who reconnects, not a restart.
 */
import { DEFAULTS } from '../../../shared/defaults.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { countBy } from '../../platform/count-by.ts';
import type { Answer } from '../../world/commands.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import type { RoomContext } from '../sessions/room-context.ts';

/** Request number of answers to a page that has been reloaded, which count from 1. */
const NO_REQUEST = 0;

/** A drawing that a participant has sent. */
export interface SentDrawing {
  readonly by: ParticipantView;
  readonly client: RoomClient;
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
  /** What its visitor has not been told yet: they are away, or the room cannot take the seed. */
  readonly decision?: Decision;
  /** Who is there in place of `client` since it was decided, and since when, ms. */
  readonly returned?: { readonly member: RoomClient | undefined; readonly at: number };
}

/** Approved, or why it was refused. */
type Decision = 'approved' | Reason;

type ReviewContext = Pick<RoomContext, 'room' | 'policy' | 'slots' | 'visits' | 'clock' | 'hooks'>;

/** The drawings of one room. */
export class DrawingReview {
  /** By id, the longest waiting first. */
  private readonly queue = new Map<number, WaitingDrawing>();
  private nextId = 1;
  /** Approved seeds that the room has not answered yet, as participant and request. */
  private readonly expected: string[] = [];
  /** Ids of the approved seeds, oldest first. */
  private readonly approvedSeeds = new Set<number>();

  constructor(private readonly context: ReviewContext) {}

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
    if (!this.approvedSeeds.has(seed)) throw new Refusal('drawing-unseen');
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
   * @throws Refusal no-drawings, not-here, drawings-waiting, too-many-drawings, too-fast, room-busy
   */
  async submit(drawing: SentDrawing): Promise<void> {
    const { policy, hooks } = this.context;
    if (this.sentAgain(drawing)) return;
    const allowed = await hooks()?.draw(drawing.by, drawing.pixels);
    this.requireOn();
    if (policy.settings.drawings === 'on') this.give(drawing);
    else if (allowed) this.give(drawing, true);
    else this.enqueue(drawing);
  }

  /** @returns undefined if the drawing does not wait any more */
  find(id: number): WaitingDrawing | undefined {
    const drawing = this.queue.get(id);
    return drawing?.decision ? undefined : drawing;
  }

  /**
   * Lets a waiting drawing become a seed.
   *
   * @returns whether it was waiting
   * @throws Refusal too-fast, room-busy: it waits on
   */
  approve(id: number): boolean {
    const drawing = this.find(id);
    if (drawing) this.decide(drawing, 'approved');
    return drawing !== undefined;
  }

  /** Declines a waiting drawing. @returns whether it was waiting */
  decline(id: number): boolean {
    const drawing = this.find(id);
    if (drawing) this.decide(drawing, 'drawing-declined');
    return drawing !== undefined;
  }

  /** Call when the host has changed whether drawings wait: nothing waits unless they do. */
  settingsChanged(): void {
    const { drawings } = this.context.policy.settings;
    for (const drawing of this.waiting) {
      if (drawings === 'on') this.decideLater(drawing, 'approved');
      if (drawings === 'off') this.decide(drawing, 'no-drawings');
    }
  }

  /** Takes the room's answers of a tick. */
  answered({ by, id, seed }: Answer): void {
    const at = seed ? this.expected.indexOf(`${by} ${id}`) : -1;
    if (at < 0) return;
    this.expected.splice(at, 1);
    this.approvedSeeds.add(seed!.id);
    if (this.approvedSeeds.size <= DEFAULTS.newcomers.remembered) return;
    const [oldest] = this.approvedSeeds;
    this.approvedSeeds.delete(oldest);
  }

  /**
   * Ends a tick: tells visitors who have returned what was decided, and ends the waiting of
   * drawings that nobody has looked at.
   *
   * @param gone participants who do not return
   */
  endTick(now: number, gone: readonly ParticipantId[]): void {
    for (const drawing of [...this.queue.values()]) {
      const { id, by, since, decision } = drawing;
      if (gone.includes(by.id)) this.queue.delete(id);
      else if (decision) this.settle(drawing, decision, now);
      else if (now - since >= DEFAULTS.drawings.expires) this.decide(drawing, 'drawing-expired');
    }
  }

  private enqueue(drawing: SentDrawing): void {
    const { maxWaiting, maxWaitingEach } = DEFAULTS.drawings;
    const ofThem = [...this.queue.values()].filter(({ by }) => by.id === drawing.by.id);
    if (ofThem.length >= maxWaitingEach) throw new Refusal('drawings-waiting');
    if (this.queue.size >= maxWaiting) this.makeRoom(drawing.by.id);
    const id = this.nextId++;
    const since = this.context.clock.now();
    // Decoded pixels are a part of their whole message.
    this.queue.set(id, { ...drawing, pixels: drawing.pixels.slice(), id, since });
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
  private give(drawing: SentDrawing, isApproved = false): void {
    const { by, latent } = drawing;
    const to = this.addressee(drawing);
    if (!to) return;
    const hold = { what: 'hold', by, latent: [...latent], origin: 'drawing' } as const;
    this.context.room.enqueue(to.request, hold);
    if (isApproved) this.expected.push(`${by.id} ${to.request}`);
  }

  /**
   * Answers a drawing at once if the page that sent it is there.
   *
   * @throws Refusal too-fast, room-busy
   */
  private decide(drawing: WaitingDrawing, decision: Decision): void {
    const isThere = this.context.slots.memberOf(drawing.by.id) === drawing.client;
    if (isThere) this.answer(drawing, decision);
    else this.decideLater(drawing, decision);
  }

  /** The drawing is answered at the end of a tick. */
  private decideLater(drawing: WaitingDrawing, decision: Decision): void {
    this.queue.set(drawing.id, { ...drawing, decision });
  }

  /**
   * Answers a decided drawing once its visitor's page knows what the answer is about: a page that
   * reconnects sends the drawing again, one that was reloaded does not.
   */
  private settle(drawing: WaitingDrawing, decision: Decision, now: number): void {
    const { id, by, client, returned } = drawing;
    const member = this.context.slots.memberOf(by.id);
    if (member !== client) {
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

  /** Ends a drawing's waiting. @throws Refusal too-fast, room-busy: it waits on */
  private answer(drawing: WaitingDrawing, decision: Decision): void {
    const to = this.addressee(drawing);
    if (decision === 'approved') this.give(drawing, true);
    else to?.member.send('rejected', { id: to.request, reason: decision });
    this.queue.delete(drawing.id);
  }

  /** The connection of the drawing's visitor, and the request that is answered. */
  private addressee({ by, client, request }: SentDrawing) {
    const member = this.context.slots.memberOf(by.id);
    return member && { member, request: member === client ? request : NO_REQUEST };
  }
}
