/** Brushes of the drawing pad: line widths and colours. */

/** Line widths as shares of the pad's side. */
export const WIDTHS = { fine: 1 / 28, medium: 1 / 11, thick: 1 / 5 } as const;
/** Name of a line width. */
export type Width = keyof typeof WIDTHS;

/** The colour of ink, for checkpoints that read digits. */
export const INK = '#ffffff';
/** Colours that are common among the gallery's creatures. */
export const COLOURS = {
  black: '#2f2f35',
  brown: '#8a5a3b',
  red: '#e23b32',
  orange: '#f78b1f',
  yellow: '#fcd232',
  green: '#5fae3a',
  blue: '#3ea6e8',
  purple: '#9356c4',
  pink: '#f49ab9',
  white: '#f7f4ee',
} as const;
/** Name of a colour. */
export type Colour = keyof typeof COLOURS;
