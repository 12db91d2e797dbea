/** Who may enter a room: gives slots to clients, and queues them while the room is full. */
import { hueOf } from '../../../shared/hues.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import type { Applicant } from '../policy/bans.ts';
import type { PresenceBroadcaster } from '../presence/presence-broadcaster.ts';
import { fullViewport } from '../streaming/viewer-stream.ts';
import type { JoinRequest, RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';
import type { WelcomeBuilder } from './welcome-builder.ts';

/** Places that change hands in one tick, at most. */
const MAX_YIELDING = 16;

/** Admits clients to a room and lets them leave. */
export class RoomAdmission {
  /** The clients in the queue, with the tokens of their places. */
  readonly waiting = new Map<RoomClient, JoinRequest>();

  constructor(
    private readonly context: RoomContext,
    private readonly presence: PresenceBroadcaster,
    private readonly welcomeBuilder: WelcomeBuilder,
  ) {}

  /**
   * Gives a client a slot, or a place in the queue if the room is full. A reserved slot is
   * honoured in a full room, up to twice its capacity.
   *
   * @throws Refusal room-full if the queue is full too; room-closed; sent-away; too-many-joins
   */
  join(client: RoomClient, asked: JoinRequest): void {
    const { policy, bans, slots, room, date } = this.context;
    if (policy.isClosed) throw new Refusal('room-closed');
    const request = this.withToken(client, asked);
    const { resumeToken, address = '' } = request;
    const applicant = this.applicantOf(request);
    if (bans.isBanned(room.name, applicant)) throw new Refusal('sent-away');
    const isKnown = applicant.device !== undefined || applicant.participant !== undefined;
    if (!isKnown && !bans.admitsUnmarked(address)) throw new Refusal('too-many-joins');
    if (client.before && slots.replaceQueued(client.before, client)) {
      const { resumeToken: place } = this.waiting.get(client.before)!;
      this.waiting.delete(client.before);
      this.wait(client, { ...request, resumeToken: place });
      return;
    }
    const returns = resumeToken !== undefined && slots.holdsSlotFor(resumeToken);
    if (slots.isFull && (!returns || slots.isCrowded)) {
      const { dropped, token } = slots.enqueue(client, {
        ...{ token: resumeToken, address, date: date() },
      });
      if (dropped === client) throw new Refusal('room-full');
      if (dropped) {
        this.waiting.delete(dropped);
        dropped.disconnect('room-full');
      }
      this.wait(client, { ...request, resumeToken: token });
      this.presence.markQueueChanged();
      return;
    }
    this.seatParticipant(client, request);
  }

  /** What is known of who asks to join, for the bans. */
  applicantOf({ resumeToken, deviceMark, address = '' }: JoinRequest): Applicant {
    const { slots, newcomers } = this.context;
    const participant = resumeToken === undefined ? undefined : slots.ownerOf(resumeToken);
    return { participant, device: newcomers.deviceIdOf(deviceMark), address };
  }

  /** Removes a client from the room, or from the queue. The slot stays reserved for a while. */
  leave(client: RoomClient): void {
    const { presence } = this;
    const { slots } = this.context;
    if (slots.leaveQueue(client)) {
      this.waiting.delete(client);
      presence.markQueueChanged();
      return;
    }
    this.giveUpSlot(client, false);
    this.admitWaiting();
  }

  /**
   * Lets those in who could not be let in during the tick, and has participants give up their places to those who wait, if they are idle or if their address
   * has more than its share. They keep their number, seeds and organisms, and may wait again.
   */
  shareOut(now: number): void {
    const { slots } = this.context;
    this.admitWaiting();
    for (let i = 0; i < MAX_YIELDING; i++) {
      const client = slots.yielding(now);
      if (!client) return;
      this.giveUpSlot(client, true);
      client.disconnect('gave-way');
      this.admitWaiting();
    }
  }

  /** Changes how many participants may be present. Nobody has to leave. */
  setCapacity(capacity: number): void {
    this.context.slots.capacity = capacity;
    this.admitWaiting();
  }

  /** Forgets the participants whose reserved slots have expired. @returns who they were */
  expire(now: number): ParticipantId[] {
    const { slots, newcomers, room, visits, affected } = this.context;
    const expired = slots.expire(now);
    for (const participant of expired) {
      newcomers.leave(participant);
      room.leave(participant);
      visits.leave(participant);
    }
    affected.forget(expired);
    // Slots may not be held any more for those who were present when the server stopped.
    this.admitWaiting();
    return expired;
  }

  /** Sends every participant the whole room again. */
  resendWelcomes(): void {
    const { slots, broadcaster, eventQueue, affected, follows } = this.context;
    for (const client of slots.members) {
      const you = slots.participantOf(client)!;
      // A page that is welcomed again follows nobody.
      follows.forget(client, you.id);
      broadcaster.remove(client);
      this.welcomeBuilder.sendWelcome(client, you);
      eventQueue.startFor(client);
      affected.returned(you.id);
      this.startStream(client);
    }
  }

  /** Whoever waited may have got a slot without hearing of it: then they have no token for it. */
  private withToken({ before }: RoomClient, request: JoinRequest): JoinRequest {
    const { resumeToken } = request;
    const { slots } = this.context;
    if (resumeToken !== undefined && slots.holdsSlotFor(resumeToken)) return request;
    const token = before && slots.tokenOf(before);
    return token === undefined ? request : { ...request, resumeToken: token };
  }

  /** Tells a client that is in the queue its position, and its token for when it comes back. */
  private wait(client: RoomClient, request: JoinRequest): void {
    this.waiting.set(client, request);
    const ahead = this.context.slots.queued.indexOf(client);
    this.presence.sendQueuePosition(client, ahead, request.resumeToken);
  }

  private seatParticipant(client: RoomClient, request: JoinRequest): void {
    const { name, resumeToken, heldChecksums, onAdmitted, deviceMark, address = '' } = request;
    const { presence } = this;
    const { slots, newcomers, room, visits, eventQueue, affected, hooks, clock } = this.context;
    const { you, isNew, replaced } = slots.claim(client, {
      ...{ token: resumeToken, address, now: clock.now() },
      newcomer: (id) => ({ id, name, hue: hueOf(id) }),
    });
    const granted = newcomers.arrive(you.id, isNew, { mark: deviceMark, address });
    visits.enter(you.id, address, clock.now());
    if (isNew) room.enter(you.id, granted.energy, visits.sourceOf(you.id));
    if (replaced) {
      this.removeViewer(replaced, you);
      replaced.disconnect('replaced');
    }
    if (!replaced) presence.changes.enter(you);
    this.welcomeBuilder.sendWelcome(client, you, granted.mark);
    eventQueue.startFor(client);
    affected.returned(you.id);
    onAdmitted(you);
    if (!replaced) hooks()?.joined(you);
    this.startStream(client, heldChecksums);
  }

  private giveUpSlot(client: RoomClient, yielded: boolean): void {
    const { slots, clock, hooks } = this.context;
    const you = slots.leave(client, clock.now(), yielded);
    if (!you) return;
    this.removeViewer(client, you);
    hooks()?.left(you);
    this.presence.changes.leave(you.id);
  }

  /** Clients see the whole room until they send a viewport. */
  private startStream(client: RoomClient, heldChecksums?: ArrayLike<number>): void {
    const { room, broadcaster, clock } = this.context;
    broadcaster.add(client, fullViewport(room.grid.planes), clock.now(), { heldChecksums });
  }

  /** Ends a client's stream, cursor and following, but leaves the slot alone. */
  private removeViewer(client: RoomClient, { id }: ParticipantView): void {
    this.context.broadcaster.remove(client);
    this.context.cursors.forget(id);
    this.context.follows.forget(client, id);
  }

  private admitWaiting(): void {
    const { presence } = this;
    const { slots, tickInProgress } = this.context;
    if (tickInProgress.ended) return;
    for (let client = slots.dequeue(); client; client = slots.dequeue()) {
      const request = this.waiting.get(client)!;
      this.waiting.delete(client);
      this.seatParticipant(client, request);
      presence.markQueueChanged();
    }
  }
}
