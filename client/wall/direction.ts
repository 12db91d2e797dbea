/**
 * Chooses the events that a wall shows in close-up: one at a time, with breaks in between.
 * Functions that depend on the time get the current time as an argument.
 */
import type { OrganismView, ParticipantId } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import type { RecentEvent, WallNews } from './captions.ts';
import type { NewsKind } from './text.ts';

/** Duration of the camera's glide to an event, and of the glide back, in ms. */
export const DIRECTION_GLIDE = 2_200;
/**
 * Minimum time from the end of the camera's glide back to the whole room until the next close-up,
 * in ms.
 */
const REST = 8_000;
/**
 * After an event has ended, the camera stays for a while to show the outcome: for `LINGER` ms, or
 * less if the close-up has already taken long (see `LONGEST`), but for at least `OUTCOME` ms.
 */
const LINGER = 8_000;
const OUTCOME = 2_000;
/**
 * Maximum time that the camera stays after it has arrived, in ms. If the event ends so late that
 * its outcome could not be shown for `OUTCOME` ms, the camera stays longer.
 */
const LONGEST = 12_000;
/**
 * An event is shown only if it is expected to last at least this long after the camera has arrived,
 * in ms.
 */
const LEAST = 1_000;
/** How long a visitor counts as active after an action, in ms. */
const ACTIVE = 10_000;
/**
 * If at least this many visitors are active outside the area of a close-up, there is no close-up,
 * so that these visitors can see what they are doing.
 */
const SEVERAL = 2;

type Kind = NewsKind | 'crossed';

/**
 * How long each kind of event is assumed to last, in ms, until real durations have been measured.
 * Kinds of events that are not listed are never shown in close-up.
 */
const USUAL: Partial<Record<Kind, number>> = {
  ...{ crossed: 8_000, born: 8_000, departing: 8_000 },
  ...{ wounded: 4_000, grafted: 4_000, transformed: 4_000 },
};
/** Weight of the latest measurement in the mean duration of an event. */
const LATEST = 0.3;

const kindOf = ({ what, parents }: RecentEvent): Kind =>
  what === 'born' && parents.length === 2 ? 'crossed' : what;

/** Returns whether an event is still going on, judging by the present state of its organism. */
function lasts(what: NewsKind, { phase, hurt }: OrganismView): boolean {
  if (what === 'born') return phase === 'growing';
  if (what === 'wounded') return hurt && phase !== 'departing' && phase !== 'dead';
  if (what === 'departing') return phase === 'departing';
  return what !== 'healed' && phase === 'awake';
}

interface Shown extends Pick<RecentEvent, 'what' | 'organism' | 'at'> {
  readonly kind: Kind;
  readonly since: number;
  /** Time at which the event ended, in ms. Undefined while it is in progress. */
  endedAt?: number;
}

export class Direction {
  /** Number of close-ups per minute; 0 turns close-ups off. */
  rate = 0;
  private shown: Shown | undefined;
  private startedAt = Number.NEGATIVE_INFINITY;
  private leftAt: number | undefined;
  /** Time at which each kind of event was last shown, in ms. */
  private readonly lastAt = new Map<Kind, number>();
  private readonly usual = new Map(Object.entries(USUAL) as [Kind, number][]);
  /**
   * Events that are still going on, by kind and organism. Their durations are measured when they
   * end.
   */
  private readonly open = new Map<string, RecentEvent>();
  private readonly acts = new Map<ParticipantId, { x: number; y: number; at: number }>();

  /** @param now returns the current time, in ms */
  constructor(
    private readonly model: RoomModel,
    private readonly news: WallNews,
    now: () => number,
  ) {
    model.on('wall', () => {
      this.shown = undefined;
      this.open.clear();
      this.acts.clear();
    });
    model.on('life', ({ event, organism: { x, y, planter } }) => {
      const by = event.what === 'born' ? planter.id : 'by' in event ? event.by : undefined;
      if (by !== undefined && model.participants.has(by)) this.acts.set(by, { x, y, at: now() });
    });
  }

  /**
   * Returns the event that the wall must now show in close-up. Undefined if it must show the whole
   * room.
   *
   * @param now current time, in ms
   * @param reach half the side of a close-up's area, in cells
   */
  at(now: number, reach: number): Shown | undefined {
    const news = this.news.recent();
    this.measure(news, now);
    this.leftAt ??= now;
    const { shown } = this;
    if (!shown) this.shown = this.next(news, now, reach);
    else if (!this.stays(shown, now, reach)) {
      this.shown = undefined;
      this.leftAt = now;
    }
    return this.shown;
  }

  private stays(shown: Shown, now: number, reach: number): boolean {
    const organism = this.model.organisms.get(shown.organism.id);
    if (!organism || !lasts(shown.what, organism)) shown.endedAt ??= now;
    if (this.rate === 0 || this.isHiding(shown.organism, now, reach)) return false;
    const arrived = shown.since + DIRECTION_GLIDE;
    const { endedAt = arrived + LONGEST } = shown;
    const latest = Math.max(arrived + LONGEST, endedAt + OUTCOME);
    return now < Math.min(Math.max(endedAt, arrived) + LINGER, latest);
  }

  private next(news: readonly RecentEvent[], now: number, reach: number): Shown | undefined {
    const { rate, startedAt, leftAt = now } = this;
    if (rate === 0 || now < startedAt + 60_000 / rate) return undefined;
    if (now < leftAt + DIRECTION_GLIDE + REST) return undefined;
    let best: Shown | undefined;
    for (const one of news) {
      const kind = kindOf(one);
      const usual = this.usual.get(kind);
      if (usual === undefined || !lasts(one.what, one.organism)) continue;
      const left = one.at + usual - now - DIRECTION_GLIDE;
      if (left < LEAST || left > LONGEST - OUTCOME || this.isHiding(one.organism, now, reach))
        continue;
      // Choose the kind of event whose last close-up was longest ago, so that the kinds alternate.
      const turn = this.lastAt.get(kind) ?? 0;
      if (best && turn >= (this.lastAt.get(best.kind) ?? 0)) continue;
      best = { what: one.what, organism: one.organism, at: one.at, kind, since: now };
    }
    if (!best) return undefined;
    this.startedAt = now;
    this.lastAt.set(best.kind, now);
    return best;
  }

  /**
   * Returns whether a close-up of an organism would leave out places at which several visitors are
   * active.
   */
  private isHiding({ x, y }: OrganismView, now: number, reach: number): boolean {
    let count = 0;
    for (const [id, act] of this.acts) {
      if (now > act.at + ACTIVE) this.acts.delete(id);
      else if (Math.max(Math.abs(act.x - x), Math.abs(act.y - y)) > reach) count++;
    }
    return count >= SEVERAL;
  }

  /** Measures the durations of events, because they depend on the settings of the room. */
  private measure(news: readonly RecentEvent[], now: number): void {
    const { open, usual } = this;
    for (const one of news) {
      const key = `${one.what} ${one.organism.id}`;
      if (usual.has(kindOf(one)) && lasts(one.what, one.organism)) open.set(key, one);
    }
    for (const [key, one] of open) {
      const organism = this.model.organisms.get(one.organism.id);
      if (organism && lasts(one.what, organism)) continue;
      open.delete(key);
      const kind = kindOf(one);
      usual.set(kind, usual.get(kind)! * (1 - LATEST) + LATEST * (now - one.at));
    }
  }
}
