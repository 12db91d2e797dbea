/** Whether TensorFlow's own library is here, told without loading the JavaScript that stands around it. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The best first. */
export const TENSORFLOW_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** @returns why it cannot start; undefined: nothing is known against it */
export function missingNativePart(): string | undefined {
  const folders = TENSORFLOW_PACKAGES.flatMap((name) => folderOf(name) ?? []);
  // What is said then is said by who looks for the packages themselves.
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

/** Where its installer puts it: a folder for each version of Node's interface. */
function hasAddOn(folder: string): boolean {
  try {
    return readdirSync(join(folder, 'lib'), { recursive: true, encoding: 'utf8' }).some((file) =>
      file.endsWith('.node'),
    );
  } catch {
    return false;
  }
}
