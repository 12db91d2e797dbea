/** Geometry of `gallery.png`: the grown organisms of the gallery, in rows. */
import type { Card } from './card.ts';

/** Tiles per row. */
export const GALLERY_COLUMNS = 24;

/** The layout of a sheet. */
export interface GallerySheet {
  readonly columns: number;
  readonly rows: number;
  /** Side of one tile, pixels. */
  readonly tile: number;
  /** Size of the sheet, pixels. */
  readonly width: number;
  readonly height: number;
}

/** The layout of a card's sheet; entry i is at column i mod columns, row ⌊i / columns⌋. */
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
