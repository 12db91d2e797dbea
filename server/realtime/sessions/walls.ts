/** The walls and touch tables of a room: which are connected, and what they show. */
import type { RoomSummary, WallState } from '../../../shared/host/state.ts';
import type { LanguageCode } from '../../../shared/languages.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { WallSeat } from '../policy/wall-seats.ts';
import type { WelcomeBuilder } from './room-admission.ts';
import type { Entry, RoomClient } from './room-client.ts';
import type { RoomContext } from './room-context.ts';
import { type WatcherSeat, Watchers } from './watchers.ts';

/** Maximum number of walls that show a room. */
export const MAX_WALLS = 16;

/** How long walls show a film or a close-up after the host's last request, in ms. */
const WALL_TIMES = { film: 3_600_000, closeUp: 180_000 };

/** The seat of a wall or touch table. */
interface ScreenSeat extends WatcherSeat {
  /** Session id of a touch table's page (see `Command<'join'>`). */
  readonly session?: number | undefined;
  /**
   * Facts about the connected wall or touch table. Absent for a view of the room on the host's
   * page.
   */
  readonly screen?: Screen | undefined;
}

interface Screen {
  /** When the wall connected, by the monotonic clock, in ms. */
  readonly since: number;
  readonly frameRate: FrameRate;
  /** Languages whose script the screen cannot display. */
  readonly unwritable: readonly LanguageCode[];
}

/**
 * Length of a counting period, in ms. The frame rate is computed over the current period and the
 * previous period.
 */
const WINDOW = 5_000;

/** Measures how many frames per second a wall has confirmed in the last five to ten seconds. */
export class FrameRate {
  private count = 0;
  private before: { readonly count: number; readonly start: number };

  /** @param start start of the measurement, by the monotonic clock, in ms */
  constructor(private start: number) {
    this.before = { count: 0, start };
  }

  confirm(now: number, frames = 1): void {
    if (now - this.start >= WINDOW) {
      this.before = { count: this.count, start: this.start };
      this.start = now;
      this.count = 0;
    }
    this.count += frames;
  }

  at(now: number): number {
    const { count, start, before } = this;
    if (now - start >= 2 * WINDOW) return 0;
    return (1000 * (before.count + count)) / Math.max(1_000, now - before.start);
  }
}

/**
 * Lists the states of the walls of a room.
 *
 * @param seats the room's reserved seats
 * @param connected connected walls. Several walls may use the same reserved seat
 * @param now current time by the monotonic clock, in ms
 * @returns one state for each reserved seat, then one for each wall without a reserved seat
 */
export function wallStates(
  seats: readonly WallSeat[],
  connected: readonly (Screen & Pick<WatcherSeat, 'place'>)[],
  now: number,
): WallState[] {
  const stateOf = (seat: WallSeat | undefined, screens: readonly Screen[]): WallState => ({
    id: seat?.id ?? null,
    name: seat?.name ?? '',
    path: seat ? `/${seat.table ? 'table' : 'wall'}/${seat.room}?pass=${seat.pass}` : '',
    ...{ table: seat?.table ?? false, blocked: seat?.blocked ?? false },
    screens: screens.length,
    upFor: screens.length > 0 ? now - Math.min(...screens.map(({ since }) => since)) : null,
    lost: seat?.lost ?? null,
    unwritable: [...new Set(screens.flatMap(({ unwritable }) => unwritable))],
    // If several screens use the seat, report the lowest frame rate.
    frameRate:
      screens.length > 0 ? Math.min(...screens.map(({ frameRate }) => frameRate.at(now))) : 0,
  });
  const screensOf = (id: number | undefined) => connected.filter(({ place }) => place === id);
  return [
    ...seats.map((seat) => stateOf(seat, screensOf(seat.id))),
    ...screensOf(undefined).map((wall) => stateOf(undefined, [wall])),
  ];
}

/** How long a wall must be connected to count as settled, in ms. */
export const SETTLED = 60_000;

type Film = NonNullable<Event<'film'>['film']>;

/** A film or a close-up, which walls show instead of the whole room. */
type Shown = { readonly film: Film } | { readonly closeUp: Event<'spotlight'> };

/** The walls and touch tables of a room. */
export class RoomWalls extends Watchers<ScreenSeat> {
  /** Whether a wall has disconnected that had been connected for at least `SETTLED`. */
  private isMissed = false;
  /** The film or close-up on the walls, and its start time, in ms. */
  private shown: (Shown & { readonly since: number }) | undefined;
  private cancelEnd = (): void => {};

  constructor(context: RoomContext, welcomeBuilder: WelcomeBuilder) {
    const full = 'too-many-walls';
    super(context, welcomeBuilder, { most: MAX_WALLS, full, evicted: full, tier: 'full' });
  }

  /**
   * Whether the room lacks a wall: a settled wall (see `SETTLED`) has disconnected, and no
   * connected wall is settled.
   */
  get isBare(): boolean {
    return this.isMissed && !this.connected.some((wall) => this.hasSettled(wall));
  }

  /** Makes the room count as lacking a wall (see `isBare`), as it did before a restart. */
  startBare(): void {
    this.isMissed = true;
  }

