// @ts-check
/**
 * Bundles the server with esbuild, so that the server starts twice as fast. This module is
 * JavaScript, because it runs before TypeScript can be loaded.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const bundles = join(root, '.cache', 'server');

/** Main modules of the server's processes and threads, by their names in the bundle. */
const ENTRIES = {
  main: 'server/main.ts',
  engine: 'server/engine/thread/worker.ts',
  refiner: 'server/previews/refiner-worker.ts',
  store: 'server/storage/lmdb/worker.ts',
  'store-probe': 'server/storage/lmdb/probe.ts',
  extension: 'server/extensions/thread/worker.ts',
  film: 'server/host/film-process.ts',
  'try-engine': 'server/engine/doctor/try-engine.ts',
  doctor: 'server/engine/doctor/main.ts',
  replay: 'server/replay/main.ts',
  'keep-page': 'server/http/write-keep-page.ts',
  'host-token': 'server/composition/new-host-token.ts',
};

/**
 * npm packages that no bundle contains. `NATIVE` packages contain native code, which cannot be
 * bundled. The installed server does not need the `UNUSED` packages.
 */
const NATIVE = ['lmdb', 'msgpackr-extract', 'onnxruntime-node', 'sharp', 'webgpu', '@tensorflow/*'];
const UNUSED = ['esbuild', 'tsx', 'bufferutil', 'utf-8-validate'];

/** Number of bundles to keep. A running server may still load parts of an older bundle. */
const KEPT = 3;

/**
 * Returns the folder of the bundle for the current source files. Builds the bundle if it does not
 * exist.
 *
 * @returns {Promise<string>}
 */
export async function ensureBundle() {
  const folder = join(bundles, digest());
  if (fs.existsSync(folder)) return folder;
  fs.mkdirSync(bundles, { recursive: true });
  // Another server may be building the same bundle, so rename the folder only when it is complete.
  const draft = fs.mkdtempSync(join(bundles, 'draft-'));
  try {
    await bundle(draft);
    // Let other users of this machine read the bundle.
    fs.chmodSync(draft, 0o755);
    fs.renameSync(draft, folder);
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    if (!fs.existsSync(folder)) throw error;
  }
  removeOld(folder);
  return folder;
}

/**
 * Bundles the server.
 *
 * @param {string} folder folder to write to. The bundle may be moved only to a folder at the same
 *   depth, because it contains relative paths.
 * @param {boolean} withPackages whether to include npm packages that are pure JavaScript
 * @returns the files that the bundle was made from, in esbuild's format
 */
export async function bundle(folder, withPackages = false) {
  const { build } = await import('esbuild');
  const sources = new Sources(folder);
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(ENTRIES).map(([out, source]) => ({ in: source, out })),
    outdir: folder,
    write: false,
    metafile: true,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    // The first Node 20 version with import attributes, which imports of JSON files need.
    target: 'node20.19',
    ...(withPackages
      ? {
          external: [...NATIVE, ...UNUSED],
          // Bundled CommonJS packages call `require` to load Node's own modules.
          banner: {
            js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
          },
        }
      : { packages: 'external' }),
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'silent',
    plugins: [sources.plugin],
  });
  fs.mkdirSync(folder, { recursive: true });
  for (const { path, text } of outputFiles) {
    fs.writeFileSync(path, path.endsWith('.mjs') ? sources.withConstants(text) : text);
  }
  return metafile.inputs;
}

/** Computes a hash of all source files that go into the bundle. */
function digest() {
  const hash = createHash('sha256');
  const files = ['server', 'shared'].flatMap((folder) =>
    fs
      .readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|mjs|json)$/.test(file))
      .map((file) => join(folder, file)),
  );
  for (const file of [...files.sort(), 'package-lock.json', 'tsconfig.json']) {
    hash.update(`\n${file}\n`).update(fs.readFileSync(join(root, file)));
  }
  return hash.digest('hex').slice(0, 32);
}

/**
 * Preserves two things that esbuild would change: the values of `import.meta.url`, and top-level
 * `const` declarations.
 */
class Sources {
  /** Names that any module declares with `const`. @type {Set<string>} */
  constants = new Set();
  /** Names that any module declares with `let`. @type {Set<string>} */
  variables = new Set();

  /** @param {string} folder the bundle's folder */
  constructor(folder) {
    this.folder = folder;
  }

  /**
   * esbuild plugin that preserves the value of `import.meta.url` in each source file.
   *
   * @type {import('esbuild').Plugin}
   */
  plugin = {
    name: 'sources',
    setup: (build) => {
      const ours = /[/\\](server|shared)[/\\].*\.ts$/;
      build.onLoad({ filter: ours }, ({ path }) => {
        if (!path.startsWith(root + sep)) return undefined;
        const source = fs.readFileSync(path, 'utf8');
        for (const [, kind, name] of source.matchAll(/^(?:export )?(const|let) (\w+)/gm)) {
          (kind === 'let' ? this.variables : this.constants).add(name);
        }
        const way = JSON.stringify(relative(this.folder, path).replaceAll(sep, '/'));
        const address = `new URL(${way}, import.meta.url).href`;
        return { contents: source.replaceAll('import.meta.url', address), loader: 'ts' };
      });
    },
  };

  /**
   * Restores top-level `const` declarations, which esbuild has turned into `var`. With `var`,
   * encoding frames would take a sixth longer.
   *
   * @param {string} bundled content of a file of the bundle
   */
  withConstants(bundled) {
    const restored = (/** @type {string} */ part) =>
      part.replace(/^var (?:(\w+) =|\{)/gm, (found, name) => {
        // If two modules declare the same name, esbuild appends a number to one of the two names.
        const names = name ? [name, name.replace(/\d+$/, '')] : [];
        const isConstant =
          !name ||
          (names.some((one) => this.constants.has(one)) &&
            !names.some((one) => this.variables.has(one)));
        return isConstant ? found.replace('var', 'const') : found;
      });
    // Split the bundle into modules: each begins with a comment that contains its path. Leave npm
    // packages unchanged, because they may reassign their variables.
    return bundled
      .split(/^(?=\/\/ \S+$)/m)
      .map((part) => (part.startsWith('// node_modules/') ? part : restored(part)))
      .join('');
  }
}

/** Removes old bundles. @param {string} latest folder of the latest bundle, which is kept */
function removeOld(latest) {
  const old = fs
    .readdirSync(bundles)
    .map((name) => join(bundles, name))
    .filter((folder) => folder !== latest && /^[0-9a-f]{32}$/.test(folder.split(sep).at(-1) ?? ''))
    .sort((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs);
  for (const folder of old.slice(KEPT - 1)) fs.rmSync(folder, { recursive: true, force: true });
}

// Do not await: `require` cannot load a module with a top-level `await`.
if (fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) void ensureBundle();
