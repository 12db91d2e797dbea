/** The creatures on a printed sign: a few of the room's gallery, grown, and painted if they can be. */
import { setImmediate } from 'node:timers/promises';
import { inSlices, LARGEST_SCALE, paintStill } from '../../shared/painter/still.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { Clock } from '../platform/clock.ts';
import type { LoadedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import { featuredOf, type Species } from '../world/species.ts';

/** A grown creature: `side` × `side` pixels of RGBA with straight alpha. */
export interface SignCreature {
  readonly side: number;
  readonly rgba: Uint8Array;
  /** JPEG of the same square on white; absent: each cell is a dot. */
  readonly painted?: Uint8Array;
}

/** Names of the creatures on a sign, where the gallery has them. */
const CREATURES = ['Tropical Fish', 'Cactus', 'Fox Face', 'Octopus', 'Butterfly'];
/** Cells fainter than this are left out, 0…1. */
const FAINTEST = 0.2;
/** Diameter of a cell, share of its place. */
const CELL = 0.94;

/** Gallery indices of the sign's creatures: those named here, else some far apart in order. */
function chooseCreatures(species: Species): readonly number[] {
  const { gallery } = species;
  const named = CREATURES.map((name) => gallery.findIndex((entry) => entry.name === name)).filter(
    (index) => index >= 0,
  );
  if (named.length === CREATURES.length) return named;
  const all = featuredOf(species);
  const count = Math.min(CREATURES.length, all.length);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]);
}

/** Grows them. @returns none while the room is too busy: a sign without them is a sign, too */
export async function growCreatures({
  species,
  previews,
}: Pick<LoadedCheckpoint, 'species' | 'previews'>): Promise<SignCreature[]> {
  // A large native library, so it is loaded only when needed.
  const { default: sharp } = await import('sharp');
  const grow = async (index: number): Promise<SignCreature> => {
    const { side, frames, png } = await previews.grow(species.gallery[index].latent, 'sign');
    const last = { left: (frames - 1) * side, top: 0, width: side, height: side };
    const rgba = await sharp(png).extract(last).ensureAlpha().raw().toBuffer();
    return { side, rgba };
  };
  return Promise.all(chooseCreatures(species).map(grow)).catch((error: unknown) => {
    if (error instanceof Refusal) return [];
    throw error;
  });
}

/** Longest time for which rooms wait while one is painted, ms. */
const SLICE = 4;

/** Paints creatures with the painter of their checkpoint; without one, they stay as they are. */
export async function paintCreatures(
  creatures: readonly SignCreature[],
  { painter: net }: Pick<LoadedCheckpoint, 'painter'>,
  clock: Clock,
): Promise<readonly SignCreature[]> {
  if (!net) return creatures;
  const { default: sharp } = await import('sharp');
  const slices = { slice: SLICE, now: () => clock.now(), pause: () => setImmediate() };
  const painted: SignCreature[] = [];
  for (const { side, rgba } of creatures) {
    const still = paintStill({ cells: rgba, side, net, scale: LARGEST_SCALE });
    const pixels = await inSlices(still, slices);
    const size = side * LARGEST_SCALE;
    const picture = sharp(pixels, { raw: { width: size, height: size, channels: 4 } });
    const onPaper = picture.flatten({ background: 'white' });
    // Much smaller than a PNG, and vector programs read it.
    const file = await onPaper.jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer();
    painted.push({ side, rgba, painted: file });
  }
  return painted;
}

/**
 * SVG of a creature on white in a square of `side` × `side` units: its picture, or a dot for each
 * cell.
 */
export function drawCreature({ side, rgba, painted }: SignCreature): string {
  if (painted) {
    const data = Buffer.from(painted).toString('base64');
    return `<image width="${side}" height="${side}" href="data:image/jpeg;base64,${data}"/>`;
  }
  const dots = new Map<string, string>();
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = 4 * (y * side + x);
      const alpha = rgba[at + 3] / 255;
      if (alpha < FAINTEST) continue;
      const onWhite = [0, 1, 2].map((c) =>
        Math.round((rgba[at + c] * alpha) / 17 + 15 * (1 - alpha)),
      );
      const color = `#${onWhite.map((value) => value.toString(16)).join('')}`;
      dots.set(color, `${dots.get(color) ?? ''}M${x + 0.5} ${y + 0.5}h0`);
    }
  }
  const paths = [...dots].map(([color, path]) => `<path d="${path}" stroke="${color}"/>`);
  return `<g fill="none" stroke-width="${CELL}" stroke-linecap="round">${paths.join('')}</g>`;
}
