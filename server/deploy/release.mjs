// @ts-check
/**
 * Script of `npm run release`. Writes a release to `dist/release`: an npm tarball, Debian packages,
 * a bill of materials, release notes and checksums. Requires that `npm ci` has run and that the
 * compilers for `npm run kernels` are installed.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../launch/bundle.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const pages = join(root, 'client/dist');
const deploy = join(root, 'server/deploy');

/**
 * Runs a command in the repository's root folder.
 *
 * @param {string} command
 * @param {string[]} args
 * @returns {string} the command's standard output
 */
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1e8 });

/** Reads and parses a JSON file. @param {string} file @returns {any} */
const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/** @typedef {{ name: string, version: string, identifier: string, text: string }} Bundled */

/**
 * Finds the npm packages whose code is in a bundle.
 *
 * @param {readonly string[]} files the bundle's source files, relative to the repository's root
 *   folder
 * @returns {Bundled[]}
 */
function packagesOf(files) {
  const folders = files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []);
  return [...new Set(folders)].map((folder) => {
    const { name, version, license, author, repository } = readJson(
      join(root, folder, 'package.json'),
    );
    const file = fs.readdirSync(join(root, folder)).find((one) => /^licen[cs]e/i.test(one));
    const text = file
      ? fs.readFileSync(join(root, folder, file), 'utf8')
      : [author?.name ?? author, repository?.url ?? repository].filter(Boolean).join(', ');
    return { name, version, identifier: license, text };
  });
}

/**
 * Makes the npm package. The pages must already be built.
 *
 * @param {string} folder folder to write the tarball to
 * @returns {Promise<{ file: string, bundled: Bundled[] }>} the tarball's name, and the npm packages
 *   whose code it contains
 */
