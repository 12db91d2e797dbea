/** Brushes of the drawing pad: line widths and colours. */
import { msg } from '@lit/localize';

/** Line widths as shares of the pad's side. */
export const WIDTHS = {
  fine: { share: 1 / 28, label: () => msg('fine') },
  medium: { share: 1 / 11, label: () => msg('medium') },
  thick: { share: 1 / 5, label: () => msg('thick') },
} as const;
/** Name of a line width. */
export type Width = keyof typeof WIDTHS;

/** The colour of ink, for checkpoints that read digits. */
export const INK = '#ffffff';
/** Colours that are common among the gallery's creatures. */
export const COLOURS = {
  black: { css: '#2f2f35', label: () => msg('black') },
  brown: { css: '#8a5a3b', label: () => msg('brown') },
  red: { css: '#e23b32', label: () => msg('red') },
  orange: { css: '#f78b1f', label: () => msg('orange') },
  yellow: { css: '#fcd232', label: () => msg('yellow') },
  green: { css: '#5fae3a', label: () => msg('green') },
  blue: { css: '#3ea6e8', label: () => msg('blue') },
  purple: { css: '#9356c4', label: () => msg('purple') },
  pink: { css: '#f49ab9', label: () => msg('pink') },
  white: { css: '#f7f4ee', label: () => msg('white') },
} as const;
/** Name of a colour. */
export type Colour = keyof typeof COLOURS;
