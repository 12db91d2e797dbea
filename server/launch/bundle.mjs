// @ts-check
/**
 * Bundles the server with esbuild. From its sources it takes twice as long to start, since each
 * thread resolves and transpiles hundreds of files. Plain JavaScript, since it runs before
 * TypeScript is loaded.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const bundles = join(root, '.cache', 'server');

/** Entry points of the server's processes and threads; see `worker-entry.mjs`. */
const ENTRIES = {
  main: 'server/main.ts',
  engine: 'server/engine/thread/worker.ts',
  refiner: 'server/previews/refiner-worker.ts',
  store: 'server/storage/lmdb/worker.ts',
  'store-probe': 'server/storage/lmdb/probe.ts',
};

/** Bundles that are kept: a running server may still load parts of the one it was started from. */
const KEPT = 3;

/**
 * Returns the bundle of the current sources, building it if necessary.
 *
 * @returns {Promise<string>} its folder
 */
export async function ensureBundle() {
  const folder = join(bundles, digest());
  if (existsSync(folder)) {
    keep(folder);
    return folder;
  }
  const { build } = await import('esbuild');
  mkdirSync(bundles, { recursive: true });
  // Another server may be building it too: only a complete bundle gets the final name.
  const draft = mkdtempSync(join(bundles, 'draft-'));
  try {
    const sources = new Sources();
    const { outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: Object.entries(ENTRIES).map(([out, source]) => ({ in: source, out })),
      outdir: draft,
      write: false,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      // Earlier versions of 20 lack import attributes, with which JSON is imported.
      target: 'node20.19',
      packages: 'external',
      sourcemap: true,
      sourcesContent: false,
      logLevel: 'silent',
      plugins: [sources.plugin],
    });
    for (const { path, text } of outputFiles) {
      writeFileSync(path, path.endsWith('.mjs') ? sources.withConstants(text) : text);
    }
    // Readable by other users who start the server.
    chmodSync(draft, 0o755);
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  removeOld(folder);
  return folder;
}

/** Hashes the sources and their folder, which is part of the bundled `import.meta.url`s. */
function digest() {
  const hash = createHash('sha256').update(root);
  const files = ['server', 'shared'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|mjs|json)$/.test(file))
      .map((file) => join(folder, file)),
  );
  for (const file of [...files.sort(), 'package-lock.json', 'tsconfig.json']) {
    hash.update(`\n${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex').slice(0, 32);
}

/** What is lost of the sources without it. */
class Sources {
  /** @type {Set<string>} that modules declare, and that never change */
  constants = new Set();
  /** @type {Set<string>} that a module declares, and changes */
  variables = new Set();

  /** Keeps `import.meta.url` as in the sources. @type {import('esbuild').Plugin} */
  plugin = {
    name: 'sources',
    setup: (build) => {
      const ours = /[/\\](server|shared)[/\\].*\.ts$/;
      build.onLoad({ filter: ours }, ({ path }) => {
        if (!path.startsWith(root + sep)) return undefined;
        const source = readFileSync(path, 'utf8');
        for (const [, kind, name] of source.matchAll(/^(?:export )?(const|let) (\w+)/gm)) {
          (kind === 'let' ? this.variables : this.constants).add(name);
        }
        const address = JSON.stringify(pathToFileURL(path).href);
        return { contents: source.replaceAll('import.meta.url', address), loader: 'ts' };
      });
    },
  };

  /**
   * Declares constants of modules as such again. esbuild makes variables of them, which engines
   * must look up and check each time: encoding frames would take a sixth longer.
   *
   * @param {string} bundled
   */
  withConstants(bundled) {
    return bundled.replace(/^var (?:(\w+) =|\{)/gm, (found, name) => {
      // Where modules declare the same, esbuild adds a number.
      const names = name ? [name, name.replace(/\d+$/, '')] : [];
      const isConstant =
        !name ||
        (names.some((one) => this.constants.has(one)) &&
          !names.some((one) => this.variables.has(one)));
      return isConstant ? found.replace('var', 'const') : found;
    });
  }
}

/** Counts as the latest: it is in use again. @param {string} folder */
function keep(folder) {
  try {
    const now = new Date();
    utimesSync(folder, now, now);
  } catch {
    // It is another user's.
  }
}

/** @param {string} latest */
function removeOld(latest) {
  const old = readdirSync(bundles)
    .map((name) => join(bundles, name))
    .filter((folder) => folder !== latest && /^[0-9a-f]{32}$/.test(folder.split(sep).at(-1) ?? ''))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const folder of old.slice(KEPT - 1)) rmSync(folder, { recursive: true, force: true });
}

// Without `await`, which would keep the module from being required.
if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) void ensureBundle();
