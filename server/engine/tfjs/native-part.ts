/** Checks for TensorFlow's native library without loading the JavaScript package. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Packages with the native library, best first. */
export const TENSORFLOW_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** Why the backend cannot start; undefined if no reason is known. */
export function missingNativePart(): string | undefined {
  const folders = tensorflowFolders();
  // Without any package, importing one reports the error.
  if (folders.length === 0) return undefined;
  return folders.some(hasAddOn) ? undefined : 'its native part is not installed';
}

/** The folders of the installed packages, best first. */
export function tensorflowFolders(): string[] {
  const { resolve } = createRequire(import.meta.url);
  return TENSORFLOW_PACKAGES.flatMap((name) => {
    try {
      return [dirname(resolve(`${name}/package.json`))];
    } catch {
      return [];
    }
  });
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
