// @ts-check
/**
 * `node server/deploy/production-tree.mjs FOLDER`: copies what the server needs at run time into an
 * empty folder: built pages, sources, and of the installed packages those that the server loads on
 * this platform. Needs `npm ci` and `npm run build` first. The Dockerfile makes its image with it.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What is copied besides packages. */
const PARTS = [
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'LICENSE', 'NOTICE'],
  ...['server', 'shared', 'checkpoints', 'client/dist'],
];

/**
 * Dependencies that only pages and their build have. TensorFlow with CUDA is for who installs it by
 * hand: without its library from another host (`npm run install:tensorflow`) it does nothing.
 */
const FOR_PAGES = ['@lit/localize', 'gifenc', 'lit', 'lit-html', 'socket.io-client', 'vite'];
const LEFT_OUT = new Set([...FOR_PAGES, '@tensorflow/tfjs-node-gpu']);

/** @type {Readonly<Record<string, (file: string) => boolean>>} the files a package is used for */
const USED = {
  'onnxruntime-node': (file) => {
    const [, platform, arch = process.arch] = /^bin\/[^/]+\/(\w+)(?:\/(\w+))?/.exec(file) ?? [];
    return !platform || (platform === process.platform && arch === process.arch);
  },
  webgpu: (file) => {
    const [, platform] = /^dist\/(\w+-\w+)/.exec(file) ?? [];
    return !platform || platform === `${process.platform}-${process.arch}`;
  },
  // The one file that Node loads.
  '@tensorflow/tfjs-core': (file) =>
    !/^(dist|src)\//.test(file) || /^dist\/[^/]*\.node\.js$/.test(file),
  lmdb: (file) => !/^(dependencies|src)\//.test(file),
};

/** Source maps, and types like those of `@types`, are for developers. @param {string} file */
const isForDevelopers = (file) => /\.map$|\.d\.[cm]?ts$/.test(file);

/**
 * @typedef {Readonly<Record<string, string>>} Versions
 * @typedef {{ readonly dependencies?: Versions, readonly optionalDependencies?: Versions,
 *   readonly peerDependencies?: Versions,
 *   readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>> }} Locked
 */

/**
 * Where a package finds another, like Node: in its own folder, then in those above.
 *
 * @param {string} folder like node_modules/a/node_modules/b
 * @param {string} name
 * @returns {string | undefined} undefined if it is not installed, as for another platform
 */
function find(folder, name) {
  const candidate = join(folder, 'node_modules', name);
  if (existsSync(join(root, candidate, 'package.json'))) return candidate;
  if (folder === '') return undefined;
  return find(folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules') - 1)), name);
}

/**
 * @param {Readonly<Record<string, Locked>>} locked `packages` of the lock file
 * @returns {Iterable<string>} the folders of the packages that the server needs
 */
function neededPackages(locked) {
  const server = Object.keys(locked[''].dependencies ?? {}).filter((name) => !LEFT_OUT.has(name));
  /** @type {Set<string>} */
  const found = new Set();
  // What is added on the way is visited too.
  const add = (/** @type {string} */ from, /** @type {string[]} */ names) => {
    for (const name of names) {
      const folder = name.startsWith('@types/') ? undefined : find(from, name);
      if (folder !== undefined) found.add(folder);
    }
  };
  add('', server);
  for (const folder of found) {
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } =
      locked[folder];
    const peers = Object.keys(peerDependencies ?? {});
    add(folder, Object.keys({ ...dependencies, ...optionalDependencies }));
    add(
      folder,
      peers.filter((name) => !peerDependenciesMeta?.[name]?.optional),
    );
  }
  return found;
}

/** @param {string} target */
function makeTree(target) {
  for (const part of PARTS) {
    // With its times: a page older than the lock file would be built again.
    cpSync(join(root, part), join(target, part), { recursive: true, preserveTimestamps: true });
  }
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const folder of neededPackages(packages)) {
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const from = join(root, folder);
    cpSync(from, join(target, folder), {
      recursive: true,
      filter(path) {
        const file = relative(from, path).replaceAll(sep, '/');
        if (file === 'node_modules') return false;
        return !isForDevelopers(file) && (USED[name]?.(file) ?? true);
      },
    });
  }
}

const [given] = process.argv.slice(2);
const target = given && resolve(given);
if (!target || (existsSync(target) && readdirSync(target).length > 0)) {
  console.error('production-tree: name an empty folder to write to.');
  process.exit(1);
}
if (!existsSync(join(root, 'client/dist/index.html'))) {
  console.error('production-tree: run `npm run build` first.');
  process.exit(1);
}
mkdirSync(target, { recursive: true });
makeTree(target);
// Its folder is part of the server's bundle.
const { status } = spawnSync(process.execPath, [join(target, 'server/launch/bundle.mjs')], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
