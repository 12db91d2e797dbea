/** What the host does to the people in a room: list them, send them away, and set energy costs. */
import type { VisitorState } from '../../../shared/host/state.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { EnergySettings } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Room } from '../../world/room.ts';
import type { VisitStatistics } from '../presence/visit-statistics.ts';
import type { ParticipantSlots } from '../sessions/participant-slots.ts';
import type { RoomAdmission } from '../sessions/room-admission.ts';
import type { RoomAccess, RoomClient } from '../sessions/room-client.ts';
import type { WelcomeBuilder } from '../sessions/welcome-builder.ts';

export interface HostOperationsOptions {
  readonly room: Room;
  readonly access: RoomAccess;
  readonly slots: ParticipantSlots<RoomClient>;
  readonly admission: RoomAdmission;
  readonly visits: VisitStatistics;
  readonly welcomeBuilder: WelcomeBuilder;
  readonly clock: Clock;
}

/** A room as its host sees and controls it. */
export class HostOperations {
  constructor(private readonly options: HostOperationsOptions) {}

  /** The present participants. */
  get visitors(): Omit<VisitorState, 'organisms'>[] {
    const { visits, access, clock } = this.options;
    const { participants } = this.options.slots;
    const counts = visits.participantsByAddress(participants.map(({ id }) => id));
    return participants.map((participant) => ({
      ...participant,
      muted: access.policy.muted.has(participant.id),
      ...visits.summaryOf(participant.id, counts, clock.now()),
    }));
  }

  /** Disconnects everybody, present or waiting, who is banned by now. */
  disconnectBanned(): void {
    const { room, access, slots, visits, admission } = this.options;
    const { bans } = access;
    for (const [client, { address = '' }] of [...admission.waiting]) {
      if (!bans.isBanned(room.name, undefined, address)) continue;
      admission.leave(client);
      client.disconnect('sent-away');
    }
    for (const client of [...slots.members]) {
      const { id } = slots.participantOf(client)!;
      if (!bans.isBanned(room.name, id, visits.addressOf(id))) continue;
      admission.leave(client);
      client.disconnect('sent-away');
    }
  }

  /** Disconnects all participants, and before them those who wait, so that none is admitted. */
  disconnectParticipants(reason: Reason): void {
    const { slots, admission } = this.options;
    for (const client of [...admission.waiting.keys(), ...slots.members]) {
      admission.waiting.delete(client);
      if (!slots.leaveQueue(client)) admission.leave(client);
      client.disconnect(reason);
    }
  }

  /** Changes what commands cost, and tells all participants. */
  setEnergy(settings: EnergySettings): void {
    const { room, slots, welcomeBuilder } = this.options;
    room.setEnergy(settings);
    for (const client of slots.members) {
      client.send('energy', welcomeBuilder.energyOf(slots.participantOf(client)!.id));
    }
  }
}
