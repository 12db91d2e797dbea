/**
 * Choices of the gardener, the automatic player: how often it acts, which organisms it crosses, and
 * where it cuts and grafts.
 */
import type { GardenerWounds } from '../../shared/common-schemas.ts';
import { placesUnder } from '../../shared/geometry.ts';
import { STROKE_LIMITS } from '../../shared/limits.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import type { Random } from '../../shared/random.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import type { RoomCommand } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import type { OwnerGrid } from './reefs.ts';
import { preferably } from './seasons.ts';

/** Constants of the gardener. Durations are in ms. */
export const GARDENING = {
  /** Number of organisms planted immediately in a room in which nobody has played yet. */
  initialPlants: 12,
  /**
   * Minimum and maximum delay between actions while the room needs more organisms. The delays are
   * short, so that a new room has enough organisms within two minutes.
   */
  plantingDelay: [1_500, 3_000],
  /** Minimum and maximum delay between actions while the room has enough organisms. */
  actionDelay: [5_000, 10_000],
  refusalDelay: 15_000,
  /** Delay between two strokes of a cut. */
  strokeInterval: 130,
  /** Minimum time between two cuts of an organism that the gardener planted. */
  recutDelay: 30_000,
  /** Minimum time between two cuts of an organism that somebody else planted. */
  othersRecutDelay: 600_000,
  /**
   * Share of a room's maximum number of organisms above which the gardener makes unattended
   * organisms depart.
   */
  thinAbove: 0.9,
  /**
   * Number of organisms that the gardener may have even in a crowded room: `leastPlants`, but at
   * most `leastShare` × the room's maximum number of organisms.
   */
  leastShare: 1 / 6,
  leastPlants: 6,
} as const;

/** Returns whether an organism is fully grown and not departing. */
export const isGrown = ({ phase }: Pick<OrganismView, 'phase'>): boolean =>
  phase === 'asleep' || phase === 'awake';

/**
 * Returns whether the gardener planted an organism. Compares names, because the gardener gets a new
 * id when the server restarts.
 */
export const isOwn = ({ planter }: Pick<OrganismView, 'planter'>): boolean =>
  planter.name === GARDENER_NAME;

/**
 * Chooses two grown organisms to cross, if possible of different kinds. Avoids children of a cross,
 * because repeated crosses all look alike. Never chooses two organisms that have a living child
 * together.
 *
 * @returns undefined if there is no such pair
 */
export function choosePair(
  organisms: readonly OrganismView[],
  random: Random,
): readonly [OrganismView, OrganismView] | undefined {
  const grown = preferably(organisms.filter(isGrown), ({ kind }) => kind !== '');
  if (grown.length === 0) return undefined;
  const a = grown[random.integer(grown.length)];
  const relatives = organisms.flatMap(({ parents }) => (parents.includes(a.id) ? parents : []));
  const others = grown.filter(({ id }) => id !== a.id && !relatives.includes(id));
  const differing = preferably(others, ({ kind }) => kind !== a.kind);
  return differing.length > 0 ? [a, differing[random.integer(differing.length)]] : undefined;
}

/**
 * Lists grown, unhurt organisms that the gardener may wound.
 *
 * @param whose 'own': only organisms that the gardener planted; 'unattended': also unattended
 * organisms of other planters
 */
export function woundable(
  room: Pick<Room, 'organisms' | 'unattended'>,
  whose: GardenerWounds,
): OrganismView[] {
  const own = room.organisms.filter(isOwn);
  const others = whose === 'unattended' ? room.unattended().filter((one) => !isOwn(one)) : [];
  return [...own, ...others].filter((one) => isGrown(one) && !one.hurt);
}

type Stroke = Pick<RoomCommand<'damage'>, 'radius' | 'points'>;

const PIECES = 5;

/**
 * Creates a random cut across an organism: an arc of several strokes, to be sent one after another.
 *
 * @returns undefined if the cut would hit another organism or leave the grid
 */
export function cutAcross(
  organism: Pick<OrganismView, 'id' | 'x' | 'y' | 'side'>,
  grid: OwnerGrid,
  random: Random,
): Stroke[] | undefined {
  const { x, y, side } = organism;
  const angle = 2 * Math.PI * random.uniform();
  const [along, across] = [Math.cos(angle), Math.sin(angle)];
  const reach = side * (0.2 + 0.24 * random.uniform());
  const bend = side * 0.25 * (random.uniform() - 0.5);
  const off = side * 0.2 * (random.uniform() - 0.5);
  const radius = side * (0.05 + 0.04 * random.uniform());
  const pointAt = (t: number): [number, number] => {
    const lengthwise = (2 * t - 1) * reach;
    const sideways = off + bend * (1 - (2 * t - 1) ** 2);
    return [x + along * lengthwise - across * sideways, y + across * lengthwise + along * sideways];
  };
  const strokes = Array.from({ length: PIECES }, (_, i) => ({
    radius: Math.max(STROKE_LIMITS.minRadius, radius),
    points: [...pointAt(i / PIECES), ...pointAt((i + 1) / PIECES)],
  }));
  return strokes.every((stroke) => hitsOnly(organism.id, stroke, grid)) ? strokes : undefined;
}

/** Creates a single-point stroke: a disc that covers part of an organism, away from its centre. */
export function discBeside(
  { x, y, side }: Pick<OrganismView, 'x' | 'y' | 'side'>,
  random: Random,
): Stroke {
  const angle = 2 * Math.PI * random.uniform();
  const reach = side * (0.25 + 0.1 * random.uniform());
  const radius = Math.min(STROKE_LIMITS.maxRadius, side * (0.14 + 0.06 * random.uniform()));
  return { radius, points: [x + reach * Math.cos(angle), y + reach * Math.sin(angle)] };
}

/** Returns whether a stroke is inside the grid and touches no organism other than `id`. */
export function hitsOnly(id: OrganismId, stroke: Stroke, grid: OwnerGrid): boolean {
  const { width, height, owner } = grid;
  const isOnGrid = stroke.points.every((at, i) => at >= 0 && at <= (i % 2 === 0 ? width : height));
  if (!isOnGrid) return false;
  return placesUnder(stroke, grid).every((place) => owner[place] === 0 || owner[place] === id);
}
