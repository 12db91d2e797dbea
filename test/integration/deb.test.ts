/** The Debian package and the image of a release: made from the npm package, and used in a bare Debian. */
import { execFile, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
// @ts-expect-error It is JavaScript, without declarations.
import { ARCHITECTURES, packDeb } from '../../server/deploy/release.mjs';
import { bareDebian, CHROOT_NEEDS, hasChroot, inside, wordsInside } from '../support/chroot.ts';
import { suiteFolder } from '../support/closing.ts';
import { fullTest, testNeeding } from '../support/needs.ts';
import { ServerProcess } from '../support/process.ts';
import { nodeOf } from '../support/programs.ts';
import { Visitor } from '../support/visitor.ts';
import { ARM_NEEDS, hasArm } from '../unit/engine/native/remote-kernel.ts';

const top = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const scratch = suiteFolder();
const release = join(top, 'dist/release');

const hasDpkg = spawnSync('dpkg-deb', ['--version']).status === 0;
const fullInside =
  fullTest === test ? testNeeding(`${CHROOT_NEEDS}, ${ARM_NEEDS}`, hasChroot && hasArm) : fullTest;

testNeeding('dpkg-deb', hasDpkg)(
  'its units start what it contains, whoever builds it',
  async () => {
    const tree = join(scratch, 'tree');
    const program = join(tree, 'node_modules/vivarium/server/start.mjs');
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, '#!/bin/sh\necho alive\n', { mode: 0o700 });
    const file = packDeb(tree, scratch, { version: '7.8.9', arch: 'arm64' });
    expect(file).toBe(join(scratch, 'vivarium_7.8.9_arm64.deb'));
    const unpacked = join(scratch, 'unpacked');
    await run('dpkg-deb', ['--raw-extract', file, unpacked]);
    const control = readFileSync(join(unpacked, 'DEBIAN/control'), 'utf8');
    expect(control).toContain('\nVersion: 7.8.9\nArchitecture: arm64\n');
    for (const name of ['postinst', 'prerm', 'postrm']) {
      await run('sh', ['-n', join(unpacked, 'DEBIAN', name)]);
    }
    const unit = readFileSync(join(unpacked, 'usr/lib/systemd/system/vivarium.service'), 'utf8');
    const [, command] = /^ExecStart=\/(.*)$/m.exec(unit)!;
    expect(await run(join(unpacked, command))).toMatchObject({ stdout: 'alive\n' });
    expect(existsSync(join(unpacked, /^WorkingDirectory=(.*)$/m.exec(unit)![1]))).toBe(true);
    expect(unit).not.toContain('/opt');
    // Other users run it.
    const { stdout } = await run('dpkg-deb', ['--contents', file]);
    expect(stdout).toMatch(/^-rwxr-xr-x root\/root .* \.\/usr\/lib\/vivarium\/.*start\.mjs$/m);
  },
);

/** A room in a bare Debian: the server is started as its unit says, and a visitor is there. */
async function withRoom(
  debian: string,
  words: string[],
  env: object,
  visit: (one: Visitor) => unknown,
) {
  const settings = ['--size', '96x96', '--port', '0', '--host', '127.0.0.1', '--attract', 'off'];
  const command = wordsInside(debian, [...words, ...settings], env);
  const server = new ServerProcess([], `exec ${command.map((word) => `'${word}'`).join(' ')}`);
  const visitor = await Visitor.join(await server.alive());
  await visit(visitor);
  visitor.leave();
  expect((await server.end()).code).toBe(0);
  expect(server.output).toContain('Engine: native on ');
}

const plant = async (visitor: Visitor): Promise<void> => {
  const answer = await visitor.ask('plant', { x: 48, y: 48, seed: { from: 'prior' } });
  expect(answer).not.toHaveProperty('reason');
};
const isPlanted = (visitor: Visitor) =>
  visitor.until(() => visitor.planes!.owner.some((owner) => owner > 0));

