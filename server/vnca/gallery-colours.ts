/** The colours of a gallery's grown creatures, from its picture. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ColourRange, colourRange, meanColourAt } from '../../shared/hues.ts';
import { type Checkpoint, GALLERY_FILE } from './checkpoint.ts';
import { gallerySheet } from './gallery.ts';

/**
 * @returns the range of each entry's mean colour, in gallery order; undefined where there is no
 *   picture that can be read
 */
export async function loadGalleryColours({
  folder,
  card,
}: Pick<Checkpoint, 'folder' | 'card'>): Promise<(ColourRange | undefined)[] | undefined> {
  const { columns, tile, width, height } = gallerySheet(card);
  const rgba = await pixelsOf(join(folder, GALLERY_FILE));
  if (rgba?.length !== 4 * width * height) return undefined;
  return card.gallery.map((_, i) => {
    const left = tile * (i % columns);
    const top = tile * Math.floor(i / columns);
    const places: number[] = [];
    for (let y = top; y < top + tile; y++) {
      for (let x = left; x < left + tile; x++) places.push(y * width + x);
    }
    const mean = meanColourAt(rgba, places);
    return mean && colourRange(mean);
  });
}

/** @returns premultiplied; undefined without the file, or if `sharp` is not installed */
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
