/** The host's operations on the people in a room: lists, mutes and energy costs. */
import type { VisitorState } from '../../../shared/host/state.ts';
import type { EnergySettings, ParticipantId } from '../../../shared/vocabulary.ts';
import type { WelcomeBuilder } from '../sessions/room-admission.ts';
import type { RoomContext } from '../sessions/room-context.ts';

/**
 * Maximum number of muted participants. If there are more, the absent participant who was muted
 * first is unmuted.
 */
const MAX_MUTED = 1_000;

export class HostOperations {
  constructor(
    private readonly context: RoomContext,
    private readonly welcomeBuilder: WelcomeBuilder,
  ) {}

  /** Present participants, with details of their visits. */
  get visitors(): Omit<VisitorState, 'organisms' | 'grafted'>[] {
    const { visits, policy, clock, seats, wallSeats, room } = this.context;
    const { participants } = seats;
    const tables = wallSeats.of(room.name);
    const counts = visits.participantsByAddress(participants.map(({ id }) => id));
    return participants.map((participant) => ({
      ...participant,
      muted: policy.muted.has(participant.id),
      table: tables.find(({ id }) => id === seats.tableOf(participant.id))?.name ?? null,
      ...visits.summaryOf(participant.id, counts, clock.now()),
    }));
  }

  /** Returns the name, device and address of a present participant, for a ban. */
  banTarget(participant: ParticipantId) {
    const { seats, newcomers, visits } = this.context;
    const found = seats.participants.find(({ id }) => id === participant);
    if (!found) return undefined;
    const device = newcomers.deviceOfParticipant(participant);
    // A ban of a ring ends when the ring is forgotten, so it must not name the ring's address.
    const isRing = seats.tableOf(participant) !== undefined;
    const address = isRing ? '' : visits.addressOf(participant);
    return { participant, name: found.name, device, address };
  }

  /**
   * Mutes a participant, who can then only watch, or unmutes them.
   *
   * @throws Refusal elsewhere if the change cannot be stored
   */
  async mute(participant: ParticipantId, isMuted: boolean): Promise<void> {
    const { policy, seats, cursors, follows, keep } = this.context;
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
    const oldest = [...muted].find((id) => !seats.memberOf(id));
    if (muted.size > MAX_MUTED && oldest !== undefined) await this.mute(oldest, false);
  }

  /** Changes the costs of commands, and sends the new costs to all participants. */
  setEnergy(settings: EnergySettings): void {
    const { room, seats } = this.context;
    room.setEnergy(settings);
    for (const client of seats.members) {
      client.send('energy', this.welcomeBuilder.energyOf(seats.participantOf(client)!.id));
    }
  }
}