export async function pack(folder) {
  const target = join(root, 'dist/server');
  fs.rmSync(target, { recursive: true, force: true });
  const inServer = packagesOf(Object.keys(await bundle(target, true)));
  const inPages = fs
    .readdirSync(join(pages, '.vite'))
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
  fs.writeFileSync(join(root, 'dist/LICENSES.md'), [head, ...licences].join('\n\n'));
  fs.mkdirSync(folder, { recursive: true });
  // npm packs the files listed in the field `files` of package.json.
  const [{ filename }] = JSON.parse(
    run('npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
  );
  return { file: filename, bundled };
}

/**
 * Lists all npm packages that a host installs: packages in the tarball and packages on which the
 * tarball depends.
 *
 * @param {readonly Bundled[]} bundled packages whose code is in the tarball
 * @returns {object} a bill of materials in CycloneDX format
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
  // The set grows during the loop, so the dependencies of dependencies are added too.
  for (const ref of found) for (const one of needs.get(ref) ?? []) found.add(one);
  for (const { name, version } of bundled) found.add(`${name}@${version}`);
  const components = bill.components.filter((part) => found.has(part['bom-ref']));
  const dependencies = bill.dependencies
    .filter(({ ref }) => found.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => found.has(one)) }));
  return { ...bill, components, dependencies };
}

/**
 * Returns the change log's section about a version.
 *
 * @param {string} version
 * @returns {string}
 */
function notesOf(version) {
  const log = fs.readFileSync(join(root, '.github/CHANGELOG.md'), 'utf8');
  const section = log.split(/^(?=## )/m).find((part) => part.startsWith(`## ${version} `));
  if (!section) throw new Error(`The file .github/CHANGELOG.md has no section "## ${version}".`);
  return section;
}

/** Folder to which the Debian package installs its files, relative to `/`. */
const HOME = 'usr/lib/vivarium';

/**
 * Debian's names of processor architectures, by Node's names.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

/**
 * Writes the control file of the Debian package.
 *
 * @param {string} version
 * @param {string} architecture Debian's name of the processor architecture
 * @param {number} size total size of the installed files, in KiB
 */
const controlOf = (version, architecture, size) => `Package: vivarium
Version: ${version}
Architecture: ${architecture}
Installed-Size: ${size}
Maintainer: Vivarium <vivarium@localhost>
Depends: nodejs (>= 20.19), adduser
Suggests: cage, chromium, curl, fonts-noto-core, fonts-noto-cjk, libvulkan1
Section: web
Priority: optional
Description: multiplayer canvas of living cells
 Serves rooms in which visitors plant latent seeds and watch a neural cellular
 automaton grow them into organisms, which heal when they are wounded.
`;

/**
 * Adapts a systemd unit, which was written for a clone of the repository, to the Debian package.
 *
 * @param {string} unit content of the unit file
 */
const unitOf = (unit) =>
  unit
    .replace(/^# Copy to .*\n/m, '')
    .replace('WorkingDirectory=/opt/vivarium', `WorkingDirectory=/${HOME}`)
    .replace('ExecStart=/usr/bin/node server/start.mjs', 'ExecStart=/usr/bin/vivarium')
    .replace(/^# Pages and server are built .*\n.*\n/m, '');

/**
 * Makes a Debian package.
 *
 * @param {string} tree folder in which `install-tree.sh` has installed the npm package
 * @param {string} folder folder to write the Debian package to
 * @param {{ version: string, arch: string }} options `arch`: Node's name of the processor
 *   architecture
 * @returns {string} path of the Debian package
 */
export function packDeb(tree, folder, { version, arch }) {
  const stage = join(folder, `deb-${arch}`);
  const into = (/** @type {string} */ path) => {
    fs.mkdirSync(join(stage, dirname(path)), { recursive: true });
    return join(stage, path);
  };
  fs.cpSync(tree, into(HOME), { recursive: true, verbatimSymlinks: true });
  fs.symlinkSync(
    '../lib/vivarium/node_modules/vivarium/server/start.mjs',
    into('usr/bin/vivarium'),
  );
  for (const name of fs.readdirSync(deploy).filter((one) => /\.(service|timer)$/.test(one))) {
    const unit = unitOf(fs.readFileSync(join(deploy, name), 'utf8'));
    fs.writeFileSync(into(`usr/lib/systemd/system/${name}`), unit);
  }
  for (const name of ['LICENSE', 'NOTICE']) {
    const to = name === 'LICENSE' ? 'copyright' : name;
    fs.cpSync(join(root, name), into(`usr/share/doc/vivarium/${to}`));
  }
  const size = execFileSync('du', ['-sk', stage], { encoding: 'utf8' });
  fs.cpSync(join(deploy, 'debian'), into('DEBIAN'), { recursive: true });
  const architecture = ARCHITECTURES[arch];
  const control = controlOf(version, architecture, Number.parseInt(size, 10));
  fs.writeFileSync(into('DEBIAN/control'), control);
  const file = join(folder, `vivarium_${version}_${architecture}.deb`);
  // Make the files readable for all users.
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', stage]);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zzstd', '--build', stage, file]);
  fs.rmSync(stage, { recursive: true });
  return file;
}

async function release() {
  const folder = join(root, 'dist/release');
  fs.rmSync(folder, { recursive: true, force: true });
  const { version } = readJson(join(root, 'package.json'));
  const notes = notesOf(version);
  run(process.execPath, '--import', 'tsx', 'server/http/build-client.ts', '--types');
  run('npm', 'run', 'kernels', '--', '--out', join(root, 'dist/kernels'));
  const { file, bundled } = await pack(folder);
  for (const arch of Object.keys(ARCHITECTURES)) {
    const tree = join(root, 'dist/tree', arch);
    fs.rmSync(tree, { recursive: true, force: true });
    run('server/deploy/install-tree.sh', join(folder, file), tree, arch);
    packDeb(tree, folder, { version, arch });
  }
  const bill = JSON.stringify(billOfMaterials(bundled), null, 2);
  fs.writeFileSync(join(folder, `vivarium-${version}.cdx.json`), bill);
  fs.writeFileSync(join(folder, 'NOTES.md'), notes);
  const sums = fs.readdirSync(folder).map((name) => {
    const sum = createHash('sha256').update(fs.readFileSync(join(folder, name)));
    return `${sum.digest('hex')}  ${name}\n`;
  });
  fs.writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(`dist/release:\n${sums.join('')}`);
}

if (fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await release();
