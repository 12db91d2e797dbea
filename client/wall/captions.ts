/**
 * Chooses the captions of a wall. Captions about recent events in the lives of organisms alternate
 * with captions about the room.
 */

import { COLOUR_RANGES, colourRange, meanColourAt } from '../../shared/hues.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import {
  HOUSE,
  type OrganismId,
  type OrganismView,
  type ParticipantId,
} from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import * as texts from './text.ts';

/** How long a caption is shown, in ms. */
export const CAPTION_TIME = 12_000;

/** A recent event in the life of an organism, with the organism's parents. */
export interface RecentEvent extends texts.News {
  /** Time of the event, in ms. */
  readonly at: number;
  /**
   * The organism's parents that are still in the room; empty if it was not planted from a cross.
   */
  readonly parents: readonly OrganismView[];
}

/** The facts that captions depend on. */
export type CaptionFacts = NonNullable<ReturnType<WallNews['facts']>>;

/** A caption that can be shown in any language. */
export interface Line {
  /** Identifies the caption. Stays unchanged if numbers in the text change. */
  readonly id: string;
  readonly text: (voice: texts.Caption) => string;
  /** The organism beside which the caption is shown. Undefined if the caption is about the room. */
  readonly about?: OrganismView;
  /** Whether the host wrote the text. Such a text is not translated. */
  readonly isOwn?: boolean;
}

/**
 * Two organisms are assumed to push against each other if their centres are closer than this, both
 * horizontally and vertically. In multiples of an organism's side.
 */
const PRESSING = 0.8;
/** Maximum number of captions remembered as already shown. */
const MOST_KEPT = 200;

/** Returns the captions about recent events that are still true, latest event first. */
export function newsLines({ news, names }: CaptionFacts): Line[] {
  return news.flatMap((one): Line[] => {
    const { what, organism, parents } = one;
    const { id, phase, hurt } = organism;
    const lives = phase !== 'departing' && phase !== 'dead';
    const holds = {
      born: lives,
      transformed: lives,
      grafted: lives && organism.parts !== undefined,
      wounded: lives && hurt,
      healed: lives && !hurt,
      departing: phase === 'departing',
    }[what];
    if (!holds) return [];
    const isChild = what === 'born' && parents.length === 2 && parents.every(({ kind }) => kind);
    const text = (voice: texts.Caption): string =>
      isChild ? texts.crossedText(voice, parents) : texts.newsText(voice, one, names);
    return [{ id: `${what} ${id}`, text, about: organism }];
  });
}

/**
 * Returns the captions about the room that are true now. Captions that have never been shown are
 * shown in this order.
 */
export function standingLines(facts: CaptionFacts): Line[] {
  const { isAlone, hasCode, isTended, season, exhibition } = facts;
  const organisms = facts.organisms.filter(({ phase }) => phase !== 'departing');
  const count = organisms.length;
  const grown = organisms.filter(({ phase }) => phase !== 'growing').length;
  const living: Line = { id: 'living', text: (voice) => texts.livingText(voice, count, isAlone) };
  const ofSeason: Line = {
    id: `season ${season?.kind}`,
    text: (voice) => texts.seasonText(voice, season!),
  };
  const lines: readonly (readonly [when: boolean, line: Line])[] = [
    [count === 0 && isAlone, standing('first')],
    [count > 0 && isAlone, living],
    [exhibition !== '', { id: 'exhibition', text: () => exhibition, isOwn: true }],
    [hasCode && !isAlone, standing('scan')],
    [hasCode && isAlone, standing('point')],
    [organisms.some(({ phase }) => phase === 'growing'), standing('grows')],
    [count > 0 && !isAlone, living],
    [season !== undefined, ofSeason],
    [isAlone && isTended, standing('tended')],
    [count > 0, standing('cells')],
    [grown > 0, standing('wound')],
    [press(organisms), standing('press')],
    [grown > 1, standing('cross')],
  ];
  return lines.flatMap(([when, line]) => (when ? [line] : []));
}

const standing = (id: keyof typeof texts.TEXTS): Line => ({
  id,
  text: ({ say }) => say(texts.TEXTS[id]),
});

