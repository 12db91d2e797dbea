/**
 * Executes the gardener's actions in a room. Each action's method returns whether the action has
 * been started.
 */
import type { GardenerWounds } from '../../shared/common-schemas.ts';
import { placesUnder } from '../../shared/geometry.ts';
import { ROOM_DEFAULTS, type RoomSettings } from '../../shared/host/room-settings.ts';
import type { Random } from '../../shared/random.ts';
import { HOUSE, type OrganismId, type OrganismView } from '../../shared/vocabulary.ts';
import type { SystemCommand } from '../realtime/commands/command-dispatcher.ts';
import type { Answer, PlantedSeed } from '../world/commands.ts';
import { DEPARTURE } from '../world/departures.ts';
import type { Room } from '../world/room.ts';
import { featuredOf } from '../world/species.ts';
import {
  choosePair,
  cutAcross,
  discBeside,
  GARDENING,
  hitsOnly,
  isOwn,
  woundable,
} from './choose.ts';
import { nearestGround, type Planted, type PlantingPlace, Reefs, targetCount } from './reefs.ts';
import { isOfSeason, preferably, Seasons, suitable, type Theme } from './seasons.ts';

const { protectedSeconds } = DEPARTURE;

/** Share of the gardener's plantings that match the theme of the reef. */
const THEMED = 0.85;
/** Number of creatures to consider for a planting. The one that fits best is planted. */
const CHOICE = 4;
/**
 * Probability that the outermost organism of a reef (group of organisms) departs when the gardener
 * makes space in the reef. Otherwise, the oldest departs. A high probability keeps the reef's
 * shape.
 */
const AT_RIM = 0.85;
/** Number of organisms above which a room is crowded, as a multiple of `Tending.target`. */
const CROWD = 1.5;
/** Maximum strength of the mutation when the gardener crosses two organisms, 0…1. */
const MUTATION = 0.2;
/**
 * Maximum number of random strokes to try. The first stroke that hits no other organism is used.
 */
const TRIES = 12;

export interface RoomAccess {
  /** Returns the current time, in ms. */
  readonly now: () => number;
  /**
   * Sends a command to the room.
   *
   * @returns the room's answer; undefined if the command is refused
   */
  readonly send: (act: SystemCommand) => Promise<Answer | undefined>;
  /**
   * Runs a function after a delay, unless the gardener stops in the meantime.
   *
   * @param delay in ms
   */
  readonly later: (delay: number, run: () => void) => void;
}

export class Tending {
  wounds: GardenerWounds = 'own';
  /** The creatures that the host has hidden or chosen for the gardener. */
  curation: RoomSettings['curation'] = ROOM_DEFAULTS.curation;
  /** When the gardener last cut each organism (monotonic clock, ms). */
  private readonly woundedAt = new Map<OrganismId, number>();
  /** Organisms whose `plant` command the room has not answered yet. */
  private readonly pending = new Set<Planted>();
  /**
   * Number of organisms that the gardener had when it last made one of them depart. To replace this
   * organism, the gardener may have this many again, even if its usual limit is lower. Reset to 0
   * when the gardener plants.
   */
  private replaced = 0;
  private readonly reefs: Reefs;

  constructor(
    private readonly room: Room,
    private readonly random: Random,
    private readonly access: RoomAccess,
  ) {
    this.reefs = new Reefs(room, new Seasons(room.species, random), random);
  }

  /** Whether a `plant` command is waiting for the room's answer. */
  get isWaiting(): boolean {
    return this.pending.size > 0;
  }

  /** The gardener's organisms, except departing ones, oldest first. */
  get own(): OrganismView[] {
    return this.room.organisms.filter((one) => isOwn(one) && one.phase !== 'departing');
  }

  /**
   * Whether the gardener may plant another organism. It may have at most half of the room's maximum
   * number of organisms, and fewer if other planters have many.
   */
  get mayPlant(): boolean {
    const { room, pending, replaced, target, crowd } = this;
    const own = this.own.length;
    const most = Math.min(target, Math.ceil(room.maxOrganisms / 2), crowd - (room.size - own));
    const share = Math.floor(GARDENING.leastShare * room.maxOrganisms);
    const least = Math.min(GARDENING.leastPlants, share);
    const allowed = Math.max(least, most, replaced);
    if (own + pending.size >= allowed) return false;
    // In a full room, planting makes another organism depart. Plant only if there is a resting
    // organism whose planter is absent, so that no visitor in the room loses one. The gardener
    // counts as absent.
    const isFull = room.size + pending.size >= room.maxOrganisms;
    return !isFull || room.unattended(protectedSeconds).length > 0;
  }

