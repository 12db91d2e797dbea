/** `npm start` and `npm run doctor` as processes: their output and their exit. */

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { terminalQr } from '../../server/composition/listen.ts';
import { BACKEND_NAMES } from '../../server/engine/backend.ts';
import { autoOrder } from '../../server/engine/choose-backend.ts';
import type { EngineReport, Report } from '../../server/engine/doctor/examine.ts';
import { suiteFolder } from '../support/closing.ts';
import { fullTest } from '../support/needs.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { collected, FROM_BUNDLE, runScript, type ScriptRun } from '../support/process.ts';
import { withBrokenCompiler } from '../unit/engine/native/support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Starts the server and waits for its end; `until` stops it when that has been printed. */
function start(
  args: string[],
  until?: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ScriptRun> {
  const kept = args.includes('--data') ? [] : ['--data', 'none'];
  const child = spawn(process.execPath, ['server/start.mjs', ...kept, ...args], {
    cwd: root,
    env: { ...process.env, ORT_DISABLE_TELEMETRY: undefined, ...environment },
  });
  let isStopping = false;
  return collected(child, ({ output }) => {
    // Told once: who is told twice does not wait for good order.
    if (isStopping || !until || !output.includes(until)) return;
    isStopping = true;
    child.kill('SIGTERM');
  });
}

const isGlibc = 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;

describe('starting', () => {
  test('prints the address of the room and a code to scan, and shuts down cleanly on a signal', async () => {
    // A server alone needs no client of Valkey.
    const hook = new URL('../support/without-redis.mjs', import.meta.url);
    const returned = new URL('../support/memory-returned.mjs', import.meta.url);
    const alone = { NODE_OPTIONS: `--import ${hook} --import ${returned}` };
    const { code, output, errors } = await start(['--port', '0'], 'sign in at', alone);
    expect(errors).toBe('');
    expect(output).toMatch(/Engine: \w+ on \w+/);
    expect(output).toMatch(/http:\/\/localhost:\d+\/r\/garden/);
    // Without a network there is no code to scan.
    const [, shared] = /on the network (http:.*)/.exec(output) ?? [];
    expect(output.includes('█')).toBe(shared !== undefined);
    if (shared !== undefined) expect(output).toContain(terminalQr(shared));
    expect(code).toBe(0);
    // Without a compiler, old versions of Node cannot make glibc return memory.
    if (!isGlibc || !(output.includes('Engine: native') || 'execve' in process)) return;
    expect(Number(/returned ([\d.]+)/.exec(output)?.[1])).toBeGreaterThan(0.9);
  });

  test('goes on without a compiler that fails, and says why; no library stores or reports the user in the home folder', async () => {
    const home = suiteFolder();
    const { output } = await start(['--port', '0'], 'sign in at', {
      PATH: withBrokenCompiler(suiteFolder()),
      HOME: home,
    });
    const reason = 'native: the C compiler failed: error: no assembler';
    expect(output).toMatch(new RegExp(`Engine: (\\w+ on GPU|onnx on .*; better: .*${reason})`));
    expect(readdirSync(home, { recursive: true })).toEqual([]);
  });

  // What else may be wrong with one is said by the same sentences, which have tests of their own.
  test('a checkpoint with a missing file is refused with one sentence that names the file', async () => {
    const folder = suiteFolder();
    cpSync(join(CHECKPOINT_FOLDER, 'card.json'), join(folder, 'card.json'));
    const { code, errors } = await start(['--port', '0', '--checkpoint', folder]);
    expect(code).toBe(1);
    expect(errors.trim().split('\n')).toHaveLength(1);
    expect(errors).toContain('model.safetensors');
  });

  test('with a log of JSON lines, a variable that is no setting and the error that ends the start are such lines', async () => {
    const nowhere = ['--checkpoint', join(suiteFolder(), 'nowhere'), '--log', 'json'];
    const { code, output, errors } = await start(nowhere, undefined, { VIVARIUM_TICKRATE: '20' });
    expect([code, errors]).toEqual([1, '']);
    const lines = output.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        event: 'no-setting',
        msg: 'The environment variable VIVARIUM_TICKRATE is not a setting and has no effect. Did you mean VIVARIUM_TICK_RATE?',
      },
      { event: 'fatal', msg: expect.stringContaining('nowhere') },
    ]);
  });
});

