import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { DEFAULT_LIMITS } from '../../../server/realtime/limits/connection-limits.ts';
import { SettingsError } from '../../../server/settings/command-line.ts';
import { type Config, readConfig, } from '../../../server/settings/server.ts';
import { DEFAULT_ENERGY } from '../../../server/world/energy.ts';
import { settingsChange } from '../../../shared/host/room-settings.ts';
import { temporaryFolder } from '../../support/closing.ts';

const folder = temporaryFolder();

test.each([
  [['--tick-rate', '61'], '--tick-rate must be a whole number from 1 to 60, not "61".'],
  [['--size', 'big'], '--size must be width x height'],
  [['--rooms', 'A room'], '--rooms must be names'],
  [['--rooms', 'a,a'], 'must not name a room twice'],
  [['--engine', 'steam'], '--engine must be one of auto'],
  [['--energy', 'plant=-1'], '--energy must be like capacity=100'],
  [['--energy', '__proto__=1'], '--energy must be like capacity=100'],
  [['--energy', 'capacity=0'], '--energy must set capacity to >=1, not "capacity=0".'],
  // What is wrong with it may be the password in it, which must not get into logs.
  [
    ['--cluster', 'redis://:a/secret@10.0.0.5:6379'],
    '--cluster must be a URL like redis://user:password@127.0.0.1:6379/0, with special characters in the password encoded, like %2F for /.',
  ],
  [['--energy', 'plant=3,damagePerCell=1001'], '--energy must set damagePerCell to <=1000'],
  [['--port', ''], '--port must be a whole number'],
  [['--osc-in', '@127.0.0.1'], '--osc-in must be a whole number'],
  [['--limits', 'connections=5,sheep=3'], '--limits must be like connections=100'],
  [
    ['--limits', 'burstSeconds=0'],
    '--limits must set burstSeconds to at least 1, not "burstSeconds=0".',
  ],
  [['--limits', 'connections='], '--limits must be like connections=100'],
  [['--origins', 'museum.example'], '--origins must be origins like'],
  [['--origins', 'https://museum.example/'], '--origins must be origins like'],
  [['--origins', '*'], '--origins must be origins like'],
  [['--trust-proxy', 'yes'], '--trust-proxy must be a whole number'],
  [['--banned-words', '/no/such/file'], '--banned-words must be a file'],
  [['--extension', 'lights.txt'], '--extension must be files that end in .ts or .js'],
  [['--osc-out', 'a:b:9000'], '--osc-out must be host:port'],
  [['--osc-out', 'show.local:0'], '--osc-out must be host:port'],
  [['--osc-in', '9001@show'], '--osc-in must be a port, or port@address'],
  [['--osc-in', '70000'], '--osc-in must be a whole number'],
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
