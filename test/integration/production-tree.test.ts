/** What a container's image has of Vivarium: small, and all that a room needs. */
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suiteFolder } from '../support/closing.ts';
import { runScript, ServerProcess } from '../support/process.ts';
import { Visitor } from '../support/visitor.ts';
import { hasCompiler } from '../unit/engine/native/support.ts';

/** Megabytes, by `du`. */
const LIMIT = 250;

const root = fileURLToPath(new URL('../..', import.meta.url));
const dockerfile = readFileSync(join(root, 'server/deploy/Dockerfile'), 'utf8');
const run = promisify(execFile);
const scratch = suiteFolder();
const tree = join(scratch, 'vivarium');

/** The words of a command that the Dockerfile gives as a list. */
function commandOf(instruction: RegExp): string[] {
  const [, list] = instruction.exec(dockerfile)!;
  return JSON.parse(list);
}

beforeAll(() => {
  // What the Dockerfile says, with a folder of our own.
  const [, script] = /&& node (\S+) \/vivarium$/m.exec(dockerfile)!;
  const { status, stderr } = spawnSync(process.execPath, [script, tree], { cwd: root });
  expect(`${stderr}`).toBe('');
  expect(status).toBe(0);
});

test(`the tree takes at most ${LIMIT} MB, without what other platforms or the pages' build need`, async () => {
  const { stdout } = await run('du', ['-sm', tree]);
  expect(Number.parseInt(stdout, 10)).toBeLessThanOrEqual(LIMIT);
  const files = readdirSync(tree, { recursive: true, encoding: 'utf8' });
  expect(files.filter((file) => /\.(dll|dylib|exe)$/.test(file))).toEqual([]);
  for (const name of ['vite', 'lit', 'typescript', '@tensorflow/tfjs', 'jest']) {
    expect(existsSync(join(tree, 'node_modules', name))).toBe(false);
  }
});

const engines = ['onnx', ...(hasCompiler ? ['native'] : [])];

test.each(engines)('it serves a room that is stored, on %s', async (engine) => {
  const data = join(scratch, engine);
  const settings = ['--size', '96x96', '--port', '0', '--host', '127.0.0.1', '--attract', 'off'];
  const server = new ServerProcess([...settings, '--engine', engine, '--data', data], '', tree);
  const port = await server.alive();
  expect(server.output).toContain(`Engine: ${engine} on `);
  const page = await fetch(`http://127.0.0.1:${port}/r/garden`);
  expect(page.status).toBe(200);
  const visitor = await Visitor.join(port);
  const answer = await visitor.ask('plant', { x: 48, y: 48, seed: { from: 'prior' } });
  expect(answer).not.toHaveProperty('reason');
  await visitor.until(() => visitor.planes!.owner.some((owner) => owner > 0));
  visitor.leave();
  const [node, ...words] = commandOf(/^HEALTHCHECK .*\\\n\s*(\[.*\])$/m);
  expect(node).toBe('node');
  const asks = (address: object) => {
    return run(process.execPath, words, { env: { ...process.env, ...address } });
  };
  const own = { VIVARIUM_PORT: `${port}`, VIVARIUM_HOST: '127.0.0.1' };
  for (const host of ['127.0.0.1', '0.0.0.0', 'localhost', '']) {
    await asks({ ...own, VIVARIUM_HOST: host });
  }
  // There is no server.
  await expect(asks({ ...own, VIVARIUM_HOST: '127.0.0.2' })).rejects.toMatchObject({ code: 1 });
  expect((await server.end()).code).toBe(0);
  expect(server.errors).toBe('');
  await expect(asks(own)).rejects.toMatchObject({ code: 1 });
});

test('the bill of materials names all of its packages, with their licences', async () => {
  const { output } = await runScript('sbom', []);
  const { bomFormat, components } = JSON.parse(output) as {
    readonly bomFormat: string;
    readonly components: readonly { readonly name: string; readonly licenses?: unknown[] }[];
  };
  expect(bomFormat).toBe('CycloneDX');
  const listed = new Map(components.map(({ name, licenses }) => [name, licenses]));
  const modules = join(tree, 'node_modules');
  const names = readdirSync(modules).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((one) => `${name}/${one}`) : [name],
  );
  expect(names.length).toBeGreaterThan(100);
  for (const name of names) expect([name, listed.get(name)?.length ?? 0]).toEqual([name, 1]);
});

test('its command is what was started here', () => {
  expect(commandOf(/^CMD (\[.*\])$/m)).toEqual(['node', 'server/start.mjs']);
});

test('a folder that has something is left alone', () => {
  const script = join(root, 'server/deploy/production-tree.mjs');
  const full = join(scratch, 'full');
  cpSync(join(root, 'LICENSE'), join(full, 'LICENSE'));
  const { status, stderr } = spawnSync(process.execPath, [script, full], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([1, 'production-tree: name an empty folder to write to.\n']);
  expect(readdirSync(full)).toEqual(['LICENSE']);
});
