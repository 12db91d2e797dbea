/**
 * Programs of this project in a few files of JavaScript. Suites start some of them dozens of times, and from its
 * sources each takes a processor a second more.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { afterSuite } from './closing.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where a module lies is where its source lies. */
const sources: Plugin = {
  name: 'sources',
  setup: (building) => {
    building.onLoad({ filter: /[/\\](server|shared|test)[/\\].*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const address = JSON.stringify(pathToFileURL(path).href);
      return { contents: source.replaceAll('import.meta.url', address), loader: 'ts' };
    });
  },
};

/**
 * Bundles a program until the suite's end.
 *
 * @param entry its path from the repository's root
 * @returns path of a module that `node` runs; threads and processes that it starts come from the sources
 */
export async function bundled(entry: string): Promise<string> {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  // Below the root, where its packages are found.
  const folder = mkdtempSync(join(cache, 'test-'));
  afterSuite(() => rmSync(folder, { recursive: true, force: true }));
  await build({
    absWorkingDir: root,
    entryPoints: [{ in: entry, out: 'program' }],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    ...{ bundle: true, splitting: true, packages: 'external' },
    ...{ format: 'esm', platform: 'node', target: 'node20.19', logLevel: 'silent' },
    plugins: [sources],
  });
  return join(folder, 'program.mjs');
}
