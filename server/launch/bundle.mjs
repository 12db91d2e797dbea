// @ts-check
/**
 * The server in one piece. From its sources it takes twice as long to start, for each of hundreds of files is looked up and turned
 * into JavaScript by itself, in the server and again in each of its threads. Plain JavaScript, since it runs before whatever reads
 * TypeScript.
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
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const bundles = join(root, '.cache', 'server');

/** What a process or thread of the server begins with; see `worker-entry.mjs`. */
const ENTRIES = {
  main: 'server/main.ts',
  engine: 'server/engine/thread/worker.ts',
  store: 'server/storage/lmdb/worker.ts',
  'store-probe': 'server/storage/lmdb/probe.ts',
};

/** Bundles that stay: a server that runs may yet load a part of the one that it was started from. */
const KEPT = 3;

/**
 * The bundle of the sources as they are now, made if there is none.
 *
 * @returns {Promise<string>} its folder
 */
export async function ensureBundle() {
  const folder = join(bundles, digest());
  if (existsSync(folder)) return folder;
  const { build } = await import('esbuild');
  mkdirSync(bundles, { recursive: true });
  // Another server may be at the same: what has its name is whole.
  const draft = mkdtempSync(join(bundles, 'draft-'));
  try {
    await build({
      absWorkingDir: root,
      entryPoints: Object.entries(ENTRIES).map(([out, source]) => ({ in: source, out })),
      outdir: draft,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: true,
      sourcesContent: false,
      logLevel: 'silent',
      plugins: [sameAddresses],
    });
    // Whoever made it, whoever starts from it.
    chmodSync(draft, 0o755);
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  forgetOld(folder);
  return folder;
}

/** What a bundle is made of, and where: sources find what lies beside them by their own addresses. */
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

/** `import.meta.url` stays what it is in the sources. @type {import('esbuild').Plugin} */
const sameAddresses = {
  name: 'same-addresses',
  setup(build) {
    const ours = /[/\\](server|shared)[/\\].*\.ts$/;
    build.onLoad({ filter: ours }, ({ path }) => {
      if (!path.startsWith(root + sep)) return undefined;
      const source = readFileSync(path, 'utf8');
      const address = JSON.stringify(pathToFileURL(path).href);
      return { contents: source.replaceAll('import.meta.url', address), loader: 'ts' };
    });
  },
};

/** @param {string} latest */
function forgetOld(latest) {
  const old = readdirSync(bundles)
    .map((name) => join(bundles, name))
    .filter((folder) => folder !== latest && /^[0-9a-f]{32}$/.test(folder.split(sep).at(-1) ?? ''))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const folder of old.slice(KEPT - 1)) rmSync(folder, { recursive: true, force: true });
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await ensureBundle();