function press(organisms: readonly OrganismView[]): boolean {
  return organisms.some((one, i) =>
    organisms
      .slice(i + 1)
      .some(({ x, y }) => Math.max(Math.abs(one.x - x), Math.abs(one.y - y)) < PRESSING * one.side),
  );
}

/** Chooses the captions of a wall, one after another. */
export class CaptionTurns {
  private turn = 0;
  private wasNews = false;
  /** For each caption shown so far, by id: the number of the turn in which it was last shown. */
  private readonly shown = new Map<string, number>();

  /**
   * Chooses the next caption. During a close-up, prefers a recent event of the organism shown.
   * Otherwise, alternates between two kinds: the latest event that no caption has reported yet, and
   * the caption about the room that was shown longest ago.
   *
   * @returns undefined if there is no suitable caption
   */
  next(facts: CaptionFacts): Line | undefined {
    const news = newsLines(facts);
    const told =
      facts.shown === undefined
        ? news.find(({ id }) => !this.wasNews && !this.shown.has(id))
        : news.find(({ about }) => about?.id === facts.shown);
    const line = told ?? this.longestAgo(standingLines(facts));
    this.wasNews = told !== undefined;
    if (line) {
      // Move the entry to the end of the `Map`, so that the caption shown longest ago comes first.
      this.shown.delete(line.id);
      this.shown.set(line.id, this.turn++);
      if (this.shown.size > MOST_KEPT) this.shown.delete(this.shown.keys().next().value!);
    }
    return line;
  }

  /** Returns a caption with an updated text; undefined if the caption is no longer true. */
  again({ id }: Line, facts: CaptionFacts): Line | undefined {
    return [...newsLines(facts), ...standingLines(facts)].find((line) => line.id === id);
  }

  private longestAgo(lines: readonly Line[]): Line | undefined {
    const turnOf = ({ id }: Line): number => this.shown.get(id) ?? -1;
    // Captions that were never shown come first. They keep their order, because the sort is stable.
    return [...lines].sort((a, b) => turnOf(a) - turnOf(b))[0];
  }
}

/** How long an event counts as recent, in ms. */
const NEWS_TIME = 20_000;
/** Maximum number of stored events. */
const MOST_NEWS = 32;
/** How long the automatic gardener counts as looking after the room after planting, in seconds. */
const TENDED_TIME = 60;
/**
 * A caption such as "A season of animals" considers gallery organisms that the gardener has planted
 * in the last `SEASON_TIME` seconds, but only the latest `SEASON_LATEST`.
 */
const SEASON_TIME = 300;
const SEASON_LATEST = 5;
/**
 * A caption such as "A season of animals" needs at least `SEASON_LEAST` gallery organisms that were
 * planted recently. At least the share `SEASON_SHARE` of them must belong to one category.
 */
const SEASON_LEAST = 3;
const SEASON_SHARE = 0.75;

interface PastEvent extends Omit<RecentEvent, 'organism' | 'by'> {
  readonly id: OrganismId;
  readonly by: ParticipantId | undefined;
}

/** Collects the facts that captions depend on. */
export class WallNews {
  private events: PastEvent[] = [];

  /** @param now returns the current time, in ms */
  constructor(
    private readonly model: RoomModel,
    private readonly now: () => number,
  ) {
    model.on('wall', () => (this.events = []));
    model.on('life', ({ event, organism }) => {
      const { what } = event;
      const isTakenBack = what === 'grafted' && event.kind === undefined;
      if (!(texts.NEWS as readonly string[]).includes(what) || isTakenBack) return;
      const { id } = organism;
      const parents = organism.parents.flatMap((parent) => model.organisms.get(parent) ?? []);
      // If the organism has been transformed into another creature, forget its planting, because
      // the planted creature no longer exists.
      const isOld = (one: PastEvent): boolean =>
        one.what === what || (one.what === 'born' && what === 'transformed');
      const others = this.events.filter((one) => one.id !== id || !isOld(one));
      const by = 'by' in event ? event.by : undefined;
      const news = { what: what as texts.NewsKind, id, by, parents, at: now() };
      this.events = [news, ...others].slice(0, MOST_NEWS);
    });
  }

