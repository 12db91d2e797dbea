/**
 * The walls of a room: displays that show the whole room, or a film or close-up that the host has
 * chosen; and its touch tables. They do not take participants' seats. Start at `RoomWalls`.
 */
import type { RoomSummary, WallState } from '../../../shared/host/state.ts';
import type { LanguageCode } from '../../../shared/languages.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { WallSeat } from '../policy/wall-seats.ts';
import type { Entry, RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';
import { Watchers } from './watchers.ts';
import type { WelcomeBuilder } from './welcome-builder.ts';

/** Maximum number of walls that show the room; they do not count towards the capacity. */
export const MAX_WALLS = 16;

/** How long walls show a film or a close-up after the host last asked for it, in ms. */
const WALL_TIMES = { film: 3_600_000, closeUp: 180_000 };

/** Half the maximum period in which frames are counted, in ms. */
const WINDOW = 5_000;

/** Measures how many frames per second a wall confirms, over the last five to ten seconds. */
export class FrameRate {
  private count = 0;
  private before: { readonly count: number; readonly start: number };

  /**
   * @param start when the measurement starts. Here and in all methods, times are monotonic, in ms
   */
  constructor(private start: number) {
    this.before = { count: 0, start };
  }

  /** Counts confirmed frames. */
  confirm(now: number, frames = 1): void {
    if (now - this.start >= WINDOW) {
      this.before = { count: this.count, start: this.start };
      this.start = now;
      this.count = 0;
    }
    this.count += frames;
  }

  /** Returns the number of frames per second. */
  at(now: number): number {
    const { count, start, before } = this;
    if (now - start >= 2 * WINDOW) return 0;
    return (1000 * (before.count + count)) / Math.max(1_000, now - before.start);
  }
}

/** A connected wall. */
interface ConnectedWall {
  /** When the wall connected, by the monotonic clock, in ms. */
  readonly since: number;
  readonly frameRate: FrameRate;
  /** Languages whose letters the screen cannot show. */
  readonly unwritable: readonly LanguageCode[];
  /** Id of the wall's seat, if it has one. */
  readonly place?: number | undefined;
}

/**
 * Lists the states of a room's walls.
 *
 * @param seats the seats of the room's walls
 * @param connected the connected walls; several of them may share a seat
 * @param now current time by the monotonic clock, in ms
 * @returns the walls with seats, in the order of the seats, then the other walls
 */
export function wallStates(
  seats: readonly WallSeat[],
  connected: readonly ConnectedWall[],
  now: number,
): WallState[] {
  const stateOf = (seat: WallSeat | undefined, screens: readonly ConnectedWall[]): WallState => ({
    id: seat?.id ?? null,
    name: seat?.name ?? '',
    path: seat ? `/${seat.table ? 'table' : 'wall'}/${seat.room}?pass=${seat.pass}` : '',
    ...{ table: seat?.table ?? false, blocked: seat?.blocked ?? false },
    screens: screens.length,
    upFor: screens.length > 0 ? now - Math.min(...screens.map(({ since }) => since)) : null,
    lost: seat?.lost ?? null,
    unwritable: [...new Set(screens.flatMap(({ unwritable }) => unwritable))],
    // If several screens share a seat, report the frame rate of the slowest screen.
    frameRate:
      screens.length > 0 ? Math.min(...screens.map(({ frameRate }) => frameRate.at(now))) : 0,
  });
  const screensOf = (id: number | undefined) => connected.filter(({ place }) => place === id);
  return [
    ...seats.map((seat) => stateOf(seat, screensOf(seat.id))),
    ...screensOf(undefined).map((wall) => stateOf(undefined, [wall])),
  ];
}

/**
 * How long a wall must be connected to count as settled, in ms. If a settled wall disconnects, it
 * counts as missing until another wall has settled.
 */
export const SETTLED = 60_000;

type Film = NonNullable<Event<'film'>['film']>;

/** A film that the host shows on walls instead of the room, or a close-up of a part of the room. */
type Shown = { readonly film: Film } | { readonly closeUp: Event<'spotlight'> };

/** Welcomes walls, streams the room to them, and removes them. */
export class RoomWalls extends Watchers {
  /** Connected walls, not including the pictures on the host's page. */
  private readonly connected = new Map<RoomClient, ConnectedWall>();
  /** Whether a settled wall has disconnected since the room was opened. */
  private isMissed = false;
  /** The film or close-up that the walls show, and when it started, in ms. */
  private shown: (Shown & { readonly since: number }) | undefined;
  private cancelEnd = (): void => {};

  constructor(context: RoomContext, welcomeBuilder: WelcomeBuilder) {
    const full = 'too-many-walls';
    super(context, welcomeBuilder, { most: MAX_WALLS, full, evicted: full, tier: 'full' });
  }

  /** Whether a settled wall has disconnected, and no connected wall has settled. */
  get isBare(): boolean {
    return this.isMissed && ![...this.connected.values()].some((wall) => this.hasSettled(wall));
  }

  /** Marks the room as bare, because it was bare when the server stopped. */
  startBare(): void {
    this.isMissed = true;
  }

  /** Number of connected walls. */
  get upCount(): number {
    return this.connected.size;
  }

  /** Connected walls, and disconnected walls that have a seat. */
  get states(): WallState[] {
    const { wallSeats, room, clock } = this.context;
    const connected = [...this.connected].map(([client, wall]) => {
      return { ...wall, place: this.seats.get(client)?.place };
    });
    return wallStates(wallSeats.of(room.name), connected, clock.now());
  }

  /**
   * Welcomes a wall and streams the whole room to it. The picture on the host's page joins as a
   * `view`: it takes a wall's seat but does not count as a wall. Only one screen may be a table.
   *
   * @throws Refusal too-many-walls, no-such-table, table-taken
   */
  add(wall: RoomClient, { as, pass = '', session, unwritable = [], holds }: Entry): void {
    const { wallSeats, room, clock } = this.context;
    const isTable = as === 'table';
    const found = wallSeats.find(room.name, pass);
    const place = (found?.table ?? false) === isTable ? found?.id : undefined;
    if (isTable) this.requireFree(place, session);
    this.seat(wall, { address: wall.address, place, ...(isTable && { session }) });
    const since = clock.now();
    const frameRate = new FrameRate(since);
    if (as !== 'view') this.connected.set(wall, { since, frameRate, unwritable });
    if (place !== undefined) wallSeats.appeared(place);
    this.welcome(wall, holds);
  }

  /** Returns whether a wall is connected from this address. */
  hasWallAt(address: string): boolean {
    return [...this.seats.values()].some((seat) => seat.address === address);
  }

  /** Takes a seat away from its walls, which stay connected, or from its table, which does not. */
  release({ id, table }: WallSeat): void {
    for (const [wall, { address, place: own }] of [...this.seats]) {
      if (own !== id) continue;
      if (table) this.dismiss(wall, 'no-such-table');
      else this.seats.set(wall, { address });
    }
  }

  /**
   * Makes room for a table. A page that returns replaces its own lost connection.
   *
   * @param session of the page
   * @throws Refusal no-such-table, table-taken
   */
  private requireFree(place: number | undefined, session: number | undefined): void {
    if (place === undefined) throw new Refusal('no-such-table');
    const found = [...this.seats].find(([, seat]) => seat.place === place);
    if (!found) return;
    if (session === undefined || found[1].session !== session) throw new Refusal('table-taken');
    this.dismiss(found[0], 'replaced');
  }

  /** The film that the walls show, starting at the frame that they show now. */
  get film(): Film | undefined {
    if (!this.shown || !('film' in this.shown)) return undefined;
    const { film, since } = this.shown;
    const played = Math.floor((film.speed * (this.context.clock.now() - since)) / 1000);
    return { ...film, frame: (film.frame + played) % film.frames };
  }

  /**
   * Whether walls show a film or a close-up, and for how much longer, in ms, unless the host
   * extends it.
   */
  get showing(): RoomSummary['walls']['showing'] {
    if (!this.shown) return null;
    const what = 'film' in this.shown ? 'film' : 'closeUp';
    const { since } = this.shown;
    return { what, left: Math.max(0, since + WALL_TIMES[what] - this.context.clock.now()) };
  }

  /**
   * Shows a film or a close-up on all walls for a while.
   *
   * @param shown undefined to show the whole room
   */
  show(shown: Shown | undefined): void {
    const { clock } = this.context;
    this.cancelEnd();
    this.shown = shown && { ...shown, since: clock.now() };
    const { showing } = this;
    this.cancelEnd = showing ? clock.after(showing.left, () => this.show(undefined)) : () => {};
    for (const wall of this.connected.keys()) this.sendShown(wall);
  }

  /** Counts frames that a client has shown. */
  confirm(client: RoomClient, frames: number): void {
    this.connected.get(client)?.frameRate.confirm(this.context.clock.now(), frames);
  }

  override remove(client: RoomClient): boolean {
    const place = this.seats.get(client)?.place;
    if (!super.remove(client)) return false;
    const isLast = [...this.seats.values()].every((seat) => seat.place !== place);
    if (place !== undefined && isLast) this.context.wallSeats.vanished(place);
    const gone = this.connected.get(client);
    this.connected.delete(client);
    if (gone && this.hasSettled(gone)) this.isMissed = true;
    return true;
  }

  override disconnectAll(reason: Reason): void {
    super.disconnectAll(reason);
    this.isMissed = false;
    this.show(undefined);
  }

  protected override welcome(wall: RoomClient, holds?: Uint8Array): void {
    super.welcome(wall, holds);
    // Send this even if there is nothing to show, because a wall that was away may still show an
    // ended film.
    if (this.connected.has(wall)) this.sendShown(wall);
  }

  private hasSettled({ since }: ConnectedWall): boolean {
    return this.context.clock.now() - since >= SETTLED;
  }

  private sendShown(wall: RoomClient): void {
    const { shown, film } = this;
    wall.send('film', { film });
    wall.send('closeUp', { at: shown && 'closeUp' in shown ? shown.closeUp : undefined });
  }
}
