/** Who may enter a room: gives slots to clients, and queues them while the room is full. */
import { hueOf } from '../../../shared/hues.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Room } from '../../world/room.ts';
import type { EventQueue } from '../presence/event-queue.ts';
import type { PresenceBroadcaster } from '../presence/presence-broadcaster.ts';
import type { VisitStatistics } from '../presence/visit-statistics.ts';
import type { RoomBroadcaster } from '../streaming/room-broadcaster.ts';
import { fullViewport } from '../streaming/viewer-stream.ts';
import type { NewcomerEnergy } from './newcomer-energy.ts';
import type { ParticipantSlots } from './participant-slots.ts';
import type { JoinRequest, RoomAccess, RoomClient, RoomHooks } from './room-client.ts';
import type { WelcomeBuilder } from './welcome-builder.ts';

export interface RoomAdmissionOptions {
  readonly room: Room;
  readonly access: RoomAccess;
  readonly slots: ParticipantSlots<RoomClient>;
  readonly newcomers: NewcomerEnergy;
  readonly visits: VisitStatistics;
  readonly presence: PresenceBroadcaster;
  readonly broadcaster: RoomBroadcaster;
  readonly eventQueue: EventQueue;
  readonly welcomeBuilder: WelcomeBuilder;
  readonly clock: Clock;
  readonly hooks: () => RoomHooks | undefined;
  /** Ends a client's stream and cursor, but leaves the slot alone. */
  readonly removeViewer: (client: RoomClient, you: ParticipantView) => void;
}

/** Admits clients to a room and lets them leave. */
export class RoomAdmission {
  /** The clients in the queue. */
  readonly waiting = new Map<RoomClient, JoinRequest>();

  constructor(private readonly options: RoomAdmissionOptions) {}

  /**
   * Gives a client a slot, or a place in the queue if the room is full. A reserved slot is
   * honoured in a full room, up to twice its capacity.
   *
   * @throws Refusal room-full if the queue is full too; room-closed; sent-away
   */
  join(client: RoomClient, request: JoinRequest): void {
    const { access, slots, room } = this.options;
    if (access.policy.isClosed) throw new Refusal('room-closed');
    const { resumeToken, address = '' } = request;
    const owner = resumeToken === undefined ? undefined : slots.ownerOf(resumeToken);
    if (access.bans.isBanned(room.name, owner, address)) throw new Refusal('sent-away');
    const returns = resumeToken !== undefined && slots.holdsSlotFor(resumeToken);
    if (slots.isFull && (!returns || slots.isCrowded)) {
      const ahead = slots.enqueue(client);
      if (ahead === undefined) throw new Refusal('room-full');
      this.waiting.set(client, request);
      client.send('waiting', { ahead });
      return;
    }
    this.seatParticipant(client, request);
  }

  /** Removes a client from the room, or from the queue. The slot stays reserved for a while. */
  leave(client: RoomClient): void {
    const { slots, presence, clock, hooks, removeViewer } = this.options;
    if (slots.leaveQueue(client)) {
      this.waiting.delete(client);
      presence.markQueueChanged();
      return;
    }
    const you = slots.leave(client, clock.now());
    if (!you) return;
    removeViewer(client, you);
    hooks()?.left(you);
    presence.changes.leave(you.id);
    this.admitWaiting();
  }

  /** Changes how many participants may be present. Nobody has to leave. */
  setCapacity(capacity: number): void {
    this.options.slots.setCapacity(capacity);
    this.admitWaiting();
  }

  /** Forgets the participants whose reserved slots have expired. */
  expire(now: number): void {
    const { slots, newcomers, room, visits } = this.options;
    for (const participant of slots.expire(now)) {
      newcomers.leave(participant);
      room.leave(participant);
      visits.leave(participant);
    }
  }

  /** Sends every participant the whole room again. */
  resendWelcomes(): void {
    const { slots, broadcaster, welcomeBuilder, eventQueue } = this.options;
    for (const client of slots.members) {
      broadcaster.remove(client);
      welcomeBuilder.sendWelcome(client, slots.participantOf(client)!, slots);
      eventQueue.startFor(client);
      this.startStream(client);
    }
  }

  private seatParticipant(client: RoomClient, request: JoinRequest): void {
    const { name, resumeToken, heldChecksums, onSeated, deviceMark, address = '' } = request;
    const { slots, newcomers, room, visits, presence, eventQueue, hooks } = this.options;
    const { you, isNew, replaced } = slots.claim(client, resumeToken, (id) => ({
      id,
      name,
      hue: hueOf(id),
    }));
    const granted = newcomers.arrive(you.id, isNew, { mark: deviceMark, address });
    if (isNew) room.enter(you.id, granted.energy);
    visits.enter(you.id, address, this.options.clock.now());
    if (replaced) {
      this.options.removeViewer(replaced, you);
      replaced.disconnect('replaced');
    }
    if (!replaced) presence.changes.enter(you);
    this.options.welcomeBuilder.sendWelcome(client, you, slots, granted.mark);
    eventQueue.startFor(client);
    onSeated(you);
    if (!replaced) hooks()?.joined(you);
    this.startStream(client, heldChecksums);
  }

  /** Clients see the whole room until they send a viewport. */
  private startStream(client: RoomClient, heldChecksums?: ArrayLike<number>): void {
    const { room, broadcaster, clock } = this.options;
    broadcaster.add(client, fullViewport(room.grid.planes), clock.now(), { heldChecksums });
  }

  private admitWaiting(): void {
    const { slots, presence } = this.options;
    for (let client = slots.dequeue(); client; client = slots.dequeue()) {
      const request = this.waiting.get(client)!;
      this.waiting.delete(client);
      this.seatParticipant(client, request);
      presence.markQueueChanged();
    }
  }
}
