/**
 * Which caption a wall shows: only what is true of its room now. What has just happened and what
 * holds all the time take turns.
 */
import type { ColourRange } from '../../shared/hues.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import {
  type Caption,
  crossedText,
  livingText,
  type NewsKind,
  newsText,
  seasonText,
  standingText,
} from './text.ts';

/** Something that has just happened to an organism. */
export interface RecentEvent {
  readonly what: NewsKind;
  /** As it is now. */
  readonly organism: OrganismView;
  /** What it was crossed from, as far as it is known. */
  readonly parents: readonly OrganismView[];
}

/** What the gardener prefers now. */
export interface Season {
  /** Category of the gallery. */
  readonly kind: string;
  /** Absent: colours differ. */
  readonly colour?: ColourRange | undefined;
}

/** What a wall knows of its room. */
export interface CaptionFacts {
  /** All that live, those that depart included. */
  readonly organisms: readonly OrganismView[];
  /** Of the last seconds, the latest first. */
  readonly news: readonly RecentEvent[];
  /** Whether nobody has been here for a while. */
  readonly isAlone: boolean;
  /** Whether it shows a QR code. */
  readonly hasCode: boolean;
  /** Whether the room shows the names of planters. */
  readonly names: boolean;
  /** Whether the gardener has planted lately. */
  readonly isTended: boolean;
  readonly season?: Season | undefined;
}

/** A caption in any language. */
export interface Line {
  /** The same for the same caption at another time. */
  readonly id: string;
  readonly text: (voice: Caption) => string;
}

/** Distance of two windows, in sides, below which their organisms press against each other. */
const PRESSING = 0.8;
/** Captions that are remembered as shown. */
const MOST_KEPT = 200;

/** What has just happened and still holds, the latest first. */
export function newsLines({ news, names }: CaptionFacts): Line[] {
  return news.flatMap(({ what, organism, parents }): Line[] => {
    const { id, phase, hurt } = organism;
    const lives = phase !== 'departing' && phase !== 'dead';
    const holds = {
      born: lives,
      transformed: lives,
      wounded: lives && hurt,
      healed: lives && !hurt,
      departing: phase === 'departing',
    }[what];
    if (!holds) return [];
    const isChild = what === 'born' && parents.length === 2 && parents.every(({ kind }) => kind);
    const text = (voice: Caption): string =>
      isChild ? crossedText(voice, parents) : newsText(voice, what, organism, names);
    return [{ id: `${what} ${id}`, text }];
  });
}

/** What holds as long as the room is as it is, in the order in which it is shown. */
export function standingLines(facts: CaptionFacts): Line[] {
  const { isAlone, hasCode, isTended, season } = facts;
  const organisms = facts.organisms.filter(({ phase }) => phase !== 'departing');
  const count = organisms.length;
  const grown = organisms.filter(({ phase }) => phase !== 'growing').length;
  const living: Line = { id: 'living', text: (voice) => livingText(voice, count, isAlone) };
  const lines: readonly (readonly [when: boolean, line: Line])[] = [
    [count === 0 && isAlone, standing('first')],
    [count > 0 && isAlone, living],
    [hasCode && !isAlone, standing('scan')],
    [hasCode && isAlone, standing('point')],
    [organisms.some(({ phase }) => phase === 'growing'), standing('grows')],
    [count > 0 && !isAlone, living],
    [
      season !== undefined,
      { id: `season ${season?.kind}`, text: (voice) => seasonText(voice, season!) },
    ],
    [isAlone && isTended, standing('tended')],
    [count > 0, standing('cells')],
    [grown > 0, standing('wound')],
    [press(organisms), standing('press')],
    [grown > 1, standing('cross')],
  ];
  return lines.flatMap(([when, line]) => (when ? [line] : []));
}

const standing = (id: Parameters<typeof standingText>[1]): Line => ({
  id,
  text: (voice) => standingText(voice, id),
});

function press(organisms: readonly OrganismView[]): boolean {
  return organisms.some((one, i) =>
    organisms
      .slice(i + 1)
      .some(({ x, y }) => Math.max(Math.abs(one.x - x), Math.abs(one.y - y)) < PRESSING * one.side),
  );
}

/** The captions of a wall, one after another. */
export class CaptionTurns {
  private turn = 0;
  private wasNews = false;
  /** The turn in which each caption was last shown. */
  private readonly shown = new Map<string, number>();

  /**
   * The next caption: news that was not shown yet, but never twice running; otherwise what was not
   * shown for longest.
   *
   * @returns undefined if there is nothing to say
   */
  next(facts: CaptionFacts): Line | undefined {
    const fresh = this.wasNews ? [] : newsLines(facts).filter(({ id }) => !this.shown.has(id));
    const line = fresh[0] ?? this.longestAgo(standingLines(facts));
    this.wasNews = fresh.length > 0;
    if (line) {
      // At its end, so that the oldest ones can be forgotten.
      this.shown.delete(line.id);
      this.shown.set(line.id, this.turn++);
      if (this.shown.size > MOST_KEPT) this.shown.delete(this.shown.keys().next().value!);
    }
    return line;
  }

  /** The caption as it is now, if it still holds. */
  again({ id }: Line, facts: CaptionFacts): Line | undefined {
    return [...newsLines(facts), ...standingLines(facts)].find((line) => line.id === id);
  }

  private longestAgo(lines: readonly Line[]): Line | undefined {
    const turnOf = ({ id }: Line): number => this.shown.get(id) ?? -1;
    return lines.reduce<Line | undefined>(
      (best, line) => (best && turnOf(best) <= turnOf(line) ? best : line),
      undefined,
    );
  }
}
