// @ts-check
/**
 * Starts processes and threads of the server. This file is JavaScript, since some supported
 * versions of Node do not accept a TypeScript entry.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Environment variable with the bundle's folder. `start.mjs` sets it for threads and processes. */
export const BUNDLE = 'VIVARIUM_BUNDLE';

/**
 * Loads a module from the bundle, or through tsx if the server runs from its sources.
 *
 * @param {string} name of the module in the bundle
 * @param {URL} source of the module
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
