/** Geometry of `gallery.png`: the gallery's latents, grown, side by side in rows. */
import type { Card } from './card.ts';

export const GALLERY_COLUMNS = 24;

export interface GallerySheet {
  readonly columns: number;
  readonly rows: number;
  /** Side of one tile, pixels. */
  readonly tile: number;
  /** Size of the sheet, pixels. */
  readonly width: number;
  readonly height: number;
}

/** How the sheet of a card is laid out; entry i is at column i mod columns, row ⌊i / columns⌋. */
export function gallerySheet(card: Pick<Card, 'side' | 'gallery'>): GallerySheet {
  const rows = Math.ceil(card.gallery.length / GALLERY_COLUMNS);
  return {
    columns: GALLERY_COLUMNS,
    rows,
    tile: card.side,
    width: GALLERY_COLUMNS * card.side,
    height: rows * card.side,
  };
}
