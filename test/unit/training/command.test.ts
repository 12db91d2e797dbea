/** The line of a card, read back by the command line that it is for. */
import { commandOf } from '../../../server/training/command.ts';
import { type Options, readOptions } from '../../../server/training/options.ts';

const optionsOf = (...args: string[]): Options => {
  const options = readOptions(args);
  if (options === 'help') throw new Error('help was asked for');
  return options;
};

/** Words of a line without quotes, behind `npm run train --`. */
const argsOf = (line: string): string[] => line.split(' ').slice(4);

it('contains every option that changes the result', () => {
  const args = ['a.json', '--name', 'mine', '--updates', '50', '--batch', '2', '--backend', 'cpu'];
  const options = optionsOf(...args, '--from', 'checkpoints/x', '--encoder', 'y');
  const line = commandOf(options, options);
  expect(optionsOf(...argsOf(line))).toEqual(options);
});

it('leaves out folders, time limits and threads', () => {
  const where = ['--run', 'r', '--out', 'o', '--minutes', '5', '--threads', '1'];
  expect(commandOf(optionsOf('a.json', '--batch', '2', ...where))).toBe(
    'npm run train -- a.json --batch 2',
  );
});

it('quotes special characters', () => {
  expect(commandOf(optionsOf("my drawings'.json"))).toBe(
    String.raw`npm run train -- 'my drawings'\''.json'`,
  );
});
