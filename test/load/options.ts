/** The load tool's command line. */
import { BACKEND_NAMES } from '../../server/engine/backend.ts';
import { readCommand, SettingsError } from '../../server/settings/command-line.ts';
import { helpText } from '../../server/settings/document.ts';
import { oneOf, text, wholeNumber } from '../../server/settings/server-types.ts';
import { GARDEN } from './garden.ts';

export const PROFILES = {
  phones:
    'phones that join over some seconds. One phone in five moves a cursor, and sometimes plants and cuts',
  wall: 'only walls, which show the whole room. Every frame is decoded and checked',
  mixed: 'phones and up to four walls',
  hostile:
    'half are phones. The other half are attackers, which flood, lie, stall and send garbage',
} as const;

export type Profile = keyof typeof PROFILES;

const MOST = 20_000;

const COMMAND = {
  about: 'Starts a server, connects a crowd of real clients, and measures clients and server.',
  usage: 'npm run loadtest -- [options]',
  options: {
    clients: {
      type: wholeNumber(1, MOST),
      defaultInWords: '100, or 4 for profile wall',
      help: 'number of clients on good connections',
    },
    seconds: {
      type: wholeNumber(1, MOST),
      default: '30',
      help: 'seconds to measure after all clients have joined',
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
      help: 'every Kth client decodes and checks all frames. All other clients read only the head of each frame. By default, K is 10, or more if over 20 clients would decode, because decoding slows down the clients',
    },
    slow: {
      type: wholeNumber(0, MOST),
      default: '0',
      help: 'number of additional clients on connections of 30 kB/s with 300 ms jitter',
    },
    stalled: {
      type: wholeNumber(0, MOST),
      default: '0',
      help: 'number of additional clients that stop reading',
    },
    compare: {
      help: "measure first without and then with the slow and stalled clients, and give the ratio of the other clients' latencies. Visitors only move their cursors, so both measurements have the same garden",
    },
    gateways: {
      type: wholeNumber(0, 16),
      default: '0',
      help: 'number of gateways that clients connect to, while another server runs the room. Needs an installed valkey-server. server.cpu and server.bytesOut are measured at the room’s server. Latency includes one more hop',
    },
    engine: {
      value: 'NAME',
      type: oneOf(['auto', ...BACKEND_NAMES]),
      default: 'auto',
      help: `engine of the new server: auto, ${BACKEND_NAMES.join(', ')}`,
    },
    organisms: {
      type: wholeNumber(0, GARDEN.organisms),
      default: `${GARDEN.organisms}`,
      help: 'number of organisms grown before anybody joins',
    },
    json: {
      value: 'FILE',
      type: text,
      bare: '-',
      help: 'write the figures to FILE instead of printing the figures. Without FILE, print only the figures',
    },
  },
  notes: [
    'latency: ms from the start of a tick in the server until a client has handled the frame of this tick. bytesPerSecond: bytes of all messages that a client receives. skipped: frames that the server did not send, because a client was behind. outOfStep: frames that do not continue the frame before. neverCaughtUp: clients that were more than a second behind at the end. heapPerClient, heapGrowth: bytes after a garbage collection. cpu: number of busy cores. bytesOut: bytes per second that the server wrote.',
    'The measured garden has 256x256 cells, 15 ticks/s and 64 grown organisms. Each second, one seed is planted and one stroke is drawn. Some of these actions come from phones.',
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
    throw new SettingsError(
      '--compare needs slow or stalled clients. Add --slow N or --stalled N.',
    );
  }
  const verifyEvery = options.verifyEvery ?? Math.max(10, Math.ceil(clients / 20));
  return { ...options, clients, verifyEvery };
}
