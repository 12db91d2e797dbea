/** What a host can set: one table gives the flags, the environment variables, the help and the defaults. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { DEFAULTS } from '../shared/defaults.ts';
import { roomSettings } from '../shared/host/settings.ts';
import type { EnergySettings } from '../shared/vocabulary.ts';
import { BACKEND_NAMES } from './engine/backend.ts';
import type { Limits } from './realtime/admission/command-costs.ts';
import { FREE } from './world/energy.ts';

interface Setting<T> {
  readonly flag: string;
  readonly value: string;
  readonly help: string;
  readonly fallback: string;
  /** May be given several times: as if there were commas between. */
  readonly many?: boolean;
  /** @throws Error with a sentence that completes "--flag …" */
  readonly read: (text: string) => T;
}

/** Set by flag, else by the environment variable VIVARIUM_<FLAG>. */
function setting<T>(
  flag: string,
  value: string,
  fallback: string,
  help: string,
  read: (text: string) => T,
): Setting<T> {
  return { flag, value, fallback, help, read };
}

const wholeIn = (min: number, max: number) => (text: string) => {
  const n = Number(text);
  if (text.trim() === '' || !Number.isInteger(n) || n < min || n > max) {
    throw new Error(`must be a whole number from ${min} to ${max}`);
  }
  return n;
};

const numberIn = (min: number, max: number) => (text: string) => {
  const n = Number(text);
  if (text.trim() === '' || !(n >= min && n <= max)) {
    throw new Error(`must be a number from ${min} to ${max}`);
  }
  return n;
};

function readRooms(text: string): string[] {
  const rooms = text.split(',').map((name) => name.trim());
  for (const name of rooms) {
    if (!/^[a-z0-9-]{1,32}$/.test(name)) {
      throw new Error('must be names of a-z, 0-9 and -, with commas between');
    }
  }
  if (new Set(rooms).size < rooms.length) throw new Error('must not name a room twice');
  return rooms;
}

function readSize(text: string): { width: number; height: number } {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [width, height] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  if (width < 32 || height < 32 || width > 1024 || height > 1024) {
    throw new Error('must be width x height in cells, 32 to 1024 each, like 256x256');
  }
  return { width, height };
}

const oneOf =
  <const T extends string>(...words: T[]) =>
  (text: string): T => {
    if (!words.includes(text as T)) throw new Error(`must be one of ${words.join(', ')}`);
    return text as T;
  };

const anyText = (text: string): string => {
  if (text === '') throw new Error('must not be empty');
  return text;
};

/** Where nothing is given: "none". */
const orNone =
  <T>(read: (text: string) => T) =>
  (text: string): T | undefined =>
    text === 'none' ? undefined : read(text);

function readOrigins(text: string): string[] {
  return text.split(',').map((given) => {
    const origin = given.trim();
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Error('must be origins like https://museum.example, with commas between');
    }
    return origin;
  });
}

/** A word a line; empty lines and those that begin with # are passed over. */
function readWords(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error('must be a file of words that can be read');
  }
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** Changes some of a table of numbers: "name=number,name=number". */
const numbersOf =
  <K extends string>(table: Readonly<Record<K, number>>) =>
  (text: string): Readonly<Record<K, number>> => {
    const changed: Record<string, number> = { ...table };
    for (const part of text === 'default' ? [] : text.split(',')) {
      const [name, number] = part.split('=').map((word) => word.trim());
      const value = Number(number || Number.NaN);
      if (!Object.hasOwn(table, name) || !(value >= 0 && value <= 1e9)) {
        throw new Error(`must be like ${Object.keys(table)[0]}=100, of ${Object.keys(table)}`);
      }
      changed[name] = value;
    }
    return changed as Record<K, number>;
  };

/** As the host's page could set it too: a room that it cannot read, it cannot show. */
function readEnergy(text: string): EnergySettings {
  if (text === 'off') return FREE;
  const { output, success, issues } = v.safeParse(
    roomSettings.entries.energy,
    numbersOf(DEFAULTS.energy)(text),
  );
  if (success) return output;
  const [{ path, expected }] = issues;
  throw new Error(`must have ${path?.[0].key} ${expected}`);
}

function readFiles(text: string): string[] {
  const files = text === 'none' ? [] : text.split(',').map((file) => file.trim());
  if (files.some((file) => !/\.[cm]?[jt]s$/.test(file))) {
    throw new Error('must be files that end in .ts or .js, with commas between');
  }
  return files;
}

