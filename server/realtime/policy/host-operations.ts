/** What the host does to the people in a room: list them, send them away, and set energy costs. */
import type { VisitorState } from '../../../shared/host/state.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { EnergySettings, ParticipantId } from '../../../shared/vocabulary.ts';
import type { RoomAdmission } from '../sessions/room-admission.ts';
import type { RoomContext } from '../sessions/room-context.ts';
import type { WelcomeBuilder } from '../sessions/welcome-builder.ts';

/** Maximum number of muted participants; after that, the one muted first who is away can act again. */
const MAX_MUTED = 1_000;

/** A room as its host sees and controls it. */
export class HostOperations {
  constructor(
    private readonly context: RoomContext,
    private readonly admission: RoomAdmission,
    private readonly welcomeBuilder: WelcomeBuilder,
  ) {}

  /** The present participants. */
  get visitors(): Omit<VisitorState, 'organisms'>[] {
    const { visits, policy, clock } = this.context;
    const { participants } = this.context.slots;
    const counts = visits.participantsByAddress(participants.map(({ id }) => id));
    return participants.map((participant) => ({
      ...participant,
      muted: policy.muted.has(participant.id),
      ...visits.summaryOf(participant.id, counts, clock.now()),
    }));
  }

  /** The id of a present participant's device, for a ban. */
  deviceOf(participant: ParticipantId): string | undefined {
    return this.context.newcomers.deviceOfParticipant(participant);
  }

  /**
   * Lets a participant only watch, or act again.
   *
   * @throws Refusal elsewhere: that is not stored
   */
  async mute(participant: ParticipantId, isMuted: boolean): Promise<void> {
    const { policy, slots, cursors, follows, keep } = this.context;
    const { muted } = policy;
    if (isMuted) {
      muted.add(participant);
      cursors.hide(participant);
      follows.release(participant);
      await keep('mutes', participant, { id: participant });
    } else {
      muted.delete(participant);
      await keep('mutes', participant);
    }
    const oldest = [...muted].find((id) => !slots.memberOf(id));
    if (muted.size > MAX_MUTED && oldest !== undefined) await this.mute(oldest, false);
  }

  /** Disconnects everybody, present or waiting, who is banned by now. */
  disconnectBanned(): void {
    const { admission } = this;
    const { room, bans, slots, visits, newcomers } = this.context;
    for (const [client, request] of [...admission.waiting]) {
      if (!bans.isBanned(room.name, admission.applicantOf(request))) continue;
      bans.slow(request.address ?? '');
      admission.leave(client);
      client.disconnect('sent-away');
    }
    for (const client of [...slots.members]) {
      const { id } = slots.participantOf(client)!;
      const device = newcomers.deviceOfParticipant(id);
      const address = visits.addressOf(id);
      if (!bans.isBanned(room.name, { participant: id, device, address })) continue;
      // Another server, where they were banned, does not tell the address.
      bans.slow(address);
      admission.leave(client);
      client.disconnect('sent-away');
    }
  }

  /** Disconnects all participants, and before them those who wait, so that none is admitted. */
  disconnectParticipants(reason: Reason): void {
    const { admission } = this;
    const { slots } = this.context;
    for (const client of [...admission.waiting.keys(), ...slots.members]) {
      admission.waiting.delete(client);
      if (!slots.leaveQueue(client)) admission.leave(client);
      client.disconnect(reason);
    }
  }

  /** Changes what commands cost, and tells all participants. */
  setEnergy(settings: EnergySettings): void {
    const { room, slots } = this.context;
    room.setEnergy(settings);
    for (const client of slots.members) {
      client.send('energy', this.welcomeBuilder.energyOf(slots.participantOf(client)!.id));
    }
  }
}
