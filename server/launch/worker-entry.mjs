// @ts-check
/**
 * Loads the main module of a process or thread of the server. This file is JavaScript because some
 * supported versions of Node cannot start with a TypeScript file.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Name of the environment variable that holds the bundle's folder. `start.mjs` sets it for all
 * threads and processes.
 */
export const BUNDLE = 'VIVARIUM_BUNDLE';

/**
 * Loads a module from the bundle, or through tsx if the server runs from its sources.
 *
 * @param {string} name name of the module in the bundle
 * @param {URL} source URL of the module's source file
 */
export async function enter(name, source) {
  const bundle = process.env[BUNDLE];
  if (bundle) {
    await import(pathToFileURL(join(bundle, `${name}.mjs`)).href);
    return;
  }
  const { register } = await import('tsx/esm/api');
  register();
  await import(source.href);
}