const readPort = wholeIn(1, 65_535);

function readEndpoint(text: string): { host: string; port: number } {
  const [, name, six, port] = /^(?:([^\s:[\]@]+)|\[([\da-f:.]+)\]):(\d+)$/i.exec(text) ?? [];
  try {
    return { host: name ?? six ?? anyText(''), port: readPort(port) };
  } catch {
    throw new Error('must be host:port, like 127.0.0.1:9000 or [::1]:9000');
  }
}

function readListening(text: string): { host: string; port: number } {
  const [port, host = '127.0.0.1'] = text.split('@');
  const given = wholeIn(0, 65_535);
  if (!isIP(host)) throw new Error("must be port@address with one of this machine's addresses");
  return { host, port: given(port) };
}

function readAddresses(text: string): string[] {
  const addresses = text.split(',').map((address) => address.trim());
  if (!addresses.every(isIP)) throw new Error('must be IP addresses, with commas between');
  return addresses;
}

function readMetrics(text: string): number | 'same' | 'none' {
  if (text === 'same' || text === 'none') return text;
  try {
    return wholeIn(0, 65_535)(text);
  } catch {
    throw new Error('must be a port, same or none');
  }
}

const { room, net, store } = DEFAULTS;

const SETTINGS = {
  port: setting(
    'port',
    'N',
    `${net.port}`,
    'port to listen on (0: any free one)',
    wholeIn(0, 65_535),
  ),
  host: setting('host', 'ADDRESS', '0.0.0.0', 'address to listen on', anyText),
  rooms: setting('rooms', 'A,B', 'garden', 'rooms to open; / leads to the first', readRooms),
  size: setting('size', 'WxH', `${room.width}x${room.height}`, 'cell grid of each room', readSize),
  tickRate: setting(
    'tick-rate',
    'N',
    `${room.tickRate}`,
    'ticks per second, 1 to 60',
    wholeIn(1, 60),
  ),
  capacity: setting(
    'capacity',
    'N',
    `${room.capacity}`,
    'participants a room takes',
    wholeIn(1, 5_000),
  ),
  maxOrganisms: setting(
    'max-organisms',
    'N',
    `${room.maxOrganisms}`,
    'organisms that may live in a room at once',
    wholeIn(1, 4_096),
  ),
  seed: setting('seed', 'N', '1', "seed of the rooms' chance", wholeIn(0, 0xffffffff)),
  checkpoint: setting('checkpoint', 'FOLDER', 'checkpoints/organisms', 'what is grown', anyText),
  checkpoints: setting(
    'checkpoints',
    'A,B',
    'none',
    'folders of more that the host may make rooms of',
    (text): string[] => (text === 'none' ? [] : text.split(',').map((folder) => folder.trim())),
  ),
  data: setting(
    'data',
    'FOLDER',
    '.data',
    'where rooms are kept; none: they end with the server',
    anyText,
  ),
  snapshot: setting(
    'snapshot',
    'SECONDS',
    `${store.snapshotLeast / 1000}`,
    'a busy room is kept whole so often, a calm one six times less; 0.01 to 3600',
    numberIn(0.01, 3_600),
  ),
  metrics: setting(
    'metrics',
    'PORT',
    'none',
    'figures for Prometheus: at /metrics of a port of their own, for this machine alone; same: beside the pages; none',
    readMetrics,
  ),
  supervised: setting(
    'supervised',
    'WHAT',
    'auto',
    'whether something starts the server anew when it ends, as its nightly restart needs: yes, no, or auto (under systemd)',
    oneOf('auto', 'yes', 'no'),
  ),
  log: setting(
    'log',
    'KIND',
    'text',
    'text: sentences for a terminal; json: a line of JSON for each event',
    oneOf('text', 'json'),
  ),
  engine: setting(
    'engine',
    'NAME',
    'auto',
    'auto (the best that works here), webgpu, webgpu-f16, tensorflow (tfjs-node-gpu, tfjs-node), onnx, wasm or cpu',
    oneOf('auto', ...BACKEND_NAMES),
  ),
  energy: setting(
    'energy',
    'A=N,B=N',
    'default',
    'what acts cost, like plant=8,refillPerSecond=8; off: nothing',
    readEnergy,
  ),
  limits: setting(
    'limits',
    'A=N,B=N',
    'default',
    'how much one may send, like connections=5000,commandsPerSecond=40',
    (text): Limits => numbersOf(DEFAULTS.limits)(text),
  ),
  origins: setting(
    'origins',
    'A,B',
    'none',
    'other pages that may open sockets here, like https://museum.example',
    orNone(readOrigins),
  ),
  trustProxy: setting(
    'trust-proxy',
    'N',
    '0',
    "proxies in front, whose word for a visitor's address is taken",
    wholeIn(0, 8),
  ),
  bannedWords: setting(
    'banned-words',
    'FILE',
    'none',
    'words, one a line, that no name may have, besides the English ones known',
    orNone(readWords),
  ),
  attract: setting(
    'attract',
    'SECONDS',
    `${DEFAULTS.attract.after}`,
    'where nobody has played for so long, the gardener does, 5 to 3600; off: never',
    (text): number | 'off' => (text === 'off' ? text : wholeIn(5, 3_600)(text)),
  ),
  extension: {
    ...setting(
      'extension',
      'FILE',
      'none',
      'a file with hooks of yours, .ts or .js; several with commas between, or the flag again',
      readFiles,
    ),
    many: true,
  },
  oscOut: setting(
    'osc-out',
    'HOST:PORT',
    'none',
    'where OSC about what happens is sent, like 127.0.0.1:9000',
    orNone(readEndpoint),
  ),
  oscIn: setting(
    'osc-in',
    'PORT@ADDRESS',
    'none',
    'where OSC is listened to, like 9001 (from this machine alone) or 9001@0.0.0.0',
    orNone(readListening),
  ),
  oscAllow: setting(
    'osc-allow',
    'A,B',
    'none',
    'addresses that may send OSC (none: all that reach the port)',
    orNone(readAddresses),
  ),
} as const;

