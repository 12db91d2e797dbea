/** Checks for TensorFlow's native library without loading the JavaScript package. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Packages with the native library, best first. */
export const TENSORFLOW_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** Why the backend cannot start; undefined if no reason is known. */
export function missingNativePart(): string | undefined {
  const folders = TENSORFLOW_PACKAGES.flatMap((name) => folderOf(name) ?? []);
  // Without any package, importing one reports the error.
  if (folders.length === 0) return undefined;
  return folders.some(hasAddOn) ? undefined : 'its native part is not installed';
}

function folderOf(name: string): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The installer puts the add-on in a folder per version of Node-API. */
function hasAddOn(folder: string): boolean {
  try {
    return readdirSync(join(folder, 'lib'), { recursive: true, encoding: 'utf8' }).some((file) =>
      file.endsWith('.node'),
    );
  } catch {
    return false;
  }
}
