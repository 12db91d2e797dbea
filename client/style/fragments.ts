/** CSS fragments for use in several style sheets, and functions for colours. */
import { css } from 'lit';
import { lightnessOf, OWNER_CHROMA, OWNER_LIGHTNESS } from '../../shared/hues.ts';

/** Hides text visually, but keeps it available to screen readers. */
export const visuallyHidden = css`
  position: absolute;
  width: 1px;
  height: 1px;
  margin: 0;
  overflow: hidden;
  clip-path: inset(50%);
`;

/** Turns off all animations and transitions in an element if the user prefers reduced motion. */
export const calm = css`
  @media (prefers-reduced-motion: reduce) {
    :host,
    *,
    *::before,
    *::after,
    *::backdrop {
      animation: none !important;
      transition: none !important;
    }
  }
`;

/**
 * Heading of a page: the name of the product, a vertical line, and the name of the room or page.
 */
export const brand = css`
  h1 {
    font-size: 1.05em;
    font-weight: 500;
    letter-spacing: 0.02em;
  }
  h1 span {
    margin-inline-start: 0.7em;
    padding-inline-start: 0.75em;
    border-inline-start: 1px solid oklch(0.95 0.01 210 / 0.22);
    unicode-bidi: isolate;
    font-weight: 400;
    color: var(--ink-soft);
  }
`;

/** Round button that contains only an icon. */
export const roundButton = css`
  flex: none;
  display: grid;
  place-items: center;
  width: 44px;
  height: 44px;
  border-radius: 50%;
  color: var(--ink-soft);
`;

export const plainSelect = css`
  select {
    min-height: 44px;
    padding: 0 0.7em;
    border: 0;
    border-radius: 999px;
    background-color: transparent;
    color: inherit;
    font: inherit;
  }
  option {
    color: initial;
    background: initial;
  }
`;

export const textField = css`
  input {
    flex: 1;
    min-width: 0;
    font: inherit;
    /* iOS zooms into text fields with a font smaller than 16 px. */
    font-size: max(16px, 1em);
    color: var(--ink);
  }
  input::placeholder {
    color: var(--ink-soft);
    opacity: 1;
  }
`;

/** Name of an organism, followed by a two-column list of terms and values. */
export const facts = css`
  h2 {
    font-size: 1.22em;
    font-weight: 500;
    line-height: 1.2;
  }
  dl {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 5px 18px;
  }
  dt {
    color: var(--ink-soft);
  }
`;

/** Font family for text on a canvas. */
export const FONTS =
  '"Avenir Next", Avenir, "Segoe UI", Seravek, Cantarell, Ubuntu, Roboto, "Noto Sans", sans-serif';

export type Rgb = readonly [number, number, number];

const encode = (x: number): number => {
  const c = Math.max(0, Math.min(1, x));
  return c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055;
};

/**
 * Converts a colour from OKLCH to sRGB.
 *
 * @param hue in degrees
 * @returns red, green and blue, clipped to the range from 0 to 1
 */
export function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encode(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

const { mean, range, lightestHue } = OWNER_LIGHTNESS;

/**
 * CSS for the lightness and chroma of a participant's colour. Use it as `oklch(${owner}
 * var(--hue))`.
 */
export const owner = css`calc(${mean} + ${range} * cos((var(--hue) - ${lightestHue}) * 1deg)) ${OWNER_CHROMA}`;

/**
 * Returns the participant's colour for a hue, for drawing on a canvas.
 *
 * @param hue in degrees
 * @returns red, green and blue in sRGB, from 0 to 1
 */
export const ownerColor = (hue: number): Rgb => oklch(lightnessOf(hue), OWNER_CHROMA, hue);
