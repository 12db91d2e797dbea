/**
 * Checks whether TensorFlow's native library is installed, without importing the npm package that
 * loads it.
 */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The npm packages that load TensorFlow's native library, the preferred one first. */
export const TENSORFLOW_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** Returns why the TensorFlow backend cannot start; undefined if no reason is known. */
export function missingNativePart(): string | undefined {
  const folders = tensorflowFolders();
  // If no package is installed, return no reason: the error of the backend's import is more
  // precise.
  if (folders.length === 0) return undefined;
  return folders.some(hasAddOn) ? undefined : 'its native part is not installed';
}

/** Lists the folders of the installed packages, the preferred one first. */
function tensorflowFolders(): string[] {
  const { resolve } = createRequire(import.meta.url);
  return TENSORFLOW_PACKAGES.flatMap((name) => {
    try {
      return [dirname(resolve(`${name}/package.json`))];
    } catch {
      return [];
    }
  });
}

/**
 * Whether a package's folder contains the native library. Also searches subfolders, because the
 * library is in a subfolder that is named after the version of Node-API.
 */
function hasAddOn(folder: string): boolean {
  try {
    return readdirSync(join(folder, 'lib'), { recursive: true, encoding: 'utf8' }).some((file) =>
      file.endsWith('.node'),
    );
  } catch {
    return false;
  }
}
