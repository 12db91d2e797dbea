/** The walls of a room: displays that are shown everything and take no participant's slot. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { RoomSummary, WallState } from '../../../shared/host/state.ts';
import type { LanguageCode } from '../../../shared/languages.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import { fullViewport } from '../streaming/viewer-stream.ts';
import { FrameRate } from './frame-rate.ts';
import type { RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';
import { WallSlots } from './wall-slots.ts';
import { type ConnectedWall, wallStates } from './wall-states.ts';
import type { WelcomeBuilder } from './welcome-builder.ts';

/** A wall that has been up for so long is missed when it is gone, until one is up as long, ms. */
export const SETTLED = 60_000;

const { wallTimes } = DEFAULTS.host;

type Film = NonNullable<Event<'film'>['film']>;
type Place = Event<'spotlight'>;

/** What the host has walls show: a film instead of the room, or a place of it from close by. */
type Shown = { readonly film: Film } | { readonly closeUp: Place };

/** A connection that asks to be a wall. */
export interface WallRequest {
  /** Address key of the connection. */
  readonly address: string;
  /** The pass in the wall's address; not verified yet. */
  readonly pass?: string | undefined;
  /** Languages that its screen has no letters for. */
  readonly unwritable?: readonly LanguageCode[] | undefined;
  /** It is the picture on the host's page: it takes a slot, but is not counted as a wall. */
  readonly isView: boolean;
  /** [chunks] checksums of what the wall still shows. */
  readonly heldChecksums?: ArrayLike<number> | undefined;
}

/** Welcomes walls, streams the room to them, and removes them. */
export class RoomWalls extends WallSlots<RoomClient> {
  /** The walls that are up, without views. */
  private readonly connected = new Map<RoomClient, ConnectedWall>();
  /** Whether a wall that had settled has ever gone. */
  private isMissed = false;
  /** What the host shows on the walls, and since when; ms. */
  private shown: (Shown & { readonly since: number }) | undefined;
  private cancelEnd = (): void => {};

  constructor(
    private readonly context: RoomContext,
    private readonly welcomeBuilder: WelcomeBuilder,
  ) {
    super(DEFAULTS.room.maxWalls);
  }

  /** Whether a wall that had settled is gone, and none that is up has settled. */
  get isBare(): boolean {
    return this.isMissed && ![...this.connected.values()].some((wall) => this.hasSettled(wall));
  }

  /** The room was bare when the server ended. */
  startBare(): void {
    this.isMissed = true;
  }

  /** Number of walls that are up. */
  get upCount(): number {
    return this.connected.size;
  }

  /** The walls that are up, and those with a place that are not. */
  get states(): WallState[] {
    const { places, room, clock } = this.context;
    const connected = [...this.connected].map(([client, wall]) => {
      return { ...wall, place: this.placeOf(client) };
    });
    return wallStates(places.of(room.name), connected, clock.now());
  }

  /**
   * Welcomes a wall and streams the whole room to it.
   *
   * @throws Refusal too-many-walls
   */
  addWall(wall: RoomClient, request: WallRequest): void {
    const { address, pass, unwritable = [], isView, heldChecksums } = request;
    const { places, room, clock } = this.context;
    const place = pass === undefined ? undefined : places.find(room.name, pass);
    const evicted = this.add(wall, address, place?.id);
    const now = clock.now();
    if (!isView)
      this.connected.set(wall, { since: now, frameRate: new FrameRate(now), unwritable });
    if (place) places.appeared(place.id);
    if (evicted) {
      this.forget(evicted);
      evicted.disconnect('too-many-walls');
    }
    this.welcomeWall(wall, heldChecksums);
  }

  /** What the walls show instead of the room: the film as it is now. */
  get film(): Film | undefined {
    if (!this.shown || !('film' in this.shown)) return undefined;
    const { film, since } = this.shown;
    const played = Math.floor((film.speed * (this.context.clock.now() - since)) / 1000);
    return { ...film, frame: (film.frame + played) % film.frames };
  }

  /** What the host shows on the walls now, and for how long unless they ask again, ms. */
  get showing(): RoomSummary['walls']['showing'] {
    if (!this.shown) return null;
    const what = 'film' in this.shown ? 'film' : 'closeUp';
    const { since } = this.shown;
    return { what, left: Math.max(0, since + wallTimes[what] - this.context.clock.now()) };
  }

  /** Shows something on all walls; undefined: the whole room. It ends by itself after a while. */
  show(shown: Shown | undefined): void {
    const { clock } = this.context;
    this.cancelEnd();
    this.shown = shown && { ...shown, since: clock.now() };
    const { showing } = this;
    this.cancelEnd = showing ? clock.after(showing.left, () => this.show(undefined)) : () => {};
    for (const wall of this.connected.keys()) this.sendShown(wall);
  }

  /** A client has shown so many frames. */
  confirm(client: RoomClient, frames: number): void {
    this.connected.get(client)?.frameRate.confirm(this.context.clock.now(), frames);
  }

  /** @returns whether the client was a wall */
  override remove(client: RoomClient): boolean {
    const place = this.placeOf(client);
    if (!super.remove(client)) return false;
    if (place !== undefined && !this.hasWallOf(place)) this.context.places.vanished(place);
    this.forget(client);
    return true;
  }

  /** Removes and disconnects all walls. */
  disconnectAll(reason: Reason): void {
    for (const wall of [...this.members]) {
      this.remove(wall);
      wall.disconnect(reason);
    }
    this.isMissed = false;
    this.show(undefined);
  }

  /** Walls draw names into the picture, and only a new welcome changes those. */
  resendWallWelcomes(): void {
    for (const wall of this.members) {
      this.context.broadcaster.remove(wall);
      this.welcomeWall(wall);
    }
  }

  private forget(wall: RoomClient): void {
    const gone = this.connected.get(wall);
    this.connected.delete(wall);
    if (gone && this.hasSettled(gone)) this.isMissed = true;
    this.context.broadcaster.remove(wall);
  }

  private hasSettled({ since }: ConnectedWall): boolean {
    return this.context.clock.now() - since >= SETTLED;
  }

  private welcomeWall(wall: RoomClient, heldChecksums?: ArrayLike<number>): void {
    const { room, broadcaster, eventQueue, clock } = this.context;
    this.welcomeBuilder.sendWallWelcome(wall);
    eventQueue.startFor(wall);
    const viewport = fullViewport(room.grid.planes);
    broadcaster.add(wall, viewport, clock.now(), { tier: 'full', heldChecksums });
    // Also that there is nothing: a wall that was away still shows what has ended since.
    if (this.connected.has(wall)) this.sendShown(wall);
  }

  private sendShown(wall: RoomClient): void {
    const { shown, film } = this;
    wall.send('film', { film });
    wall.send('closeUp', { at: shown && 'closeUp' in shown ? shown.closeUp : undefined });
  }
}
