/** Geometry of `gallery.png`: the grown organisms of the gallery, in rows. */
import type { Card } from './card.ts';

/** Tiles per row. */
export const GALLERY_COLUMNS = 24;

/** The layout of a card's sheet; entry i is at column i mod columns, row ⌊i / columns⌋. */
export function gallerySheet(card: Pick<Card, 'side' | 'gallery'>) {
  const rows = Math.ceil(card.gallery.length / GALLERY_COLUMNS);
  return {
    columns: GALLERY_COLUMNS,
    rows,
    /** Side of one tile, pixels. */
    tile: card.side,
    /** Size of the sheet, pixels. */
    width: GALLERY_COLUMNS * card.side,
    height: rows * card.side,
  };
}
