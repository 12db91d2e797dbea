/**
 * `npm run train` as a trainer meets it: a process, what it prints, how it ends, what it leaves.
 */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { readConfig } from '../../server/training/config.ts';
import { beginRun } from '../../server/training/run/begin-run.ts';
import { loadCheckpoint, parseSafetensors } from '../../server/vnca/checkpoint.ts';
import { float32Of } from '../../shared/safetensors.ts';
import { bundled } from '../support/bundled.ts';
import { suiteFolder } from '../support/closing.ts';
import { fullTest } from '../support/needs.ts';
import { collected, type ScriptRun } from '../support/process.ts';
import { TINY_POOL, tinyConfigJson } from '../unit/training/tiny-run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = suiteFolder();
const program = await bundled('server/training/main.ts');

/** Always the same folder, so that the cache of training sets has one file of it. */
const IMAGES = join(tmpdir(), 'vivarium-train-images');

/** Makes an image of one colour, if there is none. */
async function paint(file: string, background: string): Promise<void> {
  if (existsSync(file)) return;
  await sharp({ create: { width: 8, height: 8, channels: 4, background } }).toFile(file);
}

async function paintAll(images: string, ...colours: string[]): Promise<void> {
  await mkdir(images, { recursive: true });
  for (const [i, colour] of colours.entries()) await paint(join(images, `${i}.png`), colour);
}

beforeAll(async () => {
  await paintAll(IMAGES, '#e03020', '#20a040', '#3040e0', '#e0c020');
  await write('tiny.json', {});
});

const imagesIn = (images: string) => ({ kind: 'folder', folder: images, side: 8, margin: 1 });

function write(name: string, fields: object): Promise<void> {
  const usual = { data: imagesIn(IMAGES), pool: TINY_POOL, gallery: 3 };
  return writeFile(join(folder, name), JSON.stringify(tinyConfigJson({ ...usual, ...fields })));
}

/**
 * @param whenSaid is called with what the process has printed so far
 * @param before a script of the process itself, which runs before the training's
 */
function train(
  args: string[],
  whenSaid: (errors: string, signal: (name: NodeJS.Signals) => void) => void = () => {},
  before?: string,
): Promise<ScriptRun> {
  const command = [
    ...(before ? ['--import', `data:text/javascript,${before}`] : []),
    program,
    ...args,
  ];
  const child = spawn(process.execPath, command, { cwd: root });
  return collected(child, ({ errors }) => whenSaid(errors, (name) => child.kill(name)));
}

const config = (name = 'tiny.json'): string => join(folder, name);
/** A thread takes longer to start than these updates; what threads are for is tried with two. */
const run = (name: string, threads = 1): string[] => [
  ...['--run', join(folder, name), '--threads', `${threads}`],
];

async function stateOf(name: string): Promise<Record<string, Float32Array>> {
  const file = join(folder, name, 'state.safetensors');
  const tensors = float32Of(parseSafetensors(await readFile(file), file));
  return Object.fromEntries([...tensors].map(([key, { data }]) => [key, data]));
}

/** The run of four updates that others are compared with. */
let whole: Promise<ScriptRun> | undefined;
const trainWhole = (): Promise<ScriptRun> => {
  whole ??= train([config(), ...run('whole', 2), '--updates', '4']);
  return whole;
};