  /** Number of connected walls. */
  get upCount(): number {
    return this.connected.length;
  }

  /** States of all connected walls, and of reserved seats without a connected wall. */
  get states(): WallState[] {
    const { wallSeats, room, clock } = this.context;
    return wallStates(wallSeats.of(room.name), this.connected, clock.now());
  }

  /**
   * Welcomes a wall and sends it the frames of the whole room. If `as` is `view`, the client is a
   * view of the room on the host's page, and does not count as a wall.
   *
   * @throws Refusal `too-many-walls`, `no-such-table`, `table-taken`
   */
  add(wall: RoomClient, { as, pass = '', session, unwritable = [], holds }: Entry): void {
    const { wallSeats, room, clock } = this.context;
    const isTable = as === 'table';
    const found = wallSeats.find(room.name, pass);
    const place = (found?.table ?? false) === isTable ? found?.id : undefined;
    if (isTable) this.requireFree(place, session);
    const since = clock.now();
    const screen =
      as === 'view' ? undefined : { since, frameRate: new FrameRate(since), unwritable };
    this.seat(wall, { address: wall.address, place, screen, ...(isTable && { session }) });
    if (place !== undefined) wallSeats.appeared(place);
    this.welcome(wall, holds);
  }

  hasWallAt(address: string): boolean {
    return [...this.seats.values()].some((seat) => seat.address === address);
  }

  /**
   * Handles the removal of a reserved seat. A wall that uses the seat stays connected. A table that
   * uses the seat is disconnected.
   */
  release({ id, table }: WallSeat): void {
    for (const [wall, seat] of [...this.seats]) {
      if (seat.place !== id) continue;
      if (table) this.dismiss(wall, 'no-such-table');
      else this.seats.set(wall, { ...seat, place: undefined });
    }
  }

  /**
   * Checks that no other page uses a table's seat. Closes an earlier connection of the same page.
   *
   * @param place id of the table's reserved seat
   * @param session session id of the page
   * @throws Refusal `no-such-table`, `table-taken`
   */
  private requireFree(place: number | undefined, session: number | undefined): void {
    if (place === undefined) throw new Refusal('no-such-table');
    const found = [...this.seats].find(([, seat]) => seat.place === place);
    if (!found) return;
    if (session === undefined || found[1].session !== session) throw new Refusal('table-taken');
    this.dismiss(found[0], 'replaced');
  }

  /** The film on the walls, with its current frame number; undefined if the walls show no film. */
  get film(): Film | undefined {
    if (!this.shown || !('film' in this.shown)) return undefined;
    const { film, since } = this.shown;
    const played = Math.floor((film.speed * (this.context.clock.now() - since)) / 1000);
    return { ...film, frame: (film.frame + played) % film.frames };
  }

  /**
   * Whether the walls show a film or a close-up, and for how much longer (`left`, in ms). Null if
   * the walls show the whole room.
   */
  get showing(): RoomSummary['walls']['showing'] {
    if (!this.shown) return null;
    const what = 'film' in this.shown ? 'film' : 'closeUp';
    const { since } = this.shown;
    return { what, left: Math.max(0, since + WALL_TIMES[what] - this.context.clock.now()) };
  }

  /** Makes all walls show a film or a close-up, or the whole room if `shown` is undefined. */
  show(shown: Shown | undefined): void {
    const { clock } = this.context;
    this.cancelEnd();
    this.shown = shown && { ...shown, since: clock.now() };
    const { showing } = this;
    this.cancelEnd = showing ? clock.after(showing.left, () => this.show(undefined)) : () => {};
    for (const { client } of this.connected) this.sendShown(client);
  }

  /** Counts frames that a wall has shown. */
  confirm(client: RoomClient, frames: number): void {
    this.seats.get(client)?.screen?.frameRate.confirm(this.context.clock.now(), frames);
  }

  override remove(client: RoomClient): boolean {
    const { place, screen } = this.seats.get(client) ?? {};
    if (!super.remove(client)) return false;
    const isLast = [...this.seats.values()].every((seat) => seat.place !== place);
    if (place !== undefined && isLast) this.context.wallSeats.vanished(place);
    if (screen && this.hasSettled(screen)) this.isMissed = true;
    return true;
  }

  override disconnectAll(reason: Reason): void {
    super.disconnectAll(reason);
    this.isMissed = false;
    this.show(undefined);
  }

  protected override welcome(wall: RoomClient, holds?: Uint8Array): void {
    super.welcome(wall, holds);
    // Always notify the wall: a wall that reconnects may still show a film that has ended.
    if (this.seats.get(wall)?.screen) this.sendShown(wall);
  }

  /** Connected walls, excluding views of the room on the host's page. */
  private get connected() {
    return [...this.seats].flatMap(([client, { place, screen }]) =>
      screen ? [{ client, place, ...screen }] : [],
    );
  }

  private hasSettled({ since }: Screen): boolean {
    return this.context.clock.now() - since >= SETTLED;
  }

  private sendShown(wall: RoomClient): void {
    const { shown, film } = this;
    wall.send('film', { film });
    wall.send('closeUp', { at: shown && 'closeUp' in shown ? shown.closeUp : undefined });
  }
}
