/**
 * Lets participants follow each other's view: the page of a follower shows the view of the
 * participant it follows.
 */
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import { countBy } from '../../platform/collections.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import type { Seats } from '../sessions/seats.ts';
import type { RoomBroadcaster } from '../streaming/room-broadcaster.ts';

/** Tracks who follows whom in one room. Changes are sent once per tick. */
export class Follows {
  /** For each follower's client, the participant that the client follows. */
  private readonly followed = new Map<RoomClient, ParticipantId>();
  /** Participants whose view has changed since it was last sent to their followers. */
  private readonly moved = new Set<ParticipantId>();
  /** Participants whose number of followers has changed since it was last sent to them. */
  private readonly recounted = new Set<ParticipantId>();

  constructor(
    private readonly seats: Pick<Seats<RoomClient>, 'memberOf' | 'participantOf'>,
    private readonly broadcaster: Pick<RoomBroadcaster, 'viewportOf'>,
  ) {}

  /**
   * Makes a client follow one participant, and nobody else. If `participant` is undefined, the
   * client follows nobody.
   *
   * @throws Refusal `no-such-participant`, `follows-you`
   */
  follow(client: RoomClient, participant: ParticipantId | undefined): void {
    const you = this.seats.participantOf(client)?.id;
    if (participant !== undefined) {
      if (participant === you || !this.seats.memberOf(participant)) {
        throw new Refusal('no-such-participant', `participant ${participant}`);
      }
      // If two participants followed each other, both views would zoom out endlessly, so refuse.
      if (this.leadsTo(participant, you)) throw new Refusal('follows-you');
    }
    this.stop(client);
    if (participant === undefined) return;
    this.followed.set(client, participant);
    this.recounted.add(participant);
    this.moved.add(participant);
  }

  /** Records that a client's view has changed. */
  viewChanged(client: RoomClient): void {
    const you = this.seats.participantOf(client);
    if (you && this.followed.size > 0) this.moved.add(you.id);
  }

  /**
   * Makes everybody stop following a participant who has left or has been muted. Notifies the
   * followers.
   */
  release(participant: ParticipantId): void {
    for (const [client, followed] of [...this.followed]) {
      if (followed !== participant) continue;
      this.stop(client);
      client.send('view', { participant });
    }
  }

  /** Removes a client that has left, both as a follower and as a followed participant. */
  forget(client: RoomClient, participant: ParticipantId): void {
    this.stop(client);
    this.release(participant);
  }

  /**
   * Sends followers the new views of the participants they follow. Sends followed participants
   * their number of followers.
   */
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

  /** Returns whether a participant follows another one, directly or through others. */
  private leadsTo(participant: ParticipantId, target: ParticipantId | undefined): boolean {
    for (let at: ParticipantId | undefined = participant; at !== undefined; ) {
      if (at === target) return true;
      const client = this.seats.memberOf(at);
      at = client && this.followed.get(client);
    }
    return false;
  }
}