test('it runs from a bundle of the current sources, or from the sources where no bundle can be made', () => {
  const folder = suiteFolder();
  for (const part of ['server', 'shared', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const help = () => {
    const args = [join(folder, 'server/start.mjs'), '--help'];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    return { first: stdout.split('\n')[0], errors: stderr };
  };
  const bundles = () => readdirSync(join(folder, '.cache/server')).length;
  const first = 'Vivarium: a multiplayer canvas of living cells.';
  expect([help(), bundles()]).toEqual([{ first, errors: '' }, 1]);
  expect([help(), bundles()]).toEqual([{ first, errors: '' }, 1]);
  const file = join(folder, 'server/settings/server.ts');
  const changed = first.replace('living', 'lively');
  writeFileSync(file, readFileSync(file, 'utf8').replace(first, changed));
  expect([help(), bundles()]).toEqual([{ first: changed, errors: '' }, 2]);

  rmSync(join(folder, '.cache'), { recursive: true });
  writeFileSync(join(folder, '.cache'), 'no folder');
  const { first: told, errors } = help();
  expect(told).toBe(changed);
  expect(errors.trim().split('\n')).toHaveLength(1);
  expect(errors).toMatch(
    /^The server starts from its source files, because the files could not be bundled: /,
  );
});

const NOWHERE = 'checkpoints/of-nobody';

/** What the doctor reports. It starts a thread or two for each engine. */
async function report(environment: Record<string, string>): Promise<Report> {
  const args = ['--json', '--seconds', '0.1'];
  const { code, output } = await runScript('doctor', args, { ...FROM_BUNDLE, ...environment });
  expect(code).toBe(0);
  return JSON.parse(output);
}

const byName = (engines: readonly EngineReport[]) =>
  new Map(engines.map((engine) => [engine.name, engine]));

// In `npm test`, `unit/engine/doctor.test.ts` reads a report.
fullTest(
  'the doctor finds the engines of this machine, measures those that run, and says what auto takes and why',
  async () => {
    const { machine, checkpoint, engines, auto } = await report({
      // A small net: how fast it is does not matter.
      VIVARIUM_CHECKPOINT: 'checkpoints/digits-heal',
    });
    expect(machine.cores).toBeGreaterThan(0);
    expect(checkpoint).toMatchObject({ net: expect.any(String), side: expect.any(Number) });
    expect(engines.map(({ name }) => name)).toEqual([...BACKEND_NAMES]);
    for (const engine of engines) {
      expect(engine.needs).not.toBe('');
      if (engine.usable) {
        expect(engine.device).toMatch(/^(CPU|GPU).* \(.+\)$/);
        expect(engine.cellsPerSecond).toBeGreaterThan(0);
        expect(engine).toMatchObject({ reason: null, remedy: null });
      } else {
        expect(engine).toMatchObject({ device: null, cellsPerSecond: null });
        expect(engine.reason).toBeTruthy();
        expect(engine.remedy).toBeTruthy();
      }
    }
    expect(byName(engines).get('onnx')!.usable).toBe(true);
    const chosen = engines.find(({ name }) => name === auto.name)!;
    expect(chosen.usable).toBe(true);
    expect(auto.device).toBe(chosen.device);
    expect(auto.why).toContain(autoOrder().join(', '));
  },
);

// A server that meets a compiler that fails goes on, above.
fullTest(
  'the doctor outlives libraries that are missing or end their process, and says so',
  async () => {
    const broken = new URL('../support/broken-libraries.mjs', import.meta.url);
    const { checkpoint, engines, auto } = await report({
      NODE_OPTIONS: `--import ${broken}`,
      VIVARIUM_CHECKPOINT: NOWHERE,
      // What a compiler makes would be taken before these libraries.
      PATH: withBrokenCompiler(suiteFolder()),
    });
    expect(checkpoint).toBeNull();
    const found = byName(engines);
    expect(found.get('native')).toMatchObject({ usable: false });
    expect(found.get('tensorflow')).toMatchObject({ usable: false });
    expect(found.get('onnx')).toMatchObject({
      usable: false,
      reason: 'its process ended with SIGILL',
      remedy: 'run npm ci',
    });
    // A back end that kills the doctor's process would kill the server too, so the host must see it.
    expect(auto).toMatchObject({ name: null, why: 'its process ended with SIGILL' });
  },
);
