/** Reads vector pictures of emoji from npm packages of Iconify. */
import { join } from 'node:path';
import { DatasetError, packageFolder, readSource } from './dataset.ts';

/** Packages with vector pictures of emoji. */
type VectorPackage = `@iconify-json/${'noto' | 'noto-v1' | 'twemoji' | 'fluent-emoji-flat'}`;

/**
 * Packages that lack a list of code points, and the package whose list they use. The old pictures
 * of Noto have the same names as the new ones.
 */
const LISTS: Partial<Record<VectorPackage, VectorPackage>> = {
  '@iconify-json/noto-v1': '@iconify-json/noto',
};

/** Reads the pictures of a package. @throws DatasetError missing-package, missing-file */
export async function openVectors(name: VectorPackage) {
  const { version } = await read(name, 'package.json');
  const chars: Record<string, string> = await read(LISTS[name] ?? name, 'chars.json');
  const { icons, aliases, width = 16, height = 16 } = await read(name, 'icons.json');
  const names = new Map(Object.entries(chars).map(([key, icon]) => [codeOf(key), icon]));
  return {
    /** The installed release. */
    release: version as string,
    /**
     * Returns the SVG file of an emoji by its code points, or undefined if the package lacks the
     * emoji.
     */
    drawing(unified: string): Uint8Array | undefined {
      const found = names.get(codeOf(unified)) ?? '';
      const icon = icons[found] ?? icons[aliases?.[found]?.parent];
      if (!icon) return undefined;
      const box = `0 0 ${icon.width ?? width} ${icon.height ?? height}`;
      return Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="${box}" width="256" height="256">${icon.body}</svg>`,
      );
    },
  };
}

async function read(name: VectorPackage, file: string) {
  const path = join(packageFolder(name), file);
  return JSON.parse(`${await readSource(path, 'missing-file', `npm install ${name}`)}`);
}

/**
 * Removes the variation selector and leading zeros from code points, so that lists can be compared.
 */
export const codeOf = (text: string): string =>
  text
    .toLowerCase()
    .split('-')
    .filter((code) => code !== 'fe0f')
    .join('-')
    .replace(/^0+/, '');

/** Release, author and licence of the npm package `@iconify-json/…`, by style. */
export const STYLE_SOURCES = {
  'noto-v1': { release: '1.2.5', by: 'Noto Emoji of 2017 (Google)', licence: 'Apache-2.0' },
  twemoji: { release: '1.2.5', by: 'Twemoji (Twitter)', licence: 'CC BY 4.0' },
  'fluent-emoji-flat': { release: '1.2.6', by: 'Fluent Emoji (Microsoft)', licence: 'MIT' },
} as const;

/** A style in which artists other than Noto's current ones draw emoji. */
export type Style = keyof typeof STYLE_SOURCES;
export const STYLES = Object.keys(STYLE_SOURCES) as Style[];

/**
 * Finds drawings of emoji by code points, style by style in the given order. A style may lack some
 * emoji.
 *
 * @throws DatasetError missing-package, missing-file; checksum-mismatch: another release is
 * installed
 */
export async function findDrawings<T extends { readonly unified: string }>(
  emoji: readonly T[],
  styles: readonly Style[],
): Promise<{ readonly emoji: T; readonly style: Style; readonly svg: Uint8Array }[]> {
  const found = await Promise.all(
    styles.map(async (style) => {
      const name = `@iconify-json/${style}` as const;
      const { drawing, release } = await openVectors(name);
      const { release: wanted } = STYLE_SOURCES[style];
      if (release !== wanted) {
        const what = `is release ${release} instead of ${wanted}`;
        throw new DatasetError('checksum-mismatch', name, what, `npm install ${name}@${wanted}`);
      }
      return emoji.flatMap((one) => {
        const svg = drawing(one.unified);
        return svg ? [{ emoji: one, style, svg }] : [];
      });
    }),
  );
  return found.flat();
}