const updatesIn = async (name: string): Promise<number[]> =>
  (await readFile(join(folder, name, 'log.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).update);

test('Ctrl-C in a terminal, which everybody in it hears, stops `npm run train` after the running update, saves, and writes the checkpoint', async () => {
  const command = ['run', 'train', '--', config(), '--updates', '100000', ...run('ctrl-c')];
  const child = spawn('npm', command, { cwd: root, detached: true });
  let isSent = false;
  const { errors } = await collected(child, (said) => {
    // It listens by then.
    if (isSent || !said.errors.includes('updates/s')) return;
    isSent = true;
    process.kill(-child.pid!, 'SIGINT');
  });
  expect(errors).toContain('stopping after this update');
  expect(errors).toContain('continue with --resume');
  const [update] = (await stateOf('ctrl-c')).run;
  expect(update).toBeGreaterThan(0);
  expect(await updatesIn('ctrl-c')).toEqual(Array.from({ length: update }, (_, i) => i + 1));
  const { card } = await loadCheckpoint(join(folder, 'ctrl-c', 'checkpoint'));
  expect(card.training.updates).toBe(`${update} of 100000`);
});

// In full runs; unit tests of the trainer and of run folders have shorter forms.
fullTest('a run is not gone on with on other images', async () => {
  const images = join(folder, 'images');
  await paintAll(images, '#e03020', '#20a040');
  await write('own.json', { data: imagesIn(images) });
  expect((await train([config('own.json'), '--updates', '2', ...run('own')])).code).toBe(0);
  await paint(join(images, 'before-all.png'), '#e0c020');
  const again = await train([config('own.json'), '--updates', '3', '--resume', ...run('own')]);
  expect(again.code).toBe(1);
  expect(again.errors).toContain('the images have changed since the run');
});

test('a run that is not there is not resumed, and says so in one sentence', async () => {
  const begun = beginRun({ resume: true }, await readConfig(config()), join(folder, 'none'));
  const message = expect.stringMatching(/^.*without --resume.*$/);
  await expect(begun).rejects.toMatchObject({ reason: expect.any(String), message });
});

test('a run trains, is resumed to the same end, and leaves a checkpoint', async () => {
  const { code, errors } = await trainWhole();
  expect(errors).toMatch(/training on .*(ONNX|native code)/);
  expect(errors).toMatch(/4\/4 · .* updates\/s on (onnx|native) · /);
  expect(code).toBe(0);
  const { card } = await loadCheckpoint(join(folder, 'whole', 'checkpoint'));
  expect(card.training.updates).toBe('4 of 4');
  expect(card.gallery).toHaveLength(3);

  const from = [...run('from'), '--from', join(folder, 'whole', 'checkpoint')];
  // An update that moves next to nothing leaves the weights it began with.
  await write('still.json', { optimiser: { learningRate: 1e-12 } });
  expect((await train([config('still.json'), ...from, '--minutes', '0'])).code).toBe(0);
  const begun = (await stateOf('from'))['parameter:update.out.kernel'];
  const trained = (await stateOf('whole'))['parameter:update.out.kernel'];
  expect(Math.max(...trained.map(Math.abs))).toBeGreaterThan(1e-5);
  expect(Math.max(...begun.map((x, i) => Math.abs(x - trained[i])))).toBeLessThan(1e-7);

  // Stopped by the clock after its first update.
  const part = await train([config(), ...run('part'), '--updates', '4', '--minutes', '0']);
  expect(part.code).toBe(0);
  expect(part.errors).toContain('continue with --resume');
  expect((await stateOf('part')).run[0]).toBe(1);
  const rest = await train([config(), ...run('part'), '--updates', '4', '--resume']);
  expect(rest.code).toBe(0);
  const { run: _, ...found } = await stateOf('part');
  const { run: __, ...wanted } = await stateOf('whole');
  expect(Object.keys(wanted).filter((name) => name.startsWith('pool.'))).toHaveLength(2);
  expect(found).toEqual(wanted);
  expect(await updatesIn('part')).toEqual([1, 2, 3, 4]);
});

fullTest('Ctrl-C while latents are refined saves those that are', async () => {
  await write('refined.json', { galleryOffsets: {} });
  const args = [config('refined.json'), ...run('refined')];
  expect((await train([...args, '--minutes', '0'])).code).toBe(0);
  let sent = false;
  const { code, errors } = await train([...args, '--resume', '--refine', '0'], (said, signal) => {
    if (sent || !said.includes('refining at most')) return;
    sent = true;
    signal('SIGINT');
  });
  expect(errors).toContain('stopping after this update');
  expect(code).toBe(0);
  expect((await stateOf('refined')).run[0]).toBe(1);
});

test('a run that was killed goes on from what it saved last', async () => {
  await write('killed.json', { updates: 100_000, saveMinutes: 0.0001 });
  const args = [config('killed.json'), ...run('killed')];
  // Drawn after the state was saved.
  const picture = join(folder, 'killed', 'pictures', 'latest.png');
  let watch: NodeJS.Timeout | undefined;
  const { code } = await train(args, (_, signal) => {
    watch ??= setInterval(() => existsSync(picture) && signal('SIGKILL'), 10);
  });
  clearInterval(watch);
  expect(code).toBeNull();
  const [before] = (await stateOf('killed')).run;
  expect(before).toBeGreaterThan(0);
  const resumed = await train([...args, '--resume', '--minutes', '0']);
  expect(resumed.code).toBe(0);
  expect((await stateOf('killed')).run[0]).toBe(before + 1);
  expect((await updatesIn('killed')).at(-1)).toBe(before + 1);
});

/** Kills the first thread once it is ready, which is its first message. Runs in threads too. */
const KILLING = `
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) process.once('worker', (worker) => {
    worker.once('message', () => worker.terminate());
  });
`;

// In `npm test`, `unit/training/workers` loses a thread.
fullTest(
  'an update in which a thread dies is done again, and the run ends as if none had',
  async () => {
    const args = ['--updates', '4'];
    expect((await trainWhole()).code).toBe(0);
    const harmed = await train([config(), ...run('harmed', 2), ...args], undefined, KILLING);
    expect(harmed).toMatchObject({
      code: 0,
      errors: expect.stringMatching(/a training thread failed: .*\. Repeating update 1\./),
    });
    const { run: _, ...found } = await stateOf('harmed');
    const { run: __, ...wanted } = await stateOf('whole');
    expect(found).toEqual(wanted);
    expect(await updatesIn('harmed')).toEqual([1, 2, 3, 4]);
  },
);

fullTest('images, name, batch and back end are chosen, and told with the checkpoint', async () => {
  const own = ['--images', IMAGES, '--name', 'mine'];
  const args = [...run('small'), ...own, '--backend', 'onnx', '--minutes', '0'];
  const { code, errors } = await train([config(), ...args, '--batch', '1']);
  expect(code).toBe(0);
  expect(errors).toContain('training on CPU (ONNX Runtime');
  const { card } = await loadCheckpoint(join(folder, 'small', 'checkpoint'));
  expect([card.name, card.title]).toEqual(['mine', 'Mine']);
  expect(card.training.command).toBe(
    `npm run train -- ${config()} --images <folder> --name mine --batch 1 --backend onnx`,
  );
  const { 'pool.entries': entries } = await stateOf('small');
  expect(entries).toHaveLength(3);
});
