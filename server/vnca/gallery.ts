/**
 * The gallery: the layout of its picture, the colours of its creatures, and the choice of the
 * creatures that visitors are offered.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { colourRange, meanColourAt } from '../../shared/hues.ts';
import type { Card } from './card.ts';

/**
 * Name of the gallery's picture in a checkpoint folder. The picture shows all organisms of the
 * gallery, fully grown, in rows.
 */
export const GALLERY_FILE = 'gallery.png';
/** Name of the gallery's picture in a higher resolution, drawn by the checkpoint's painter. */
export const PAINTED_GALLERY_FILE = 'gallery.avif';
/** Number of organisms per row of the gallery's picture. */
export const GALLERY_COLUMNS = 24;

/**
 * Computes the layout of the gallery's picture. Entry i is in column i mod `columns` and in row ⌊i
 * / `columns`⌋.
 */
export function gallerySheet(card: Pick<Card, 'side' | 'gallery'>) {
  const rows = Math.ceil(card.gallery.length / GALLERY_COLUMNS);
  return {
    columns: GALLERY_COLUMNS,
    rows,
    /** Side of the square that shows one organism, in pixels. */
    tile: card.side,
    /** Size of the picture, in pixels. */
    width: GALLERY_COLUMNS * card.side,
    height: rows * card.side,
  };
}

/**
 * Creatures that may be unsuitable for some visitors, for example children. Visitors' pages show
 * these creatures only if the host chooses to show the whole gallery.
 */
const UNSUITABLE: readonly string[] = [
  'Pile of Poo',
  'Face Vomiting',
  'Nauseated Face',
  'Drooling Face',
  'Sneezing Face',
  'Woozy Face',
  'Exploding Head',
  'Face with Symbols on Mouth',
  'Skull and Crossbones',
];
/**
 * Two creatures of a family are very similar if the distance between their latents is less than
 * this share of the gallery's median distance. Only one of them is offered to visitors.
 */
const LIKENESS = 0.58;
/**
 * A creature belongs to the family named like its category, unless it is listed here under another
 * family. For example, `withered` lists creatures of the category `plant`.
 */
const RECLASSED: Readonly<Record<string, readonly string[]>> = {
  sea: (
    'Whale, Octopus, Spiral Shell, Fish, Tropical Fish, Blowfish, Turtle, ' +
    'Dolphin, Spouting Whale, Crab, Shark, Shrimp, Squid, Lobster, Oyster, Seal, Coral, Jellyfish'
  ).split(', '),
  plant: ['Brown Mushroom'],
  withered: ['Leafless Tree', 'Wilted Flower'],
};

/**
 * Returns the family in which `RECLASSED` lists a gallery entry. If no family lists the entry,
 * returns the entry's category.
 */
export function familyOf({ name, kind = '' }: { name: string; kind?: string }): string {
  return Object.keys(RECLASSED).find((one) => RECLASSED[one].includes(name)) ?? kind;
}

/** The families of creatures, in the order in which visitors are offered them. */
const FAMILIES = ['plant', 'withered', 'sea', 'animal', 'food', 'thing', 'face'];

/**
 * Selects gallery entries, by their indices.
 *
 * @param latents the latents of all gallery entries, [Z] each
 * @returns `featured`: the creatures to offer to visitors, sorted by family. Within a family,
 *   similar creatures follow each other (see `byLikeness`), and of very similar creatures, only the
 *   first is included. `unsuitable`: the creatures that are unsuitable for some visitors; not
 *   included in `featured`
 */
export function selectGallery(
  gallery: Card['gallery'],
  latents: readonly Float32Array[],
): Readonly<Record<'featured' | 'unsuitable', readonly number[]>> {
  const least = LIKENESS * medianDistance(latents);
  const featured = FAMILIES.flatMap((family) => {
    const chosen: number[] = [];
    gallery.forEach((entry, index) => {
      if (familyOf(entry) !== family || UNSUITABLE.includes(entry.name)) return;
      const isNew = chosen.every((other) => distance(latents[index], latents[other]) >= least);
      if (isNew) chosen.push(index);
    });
    return byLikeness(chosen, latents);
  });
  const unsuitable = gallery.flatMap(({ name }, i) => (UNSUITABLE.includes(name) ? [i] : []));
  return { featured, unsuitable };
}

/**
 * Sorts gallery entries by likeness. The first entry stays first. Each entry is followed by the
 * remaining entry with the nearest latent.
 *
 * @param indices indices of the entries
 */
function byLikeness(indices: readonly number[], latents: readonly Float32Array[]): number[] {
  const rest = new Set(indices);
  const ordered: number[] = [];
  for (let next = indices[0]; next !== undefined; ) {
    rest.delete(next);
    ordered.push(next);
    const from = latents[next];
    const gap = (index: number): number => distance(from, latents[index]);
    const gaps = [...rest].map((index) => ({ index, gap: gap(index) }));
    next = gaps.reduce((best, one) => (one.gap < best.gap ? one : best), gaps[0])?.index;
  }
  return ordered;
}

function medianDistance(latents: readonly Float32Array[]): number {
  const all: number[] = [];
  for (let a = 1; a < latents.length; a++) {
    for (let b = 0; b < a; b++) all.push(distance(latents[a], latents[b]));
  }
  return Float64Array.from(all).sort()[all.length >> 1] ?? 0;
}

/** Computes the Euclidean distance between two latents, [Z] each. */
export function distance(a: Float32Array, b: Float32Array): number {
  let squared = 0;
  for (let c = 0; c < a.length; c++) squared += (a[c] - b[c]) ** 2;
  return Math.sqrt(squared);
}

/**
 * Reads each creature's colour and shape from the gallery's picture.
 *
 * @returns undefined if the picture cannot be read. `colours`: for each entry, the colour range
 * (such as 'red') of the creature's mean colour; undefined if the creature is fully transparent.
 * `bodies`: for each entry, [side, side] 1 for living cells, otherwise 0
 */
export async function loadGalleryLooks({ folder, card }: { folder: string; card: Card }) {
  const { columns, tile, width, height } = gallerySheet(card);
  const rgba = await pixelsOf(join(folder, GALLERY_FILE));
  if (rgba?.length !== 4 * width * height) return undefined;
  const least = 255 * card.presence.threshold;
  const looks = card.gallery.map((_, i) => {
    const left = tile * (i % columns);
    const top = tile * Math.floor(i / columns);
    const places: number[] = [];
    for (let y = top; y < top + tile; y++) {
      for (let x = left; x < left + tile; x++) places.push(y * width + x);
    }
    const mean = meanColourAt(rgba, places);
    const body = Uint8Array.from(places, (place) => Number(rgba[4 * place + 3] >= least));
    return { colour: mean && colourRange(mean), body };
  });
  return { colours: looks.map(({ colour }) => colour), bodies: looks.map(({ body }) => body) };
}

/**
 * Reads an image file as premultiplied RGBA. Returns undefined if the file cannot be read or the
 * package `sharp` is not installed.
 */
async function pixelsOf(file: string): Promise<Uint8Array | undefined> {
  try {
    const png = await readFile(file);
    const { default: sharp } = await import('sharp');
    const data = await sharp(png).ensureAlpha().raw().toBuffer();
    for (let at = 0; at < data.length; at += 4) {
      for (let c = at; c < at + 3; c++) data[c] = Math.round((data[c] * data[at + 3]) / 255);
    }
    return data;
  } catch {
    return undefined;
  }
}
