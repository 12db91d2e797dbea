
import { COMMAND as REPLAY } from '../../../server/replay/replay-command.ts';
import {
  type Command,
  readCommand,
  SettingsError,
  unknownVariables,
} from '../../../server/settings/command-line.ts';
import { helpText, } from '../../../server/settings/document.ts';
import { SERVER } from '../../../server/settings/server.ts';
import {
  list,
  number,
  oneOf,
  orWord,
  text,
  wholeNumber,
} from '../../../server/settings/server-types.ts';
import { COMMAND as TRAIN } from '../../../server/training/command.ts';
import { COMMAND as EVALUATE } from '../../../server/training/evaluate/options.ts';

const COMMAND = {
  about: 'Bakes bread.',
  usage: 'bake <recipe> [options]',
  positional: {
    key: 'recipe',
    noun: 'recipe',
    help: 'what to bake',
    choices: { rye: 'a dark one', wheat: 'a light one' },
  },
  options: {
    ovenHeat: { type: wholeNumber(50, 300), default: '220', help: 'degrees' },
    loaves: { type: wholeNumber(1), defaultInWords: 'as many as fit', help: 'how many' },
    crust: { value: 'KIND', type: oneOf(['soft', 'hard']), default: 'hard', help: 'the outside' },
    seeds: { value: 'A,B', type: list(text), default: 'none', repeatable: true, help: 'on top' },
    json: { value: 'FILE', type: text, bare: '-', help: 'write a report' },
    timer: {
      type: orWord('off', undefined, number(0.5)),
      default: 'off',
      environment: false,
      help: 'minutes',
    },
    fan: { help: 'turn the fan on' },
  },
  environment: 'BAKE_',
} as const;

const read = (args: string, environment = {}) =>
  readCommand(COMMAND, args.split(' ').filter(Boolean), environment);

function messageOf(args: readonly string[], environment = {}): string {
  try {
    readCommand(COMMAND, args, environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('reading', () => {
  test('gives each option its value or default, and leaves out what has neither', () => {
    expect(read('rye')).toStrictEqual({
      ...{ recipe: 'rye', ovenHeat: 220, crust: 'hard', seeds: ['none'] },
      ...{ timer: undefined, fan: false },
    });
  });

  const given = { BAKE_OVEN_HEAT: '100', BAKE_CRUST: ' ', BAKE_FAN: '1', BAKE_TIMER: '3' };

  test.each<[args: string, environment: Record<string, string>, values: object]>([
    [
      '--oven-heat=180 wheat --fan --loaves 2 --timer 0.5',
      {},
      { recipe: 'wheat', ovenHeat: 180, loaves: 2, timer: 0.5, fan: true },
    ],
    // Flags before the environment, empty variables not at all.
    ['rye', given, { ovenHeat: 100, crust: 'hard', fan: false, timer: undefined }],
    ['rye --oven-heat 90', given, { ovenHeat: 90 }],
    // The last of several values, or all where an option is repeatable.
    [
      'rye --oven-heat 90 --oven-heat 95 --seeds a,b --seeds=c',
      {},
      { ovenHeat: 95, seeds: ['a', 'b', 'c'] },
    ],
    // An option without its value.
    ['rye --json', {}, { json: '-' }],
    ['--json --fan rye', {}, { json: '-' }],
    ['rye --json=-', {}, { json: '-' }],
    ['rye --json -', {}, { json: '-' }],
    ['rye --json a.json', {}, { json: 'a.json' }],
  ])('%s, with %j', (args, environment, values) => {
    expect(read(args, environment)).toMatchObject(values);
  });

  test('names variables that are no settings, and what they may mean', () => {
    const set = { BAKE_OVENHEAT: '100', BAKE_FAN: '1', BAKE_TEST_FULL: '1', BAKE_OVEN_HEAT: '100' };
    const environment = { ...set, BAKE_LOAVESS: ' ', OVENHEAT: '1' };
    expect(unknownVariables(COMMAND, environment)).toEqual([
      'BAKE_OVENHEAT is not a setting and has no effect. Did you mean BAKE_OVEN_HEAT?',
      'BAKE_FAN is not a setting and has no effect. See --help for all settings.',
    ]);
    expect(unknownVariables(REPLAY, { VIVARIUM_TICKRATE: '20' })).toEqual([]);
  });

  test.each(['--help', '-h', 'rye --fan -h', '--oven-heat 9 --help'])(
    '%s asks for help',
    (args) => {
      expect(read(args)).toBe('help');
    },
  );

  test.each([
    [['rye', '--oven-heat', '9'], '--oven-heat must be a whole number from 50 to 300, not "9".'],
    [['rye', '--loaves', '0'], '--loaves must be a whole number, 1 or more, not "0".'],
    [['rye', '--crust', 'burnt'], '--crust must be soft or hard, not "burnt".'],
    [['rye', '--crust='], '--crust must be soft or hard, not "".'],
    [['rye', '--hel'], "Unknown option '--hel'. Did you mean --help? See --help."],
    [['rye', '--__proto__'], "Unknown option '--__proto__'. See --help."],
    [['rye', '-x'], "Unknown option '-x'. See --help."],
    [['rye', '--no-fan'], "Unknown option '--no-fan'. See --help."],
    [['rye', '--fan=yes'], '--fan takes no value. See --help.'],
    [['rye', '--loaves'], '--loaves needs a value: --loaves N. See --help.'],
    [['rye', '--loaves', '-2'], '--loaves needs a value: --loaves N (or --loaves=-2). See --help.'],
    [['rye', '--loaves=-2'], '--loaves must be a whole number, 1 or more, not "-2".'],
    [[], 'Name one recipe. See --help.'],
    [['rye', 'wheat'], 'Name one recipe, not 2. See --help.'],
    [['ry'], 'There is no recipe "ry". Did you mean rye? See --help.'],
    [['constructor'], 'There is no recipe "constructor". See --help.'],
  ])('%j is refused in one sentence', (args, message) => {
    expect(messageOf(args)).toBe(message);
  });

  test('names the variable that cannot be read, not the flag', () => {
    expect(messageOf(['rye'], { BAKE_OVEN_HEAT: 'hot' })).toBe(
      'BAKE_OVEN_HEAT must be a whole number from 50 to 300, not "hot".',
    );
  });

  test('refuses an argument where the command takes none', () => {
    expect(() => readCommand({ usage: 'x', options: {} }, ['rye'])).toThrow(
      'Unexpected argument "rye". See --help.',
    );
  });
});

describe('help', () => {
  test('lists usage, argument, options, ranges and defaults in two columns', () => {
    expect(helpText(COMMAND)).toBe(
      `Bakes bread.

Usage: bake <recipe> [options]

  <recipe>       what to bake
    rye          a dark one
    wheat        a light one

  --oven-heat N  degrees (50 to 300; default 220)
  --loaves N     how many (default: as many as fit)
  --crust KIND   the outside (default hard)
  --seeds A,B    on top (default none)
  --json [FILE]  write a report
  --timer N      minutes (default off)
  --fan          turn the fan on
  -h, --help     print this help`,
    );
  });

  test.each([
    ['server', SERVER],
    ['train', TRAIN],
    ['evaluate', EVALUATE],
    ['replay', REPLAY],
  ])('%s fits a terminal of 100 columns', (_, command: Command) => {
    const lines = helpText(command).split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  });
});
