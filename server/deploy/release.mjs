// @ts-check
/**
 * `npm run release`: writes a release to `dist/release`: the package `vivarium` as a tarball,
 * Debian packages made from it, its bill of materials, its notes and checksums. Needs `npm ci`, and
 * the compilers that `npm run kernels` needs.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../launch/bundle.mjs';
import { ARCHITECTURES, packDeb } from './deb.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const pages = join(root, 'client/dist');

/** @param {string} command @param {string[]} args @returns {string} what the command prints */
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1e8 });

/** @param {string} file @returns {any} */
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** @typedef {{ name: string, version: string, identifier: string, text: string }} Bundled */

/**
 * Finds the packages that a bundle contains parts of.
 *
 * @param {readonly string[]} files of the bundle, relative to the top folder
 * @returns {Bundled[]}
 */
function packagesOf(files) {
  const folders = files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []);
  return [...new Set(folders)].map((folder) => {
    const { name, version, license, author, repository } = readJson(
      join(root, folder, 'package.json'),
    );
    const file = readdirSync(join(root, folder)).find((one) => /^licen[cs]e/i.test(one));
    const text = file
      ? readFileSync(join(root, folder, file), 'utf8')
      : [author?.name ?? author, repository?.url ?? repository].filter(Boolean).join(', ');
    return { name, version, identifier: license, text };
  });
}

/**
 * Makes the package. The pages must have been built.
 *
 * @param {string} folder to write the tarball to
 * @returns {Promise<{ file: string, bundled: Bundled[] }>} the name of the tarball, and the packages
 * whose code it contains
 */
export async function pack(folder) {
  const target = join(root, 'dist/server');
  rmSync(target, { recursive: true, force: true });
  const inServer = packagesOf(Object.keys(await bundle(target, true)));
  const inPages = readdirSync(join(pages, '.vite'))
    .filter((name) => name.endsWith('-licenses.json'))
    .flatMap((name) => /** @type {Bundled[]} */ (readJson(join(pages, '.vite', name))));
  const bundled = [...inServer, ...inPages]
    .filter(
      ({ name, version }, i, all) =>
        all.findIndex((one) => one.name === name && one.version === version) === i,
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const licences = bundled.map(
    ({ name, version, identifier, text }) => `## ${name} ${version}: ${identifier}\n\n${text}`,
  );
  const head = 'The server and the pages contain code of these packages.';
  writeFileSync(join(root, 'dist/LICENSES.md'), [head, ...licences].join('\n\n'));
  mkdirSync(folder, { recursive: true });
  // What `files` of package.json lists.
  const [{ filename }] = JSON.parse(
    run('npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
  );
  return { file: filename, bundled };
}

/**
 * Lists the packages that a host gets, in the tarball or as dependencies.
 *
 * @param {readonly Bundled[]} bundled
 * @returns {object} a bill of materials in the format CycloneDX
 */
export function billOfMaterials(bundled) {
  const flags = ['--sbom-format', 'cyclonedx', '--package-lock-only', '--workspaces=false'];
  /** @type {{ components: { name: string, 'bom-ref': string }[], dependencies: { ref: string, dependsOn: string[] }[] }} */
  const bill = JSON.parse(run('npm', 'sbom', ...flags));
  const direct = Object.keys(readJson(join(root, 'package.json')).dependencies);
  const needs = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const found = new Set(
    bill.components.filter(({ name }) => direct.includes(name)).map((part) => part['bom-ref']),
  );
  // What is added on the way is visited too.
  for (const ref of found) for (const one of needs.get(ref) ?? []) found.add(one);
  for (const { name, version } of bundled) found.add(`${name}@${version}`);
  const components = bill.components.filter((part) => found.has(part['bom-ref']));
  const dependencies = bill.dependencies
    .filter(({ ref }) => found.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => found.has(one)) }));
  return { ...bill, components, dependencies };
}

/** @param {string} version @returns {string} the section of the change log */
function notesOf(version) {
  const log = readFileSync(join(root, '.github/CHANGELOG.md'), 'utf8');
  const section = log.split(/^(?=## )/m).find((part) => part.startsWith(`## ${version} `));
  if (!section) throw new Error(`.github/CHANGELOG.md has no section "## ${version}".`);
  return section;
}

async function release() {
  const folder = join(root, 'dist/release');
  rmSync(folder, { recursive: true, force: true });
  const { version } = readJson(join(root, 'package.json'));
  const notes = notesOf(version);
  for (const build of ['build-client', 'build-library']) {
    run(process.execPath, '--import', 'tsx', `server/http/${build}.ts`);
  }
  run('npm', 'run', 'kernels', '--', '--out', join(root, 'dist/kernels'));
  const { file, bundled } = await pack(folder);
  for (const arch of Object.keys(ARCHITECTURES)) {
    const tree = join(root, 'dist/tree', arch);
    rmSync(tree, { recursive: true, force: true });
    run('server/deploy/install-tree.sh', join(folder, file), tree, arch);
    packDeb(tree, folder, { version, arch });
  }
  writeFileSync(
    join(folder, `vivarium-${version}.cdx.json`),
    JSON.stringify(billOfMaterials(bundled), null, 2),
  );
  writeFileSync(join(folder, 'NOTES.md'), notes);
  const sums = readdirSync(folder).map((name) => {
    const sum = createHash('sha256').update(readFileSync(join(folder, name)));
    return `${sum.digest('hex')}  ${name}\n`;
  });
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(`dist/release:\n${sums.join('')}`);
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await release();
