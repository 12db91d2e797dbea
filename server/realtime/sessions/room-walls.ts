/** The walls of a room: displays that are shown everything and take no participant's slot. */

import { DEFAULTS } from '../../../shared/defaults.ts';
import type { RoomSummary, WallState } from '../../../shared/host/state.ts';
import type { LanguageCode } from '../../../shared/languages.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { getOrAdd } from '../../platform/collections.ts';
import type { WallPlace } from '../policy/wall-places.ts';
import { fullViewport } from '../streaming/viewer-stream.ts';
import { FrameRate } from './frame-rate.ts';
import type { RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';
import type { WelcomeBuilder } from './welcome-builder.ts';

/** Where a wall is. */
interface Slot {
  /** Address key of the wall. */
  readonly address: string;
  /** Id of the wall's own place; undefined: it has none. */
  readonly place: number | undefined;
}

/** IPv6 networks of one customer share their first 48 bits. */
const siteOf = ({ address }: Slot): string => address.replace(/^((?:[^:]+:){3}).*::\/64$/, '$1');

/**
 * The connected walls.
 *
 * @typeParam M a connection
 */
export class WallSlots<M> {
  private readonly walls = new Map<M, Slot>();

  /** @param full why a newcomer is refused */
  constructor(
    private readonly limit: number,
    private readonly full: Reason = 'too-many-walls',
  ) {}

  /** The connections of the walls. */
  get members(): Iterable<M> {
    return this.walls.keys();
  }

  /** Number of walls. */
  get size(): number {
    return this.walls.size;
  }

  /**
   * Adds a wall. At the limit, it replaces the newest wall of the site with the most walls, so
   * that no single site can keep the venue's own wall out. A wall with a place of its own always
   * replaces one without, and is replaced only for another one with a place.
   *
   * @param address address key of the wall
   * @param place id of the wall's own place
   * @returns the replaced wall, if any
   * @throws Refusal `full` if no other may be replaced
   */
  add(member: M, address: string, place?: number): M | undefined {
    const slot = { address, place };
    let evicted: M | undefined;
    if (this.walls.size >= this.limit) {
      evicted = this.replacedFor(slot);
      if (evicted === undefined) throw new Refusal(this.full);
      this.walls.delete(evicted);
    }
    this.walls.set(member, slot);
    return evicted;
  }

  /** Whether a wall is connected from this address. */
  hasWallAt(address: string): boolean {
    return [...this.walls.values()].some((slot) => slot.address === address);
  }

  /** The place of a connected wall. */
  placeOf(member: M): number | undefined {
    return this.walls.get(member)?.place;
  }

  /** Whether a wall is connected that has this place. */
  hasWallOf(place: number): boolean {
    return [...this.walls.values()].some((slot) => slot.place === place);
  }

  /** From now on, the walls of this place have none. */
  release(place: number): void {
    for (const [member, slot] of this.walls) {
      if (slot.place === place) this.walls.set(member, { ...slot, place: undefined });
    }
  }

  /** @returns whether the connection was a wall */
  remove(member: M): boolean {
    return this.walls.delete(member);
  }

  private replacedFor(newcomer: Slot): M | undefined {
    const guests = [...this.walls].filter(([, { place }]) => place === undefined);
    if (newcomer.place === undefined) return newestOfLargest(guests, siteOf, siteOf(newcomer));
    if (guests.length > 0) return newestOfLargest(guests, siteOf);
    // Screens of one wall may share its place.
    return newestOfLargest([...this.walls], ({ place }) => place, newcomer.place);
  }
}

/**
 * The newest member of the largest group.
 *
 * @param own the newcomer's group, which must remain smaller than the other
 * @returns undefined if it would not
 */
function newestOfLargest<M, K>(
  walls: readonly [M, Slot][],
  groupOf: (slot: Slot) => K,
  own?: K,
): M | undefined {
  const groups = new Map<K, M[]>();
  for (const [member, slot] of walls) {
    getOrAdd(groups, groupOf(slot), () => []).push(member);
  }
  const [largest = []] = [...groups.values()].sort((a, b) => b.length - a.length);
  const least = own === undefined ? 0 : (groups.get(own)?.length ?? 0) + 1;
  return largest.length > least ? largest[largest.length - 1] : undefined;
}

/** A wall that is up. */
export interface ConnectedWall {
  /** Monotonic time, ms. */
  readonly since: number;
  readonly frameRate: FrameRate;
  /** Languages that its screen has no letters for. */
  readonly unwritable: readonly LanguageCode[];
  /** Id of its place, if it has one. */
  readonly place?: number | undefined;
}

/**
 * @param places of the room
 * @param connected the walls that are up; several may share a place
 * @param now monotonic time, ms
 * @returns the walls with places, in their order, then the others
 */
export function wallStates(
  places: readonly WallPlace[],
  connected: readonly ConnectedWall[],
  now: number,
): WallState[] {
  const stateOf = (place: WallPlace | undefined, screens: readonly ConnectedWall[]): WallState => ({
    id: place?.id ?? null,
    name: place?.name ?? '',
    path: place ? `/wall/${place.room}?pass=${place.pass}` : '',
    screens: screens.length,
    upFor: screens.length > 0 ? now - Math.min(...screens.map(({ since }) => since)) : null,
    lost: place?.lost ?? null,
    unwritable: [...new Set(screens.flatMap(({ unwritable }) => unwritable))],
    // Of several screens, the slowest is worth knowing.
    frameRate:
      screens.length > 0 ? Math.min(...screens.map(({ frameRate }) => frameRate.at(now))) : 0,
  });
  const own = places.map((place) =>
    stateOf(
      place,
      connected.filter((wall) => wall.place === place.id),
    ),
  );
  const guests = connected.filter(({ place }) => place === undefined);
  return [...own, ...guests.map((wall) => stateOf(undefined, [wall]))];
}

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
