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
  /** Approved while its visitor was away; they get the seed when they return. */
  readonly approved: boolean;
}

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
    return [...this.queue.values()].filter(({ approved }) => !approved);
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
   * Puts the seed of a drawing into the hand of its visitor, or the drawing into the queue. The
   * same drawing sent again, as a page does after a lost connection, keeps its place.
   *
   * @throws Refusal no-drawings, not-here, drawings-waiting, too-many-drawings, too-fast, room-busy
   */
  async submit(drawing: SentDrawing): Promise<void> {
    const { policy, hooks } = this.context;
    const again = this.queued(drawing);
    if (again) {
      this.queue.set(again.id, { ...again, ...drawing, pixels: again.pixels });
      return;
    }
    const allowed = await hooks()?.draw(drawing.by, drawing.pixels);
    this.requireOn();
    if (policy.settings.drawings === 'on') this.give(drawing);
    else if (allowed) this.give(drawing, true);
    else this.enqueue(drawing);
  }

  /** @returns undefined if the drawing does not wait any more */
  find(id: number): WaitingDrawing | undefined {
    const drawing = this.queue.get(id);
    return drawing?.approved ? undefined : drawing;
  }

  /**
   * Lets a waiting drawing become a seed.
   *
   * @returns whether it was waiting
   * @throws Refusal too-fast, room-busy: it waits on
   */
  approve(id: number): boolean {
    const drawing = this.find(id);
    if (!drawing) return false;
    if (this.give(drawing, true)) this.queue.delete(id);
    else this.approveLater(drawing);
    return true;
  }

  /** Declines a waiting drawing. @returns whether it was waiting */
  decline(id: number): boolean {
    return this.refuse(this.find(id), 'drawing-declined');
  }

  /** Call when the host has changed whether drawings wait: nothing waits unless they do. */
  settingsChanged(): void {
    const { drawings } = this.context.policy.settings;
    for (const drawing of this.waiting) {
      if (drawings === 'on' && !this.tryGive(drawing)) this.approveLater(drawing);
      if (drawings === 'off') this.refuse(drawing, 'no-drawings');
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
   * Ends a tick: hands out seeds to visitors who have returned, and ends the waiting of drawings
   * that nobody has looked at.
   *
   * @param gone participants who do not return
   */
  endTick(now: number, gone: readonly ParticipantId[]): void {
    for (const drawing of [...this.queue.values()]) {
      const { id, by, since, approved } = drawing;
      if (gone.includes(by.id)) this.queue.delete(id);
      else if (approved) this.tryGive(drawing);
      else if (now - since >= DEFAULTS.drawings.expires) this.refuse(drawing, 'drawing-expired');
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
    this.queue.set(id, { ...drawing, pixels: drawing.pixels.slice(), id, since, approved: false });
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
    this.refuse(newest, 'too-many-drawings');
  }

  private queued({ by, pixels }: SentDrawing): WaitingDrawing | undefined {
    const isSame = (drawing: WaitingDrawing): boolean =>
      drawing.by.id === by.id && Buffer.compare(drawing.pixels, pixels) === 0;
    return [...this.queue.values()].find(isSame);
  }

  /**
   * Puts the seed into its visitor's hand; the room answers with its next tick.
   *
   * @returns whether the visitor is there: the hand of one who is not might never be cleared
   * @throws Refusal too-fast, room-busy
   */
  private give(drawing: SentDrawing, isApproved = false): boolean {
    const { by, latent } = drawing;
    const to = this.addressee(drawing);
    if (!to) return false;
    const hold = { what: 'hold', by, latent: [...latent], origin: 'drawing' } as const;
    this.context.room.enqueue(to.request, hold);
    if (isApproved) this.expected.push(`${by.id} ${to.request}`);
    return true;
  }

  /** The drawing's seed is given at the end of a tick. */
  private approveLater(drawing: WaitingDrawing): void {
    this.queue.set(drawing.id, { ...drawing, approved: true });
  }

  /** Gives an approved seed. @returns false if that must wait: nobody is there, or too much waits */
  private tryGive(drawing: WaitingDrawing): boolean {
    try {
      if (!this.give(drawing, true)) return false;
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
    this.queue.delete(drawing.id);
    return true;
  }

  private refuse(drawing: WaitingDrawing | undefined, reason: Reason): boolean {
    if (!drawing) return false;
    this.queue.delete(drawing.id);
    const to = this.addressee(drawing);
    to?.member.send('rejected', { id: to.request, reason });
    return true;
  }

  /** The connection of the drawing's visitor, and the request that is answered. */
  private addressee({ by, client, request }: SentDrawing) {
    const member = this.context.slots.memberOf(by.id);
    return member && { member, request: member === client ? request : NO_REQUEST };
  }
}
