/** Views that are shared: what the host shows, whom this page follows, and how many follow it. */
import { msg, str } from '@lit/localize';
import type { Rect } from '../../shared/geometry.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
import { number } from '../elements/text.ts';
import type { Point } from '../render/camera.ts';
import type { RequestTracker } from '../room/connection.ts';
import type { RoomModel } from '../room/room-model.ts';
import { reasonText } from './text.ts';

/** The page that shows the room. */
export interface SharedPage {
  refresh(): void;
  tell(text: string): void;
  /** Whether the visitor is in the middle of something that a moving view would interrupt. */
  isBusy(): boolean;
  /** Tells the visitor something above what they look at. */
  announce(text: string): void;
  /** Moves the view to a place of the grid. */
  visit(place: Point): void;
  /** Shows the same part of the grid as another page. */
  match(area: Rect): void;
}

/** Moves the view where the host or a followed participant leads it. */
export class SharedViews {
  /** Whom this page follows; 0: nobody. */
  following: ParticipantId = 0;
  /** How many follow this page. */
  followers = 0;
  /** A place that the host shows while the visitor is busy. */
  spot: Point | undefined;

  constructor(
    model: RoomModel,
    private readonly ask: RequestTracker['ask'],
    private readonly page: SharedPage,
  ) {
    model.on('welcome', () => {
      this.following = 0;
      this.followers = 0;
    });
    model.on('spotlight', (place) => {
      this.spot = place;
      if (page.isBusy()) page.refresh();
      else this.goToSpot();
    });
    model.on('view', ({ participant, area }) => {
      if (participant !== this.following) return;
      if (area) page.match(area);
      else this.end('no-such-participant');
    });
    model.on('followers', ({ count }) => {
      this.followers = count;
      page.refresh();
    });
  }

  /** Goes to the place that the host shows. */
  goToSpot(): void {
    const { spot, page } = this;
    this.stop(true);
    if (!spot) return;
    page.visit(spot);
    page.announce(spotText());
  }

  /** Follows a participant's view until this visitor moves. */
  follow(participant: ParticipantId): void {
    this.following = participant;
    this.ask('follow', { participant }, { rejected: (reason) => this.end(reason) });
    this.page.refresh();
  }

  /** The visitor moves their view themselves, or closes what the page says about it. */
  stop(isDismissed = false): void {
    if (isDismissed) this.spot = undefined;
    else if (!this.following) return;
    if (this.following) this.ask('follow', {});
    this.end();
  }

  private end(reason?: Reason): void {
    this.following = 0;
    if (reason) this.page.tell(reasonText(reason));
    this.page.refresh();
  }
}

/** A participant's name, or their number. */
export function participantName(
  id: ParticipantId,
  { participants }: Pick<RoomModel, 'participants'>,
): string {
  return participants.get(id)?.name || msg(str`visitor ${number(id)}`);
}

/** Says whose view the page shows. */
export const followingText = (...whom: Parameters<typeof participantName>): string =>
  msg(str`You see what ${participantName(...whom)} sees.`);

/** Says who moves the view. */
export const spotText = (): string => msg('The host asks everybody to look here.');
