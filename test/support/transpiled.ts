/** Scripts of a page that `tsx` has transpiled. */
import type { BrowserContext, Page } from 'playwright-core';

/**
 * From now on this page, or the pages of this context, can run functions that define functions of
 * their own: the transpiler wraps those in a helper that only the process has.
 */
export async function runTranspiled<Of extends BrowserContext | Page>(of: Of): Promise<Of> {
  await of.addInitScript('globalThis.__name = (named) => named');
  return of;
}
