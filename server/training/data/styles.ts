/** The same emoji as others draw them, from npm packages of Iconify. */

import { forEachIndex } from './cache.ts';
import { type BuildProgress, DatasetError } from './dataset.ts';
import { type Fit, isInvisible, readPicture } from './picture.ts';
import { openVectors } from './vectors.ts';

/** Ways in which others draw emoji. */
export const STYLES = ['noto-v1', 'twemoji', 'fluent-emoji-flat'] as const;
/** One of them. */
export type Style = (typeof STYLES)[number];

/** Where pictures of a style come from: an npm package `@iconify-json/…`. */
export const STYLE_SOURCES: Readonly<
  Record<Style, { readonly release: string; readonly by: string; readonly licence: string }>
> = {
  'noto-v1': { release: '1.2.5', by: 'Noto Emoji of 2017 (Google)', licence: 'Apache-2.0' },
  twemoji: { release: '1.2.5', by: 'Twemoji (Twitter)', licence: 'CC BY 4.0' },
  'fluent-emoji-flat': { release: '1.2.6', by: 'Fluent Emoji (Microsoft)', licence: 'MIT' },
};

/** An emoji in a style. */
export interface Drawing<T> {
  readonly emoji: T;
  readonly style: Style;
  readonly svg: Uint8Array;
}

/**
 * Finds emoji by their code points: by style, in the given order. A style does not have all of them.
 *
 * @throws DatasetError missing-package, missing-file; checksum-mismatch: another release is installed
 */
export async function findDrawings<T extends { readonly unified: string }>(
  emoji: readonly T[],
  styles: readonly Style[],
): Promise<Drawing<T>[]> {
  const found: Drawing<T>[] = [];
  for (const style of styles) {
    const name = `@iconify-json/${style}` as const;
    const { drawing, release } = await openVectors(name);
    const { release: wanted } = STYLE_SOURCES[style];
    if (release !== wanted) {
      const what = `is release ${release} instead of ${wanted}`;
      throw new DatasetError('checksum-mismatch', name, what, `npm install ${name}@${wanted}`);
    }
    for (const one of emoji) {
      const svg = drawing(one.unified);
      if (svg) found.push({ emoji: one, style, svg });
    }
  }
  return found;
}

/** Draws pictures [side, side, 4], premultiplied RGBA, 0…255. @throws DatasetError */
export async function readDrawings<T>(
  drawings: readonly Drawing<T>[],
  fit: Fit,
  onProgress: BuildProgress = () => {},
): Promise<{ emoji: T; picture: Uint8Array }[]> {
  const pictures: Uint8Array[] = [];
  await forEachIndex(
    drawings.length,
    async (i) => {
      const { style, svg } = drawings[i];
      pictures[i] = await readPicture(svg, `@iconify-json/${style}`, fit);
    },
    onProgress,
  );
  return drawings
    .map(({ emoji }, i) => ({ emoji, picture: pictures[i] }))
    .filter(({ picture }) => !isInvisible(picture));
}
