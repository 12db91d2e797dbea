/** The benches' command line; what they measure is not tested. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchCommand } from '../bench/command.ts';
import { suiteFolder } from '../support/closing.ts';
import { fullTest, isFull } from '../support/full.ts';
import { FROM_BUNDLE, runScript, type ScriptRun } from '../support/process.ts';

/** A garden that is soon grown. */
const small = ['--organisms', '8'];

const bench = (...args: string[]) => runScript('bench', args, FROM_BUNDLE);

/** The same in this process: what needs no measuring needs no start of its own either. */
async function told(...args: string[]): Promise<ScriptRun> {
  const output: string[] = [];
  const errors: string[] = [];
  const code = await benchCommand(args, {
    say: (text) => output.push(text),
    complain: (text) => errors.push(text),
  });
  return { code, output: output.join('\n'), errors: errors.join('\n') };
}

test.each([
  [['steam'], 'There is no bench "steam".'],
  [['constructor'], 'There is no bench "constructor".'],
  [[], 'Name one bench.'],
  [['tick', 'peer'], 'Name one bench, not 2.'],
  [['peer', '--engine', 'steam'], '--engine must be one of webgpu'],
  [['tick', '--fast'], "Unknown option '--fast'"],
  [['busy-show', '--visitors', 'many'], '--visitors must be a whole number from 1 to 1000'],
])('%p is refused by name, in one sentence, with an exit code', async (args, sentence) => {
  const { code, output, errors } = await told(...args);
  expect({ code, output }).toEqual({ code: 1, output: '' });
  expect(errors.startsWith(sentence)).toBe(true);
  expect(errors.split('\n')).toHaveLength(1);
});

test.each(['drawings', 'durability', 'peer', 'replay'])(
  '%s refuses a checkpoint that is none, in one sentence',
  async (name) => {
    const { code, errors } = await told(name, '--checkpoint', 'checkpoints/of-nobody');
    expect(code).toBe(1);
    expect(errors.trim().split('\n')).toHaveLength(1);
    expect(errors).toContain('checkpoints/of-nobody');
  },
);

test('from the shell too, what is refused ends with an exit code and its sentence', async () => {
  const { code, output, errors } = await bench('steam');
  expect({ code, output }).toEqual({ code: 1, output: '' });
  expect(errors.startsWith('There is no bench "steam".')).toBe(true);
});

// Of the benches that start servers and rooms, `npm test` runs replay alone.
fullTest('liveliness compares gardens with and without idle life', async () => {
  const { code, output, errors } = await bench('liveliness', ...small, '--seconds', '2', '--json');
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  const { rows, compared } = JSON.parse(output);
  expect(rows.map(({ liveliness }: { liveliness: number }) => liveliness)).toEqual([0, 0.1, 1]);
  for (const row of rows) {
    expect(row.kBPerSecond).toBeGreaterThanOrEqual(row.phoneKBPerSecond);
  }
  expect(compared).toMatchObject([{ organisms: 8, times: expect.any(Number) }]);
});

fullTest('durability compares the same garden with and without being kept', async () => {
  const { code, output, errors } = await bench('durability', ...small, '--seconds', '2', '--json');
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  const { stored, unstored, overhead, ...figures } = JSON.parse(output);
  expect(figures).toMatchObject({ ticks: 120, same: true });
  expect(unstored.mean).toBeGreaterThan(0);
  // Both are rounded, and a machine that stands still may have made either many times the other.
  expect((1 + overhead.mean) / (stored.mean / unstored.mean)).toBeCloseTo(1, 1);
});

test('replay does a recorded room again, over a restart, and all of it is equal', async () => {
  const seconds = isFull ? 12 : 6;
  const { code, output, errors } = await bench(
    'replay',
    ...small,
    '--seconds',
    `${seconds}`,
    '--json',
  );
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  const { recording, ...figures } = JSON.parse(output);
  expect(figures).toMatchObject({ ticks: 15 * seconds, unequal: 0 });
  expect(figures.equal).toBeGreaterThan(isFull ? 9 : 4);
  expect(recording.restart.tick).toBe((15 * seconds) / 2);
  expect(recording.restart.remarks.join()).toContain('is restored');
});

fullTest('busy-show says what memory a show takes', async () => {
  const size = ['--seconds', '6', '--visitors', '4'];
  const { code, output, errors } = await bench('busy-show', ...size, '--json');
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  const { joins, accepted, most } = JSON.parse(output);
  expect(Math.min(joins, accepted, most)).toBeGreaterThan(0);
});

test('peer without PyTorch says so in one sentence, and has nothing to tell', async () => {
  const folder = suiteFolder();
  const file = join(folder, 'peer.json');
  // No Python finds its own library there.
  const { code, output, errors } = await runScript('bench', ['peer', '--json', file], {
    ...FROM_BUNDLE,
    PYTHONHOME: folder,
  });
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toBe('PyTorch is not compared with, because no python3 here has torch.\n');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ peer: [] });
});
