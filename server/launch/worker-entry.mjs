// @ts-check
/**
 * Loads the main module of a process or thread of the server. This file is JavaScript, because some
 * supported versions of Node cannot start a process or thread from TypeScript.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Environment variable with the path of the bundle's folder. `start.mjs` sets it. */
export const BUNDLE = 'VIVARIUM_BUNDLE';

/**
 * Loads a module from the bundle, or from its source file through tsx if there is no bundle.
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
