// @ts-check
/** Where processes and threads of the server begin. Their entry cannot be TypeScript on every Node that we run on. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Set by `start.mjs` for the server's threads and processes: the folder of the bundle that it runs from. */
export const BUNDLE = 'VIVARIUM_BUNDLE';

/**
 * Loads a module of ours: from the bundle, where the server runs from one, else by tsx.
 *
 * @param {string} name in the bundle
 * @param {URL} source
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
