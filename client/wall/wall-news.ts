/** What a wall knows of its room: who lives here, what has just happened, and what is in season. */
import { COLOUR_RANGES, colourRange, meanColourAt } from '../../shared/hues.ts';
import { PAGE_DEFAULTS } from '../../shared/page-defaults.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import type { CaptionFacts, RecentEvent, Season } from './captions.ts';
import { hasSeason, type NewsKind } from './text.ts';

/** How long something is news, ms. */
const NEWS_TIME = 20_000;
/** Events kept, at most. */
const MOST_NEWS = 32;
/** How long the gardener tends the room after it has planted, seconds. */
const TENDED_TIME = 60;
/** The gardener's organisms that tell the season: the latest, planted within this time, seconds; */
const SEASON_TIME = 300;
const SEASON_LATEST = 5;
/** at least so many, and this share of them alike. */
const SEASON_LEAST = 3;
const SEASON_SHARE = 0.75;

const NEWS: readonly string[] = [
  'born',
  'transformed',
  'wounded',
  'healed',
  'departing',
] satisfies NewsKind[];

interface PastEvent extends Omit<RecentEvent, 'organism'> {
  readonly id: OrganismId;
  /** ms */
  readonly at: number;
}

/** Gathers a wall's facts from its model. */
export class WallNews {
  private events: PastEvent[] = [];

  /** @param now ms */
  constructor(
    private readonly model: RoomModel,
    private readonly now: () => number,
  ) {
    model.on('wall', () => (this.events = []));
    model.on('life', ({ event, organism }) => {
      const { what } = event;
      if (!NEWS.includes(what)) return;
      const { id } = organism;
      const parents = organism.parents.flatMap((parent) => model.organisms.get(parent) ?? []);
      // What has been planted is no longer what it has turned into.
      const isOld = (one: PastEvent): boolean =>
        one.what === what || (one.what === 'born' && what === 'transformed');
      const others = this.events.filter((one) => one.id !== id || !isOld(one));
      const news = { what: what as NewsKind, id, parents, at: now() };
      this.events = [news, ...others].slice(0, MOST_NEWS);
    });
  }

  /** @returns undefined before the room is known */
  facts(wall: Pick<CaptionFacts, 'isAlone' | 'hasCode'>): CaptionFacts | undefined {
    const { model } = this;
    if (!model.room) return undefined;
    const organisms = [...model.organisms.values()];
    const since = this.now() - NEWS_TIME;
    const news = this.events.flatMap(({ what, id, parents, at }): RecentEvent[] => {
      const organism = model.organisms.get(id);
      return organism && at >= since ? [{ what, organism, parents }] : [];
    });
    const season = this.season(organisms);
    return {
      ...{ ...wall, organisms, news, season },
      names: model.settings?.names ?? true,
      isTended: this.plantedByGardener(organisms, TENDED_TIME).length > 0,
    };
  }

  /** The gardener's organisms of the last seconds, the latest first. */
  private plantedByGardener(organisms: readonly OrganismView[], seconds: number): OrganismView[] {
    const { room, tick = room?.tick ?? 0 } = this.model;
    const least = tick - seconds * (room?.tickRate ?? 1);
    return organisms
      .filter(({ planter, born }) => planter.name === PAGE_DEFAULTS.attract.name && born >= least)
      .sort((a, b) => b.born - a.born);
  }

  /** What most of the gardener's latest creatures of the gallery have in common. */
  private season(organisms: readonly OrganismView[]): Season | undefined {
    const gallery = this.model.checkpoint?.gallery ?? [];
    const latest = this.plantedByGardener(organisms, SEASON_TIME)
      .flatMap((organism) => {
        const entry = gallery.find(({ name }) => name === organism.kind);
        return entry ? [{ organism, kind: entry.kind }] : [];
      })
      .slice(0, SEASON_LATEST);
    const kind = commonOf(latest.map((one) => one.kind));
    if (kind === undefined || !hasSeason(kind)) return undefined;
    const colours = latest
      .filter(({ organism }) => organism.phase !== 'growing' && !organism.hurt)
      .flatMap(({ organism }) => this.colourOf(organism) ?? []);
    return { kind, colour: COLOUR_RANGES.find((range) => range === commonOf(colours)) };
  }

  /** As it looks now. */
  private colourOf({ id, x, y, side }: OrganismView) {
    const { planes } = this.model;
    if (!planes) return undefined;
    const { width, owner, rgba } = planes;
    const places: number[] = [];
    for (let row = y - side / 2; row < y + side / 2; row++) {
      for (let place = row * width + x - side / 2; place < row * width + x + side / 2; place++) {
        if (owner[place] === id) places.push(place);
      }
    }
    const mean = meanColourAt(rgba, places);
    return mean && colourRange(mean);
  }
}

/** What most of some words are; undefined if they are few, or too different. */
function commonOf(words: readonly string[]): string | undefined {
  if (words.length < SEASON_LEAST) return undefined;
  return words.find(
    (word) => words.filter((other) => other === word).length >= SEASON_SHARE * words.length,
  );
}
