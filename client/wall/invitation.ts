/** Decides when a wall invites passers-by to join. */
import type { RoomModel } from '../room/room-model.ts';

/** How long the room must have been without visitors before the wall invites passers-by, in ms. */
const LONELY = 45_000;

export class Invitation {
  private lonely: ReturnType<typeof setTimeout> | undefined;

  /** @param show receives whether the wall must invite passers-by */
  constructor(
    private readonly model: Pick<RoomModel, 'participants'>,
    private readonly show: (attract: boolean) => void,
  ) {}

  /** Must be called whenever the participants have changed. */
  update(): void {
    clearTimeout(this.lonely);
    if (this.model.participants.size > 0) this.show(false);
    else this.lonely = setTimeout(() => this.show(true), LONELY);
  }
}
