// @ts-check
/**
 * Bundles the server with esbuild. Without a bundle, the server takes twice as long to start,
 * because each of its threads loads and transpiles hundreds of files. This module is plain
 * JavaScript, because it runs before TypeScript can be loaded.
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
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const bundles = join(root, '.cache', 'server');

/**
 * Main modules of the server's processes and threads, by the name under which `worker-entry.mjs`
 * loads them from the bundle.
 */
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
 * npm packages that no bundle contains, even if it is made with `withPackages`. `NATIVE`: they
 * contain native code, which cannot be bundled. `UNUSED`: the installed server does not need them.
 */
const NATIVE = ['lmdb', 'msgpackr-extract', 'onnxruntime-node', 'sharp', 'webgpu', '@tensorflow/*'];
const UNUSED = ['esbuild', 'tsx', 'bufferutil', 'utf-8-validate'];

/**
 * Number of bundles to keep: the latest one and older ones, because a running server may still load
 * parts of the bundle with which it was started.
 */
const KEPT = 3;

/**
 * Returns the folder of the bundle for the current source files. Builds the bundle if it does not
 * exist yet.
 *
 * @returns {Promise<string>}
 */
export async function ensureBundle() {
  const folder = join(bundles, digest());
  if (existsSync(folder)) return folder;
  mkdirSync(bundles, { recursive: true });
  // Build the bundle in a draft folder, and rename the folder only when the bundle is complete:
  // another server may be building the same bundle at the same time.
  const draft = mkdtempSync(join(bundles, 'draft-'));
  try {
    await bundle(draft);
    // Allow other users of this machine to read the bundle.
    chmodSync(draft, 0o755);
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  removeOld(folder);
  return folder;
}

/**
 * Bundles the server.
 *
 * @param {string} folder folder to write to. It may later be moved, but only to a place at the same
 *   depth, because the bundle contains relative paths.
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
    // JSON files are imported with import attributes, which Node 20 supports only from this version
    // on.
    target: 'node20.19',
    ...(withPackages
      ? {
          external: [...NATIVE, ...UNUSED],
          // Define `require` in the bundle. Bundled CommonJS packages call it to load Node's own
          // modules.
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
  mkdirSync(folder, { recursive: true });
  for (const { path, text } of outputFiles) {
    writeFileSync(path, path.endsWith('.mjs') ? sources.withConstants(text) : text);
  }
  return metafile.inputs;
}

/** Computes a hash of all source files that go into the bundle. */
function digest() {
  const hash = createHash('sha256');
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

/**
 * Preserves two things that esbuild would change: the values of `import.meta.url` in modules, and
 * the `const` declarations at the top level of modules.
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
        const source = readFileSync(path, 'utf8');
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
   * Declares the top-level constants of modules with `const` again. esbuild turns them into `var`,
   * whose value JavaScript engines must look up and check at each access. With `var`, encoding
   * frames would take a sixth longer.
   *
   * @param {string} bundled content of a file of the bundle
   */
  withConstants(bundled) {
    const restored = (/** @type {string} */ part) =>
      part.replace(/^var (?:(\w+) =|\{)/gm, (found, name) => {
        // If two modules declare the same name, esbuild appends a number to one of the two names.
        // So also look for the name without the number.
        const names = name ? [name, name.replace(/\d+$/, '')] : [];
        const isConstant =
          !name ||
          (names.some((one) => this.constants.has(one)) &&
            !names.some((one) => this.variables.has(one)));
        return isConstant ? found.replace('var', 'const') : found;
      });
    // In the bundle, a comment with the module's path precedes each module. Do not restore `const`
    // in npm packages, because packages may assign new values to their variables.
    return bundled
      .split(/^(?=\/\/ \S+$)/m)
      .map((part) => (part.startsWith('// node_modules/') ? part : restored(part)))
      .join('');
  }
}

/** Removes old bundles. @param {string} latest folder of the latest bundle, which is kept */
function removeOld(latest) {
  const old = readdirSync(bundles)
    .map((name) => join(bundles, name))
    .filter((folder) => folder !== latest && /^[0-9a-f]{32}$/.test(folder.split(sep).at(-1) ?? ''))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const folder of old.slice(KEPT - 1)) rmSync(folder, { recursive: true, force: true });
}

// Do not await this promise: a module with a top-level `await` could not be loaded with `require`.
if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) void ensureBundle();
