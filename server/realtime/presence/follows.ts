/**
 * Lets a participant follow another participant: the follower's page shows the same part of the
 * grid as the other participant's page.
 */
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import { countBy } from '../../platform/collections.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import type { Seats } from '../sessions/seats.ts';
import type { RoomBroadcaster } from '../streaming/room-broadcaster.ts';

/** Tracks who follows whom in one room. Changes are sent once per tick. */
export class Follows {
  /** The participant that each client follows. */
  private readonly followed = new Map<RoomClient, ParticipantId>();
  /** Participants whose followers have not been sent the participant's new view yet. */
  private readonly moved = new Set<ParticipantId>();
  /** Participants who have not been sent their new number of followers yet. */
  private readonly recounted = new Set<ParticipantId>();

  constructor(
    private readonly seats: Pick<Seats<RoomClient>, 'memberOf' | 'participantOf'>,
    private readonly broadcaster: Pick<RoomBroadcaster, 'viewportOf'>,
  ) {}

  /**
   * Makes a client follow a participant. A client follows at most one participant.
   *
   * @param participant if undefined, the client follows nobody
   * @throws Refusal `no-such-participant`; `follows-you` if the participant already follows this
   *   client, directly or through others
   */
  follow(client: RoomClient, participant: ParticipantId | undefined): void {
    const you = this.seats.participantOf(client)?.id;
    if (participant !== undefined) {
      if (participant === you || !this.seats.memberOf(participant)) {
        throw new Refusal('no-such-participant', `participant ${participant}`);
      }
      // A follower's view contains the followed view. So if two participants followed each other,
      // their views would zoom out endlessly.
      if (this.leadsTo(participant, you)) throw new Refusal('follows-you');
    }
    this.stop(client);
    if (participant === undefined) return;
    this.followed.set(client, participant);
    this.recounted.add(participant);
    this.moved.add(participant);
  }

  viewChanged(client: RoomClient): void {
    const you = this.seats.participantOf(client);
    if (you && this.followed.size > 0) this.moved.add(you.id);
  }

  /**
   * Makes all followers of a participant stop following, and notifies the followers. Call when the
   * participant has left or has been muted.
   */
  release(participant: ParticipantId): void {
    for (const [client, followed] of [...this.followed]) {
      if (followed !== participant) continue;
      this.stop(client);
      client.send('view', { participant });
    }
  }

  /** Forgets a client that has left, both as a follower and as a participant whom others follow. */
  forget(client: RoomClient, participant: ParticipantId): void {
    this.stop(client);
    this.release(participant);
  }

  /** Sends new views to followers, and new numbers of followers to followed participants. */
  sendNews(): void {
    for (const [client, participant] of this.followed) {
      if (!this.moved.has(participant)) continue;
      const viewport = this.viewOf(participant);
      if (!viewport) continue;
      const { x, y, width, height } = viewport;
      client.send('view', { participant, area: { x, y, width, height } });
    }
    if (this.recounted.size > 0) {
      const counts = countBy(this.followed.values(), (participant) => participant);
      for (const participant of this.recounted) {
        const count = counts.get(participant) ?? 0;
        this.seats.memberOf(participant)?.send('followers', { count });
      }
    }
    this.moved.clear();
    this.recounted.clear();
  }

  /** Returns a participant's viewport; undefined while their page is hidden. */
  private viewOf(participant: ParticipantId) {
    const client = this.seats.memberOf(participant);
    return client && this.broadcaster.viewportOf(client);
  }

  private stop(client: RoomClient): void {
    const participant = this.followed.get(client);
    if (participant === undefined) return;
    this.followed.delete(client);
    this.recounted.add(participant);
  }

  /** Returns whether a participant follows `target`, directly or through others. */
  private leadsTo(participant: ParticipantId, target: ParticipantId | undefined): boolean {
    for (let at: ParticipantId | undefined = participant; at !== undefined; ) {
      if (at === target) return true;
      const client = this.seats.memberOf(at);
      at = client && this.followed.get(client);
    }
    return false;
  }
}
