/**
 * Checks whether TensorFlow's native library is installed, without importing the npm package that
 * uses it.
 */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The npm packages through which TensorFlow's native library can be used; the preferred one comes
 * first.
 */
export const TENSORFLOW_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/**
 * Returns why the TensorFlow backend cannot start. Undefined if no reason is known, in which case
 * the start may still fail.
 */
export function missingNativePart(): string | undefined {
  const folders = tensorflowFolders();
  // If no package is installed, do not return a reason: the backend will try to import a package,
  // and the error of that import is more precise.
  if (folders.length === 0) return undefined;
  return folders.some(hasAddOn) ? undefined : 'its native part is not installed';
}

/** Lists the folders of those packages that are installed; the preferred one comes first. */
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
 * Whether a package's folder contains the native library. Searches the subfolders, too, because the
 * installer creates one for each version of Node-API.
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
