/** The colour of a participant, for styles and for the GPU. */
import { css } from 'lit';
import { lightnessOf, OWNER_CHROMA } from '../../shared/hues.ts';
import { oklch, type Rgb } from './oklch.ts';

/** Lightness and chroma that match `--hue`, for use in `oklch(… var(--hue))`. */
export const owner = css`calc(0.8 + 0.1 * cos((var(--hue) - 160) * 1deg)) 0.12`;

/**
 * The colour of a participant for the GPU.
 *
 * @param hue degrees
 * @returns sRGB 0…1
 */
export function ownerColor(hue: number): Rgb {
  return oklch(lightnessOf(hue), OWNER_CHROMA, hue);
}