  /** Plants a gallery creature in the sparsest reef (group of organisms). */
  plant(): boolean {
    if (!this.mayPlant) return false;
    const { reefs, planted } = this;
    const reef = reefs.choose('sparse', planted, this.access.now());
    const kinds = this.chooseKinds(reef.theme);
    if (kinds.length === 0) return false;
    const pending = reefs.placeFor(reef, kinds, planted) ?? this.placeNear(reef, kinds[0]);
    if (!pending) return false;
    const index = this.room.species.gallery.findIndex(({ name }) => name === pending.kind);
    this.sow(pending, { from: 'gallery', index });
    return true;
  }

  private sow(one: Planted, seed: PlantedSeed): void {
    this.replaced = 0;
    this.pending.add(one);
    void this.access
      .send({ what: 'plant', x: one.x, y: one.y, seed })
      .finally(() => this.pending.delete(one));
  }

  /**
   * Makes an unattended organism depart if the room is crowded or has no free space. Chooses the
   * organism farthest from all reefs, so that the space between reefs stays free.
   */
  thin(): boolean {
    const { room } = this;
    const [longest, ...others] = room.unattended();
    if (!longest) return false;
    const farthest = others.reduce(this.farther, longest);
    // If an organism is already departing, it will free its space, so no other organism has to
    // depart.
    const departs = room.organisms.some(({ phase }) => phase === 'departing');
    if (room.size <= this.crowd && (departs || this.hasGround)) return false;
    void this.access.send({ what: 'thin', organism: farthest.id });
    return true;
  }

  /** Cuts across an organism, so that people can watch it heal. */
  wound(): boolean {
    const { random, room, access } = this;
    const now = access.now();
    for (const id of this.woundedAt.keys()) if (!room.viewOf(id)) this.woundedAt.delete(id);
    const candidates = woundable(room, this.wounds).filter((one) => {
      const at = this.woundedAt.get(one.id) ?? Number.NEGATIVE_INFINITY;
      return now - at > (isOwn(one) ? GARDENING.recutDelay : GARDENING.othersRecutDelay);
    });
    if (candidates.length === 0) return false;
    const chosen = candidates[random.integer(candidates.length)];
    const { planes } = room.grid;
    const { id, x, y, side } = chosen;
    // Do not cut an organism if a neighbour is not asleep, because the neighbour would take over
    // the wounded cells.
    const isBeside = (one: OrganismView): boolean =>
      one.id !== id && Math.max(Math.abs(one.x - x), Math.abs(one.y - y)) < side;
    if (room.organisms.some((one) => one.phase !== 'asleep' && isBeside(one))) return false;
    const strokes = firstOf(() => {
      const cut = cutAcross(chosen, planes, random);
      return cut?.some((one) => room.isPressed(placesUnder(one, planes))) ? undefined : cut;
    });
    if (!strokes) return false;
    this.woundedAt.set(chosen.id, now);
    strokes.forEach((stroke, i) => {
      access.later(i * GARDENING.strokeInterval, () => {
        // Check again, because another organism may have grown under the stroke in the meantime.
        if (!hitsOnly(chosen.id, stroke, room.grid.planes)) return;
        void access.send({ what: 'damage', ...stroke });
      });
    });
    return true;
  }

  /** Grafts a part of a gallery creature onto a sleeping organism of the gardener or the host. */
  graft(): boolean {
    const { random, room, access } = this;
    const { species } = room;
    const own = room.organisms.filter(
      (one) => (isOwn(one) || one.planter.id === HOUSE.id) && one.phase === 'asleep',
    );
    const plain = own.filter(({ hurt, parts }) => !hurt && !parts);
    if (!species.hasStandingInput || plain.length === 0) return false;
    const { id, kind, x, y, side } = plain[random.integer(plain.length)];
    const entries = this.entries((name) => name !== kind);
    const stroke = firstOf(() => {
      const disc = discBeside({ x, y, side }, random);
      return hitsOnly(id, disc, room.grid.planes) ? disc : undefined;
    });
    if (entries.length === 0 || !stroke) return false;
    const seed = { from: 'gallery', index: entries[random.integer(entries.length)] } as const;
    void access.send({ what: 'graft', ...stroke, seed });
    return true;
  }

  /**
   * Crosses two organisms, preferably in the sparsest reef (group of organisms), and plants the
   * child near one of them.
   */
  cross(): boolean {
    const { random, room, access, reefs } = this;
    const reef = reefs.choose('sparse', this.planted, access.now());
    const near = preferably(room.organisms, (one) => reefs.around(one) === reef);
    const pair = choosePair(near, random) ?? choosePair(room.organisms, random);
    if (!pair || !this.hasGround) return false;
    const [a, b] = pair;
    if (!this.mayPlant && !this.release(a, b)) return false;
    const mix = 0.35 + 0.3 * random.uniform();
    const mutation = MUTATION * random.uniform();
    void access.send({ what: 'cross', a: a.id, b: b.id, mix, mutation }).then((answer) => {
      const { seed } = answer ?? {};
      if (!seed) return;
      access.later(GARDENING.plantingDelay[0], () => {
        const place = reefs.placeFor(reefs.around(a), [''], this.planted) ?? this.placeNear(a);
        if (!place || !this.mayPlant) return;
        this.sow(place, { from: 'hand', seed: seed.id });
      });
    });
    return true;
  }

