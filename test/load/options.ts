/** The load tool's command line. */
import * as v from 'valibot';
import { BACKEND_NAMES } from '../../server/engine/backend.ts';
import { readCommand, SettingsError } from '../../server/settings/command.ts';
import { helpText } from '../../server/settings/document.ts';
import { oneOf, text, wholeNumber } from '../../server/settings/server-types.ts';
import { GARDEN } from './garden.ts';

export const PROFILES = {
  phones: 'joins spread over seconds; one in five moves a cursor, plants and cuts now and then',
  wall: 'walls only: the whole room, every frame decoded and checked',
  mixed: 'phones and, among them, up to four walls',
  hostile: 'half of them phones; the other half floods, lies, stalls and sends garbage',
} as const;

export type Profile = keyof typeof PROFILES;

const MOST = 20_000;

const url = v.pipe(
  v.string(),
  v.check(
    (given) => URL.canParse(given) && /^(ws|http)s?:$/.test(new URL(given).protocol),
    'must be like ws://localhost:8080',
  ),
  v.transform((given) => new URL(given)),
);

const COMMAND = {
  about: 'Connects a crowd of real clients to a real server, and measures both.',
  usage: 'npm run loadtest -- [options]',
  options: {
    clients: {
      type: wholeNumber(1, MOST),
      defaultInWords: '100, or 4 for profile wall',
      help: 'clients on good connections',
    },
    seconds: {
      type: wholeNumber(1, MOST),
      default: '30',
      help: 'how long to measure, without joining',
    },
    profile: {
      value: 'NAME',
      type: oneOf(Object.keys(PROFILES) as Profile[]),
      default: 'phones',
      help: 'what the clients do',
      choices: PROFILES,
    },
    verifyEvery: {
      value: 'K',
      type: wholeNumber(1, MOST),
      default: '10',
      help: 'every Kth client decodes all it sees and checks it; the others read only the head',
    },
    slow: {
      type: wholeNumber(0, MOST),
      default: '0',
      help: 'further clients on connections of 30 kB/s with 300 ms jitter',
    },
    stalled: {
      type: wholeNumber(0, MOST),
      default: '0',
      help: 'further clients that stop reading',
    },
    compare: {
      help: 'measure first without the slow and stalled clients, then with them, and give the ratio of the latencies of the others; visitors only move their cursors then, so that the garden is the same in each tick',
    },
    url: {
      value: 'URL',
      type: url,
      defaultInWords: 'one is started',
      help: 'a server that already runs, as ws://host:port or with /r/room; its own latency, CPU and heap are not measured then',
    },
    gateways: {
      type: wholeNumber(0, 16),
      default: '0',
      help: 'clients connect to so many gateways, and the server only runs the room; needs valkey-server on this machine, which is started as well. server.cpu and server.bytesOut are those of the room’s server then, and latency has one hop more',
    },
    engine: {
      value: 'NAME',
      type: oneOf(['auto', ...BACKEND_NAMES]),
      default: 'auto',
      help: `engine of the server that is started: auto, ${BACKEND_NAMES.join(', ')}`,
    },
    cores: {
      value: 'HOW',
      type: oneOf(['apart', 'shared']),
      default: 'apart',
      help: 'apart: the load has cores of its own, up to half of them; shared: server and load use all cores',
    },
    organisms: {
      type: wholeNumber(0, GARDEN.organisms),
      default: `${GARDEN.organisms}`,
      help: 'organisms grown before anybody joins',
    },
    json: {
      value: 'FILE',
      type: text,
      bare: '-',
      help: 'also write the figures to a file; without a file, print only them',
    },
  },
  notes: [
    'Latency: from the start of a tick in the server to its frame handled in a client, in ms. bytesPerSecond: of a client, all messages down. skipped: frames that the server did not send to clients behind. outOfStep: frames that did not fit what was seen before. neverCaughtUp: clients more than a second behind at the end. heapPerClient, heapGrowth: bytes, after a collection; heapPerSocket of them is held by a bare Socket.IO connection, measured apart. cpu: cores. bytesOut: bytes that the server has written per second.',
    'The measured garden: 256x256, 15 ticks/s, 64 organisms grown, then one planting and one stroke a second, some of them by phones.',
  ],
} as const;

export const HELP = helpText(COMMAND);

export type LoadOptions = Exclude<ReturnType<typeof readOptions>, 'help'>;

/** @throws SettingsError */
export function readOptions(args: readonly string[]) {
  const options = readCommand(COMMAND, args);
  if (options === 'help') return options;
  const { clients = options.profile === 'wall' ? 4 : 100, compare, slow, stalled } = options;
  if (compare && slow + stalled === 0) {
    throw new SettingsError('--compare compares with --slow or --stalled: say how many.');
  }
  if (options.gateways > 0 && options.url) {
    throw new SettingsError('--gateways starts servers of its own, and --url names one: take one.');
  }
  return { ...options, clients };
}
