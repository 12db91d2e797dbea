/** The load tool's command line. */
import { parseArgs } from 'node:util';
import { BACKEND_NAMES } from '../../server/engine/backend.ts';
import { GARDEN } from './garden.ts';

export const PROFILES = {
  phones: 'joins spread over seconds; a fifth move cursors, plant and cut now and then',
  wall: 'walls only: the whole room, every frame decoded and checked',
  mixed: 'phones and, among them, up to four walls',
  hostile: 'half of them phones; the other half floods, lies, stalls and sends rubbish',
} as const;

export type Profile = keyof typeof PROFILES;

export interface LoadOptions {
  readonly profile: Profile;
  /** Those on good lines; without --clients as many as the profile is about. */
  readonly clients: number;
  /** What is measured, without joining. */
  readonly seconds: number;
  readonly verifyEvery: number;
  /** On top of `clients`. */
  readonly slow: number;
  readonly stalled: number;
  readonly compare: boolean;
  /** A server that runs already; without it one is started. */
  readonly url: URL | undefined;
  readonly engine: string;
  readonly cores: 'apart' | 'shared';
  /** Grown before anybody comes. */
  readonly organisms: number;
  /** File for the figures, '-' for standard output. */
  readonly json: string | undefined;
}

/** A command line that cannot be; the message is one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = [
  'npm run loadtest -- [options]',
  '',
  '  --clients N        how many on good lines (100; of profile wall 4)',
  '  --seconds S        how long is measured (30)',
  '  --profile NAME     what they are like (phones):',
  ...Object.entries(PROFILES).map(([name, help]) => `${' '.repeat(21)}${name.padEnd(9)}${help}`),
  '  --verify-every K   every Kth decodes all it sees and checks it, or compares it byte for byte with what another one who has seen',
  '                     the same has decoded; the others read only the head (10)',
  '  --slow K           K more on lines of 30 kB/s with 300 ms jitter (0)',
  '  --stalled M        M more that stop reading (0)',
  '  --compare          first without these, then with them, and the ratio of the latencies of the others; for the garden to be the',
  '                     same in each tick, visitors only move their cursors then',
  '  --url URL          a server that runs already, as ws://host:port or with /r/room; without it one is started',
  "                     (then nothing is known of the server's own time: no latency, CPU or heap)",
  `  --engine NAME      of the server that is started: auto, ${BACKEND_NAMES.join(', ')} (auto)`,
  '  --cores HOW        apart: the load has cores of its own, up to half of them; shared: none is kept from anybody (apart)',
  `  --organisms N      grown before anybody comes, up to ${GARDEN.organisms} (${GARDEN.organisms})`,
  '  --json [FILE]      also writes the figures there; without a file, prints nothing but them',
  '  --help             this text',
  '',
  'Latency: from the begin of a tick in the server to its frame handled in a client, in ms. bytesPerSecond: of a client,',
  'all messages down. skipped: frames that the server did not send to those behind. outOfStep: frames that did not fit, and',
  'pictures that are not as the server has them. neverCaughtUp: clients more than a second behind at the end.',
  'heapPerClient, heapGrowth: bytes, after a collection; of it heapPerSocket is held by a bare Socket.IO connection, measured',
  'apart. cpu: cores. The measured garden: 256x256, 15 ticks/s, 64 organisms grown, then one planting and one stroke a second,',
  'some of them by phones.',
].join('\n');

const MOST = 20_000;

function whole(
  name: string,
  text: string | undefined,
  fallback: number,
  min = 0,
  max = MOST,
): number {
  if (text === undefined) return fallback;
  const n = Number(text);
  if (!Number.isInteger(n) || n < min || n > max) {
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not "${text}".`);
  }
  return n;
}

function readUrl(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  try {
    const url = new URL(text);
    if (/^(ws|http)s?:$/.test(url.protocol)) return url;
  } catch {
    // Said below.
  }
  throw new UsageError(`--url must be like ws://localhost:8080, not "${text}".`);
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      // `--json` alone is allowed and means standard output.
      args: args.map((arg, i) =>
        arg === '--json' && (args[i + 1] ?? '-').startsWith('-') ? '--json=-' : arg,
      ),
      options: {
        ...{ clients: text, seconds: text, profile: text, slow: text, stalled: text },
        ...{ 'verify-every': text, url: text, engine: text, organisms: text, json: text },
        cores: text,
        compare: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError */
export function readOptions(args: readonly string[]): LoadOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const { profile = 'phones', engine = 'auto', cores = 'apart' } = values;
  if (!Object.hasOwn(PROFILES, profile)) {
    const names = Object.keys(PROFILES).join(', ');
    throw new UsageError(`--profile must be one of ${names}, not "${profile}".`);
  }
  if (!['auto', ...BACKEND_NAMES].includes(engine)) {
    throw new UsageError(`--engine must be auto or one of ${BACKEND_NAMES.join(', ')}.`);
  }
  if (cores !== 'apart' && cores !== 'shared') {
    throw new UsageError(`--cores must be apart or shared, not "${cores}".`);
  }
  const options: LoadOptions = {
    profile: profile as Profile,
    clients: whole('clients', values.clients, profile === 'wall' ? 4 : 100, 1),
    seconds: whole('seconds', values.seconds, 30, 1),
    verifyEvery: whole('verify-every', values['verify-every'], 10, 1),
    slow: whole('slow', values.slow, 0),
    stalled: whole('stalled', values.stalled, 0),
    compare: values.compare ?? false,
    url: readUrl(values.url),
    engine,
    cores,
    organisms: whole('organisms', values.organisms, GARDEN.organisms, 0, GARDEN.organisms),
    json: values.json,
  };
  if (options.compare && options.slow + options.stalled === 0) {
    throw new UsageError('--compare compares with --slow or --stalled: say how many.');
  }
  return options;
}
