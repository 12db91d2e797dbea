/**
 * The map of a gallery: a point for each creature. Creatures with similar latents are close
 * together. The evaluation tool computes the points with UMAP and writes them to `map.json`. If
 * this file is missing, the points are computed from the first two principal components of the
 * latents.
 */
import { join } from 'node:path';
import * as v from 'valibot';
import type { MapPlaces, MapPoint } from '../../shared/latent-map.ts';
import { CheckpointError } from './card.ts';
import { type Checkpoint, galleryLatent, parseJson, readIfPresent } from './checkpoint.ts';

export const MAP_FILE = 'map.json';
/** Minimum number of featured creatures (creatures offered to visitors) for a map. */
const FEWEST = 3;
const ROUNDS = 120;
/** Width of the map. Its height is 1. The map is shaped like an upright phone. */
const WIDTH = 0.68;
/**
 * Determines the wanted minimum distance between two points on the map. The distance is √`FILL`
 * times the spacing of a square grid that fills the map with the same number of points.
 */
const FILL = 1.1;

const coordinate = v.pipe(v.number(), v.finite());
const mapFile = v.array(v.object({ x: coordinate, y: coordinate }));

/** The map of the featured creatures (`map`), and the map of the whole gallery. */
export interface Maps {
  readonly map: MapPlaces;
  readonly wholeMap: MapPlaces;
}

/**
 * Loads or computes the maps. Points are pushed apart, so that people can touch each one.
 *
 * @param featured gallery indices of the featured creatures
 * @param mayRead whether to use `map.json` if the file exists
 * @returns undefined if there are too few featured creatures for a map
 * @throws CheckpointError if `map.json` cannot be read, or is not a map of this gallery
 */
export async function loadMaps(
  checkpoint: Checkpoint,
  featured: readonly number[],
  mayRead = true,
): Promise<Maps | undefined> {
  if (featured.length < FEWEST) return undefined;
  const read = mayRead ? await readMap(checkpoint) : undefined;
  const places =
    read ?? principalPlaces(checkpoint.card.gallery.map((_, i) => galleryLatent(checkpoint, i)));
  const map: (MapPoint | null)[] = places.map(() => null);
  spread(fill(featured.map((index) => places[index]))).forEach((place, i) => {
    map[featured[i]] = place;
  });
  return { map, wholeMap: spread(fill(places)) };
}

/**
 * Reads a checkpoint's `map.json`.
 *
 * @returns a point for each gallery entry; undefined if the file does not exist
 * @throws CheckpointError 'bad-card' if the file is not a map of this gallery, or 'missing-file' if
 * the file exists but cannot be read
 */
export async function readMap({
  folder,
  card,
}: Pick<Checkpoint, 'folder' | 'card'>): Promise<readonly MapPoint[] | undefined> {
  const file = join(folder, MAP_FILE);
  const bytes = await readIfPresent(file);
  if (!bytes) return undefined;
  const parsed = v.safeParse(mapFile, parseJson(bytes, file, 'map'));
  const count = card.gallery.length;
  if (parsed.success && parsed.output.length === count) return parsed.output;
  const what = `the map does not have a position for each of the ${count} creatures in the gallery`;
  throw new CheckpointError('bad-card', file, what);
}

/** Projects latents, [Z] each, onto their first two principal components. */
function principalPlaces(latents: readonly Float32Array[]): MapPoint[] {
  const size = latents[0].length;
  const mean = new Float64Array(size);
  for (const latent of latents) {
    for (let c = 0; c < size; c++) mean[c] += latent[c] / latents.length;
  }
  const rows = latents.map((latent) => Float64Array.from(latent, (value, c) => value - mean[c]));
  const axes: Float64Array[] = [];
  for (let k = 0; k < 2; k++) {
    // Begin the iteration with a fixed vector. The iteration would fail only if this vector were
    // orthogonal to the principal component, which is unlikely.
    let axis = Float64Array.from({ length: size }, (_, c) => 1 + ((7 * c + 3 * k) % 5));
    for (let round = 0; round < 50; round++) {
      const next = new Float64Array(size);
      for (const row of rows) {
        const along = dot(row, axis);
        for (let c = 0; c < size; c++) next[c] += along * row[c];
      }
      for (const before of axes) {
        const along = dot(next, before);
        for (let c = 0; c < size; c++) next[c] -= along * before[c];
      }
      const length = Math.hypot(...next) || 1;
      axis = next.map((value) => value / length);
    }
    axes.push(axis);
  }
  return rows.map((row) => ({ x: dot(row, axes[0]), y: dot(row, axes[1]) }));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Moves and scales points so that their bounding box begins at (0, 0) and its longer side has the
 * length 1.
 */
export function fill(places: readonly MapPoint[]): MapPoint[] {
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const span = Math.max(Math.max(...xs) - left, Math.max(...ys) - top) || 1;
  return places.map(({ x, y }) => ({ x: (x - left) / span, y: (y - top) / span }));
}

/**
 * Scales points to a map of the width `WIDTH` and the height 1, and pushes them apart so that
 * people can touch each one.
 *
 * @param places points; their coordinates are 0…1
 */
function spread(places: readonly MapPoint[]): MapPoint[] {
  const width = Math.max(...places.map(({ x }) => x)) || 1;
  const height = Math.max(...places.map(({ y }) => y)) || 1;
  const scaled = places.map(({ x, y }) => ({ x: (x / width) * WIDTH, y: y / height }));
  const distance = Math.sqrt((FILL * WIDTH) / places.length);
  return pushApart(scaled, { distance, rounds: ROUNDS, within: [WIDTH, 1] });
}

/**
 * Pushes points apart that are closer together than `distance`. Each round moves a point only a
 * little, so that similar creatures stay close together.
 *
 * @param options.distance wanted minimum distance between points
 * @param options.rounds number of iterations
 * @param options.within width and height of the map, which points may not leave. If absent, points
 *   may move anywhere
 */
export function pushApart(
  places: readonly MapPoint[],
  options: { distance: number; rounds: number; within?: readonly [number, number] },
): MapPoint[] {
  const { distance, rounds, within } = options;
  const points = Float64Array.from(places.flatMap(({ x, y }) => [x, y]));
  const [right, bottom] = within ?? [Infinity, Infinity];
  const least = within ? 0 : -Infinity;
  const move = (at: number, by: number, most: number): void => {
    points[at] = Math.max(least, Math.min(most, points[at] + by));
  };
  for (let round = 0; round < rounds; round++) {
    for (let a = 0; a < points.length; a += 2) {
      for (let b = a + 2; b < points.length; b += 2) {
        const dx = points[b] - points[a];
        // Compare one axis first, because this rules out most pairs of points.
        if (dx >= distance || dx <= -distance) continue;
        const dy = points[b + 1] - points[a + 1];
        const squared = dx * dx + dy * dy;
        if (squared >= distance * distance) continue;
        const apart = Math.sqrt(squared);
        // For two points at the same position, choose a direction from the index of point b.
        const ux = apart > 0 ? dx / apart : Math.cos(b / 2);
        const uy = apart > 0 ? dy / apart : Math.sin(b / 2);
        const by = (distance - apart) / 4;
        move(a, -ux * by, right);
        move(a + 1, -uy * by, bottom);
        move(b, ux * by, right);
        move(b + 1, uy * by, bottom);
      }
    }
  }
  return places.map((_, i) => ({ x: points[2 * i], y: points[2 * i + 1] }));
}