  /** Makes one of the gardener's organisms depart, and plants another one a moment later. */
  replace(): boolean {
    if (!this.hasGround || !this.release()) return false;
    this.access.later(GARDENING.plantingDelay[0], () => void this.plant());
    return true;
  }

  /**
   * Makes one of the gardener's resting organisms depart. Prefers the most crowded reef, and
   * usually chooses the reef's outermost organism, sometimes the oldest.
   *
   * @param excluded organisms that must not depart
   */
  private release(...excluded: readonly OrganismView[]): boolean {
    const { reefs, farther } = this;
    const resting = this.room
      .unattended(protectedSeconds)
      .filter((one) => isOwn(one) && !one.hurt && excluded.every(({ id }) => id !== one.id));
    const crowded = reefs.choose('crowded', this.planted, this.access.now());
    const [oldest, ...others] = preferably(resting, (one) => reefs.around(one) === crowded);
    if (!oldest) return false;
    const isAtRim = this.random.uniform() < AT_RIM;
    const { id } = isAtRim ? others.reduce(farther, oldest) : oldest;
    this.replaced = this.own.length;
    void this.access.send({ what: 'thin', organism: id });
    return true;
  }

  private readonly farther = (a: OrganismView, b: OrganismView): OrganismView =>
    this.reefs.distance(b) > this.reefs.distance(a) ? b : a;

  /** Number of organisms that the gardener wants in the room. */
  get target(): number {
    const { grid, species } = this.room;
    return targetCount({ width: grid.width, height: grid.height, side: species.side });
  }

  private get crowd(): number {
    return Math.floor(Math.min(GARDENING.thinAbove * this.room.maxOrganisms, CROWD * this.target));
  }

  private get planted() {
    return [...this.room.organisms, ...this.pending];
  }

  /** Whether there is free space for another organism anywhere in the room. */
  private get hasGround(): boolean {
    const { width, height } = this.room.grid;
    return this.placeNear({ x: width / 2, y: height / 2 }) !== undefined;
  }

  private placeNear(near: PlantingPlace, kind = '') {
    const place = nearestGround(this.room.grid.planes, this.room.species.side, near);
    return place && { ...place, kind };
  }

  /**
   * Lists gallery entries whose names satisfy `passes`: from the entries that the host has chosen
   * for the gardener or, if the host has chosen none, from the `suitable` entries. Leaves out
   * entries that the host has hidden.
   */
  private entries(passes: (name: string) => boolean): readonly number[] {
    const { species } = this.room;
    const { hidden, gardener } = this.curation;
    const isChosen = gardener.length > 0;
    const all = isChosen ? gardener : featuredOf(species);
    const shown = all.filter((i) => species.gallery[i] && !hidden.includes(i));
    const passing = shown.filter((i) => passes(species.gallery[i].name));
    if (!isChosen) return suitable(passing, species);
    // If none of the entries chosen by the host satisfies `passes`, return all of them. The
    // gardener then plants a creature that already lives in the room, or grafts the organism's own
    // kind.
    return passing.length > 0 ? passing : shown;
  }

  /**
   * Chooses gallery creatures to plant, usually of the given theme, and preferably not in the room
   * yet.
   *
   * @returns names of gallery entries; empty if no creature can be planted
   */
  private chooseKinds(theme: Theme | undefined): string[] {
    const { random, room } = this;
    const { species } = room;
    const living = new Set(this.planted.map(({ kind }) => kind));
    const candidates = this.entries((name) => !living.has(name));
    const ofFamily = theme
      ? preferably(candidates, (i) => isOfSeason(i, { family: theme.family }, species))
      : candidates;
    const isThemed = theme && random.uniform() < THEMED;
    const chosen = isThemed ? preferably(ofFamily, (i) => isOfSeason(i, theme, species)) : ofFamily;
    if (chosen.length === 0) return [];
    const drawn = Array.from({ length: CHOICE }, () => chosen[random.integer(chosen.length)]);
    return drawn.map((index) => species.gallery[index].name);
  }
}

/** Calls a function until its result is not undefined, at most `TRIES` times. */
function firstOf<T>(make: () => T | undefined): T | undefined {
  for (let i = 0; i < TRIES; i++) {
    const made = make();
    if (made !== undefined) return made;
  }
  return undefined;
}
