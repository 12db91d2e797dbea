/** Chooses the events that a wall shows in close-up: one at a time, with breaks in between. */
import type { OrganismView, ParticipantId } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import type { RecentEvent, WallNews } from './captions.ts';
import type { NewsKind } from './text.ts';

/** Duration of each glide of the camera to or from an event, in ms. */
export const CLOSE_UP_GLIDE = 2_200;
/** Minimum time between two close-ups, in ms, not counting glides. */
const REST = 8_000;
/**
 * A close-up ends as soon as one of these statements is true:
 * - the event ended at least `LINGER` ms ago, and the camera arrived at least `LINGER` ms ago
 * - the event ended at least `OUTCOME` ms ago, and the camera arrived at least `LONGEST` ms ago
 * - the event has not ended, and the camera arrived at least `LONGEST + OUTCOME` ms ago
 */
const LINGER = 8_000;
const OUTCOME = 2_000;
const LONGEST = 12_000;
/**
 * A close-up begins only if its event is expected to last at least this long after the camera has
 * arrived. In ms.
 */
const LEAST = 1_000;
/** How long a visitor counts as active after an action, in ms. */
const ACTIVE = 10_000;
/**
 * If at least this many visitors are active outside the area of a close-up, the wall shows the
 * whole room instead.
 */
const SEVERAL = 2;

type Kind = NewsKind | 'crossed';

/**
 * Expected duration of each kind of event, in ms, until durations have been measured. Kinds that
 * are not listed are never shown in close-up.
 */
const USUAL: Partial<Record<Kind, number>> = {
  ...{ crossed: 8_000, born: 8_000, departing: 8_000 },
  ...{ wounded: 4_000, grafted: 4_000, transformed: 4_000 },
};
/** Minimum time between two decisions, in ms, so that most frames compute nothing here. */
const DECIDE_EVERY = 100;
/** Weight of the latest measurement in the moving average of an event's duration, 0 to 1. */
const LATEST = 0.3;

const kindOf = ({ what, parents }: RecentEvent): Kind =>
  what === 'born' && parents.length === 2 ? 'crossed' : what;

/** Returns whether the present state of an organism shows that an event is still in progress. */
function lasts(what: NewsKind, { phase, hurt }: OrganismView): boolean {
  if (what === 'born') return phase === 'growing';
  if (what === 'wounded') return hurt && phase !== 'departing' && phase !== 'dead';
  if (what === 'departing') return phase === 'departing';
  return what !== 'healed' && phase === 'awake';
}

interface Shown extends Pick<RecentEvent, 'what' | 'organism' | 'at'> {
  readonly kind: Kind;
  readonly since: number;
  /** Time at which the event ended, in ms. */
  endedAt?: number;
}

export class CloseUps {
  /** Number of close-ups per minute; 0 turns close-ups off. */
  rate = 0;
  private shown: Shown | undefined;
  private startedAt = Number.NEGATIVE_INFINITY;
  private leftAt: number | undefined;
  private decidedAt = Number.NEGATIVE_INFINITY;
  /** Time at which each kind of event was last shown, in ms. */
  private readonly lastAt = new Map<Kind, number>();
  private readonly usual = new Map(Object.entries(USUAL) as [Kind, number][]);
  /** Events in progress, by kind and organism. Their durations are measured when they end. */
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
   * Returns the event that the wall must now show in close-up; undefined for the whole room.
   *
   * @param now current time, in ms
   * @param reach half the side length of a close-up's area, in cells
   */
  at(now: number, reach: number): Shown | undefined {
    if (now < this.decidedAt + DECIDE_EVERY) return this.shown;
    this.decidedAt = now;
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
    const arrived = shown.since + CLOSE_UP_GLIDE;
    const { endedAt = arrived + LONGEST } = shown;
    const latest = Math.max(arrived + LONGEST, endedAt + OUTCOME);
    return now < Math.min(Math.max(endedAt, arrived) + LINGER, latest);
  }

  private next(news: readonly RecentEvent[], now: number, reach: number): Shown | undefined {
    const { rate, startedAt, leftAt = now } = this;
    if (rate === 0 || now < startedAt + 60_000 / rate) return undefined;
    if (now < leftAt + CLOSE_UP_GLIDE + REST) return undefined;
    let best: Shown | undefined;
    for (const one of news) {
      const kind = kindOf(one);
      const usual = this.usual.get(kind);
      if (usual === undefined || !lasts(one.what, one.organism)) continue;
      const left = one.at + usual - now - CLOSE_UP_GLIDE;
      if (left < LEAST || left > LONGEST - OUTCOME || this.isHiding(one.organism, now, reach))
        continue;
      // Prefer the kind of event whose last close-up was longest ago, so that the kinds alternate.
      const turn = this.lastAt.get(kind) ?? 0;
      if (best && turn >= (this.lastAt.get(best.kind) ?? 0)) continue;
      best = { what: one.what, organism: one.organism, at: one.at, kind, since: now };
    }
    if (!best) return undefined;
    this.startedAt = now;
    this.lastAt.set(best.kind, now);
    return best;
  }

  /** Returns whether a close-up of an organism would hide at least `SEVERAL` active visitors. */
  private isHiding({ x, y }: OrganismView, now: number, reach: number): boolean {
    let count = 0;
    for (const [id, act] of this.acts) {
      if (now > act.at + ACTIVE) this.acts.delete(id);
      else if (Math.max(Math.abs(act.x - x), Math.abs(act.y - y)) > reach) count++;
    }
    return count >= SEVERAL;
  }

  /** Measures how long events last. */
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