// `npm test` has the test above, and package.test.ts runs the same server.
fullInside(
  'a release is installed with Debian’s Node, upgraded with a planted room, removed and purged; an image is made of it',
  async () => {
    await run('npm', ['run', 'release'], { cwd: top, maxBuffer: 1e8 });
    const debian = join(scratch, 'debian');
    await bareDebian(debian, ['systemd', 'nodejs', 'adduser', 'curl']);
    const image = join(scratch, 'image');
    await run('cp', ['-a', debian, image]);

    const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));
    const first = join(release, `vivarium_${version}_${ARCHITECTURES[process.arch]}.deb`);
    const next = join(scratch, 'next');
    await run('dpkg-deb', ['--raw-extract', first, next]);
    await run('sed', ['-i', 's/^Version: .*/&+next/', join(next, 'DEBIAN/control')]);
    cpSync(first, join(debian, 'first.deb'));
    await run('dpkg-deb', ['-Znone', '--build', next, join(debian, 'next.deb')]);

    const apt = (...words: string[]) => inside(debian, 'apt-get', '--yes', ...words);
    const unit = () =>
      readFileSync(join(debian, 'usr/lib/systemd/system/vivarium.service'), 'utf8');
    const asUnit = () => {
      const user = /^User=(.*)$/m.exec(unit())![1];
      const [, ...folder] = /^WorkingDirectory=(.*)$/m.exec(unit())!;
      return [
        ...['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'],
        ...['env', '-C', ...folder, /^ExecStart=(.*)$/m.exec(unit())![1]],
      ];
    };
    const env = { VIVARIUM_DATA: '/var/lib/vivarium' };
    await apt('install', '--no-install-recommends', '/first.deb');
    await expect(inside(debian, 'systemctl', 'is-enabled', 'vivarium')).resolves.toBe('enabled\n');
    const verify = (unit: string) =>
      inside(debian, 'sh', '-c', `systemd-analyze verify --man=no ${unit} 2>&1 || true`);
    expect(await verify('vivarium.service')).toBe('');
    expect(await verify('vivarium-wall-watch.service vivarium-wall-restart.timer')).toBe('');
    // The wall's browser is only suggested.
    expect(await verify('vivarium-wall.service')).toMatch(
      /^\S+: Command \/usr\/bin\/cage is not executable: .*\n$/,
    );
    await withRoom(debian, asUnit(), env, async (visitor) => {
      await plant(visitor);
      await isPlanted(visitor);
    });
    await apt('install', '/next.deb');
    await withRoom(debian, asUnit(), env, isPlanted);
    await apt('remove', 'vivarium');
    const data = join(debian, 'var/lib/vivarium');
    expect([existsSync(join(debian, 'usr/lib/vivarium')), existsSync(data)]).toEqual([false, true]);
    await apt('purge', 'vivarium');
    rmSync(join(debian, 'first.deb'));
    expect(await inside(debian, 'find', '/etc', '/usr', '/var/lib', '-name', '*vivarium*')).toBe(
      '',
    );
    expect(readFileSync(join(debian, 'etc/passwd'), 'utf8')).not.toContain('vivarium');

    const { command, env: ofImage } = await buildImage(image);
    const readable = { ...ofImage, VIVARIUM_LOG: 'text' };
    await withRoom(image, command, readable, async (visitor) => {
      await plant(visitor);
      await isPlanted(visitor);
    });
    const { stdout } = await run('sh', ['-c', `tar -c -C ${image} vivarium | zstd -q | wc -c`]);
    expect(Number(stdout)).toBeLessThan(160e6);
    expect(statSync(first).size).toBeLessThan(160e6);
  },
  3_600_000,
);

/**
 * Takes the steps of the Dockerfile in a bare Debian, to which Node and npm of its base image are
 * added.
 *
 * @returns what a container runs
 */
async function buildImage(root: string) {
  const npm = dirname(dirname((await run('sh', ['-c', 'readlink -f "$(which npm)"'])).stdout));
  cpSync(npm, join(root, 'usr/local/lib/npm'), { recursive: true });
  symlinkSync('../lib/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  cpSync(await nodeOf(22), join(root, 'usr/local/bin/node'));
  await inside(root, 'useradd', 'node');
  const env: Record<string, string> = {};
  let [folder, user, command] = ['/', 'root', [] as string[]];
  const text = readFileSync(join(top, 'server/deploy/Dockerfile'), 'utf8');
  for (const line of text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')) {
    const [, step, rest = ''] = /^(\w+) +(.*)$/.exec(line) ?? [];
    if (step === 'WORKDIR') folder = rest;
    if (step === 'USER') user = rest;
    if (step === 'CMD') command = JSON.parse(rest);
    // Both stages are one folder here, so what the second takes from the first is there.
    if (step === 'COPY' && !rest.startsWith('--from')) {
      mkdirSync(join(root, folder), { recursive: true });
      await run('sh', ['-c', `cp ${rest.replace(/ \S+$/, '')} ${join(root, folder)}`], {
        cwd: top,
      });
    }
    if (step === 'RUN') await inside(root, 'env', '-C', folder, 'sh', '-c', rest);
    for (const [, name, value] of step === 'ENV' ? rest.matchAll(/(\w+)=(\S+)/g) : []) {
      env[name] = value.replace('$PATH', '/usr/local/bin:/usr/bin:/bin');
    }
  }
  const as = [
    'setpriv',
    `--reuid=${user}`,
    `--regid=${user}`,
    '--clear-groups',
    'env',
    '-C',
    folder,
  ];
  return { command: [...as, ...command], env };
}
