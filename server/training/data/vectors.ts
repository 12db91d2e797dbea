/** Vector pictures of emoji from npm packages of Iconify. */
import { join } from 'node:path';
import { packageFolder } from './cache.ts';
import { readSource } from './dataset.ts';

/** Packages with vector pictures of emoji. */
export type VectorPackage = `@iconify-json/${'noto' | 'noto-v1' | 'twemoji' | 'fluent-emoji-flat'}`;

/** Vector pictures of a package. */
export interface Vectors {
  /** The installed release. */
  readonly release: string;
  /** The SVG file of an emoji by its code points; undefined: there is none. */
  drawing(unified: string): Uint8Array | undefined;
}

/** The old pictures of Noto have the names of the new ones, but no list of code points. */
const LISTS: Partial<Record<VectorPackage, VectorPackage>> = {
  '@iconify-json/noto-v1': '@iconify-json/noto',
};

/** Reads the pictures of a package. @throws DatasetError missing-package, missing-file */
export async function openVectors(name: VectorPackage): Promise<Vectors> {
  const { version } = await read(name, 'package.json');
  const chars: Record<string, string> = await read(LISTS[name] ?? name, 'chars.json');
  const { icons, aliases, width = 16, height = 16 } = await read(name, 'icons.json');
  const names = new Map(Object.entries(chars).map(([key, icon]) => [codeOf(key), icon]));
  return {
    release: version,
    drawing(unified) {
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

/** Code points without the variation selector and leading zeros. */
export const codeOf = (text: string): string =>
  text
    .toLowerCase()
    .split('-')
    .filter((code) => code !== 'fe0f')
    .join('-')
    .replace(/^0+/, '');
