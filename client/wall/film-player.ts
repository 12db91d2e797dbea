/** Plays a film of the room on a wall when the host starts one. */
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { momentOfFrame } from '../../shared/time-points.ts';
import type { WallView } from './wall-view.ts';

type Film = NonNullable<Event<'film'>['film']>;

/** Minimum time between two frames of a film, in ms. */
const LEAST_STEP = 30;
/** Delay before a failed download is repeated, in ms. */
const RETRY = 1_000;

/** Downloads each frame of a film when it is due, and shows it. */
export class FilmPlayer {
  /**
   * Called with the time of day of each frame shown, and with undefined when the room is shown
   * again.
   */
  onMoment: (moment: string | undefined) => void = () => {};
  /** Number of calls of `play` so far. A loop in `run` ends when this number changes. */
  private turn = 0;

  /**
   * @param load requests a path from the server
   * @param screen the view that shows the film
   * @param now returns the current time, in ms
   * @param pause returns a promise that resolves after a delay, in ms
   */
  constructor(
    private readonly load: (path: string) => Promise<Response>,
    private readonly screen: Pick<WallView, 'room' | 'showInstead'>,
    private readonly now = () => performance.now(),
    private readonly pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {}

  /** Plays a film in a loop. If `film` is undefined, shows the room again. */
  play(film: Film | undefined): void {
    const turn = ++this.turn;
    if (film) void this.run(film, turn);
    else {
      this.screen.showInstead(undefined);
      this.onMoment(undefined);
    }
  }

  private async run(film: Film, turn: number): Promise<void> {
    const start = this.now();
    for (let shown = -1; turn === this.turn; ) {
      const played = Math.floor((film.speed * (this.now() - start)) / 1000);
      const frame = (film.frame + played) % film.frames;
      if (frame !== shown) {
        const planes = await this.fetch(film, frame);
        if (turn !== this.turn) return;
        if (planes) {
          this.screen.showInstead(planes, film.speed > 0 ? 1000 / film.speed : undefined);
          this.onMoment(momentOf(film, frame));
          shown = frame;
        }
      }
      if (film.speed === 0 && shown === frame) return;
      await this.pause(shown === frame ? Math.max(LEAST_STEP, 500 / film.speed) : RETRY);
    }
  }

  /**
   * Fetches one frame of a film. Returns undefined if the frame cannot be fetched, or if its size
   * differs from the room's size.
   */
  private async fetch({ id }: Film, frame: number): Promise<Planes | undefined> {
    const { width = 0, height = 0 } = this.screen.room ?? {};
    const cells = width * height;
    try {
      const response = await this.load(`/host/api/films/${id}/${frame}`);
      const bytes = await response.arrayBuffer();
      if (!response.ok || bytes.byteLength !== 8 * cells) return undefined;
      const rgba = new Uint8Array(bytes, 0, 4 * cells);
      return { width, height, rgba, owner: new Uint32Array(bytes, 4 * cells) };
    } catch {
      return undefined;
    }
  }
}

/**
 * Returns the time of day at which a film's frame was recorded, such as '13:00', in the server's
 * time zone. Returns '' if the time or the time zone is unknown.
 */
function momentOf(film: Film, frame: number): string {
  const at = momentOfFrame(film, frame);
  const time = { hour: '2-digit', minute: '2-digit', timeZone: film.zone } as const;
  try {
    return at === null ? '' : new Date(at).toLocaleTimeString('en-GB', time);
  } catch {
    return '';
  }
}
