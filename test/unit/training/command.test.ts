/** Reads the command in a card back with the command line's parser. */
import { COMPUTE_NAMES } from '../../../server/autodiff/compute.ts';
import { commandOf, type Options, readOptions } from '../../../server/training/command.ts';

const optionsOf = (...args: string[]): Options => {
  const options = readOptions(args);
  if (options === 'help') throw new Error('help was asked for');
  return options;
};
const first = (...args: string[]): string => commandOf(optionsOf(...args), 0);

/** Returns the words of a command without quotes, after `npm run train --`. */
const argsOf = (line: string): string[] => line.split(' ').slice(4);

it('contains every option that changes the result', () => {
  const args = ['a.json', '--name', 'mine', '--updates', '50', '--batch', '2', '--backend', 'onnx'];
  const more = ['--from', 'checkpoints/x'];
  expect(optionsOf(...argsOf(first(...args, ...more)))).toEqual(optionsOf(...args, ...more));
});

it('leaves out folders, time limits and threads', () => {
  const where = ['--run', 'r', '--out', 'o', '--minutes', '5', '--threads', '1'];
  expect(first('a.json', '--batch', '2', ...where)).toBe('npm run train -- a.json --batch 2');
});

it('quotes special characters', () => {
  expect(first("my drawings'.json")).toBe(String.raw`npm run train -- 'my drawings'\''.json'`);
});

it('tells with which options a run went on, where they were others', () => {
  const starts: [number, ...string[]][] = [
    [0, 'a.json', '--from', 'x', '--minutes', '3'],
    [40, 'a.json', '--resume', '--minutes', '9'],
    [70, 'a.json', '--resume', '--updates', '90'],
    [80, 'b.json', '--resume', '--updates', '90'],
    [85, 'b.json', '--resume', '--updates', '90', '--refine', '0.1'],
    [86, 'b.json', '--resume', '--updates', '90', '--refine', '0.1'],
  ];
  const line = starts.reduce<string | undefined>(
    (before, [update, ...args]) => commandOf(optionsOf(...args), update, before),
    undefined,
  );
  expect(line!.split(', ')).toEqual([
    'npm run train -- a.json --from x',
    'from update 70 on with --resume a.json --updates 90',
    'from update 80 on with --resume b.json --updates 90',
    'from update 85 on with --resume b.json --updates 90 --refine 0.1',
    'from update 86 on with --resume b.json --updates 90 --refine 0.1',
  ]);
});

// settings/command-line.test.ts tests errors that all commands share.
test.each([
  [[], 'Name one configuration'],
  [['a.json', '--updates', '0'], '--updates'],
  [['a.json', '--batch=-2'], '--batch'],
  [['a.json', '--backend', 'abacus'], COMPUTE_NAMES.join(', ')],
  [['a.json', '--resume', '--from', 'x'], '--from'],
  [['a.json', '--refine', '0.01'], '--resume'],
  [['a.json', '--resume', '--refine', '-1'], '--refine'],
])('%j is refused', (args, text) => {
  expect(() => readOptions(args)).toThrow(
    expect.objectContaining({ reason: 'bad-option', message: expect.stringContaining(text) }),
  );
});
