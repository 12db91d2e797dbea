/**
 * Films of how seeds would grow: asked for one after another, the last wish first, and kept for a while. Whoever shows one says what
 * it wants, and is told when something new is there.
 */
import type { PreviewSource } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import { Listeners } from '../state/listeners.ts';
import type { RequestTracker } from './request-tracker.ts';

export interface FilmView {
  /** Picture strip of `frames` squares, the grown one last. */
  readonly url: string;
  readonly frames: number;
}

export interface PreviewsOptions {
  readonly ask: RequestTracker['ask'];
  /** Makes a URL of a PNG. */
  readonly urlOf: (png: Uint8Array<ArrayBuffer>) => string;
  readonly revoke: (url: string) => void;
  readonly after: (ms: number, call: () => void) => void;
}

/** Films kept. */
const KEPT = 80;
/** Requests under way at once. */
const MOST_ASKED = 2;
/** A server that is busy is asked again so much later. */
const RETRY = 1_000;

const isPassing = (reason: Reason): boolean => reason === 'room-busy' || reason === 'too-fast';

export class Previews {
  private readonly films = new Map<string, FilmView | 'none'>();
  private readonly asked = new Set<string>();
  /** What each viewer wants to show, the newest wish last. */
  private readonly wishes = new Map<object, PreviewSource>();
  private readonly listeners = new Listeners<{ change: undefined }>();
  private resting = false;
  private era = 0;
  private you = 0;

  constructor(private readonly options: PreviewsOptions) {}

  onChange(listener: () => void): () => void {
    return this.listeners.on('change', listener);
  }

  /** Says what a viewer wants to show; one wish each. */
  want(viewer: object, seed: PreviewSource): void {
    this.wishes.delete(viewer);
    this.wishes.set(viewer, seed);
    this.pump();
  }

  /** A viewer shows nothing any more. */
  forget(viewer: object): void {
    this.wishes.delete(viewer);
  }

  /** The film of a seed; undefined while it is not there, 'none' where there is no such seed. */
  film(seed: PreviewSource): FilmView | 'none' | undefined {
    const key = JSON.stringify(seed);
    const film = this.films.get(key);
    if (!film) return undefined;
    this.films.delete(key);
    this.films.set(key, film);
    return film;
  }

  /** A connection has been made anew: what was asked before is not answered any more. */
  renew(you: number): void {
    this.era++;
    this.asked.clear();
    // Seeds of hands are numbered for each participant, and whatever was not there may be by now.
    for (const [key, film] of this.films) {
      if (film === 'none' || (you !== this.you && key.includes('"hand"'))) this.drop(key);
    }
    this.you = you;
    this.pump();
  }

  private pump(): void {
    if (this.resting) return;
    for (const seed of [...this.wishes.values()].reverse()) {
      const key = JSON.stringify(seed);
      if (this.asked.size >= MOST_ASKED) return;
      if (this.films.has(key) || this.asked.has(key)) continue;
      this.request(key, seed);
    }
  }

  private request(key: string, seed: PreviewSource): void {
    const { era } = this;
    const { ask, after } = this.options;
    this.asked.add(key);
    const answered = (act: () => void): void => {
      if (era !== this.era) return;
      this.asked.delete(key);
      act();
      this.pump();
    };
    ask(
      'preview',
      { seed },
      {
        accepted: ({ film }) => answered(() => film && this.keep(key, film)),
        rejected: (reason) =>
          answered(() => {
            if (!isPassing(reason)) return this.put(key, 'none');
            this.resting = true;
            after(RETRY, () => {
              this.resting = false;
              this.pump();
            });
          }),
      },
    );
  }

  private keep(key: string, { png, frames }: NonNullable<Event<'accepted'>['film']>): void {
    this.put(key, { url: this.options.urlOf(png), frames });
  }

  private put(key: string, film: FilmView | 'none'): void {
    this.films.set(key, film);
    const shown = new Set([...this.wishes.values()].map((seed) => JSON.stringify(seed)));
    for (const oldest of this.films.keys()) {
      if (this.films.size <= KEPT) break;
      if (!shown.has(oldest)) this.drop(oldest);
    }
    this.listeners.emit('change', undefined);
  }

  private drop(key: string): void {
    const film = this.films.get(key);
    this.films.delete(key);
    if (film && film !== 'none') this.options.revoke(film.url);
  }
}

/** Previews in a browser. */
export function browserPreviews(requests: RequestTracker): Previews {
  return new Previews({
    ask: requests.ask.bind(requests) as RequestTracker['ask'],
    urlOf: (png) => URL.createObjectURL(new Blob([png], { type: 'image/png' })),
    revoke: (url) => URL.revokeObjectURL(url),
    after: (ms, call) => setTimeout(call, ms),
  });
}