  /** Returns the events of the last `NEWS_TIME` ms, latest first. */
  recent(): RecentEvent[] {
    const since = this.now() - NEWS_TIME;
    return this.events.flatMap(({ what, id, by: actor, parents, at }): RecentEvent[] => {
      const organism = this.model.organisms.get(id);
      if (!organism || at < since) return [];
      const painter = organism.parts?.find((part) => part.by && part.by.id === actor)?.by;
      const by = what === 'grafted' ? (painter ?? HOUSE) : organism.planter;
      return [{ what, organism, by, parents, at }];
    });
  }

  /**
   * Collects the facts from which captions are chosen.
   *
   * @param wall `isAlone`: nobody has been in the room for a while; `hasCode`: the wall shows a QR
   *   code
   * @param isSeen returns whether an organism is visible on the wall
   * @param shown the organism in close-up; undefined if the wall shows the whole room
   * @returns undefined until the room is known
   */
  facts(
    wall: { readonly isAlone: boolean; readonly hasCode: boolean },
    isSeen: (organism: OrganismView) => boolean = () => true,
    shown?: OrganismId,
  ) {
    const { model } = this;
    if (!model.room) return undefined;
    /** All organisms that are not dead, including departing ones. */
    const organisms = [...model.organisms.values()];
    return {
      ...{ ...wall, organisms, shown },
      /** Recent events of organisms that are visible on the wall, latest first. */
      news: this.recent().filter(({ organism }) => isSeen(organism)),
      /** The category and colour that the gardener currently prefers, if any. */
      season: this.season(organisms),
      /** Whether captions may name the people who plant and graft. */
      names: model.settings?.names ?? true,
      /** The host's description of the exhibition; '' if there is none. */
      exhibition: model.settings?.exhibition ?? '',
      /** Whether the gardener has planted recently. */
      isTended: this.plantedByGardener(organisms, TENDED_TIME).length > 0,
    };
  }

  /**
   * Returns the organisms that the gardener has planted in the last `seconds` seconds, latest
   * first.
   */
  private plantedByGardener(organisms: readonly OrganismView[], seconds: number): OrganismView[] {
    const { room, tick = room?.tick ?? 0 } = this.model;
    const least = tick - seconds * (room?.tickRate ?? 1);
    return organisms
      .filter(({ planter, born }) => planter.name === GARDENER_NAME && born >= least)
      .sort((a, b) => b.born - a.born);
  }

  /**
   * Finds the theme of the gallery organisms that the gardener has planted recently: their category
   * and, if most have the same colour, this colour. Undefined if no category is frequent enough.
   */
  private season(organisms: readonly OrganismView[]) {
    const gallery = this.model.checkpoint?.gallery ?? [];
    const latest = this.plantedByGardener(organisms, SEASON_TIME)
      .flatMap((organism) => {
        const entry = gallery.find(({ name }) => name === organism.kind);
        return entry ? [{ organism, kind: entry.kind }] : [];
      })
      .slice(0, SEASON_LATEST);
    const kind = commonOf(latest.map((one) => one.kind));
    if (kind === undefined || !texts.hasSeason(kind)) return undefined;
    const colours = latest
      .filter(({ organism }) => organism.phase !== 'growing' && !organism.hurt)
      .flatMap(({ organism }) => this.colourOf(organism) ?? []);
    return { kind, colour: COLOUR_RANGES.find((range) => range === commonOf(colours)) };
  }

  /** Returns the colour range of an organism's mean colour; undefined if its cells are unknown. */
  private colourOf({ id, x, y, side }: OrganismView) {
    const { planes } = this.model;
    if (!planes) return undefined;
    const { width, owner, rgba } = planes;
    const places = Array.from({ length: side * side }, (_, i) => {
      const row = y - side / 2 + Math.floor(i / side);
      return row * width + x - side / 2 + (i % side);
    });
    const mean = meanColourAt(
      rgba,
      places.filter((place) => owner[place] === id),
    );
    return mean && colourRange(mean);
  }
}

/**
 * Returns the word whose share of all words is at least `SEASON_SHARE`. Undefined if there is no
 * such word, or if there are fewer than `SEASON_LEAST` words.
 */
function commonOf(words: readonly string[]): string | undefined {
  if (words.length < SEASON_LEAST) return undefined;
  return words.find(
    (word) => words.filter((other) => other === word).length >= SEASON_SHARE * words.length,
  );
}
