// @ts-check
/** Makes the Debian package from the npm package of a release. `npm run release` calls it. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const deploy = dirname(fileURLToPath(import.meta.url));
/** Where the tree is on the host's machine. */
const HOME = 'usr/lib/vivarium';

/** Debian's names of Node's architectures. @type {Readonly<Record<string, string>>} */
export const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

/** @param {string} version @param {string} architecture as Debian names it @param {number} size in KiB */
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

/** Adapts a unit, which is written for a clone in /opt/vivarium. @param {string} unit */
export const unitOf = (unit) =>
  unit
    .replace(/^# Copy to .*\n/m, '')
    .replace('WorkingDirectory=/opt/vivarium', `WorkingDirectory=/${HOME}`)
    .replace('ExecStart=/usr/bin/node server/start.mjs', 'ExecStart=/usr/bin/vivarium')
    .replace(/^# Pages and server are built .*\n.*\n/m, '');

/**
 * Makes a Debian package.
 *
 * @param {string} tree a folder in which `install-tree.sh` has installed the package
 * @param {string} folder to write the package to
 * @param {{ version: string, arch: string }} of the tree; the architecture as Node names it
 * @returns {string} the file
 */
export function packDeb(tree, folder, { version, arch }) {
  const stage = join(folder, `deb-${arch}`);
  const into = (/** @type {string} */ path) => {
    mkdirSync(join(stage, dirname(path)), { recursive: true });
    return join(stage, path);
  };
  cpSync(tree, into(HOME), { recursive: true, verbatimSymlinks: true });
  symlinkSync('../lib/vivarium/node_modules/vivarium/server/start.mjs', into('usr/bin/vivarium'));
  for (const name of readdirSync(deploy).filter((one) => /\.(service|timer)$/.test(one))) {
    const unit = unitOf(readFileSync(join(deploy, name), 'utf8'));
    writeFileSync(into(`usr/lib/systemd/system/${name}`), unit);
  }
  for (const name of ['LICENSE', 'NOTICE']) {
    const to = name === 'LICENSE' ? 'copyright' : name;
    cpSync(join(deploy, '../..', name), into(`usr/share/doc/vivarium/${to}`));
  }
  const size = execFileSync('du', ['-sk', stage], { encoding: 'utf8' });
  cpSync(join(deploy, 'debian'), into('DEBIAN'), { recursive: true });
  const architecture = ARCHITECTURES[arch];
  writeFileSync(
    into('DEBIAN/control'),
    controlOf(version, architecture, Number.parseInt(size, 10)),
  );
  const file = join(folder, `vivarium_${version}_${architecture}.deb`);
  // Whoever has built the tree, everything in it is root's, and all may read it.
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', stage]);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zzstd', '--build', stage, file]);
  rmSync(stage, { recursive: true });
  return file;
}
