import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { DEFAULT_LIMITS } from '../../../server/realtime/limits/connection-limits.ts';
import { COMMAND as REPLAY } from '../../../server/replay/replay-command.ts';
import {
  readCommand,
  SettingsError,
  unknownVariables,
} from '../../../server/settings/command-line.ts';
import { helpText } from '../../../server/settings/document.ts';
import { type Config, readConfig } from '../../../server/settings/server.ts';
import {
  list,
  number,
  oneOf,
  orWord,
  text,
  wholeNumber,
} from '../../../server/settings/server-types.ts';
import { DEFAULT_ENERGY } from '../../../server/world/energy.ts';
import { settingsChange } from '../../../shared/host/room-settings.ts';
import { temporaryFolder } from '../../support/closing.ts';

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
    ['rye --json -', {}, { json: '-' }],
    ['rye --json a.json', {}, { json: 'a.json' }],
  ])('%s, with %j', (args, environment, values) => {
    expect(read(args, environment)).toMatchObject(values);
  });

  test('names variables that are no settings, and what they may mean', () => {
    const set = { BAKE_OVENHEAT: '100', BAKE_FAN: '1', BAKE_TEST_FULL: '1', BAKE_OVEN_HEAT: '100' };
    const environment = { ...set, BAKE_LOAVESS: ' ', OVENHEAT: '1' };
    expect(unknownVariables(COMMAND, environment)).toEqual([
      'The environment variable BAKE_OVENHEAT is not a setting and has no effect. Did you mean BAKE_OVEN_HEAT?',
      'The environment variable BAKE_FAN is not a setting and has no effect. See --help for all settings.',
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
    [[], 'Give one recipe. See --help.'],
    [['rye', 'wheat'], 'Give one recipe, not 2. See --help.'],
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
});

const folder = temporaryFolder();

test.each([
  [['--tick-rate', '61'], '--tick-rate must be a whole number from 1 to 60, not "61".'],
  [['--size', 'big'], '--size must be width x height'],
  [['--rooms', 'A room'], '--rooms must be names'],
  [['--rooms', 'a,a'], 'must not contain the same room twice'],
  [['--engine', 'steam'], '--engine must be one of auto'],
  [['--energy', 'plant=-1'], '--energy must be a list like capacity=100'],
  [['--energy', '__proto__=1'], '--energy must be a list like capacity=100'],
  [['--energy', 'capacity=0'], '--energy must set capacity to >=1, not "capacity=0".'],
  // What is wrong with it may be the password in it, which must not get into logs.
  [
    ['--cluster', 'redis://:a/secret@10.0.0.5:6379'],
    '--cluster must be a URL like redis://user:password@127.0.0.1:6379/0, with special characters in the password encoded, like %2F for /.',
  ],
  [['--energy', 'plant=3,damagePerCell=1001'], '--energy must set damagePerCell to <=1000'],
  [['--port', ''], '--port must be a whole number'],
  [['--osc-in', '@127.0.0.1'], '--osc-in must be a whole number'],
  [['--limits', 'connections=5,sheep=3'], '--limits must be a list like connections=100'],
  [
    ['--limits', 'burstSeconds=0'],
    '--limits must set burstSeconds to at least 1, not "burstSeconds=0".',
  ],
  [['--origins', 'museum.example'], '--origins must be origins like'],
  [['--origins', 'https://museum.example/'], '--origins must be origins like'],
  [['--origins', '*'], '--origins must be origins like'],
  [['--trust-proxy', 'yes'], '--trust-proxy must be a whole number'],
  [['--banned-words', '/no/such/file'], '--banned-words must be a file'],
  [['--extension', 'lights.txt'], '--extension must be files that end in .ts or .js'],
  [['--osc-out', 'a:b:9000'], '--osc-out must be host:port'],
  [['--osc-in', '9001@show'], '--osc-in must be a port, or port@address'],
  [['--osc-allow', 'show'], '--osc-allow must be IP addresses'],
  [['--attract', '3'], '--attract must be a whole number from 5'],
  [['--nonsense'], '--nonsense'],
])('%p is refused by name', (args, sentence) => {
  expect(() => readConfig(args, {})).toThrow(SettingsError);
  expect(() => readConfig(args, {})).toThrow(sentence);
});

test.each([['--energy=off'], ['--energy=default'], ['--energy=capacity=1,newcomer=0']])(
  'the host page can show the costs of %s',
  (flag) => {
    const { energy } = readConfig([flag], {}) as Config;
    expect(v.is(settingsChange, { energy })).toBe(true);
  },
);

test.each<[args: string[], environment: Record<string, string>, values: object]>([
  [[], {}, { port: 8080, rooms: ['garden'], tickRate: 15, engine: 'auto', attract: 60 }],
  [[], {}, { extension: [], oscOut: undefined, oscIn: undefined }],
  [['--attract', '90'], {}, { attract: 90 }],
  [['--attract=off'], {}, { attract: 'off' }],
  [
    ['--rooms=a,b', '--size', '128x64'],
    {},
    { rooms: ['a', 'b'], size: { width: 128, height: 64 } },
  ],
  // Energy and limits are changed one by one; the others stay.
  [
    ['--energy', 'plant=3, refillPerSecond=0.5', '--limits=refusals=9,drawingsPerSecond=0'],
    {},
    {
      energy: { ...DEFAULT_ENERGY, plant: 3, refillPerSecond: 0.5 },
      limits: { ...DEFAULT_LIMITS, refusals: 9, drawingsPerSecond: 0 },
    },
  ],
  [['--energy', 'off'], {}, { energy: { plant: 0, damagePerCell: 0 } }],
  [
    ['--trust-proxy', '1'],
    { VIVARIUM_ORIGINS: 'https://museum.example,http://wall.local:8080' },
    { trustProxy: 1, origins: ['https://museum.example', 'http://wall.local:8080'] },
  ],
  [['--extension', 'a.ts,b.js', '--extension=c.mjs'], {}, { extension: ['a.ts', 'b.js', 'c.mjs'] }],
  [[], { VIVARIUM_EXTENSION: 'a.ts' }, { extension: ['a.ts'] }],
  // OSC listens on this machine only by default.
  [['--osc-out', '[::1]:9000'], {}, { oscOut: { host: '::1', port: 9000 } }],
  [['--osc-out=show.local:1'], {}, { oscOut: { host: 'show.local', port: 1 } }],
  [['--osc-in=9001'], {}, { oscIn: { host: '127.0.0.1', port: 9001 } }],
  [['--osc-in', '9001@0.0.0.0'], {}, { oscIn: { host: '0.0.0.0', port: 9001 } }],
  [['--osc-allow', '10.0.0.2, ::1'], {}, { oscAllow: ['10.0.0.2', '::1'] }],
])('%j, with %j', (args, environment, values) => {
  expect(readConfig(args, environment)).toMatchObject(values);
});

test('banned words come from a file, one per line', async () => {
  const file = join(folder(), 'words.txt');
  await writeFile(file, '# ours\n\n  blorp \r\nkrass\n');
  expect(readConfig(['--banned-words', file], {})).toMatchObject({
    bannedWords: ['blorp', 'krass'],
  });
});