const SETTING_LIST: readonly Setting<unknown>[] = Object.values(SETTINGS);

export type Config = {
  readonly [K in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[K]['read']>;
} & {
  /** The host has lost her token, and is given another. */
  readonly newHostToken: boolean;
};

const NEW_TOKEN = 'new-host-token';

/** A setting that cannot be read; the message is one sentence for the host. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const environmentName = (flag: string): string =>
  `VIVARIUM_${flag.toUpperCase().replaceAll('-', '_')}`;

export function helpText(): string {
  const rows = Object.values(SETTINGS).map(({ flag, value, help, fallback }) => {
    return `  ${`--${flag} ${value}`.padEnd(24)}${help} (${fallback})`;
  });
  return [
    'Vivarium: a multiplayer canvas of living cells.',
    '',
    'npm start -- [settings]',
    '',
    ...rows,
    `  ${`--${NEW_TOKEN}`.padEnd(24)}makes a new token for the host's page, and shows it; the old one opens nothing any more`,
    `  ${'--help'.padEnd(24)}this text`,
    '',
    `Each can also be set in the environment: --tick-rate is ${environmentName('tick-rate')}; one that is empty counts as not set.`,
  ].join('\n');
}

/**
 * @param args the command line after the program
 * @returns the settings, or 'help' when that was asked for
 * @throws ConfigError
 */
export function readConfig(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Config | 'help' {
  const options = Object.fromEntries(
    SETTING_LIST.map(({ flag, many = false }) => [
      flag,
      { type: 'string' as const, multiple: many },
    ]),
  );
  let values: Record<string, unknown>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean' }, [NEW_TOKEN]: { type: 'boolean' } },
    }));
  } catch (error) {
    throw new ConfigError(`${(error as Error).message} See --help.`);
  }
  if (values.help) return 'help';
  const read = Object.entries(SETTINGS).map(([key, { flag, fallback, read }]) => {
    const name = environmentName(flag);
    const given = values[flag]?.toString();
    // Whoever leaves a variable empty, in a unit or a compose file, wants what there is without it.
    const around = environment[name]?.trim() ? environment[name] : undefined;
    const text = given ?? around ?? fallback;
    try {
      return [key, read(text)];
    } catch (error) {
      const source = given === undefined && around !== undefined ? name : `--${flag}`;
      throw new ConfigError(`${source} ${(error as Error).message}, not "${text}".`);
    }
  });
  const newHostToken = values[NEW_TOKEN] === true;
  return Object.fromEntries([...read, ['newHostToken', newHostToken]]) as Config;
}
