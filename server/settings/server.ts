/** Defines the server's settings: their types, defaults and help. */

import * as v from 'valibot';
import { gardenerWounds } from '../../shared/common-schemas.ts';
import { ROOM_DEFAULTS, roomSettings } from '../../shared/host/room-settings.ts';
import { DEFAULT_FLASH_LIMIT } from '../../shared/vocabulary.ts';
import { BACKEND_NAMES } from '../engine/backend.ts';
import { commandLine, ownPath } from '../platform/installation.ts';
import { LIMITS } from '../realtime/limits/connection-limits.ts';
import { SNAPSHOTS } from '../storage/snapshots.ts';
import { ENERGY, FREE } from '../world/energy.ts';
import { type Environment, inSection, readCommand, type Values } from './command-line.ts';
import * as is from './server-types.ts';
import { changesOf, number, oneOf, orWord, text, wholeNumber } from './server-types.ts';

/** Path of the default checkpoint for new rooms. */
export const DEFAULT_CHECKPOINT = ownPath('checkpoints/organisms');

/** Default size of new rooms, in cells. Its aspect ratio is roughly that of most wall displays. */
export const DEFAULT_SIZE = { width: 336, height: 192 };

/**
 * Returns the schema and the default for a flag that sets a numeric setting of all rooms.
 *
 * @param name name of the setting. room-settings.ts defines its range and default
 */
function ofRooms(
  name:
    | 'tickRate'
    | 'capacity'
    | 'maxOrganisms'
    | 'birth'
    | 'healing'
    | 'liveliness'
    | 'water'
    | 'lifetime',
) {
  const { pipe } = roomSettings.entries[name];
  const [min, max] = pipe.flatMap((part) =>
    'requirement' in part && typeof part.requirement === 'number' ? part.requirement : [],
  );
  const reader = pipe.some(({ type }) => type === 'safe_integer') ? wholeNumber : number;
  return { type: reader(min, max), default: `${ROOM_DEFAULTS[name]}` };
}

/**
 * Parses the setting `--energy`. Accepts only values that the host can also choose on the host's
 * page, because the page cannot show other values.
 */
const energy = orWord(
  'off',
  FREE,
  v.pipe(
    changesOf(ENERGY),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const { success, issues } = v.safeParse(roomSettings.entries.energy, dataset.value);
      if (success) return;
      const [{ path, expected }] = issues;
      addIssue({ message: `must set ${path?.[0].key} to ${expected}` });
    }),
  ),
);

export const SERVER = {
  about: 'Vivarium: a multiplayer canvas of living cells.',
  usage: commandLine('start', '[settings]'),
  options: {
    ...inSection('Network', {
      port: {
        type: wholeNumber(0, 65_535),
        default: '8080',
        help: 'port to listen on; 0 takes any free port',
      },
      host: {
        value: 'ADDRESS',
        type: text,
        default: '0.0.0.0',
        help: 'address to listen on',
        details:
          'The terminal, the wall and the sign show this address. If the address is `0.0.0.0`, they show the network addresses of this machine, with those of containers and tunnels last.',
      },
      origins: {
        value: 'A,B',
        type: orWord('none', undefined, is.origins),
        default: 'none',
        help: 'origins of other sites whose pages may connect, like https://museum.example',
        details:
          "An origin must match exactly. Pages from the server's own host may always connect.",
      },
      embed: {
        value: 'A,B',
        type: orWord('none', undefined, is.origins),
        default: 'none',
        help: 'origins of other sites that may embed rooms, like https://museum.example; people on these sites may watch',
        details:
          'These sites may frame pages, and show rooms with `<vivarium-room>` (see `client/CLIENT.md`). To let people on a site act, too, list the site in `--origins`.',
      },
      hosts: {
        value: 'A,B',
        type: orWord('none', undefined, is.hostNames),
        default: 'none',
        help: 'host names that browsers may use for the server, like play.museum.example; none: any name',
        details:
          'This setting protects against DNS rebinding: requests with any other host name get status 421. `localhost` and the network addresses that the server shows are always allowed. List the host name that a proxy passes on, and every name on printed signs. A load balancer may request `/healthz` and `/readyz` without a host name.',
      },
      trustProxy: {
        type: wholeNumber(0, 8),
        default: '0',
        help: "number of reverse proxies in front of the server that are trusted to report visitors' addresses",
        details:
          'If the server is behind a proxy and this setting is 0, all visitors count as one address.',
      },
    }),
    ...inSection('Rooms', {
      rooms: {
        value: 'A,B',
        type: is.roomNames,
        default: 'garden',
        help: 'names of the rooms to open; the address / opens the first room',
      },
      size: {
        value: 'WxH',
        type: is.gridSize,
        defaultInWords: `${DEFAULT_SIZE.width}x${DEFAULT_SIZE.height}`,
        help: 'size of the grid of each room, 32 to 1024 cells a side',
        details:
          'A stored room keeps its size. If you give another size, the server does not start.',
      },
      tickRate: { ...ofRooms('tickRate'), help: 'ticks per second' },
      capacity: {
        ...ofRooms('capacity'),
        help: 'maximum number of participants per room',
      },
      maxSpectators: {
        type: wholeNumber(0, 20_000),
        default: '200',
        help: 'maximum number of spectators per room, who use view-only links or embedded rooms',
        details: 'Spectators do not count towards `--capacity`.',
      },
      maxOrganisms: {
        ...ofRooms('maxOrganisms'),
        help: 'maximum number of living organisms per room',
      },
      birth: {
        value: 'TICKS',
        ...ofRooms('birth'),
        help: 'ticks between two steps of a growing organism',
        details: 'With a higher number, organisms grow more slowly.',
      },
      healing: {
        value: 'TICKS',
        ...ofRooms('healing'),
        help: 'ticks between two steps of a healing organism',
      },
      liveliness: {
        value: 'SHARE',
        ...ofRooms('liveliness'),
        help: 'maximum share of organisms that look like a relative at the same time; 0: none',
        details:
          'An organism looks like a relative only for a moment, and only while a visitor, a wall or a spectator watches. In a slow room, this happens half as often.',
      },
      water: {
        value: 'AMOUNT',
        ...ofRooms('water'),
        help: 'how far the water bends the picture, as a multiple of the usual amount; 0: not at all',
        details:
          'On phones, the water stops moving after a while. The water does not move in a paused room, or on devices set to reduce motion.',
      },
      lifetime: {
        value: 'SECONDS',
        ...ofRooms('lifetime'),
        help: 'age in seconds after which a resting organism departs from a busy room; 0: never',
        details:
          'A room is busy if more than half of `--max-organisms` live in it. Planters can keep their organisms.',
      },
      maxFlashes: {
        value: 'COUNT',
        type: is.flashLimit,
        default: `${DEFAULT_FLASH_LIMIT}`,
        help: 'maximum number of flashes per second over a large area of a room or page: 3 or 2',
        details:
          'WCAG 2.3.1 allows three; some museums ask for two. Rooms slow down organisms that reach the limit, and pages soften the flashes that remain. With 2, a third of the seeds from the dice grow more slowly.',
      },
      seed: {
        type: wholeNumber(0, 0xffffffff),
        default: '1',
        help: "seed of the rooms' random numbers",
        details: 'The same seed and the same commands give the same room, byte for byte.',
      },
      keepUrl: {
        value: 'URL',
        type: orWord('own', undefined, is.pageAddress),
        default: 'own',
        help: "page that keepsake links open, like https://museum.example/keep.html; own: this server's /keep",
        details:
          'Give the URL of another page if visitors cannot reach this server from home. `npm run keep-page` writes the page as one file; see "Keepsakes" in `HOSTING.md`.',
      },
      attract: {
        value: 'SECONDS',
        type: orWord('off', 'off', wholeNumber(5, 3_600)),
        default: `${ROOM_DEFAULTS.attract.after}`,
        help: 'idle seconds before the automatic gardener starts, 5 to 3600; off: never',
      },
      gardenerWounds: {
        value: 'WHOSE',
        type: oneOf(gardenerWounds.options),
        default: ROOM_DEFAULTS.attract.wounds,
        help: 'whose organisms the gardener wounds: own (only its own), or unattended (also organisms whose planter has been away for ten minutes)',
        details: 'The wounds heal. The gardener never wounds an organism whose planter is present.',
      },
    }),
    ...inSection('Organisms and engine', {
      checkpoint: {
        value: 'FOLDER',
        type: text,
        defaultInWords: DEFAULT_CHECKPOINT,
        help: 'folder of the checkpoint that organisms grow from',
        details:
          'A stored room keeps its weights even if the files of its checkpoint change. If you give a checkpoint with another name, the server does not start.',
      },
      checkpoints: {
        value: 'A,B',
        type: is.folders,
        default: 'none',
        help: 'folders of more checkpoints that the host can create rooms with',
      },
      library: {
        value: 'FOLDER',
        type: orWord('none', undefined, text),
        default: 'none',
        help: 'folder that contains one folder per checkpoint; without a restart, the host can create rooms with these checkpoints',
        details: 'In a cluster, each server needs a library of its own with the same checkpoints.',
      },
      engine: {
        value: 'NAME',
        type: oneOf(['auto', ...BACKEND_NAMES]),
        default: 'auto',
        help: `engine that computes the cells: auto (the best one that works on this machine), ${BACKEND_NAMES.join(', ')}`,
        details:
          '`auto` selects the first of these engines that works: `webgpu` on a real GPU; `tensorflow` (tfjs-node-gpu, tfjs-node) on a GPU; `native`; `onnx`. `native` needs a kernel for this processor. Releases include kernels for Linux (AVX2 or 64-bit ARM); otherwise, a C compiler (`cc`) compiles a kernel when the server first starts. `npm run doctor` shows which engines work on this machine.',
      },
    }),
    ...inSection('Storage', {
      data: {
        value: 'FOLDER',
        type: text,
        default: '.data',
        help: 'folder in which rooms are stored; none: rooms are lost when the server ends',
      },
      cluster: {
        value: 'URL',
        type: orWord('none', undefined, is.clusterAddress),
        secret: true,
        default: 'none',
        help: 'URL of a Valkey (or Redis >= 7.2) in which several servers store the same rooms, like redis://127.0.0.1:6379; none: only this server stores its rooms',
        details:
          'See "Several servers" in `HOSTING.md`. In a cluster, `--data` contains only data of this machine, such as films. All users of the machine can read command lines and systemd units. Therefore, set a URL with a password in the environment; under systemd, in an `EnvironmentFile=` that only root can read.',
      },
      role: {
        value: 'ROLE',
        type: oneOf(['both', 'owner', 'gateway']),
        default: 'both',
        help: 'role in a cluster: owner runs rooms, gateway connects visitors to rooms of other servers, both does both',
        details:
          'An owner connects visitors only to rooms that it runs itself. A gateway starts no engine. See "Several servers" in `HOSTING.md`.',
      },
      onDamage: {
        value: 'WHAT',
        type: oneOf(['refuse', 'set-aside']),
        default: 'refuse',
        help: 'what to do if stored data are damaged: refuse (do not start), or set-aside (move them aside and open the intact data)',
        details:
          "Damaged data are moved to `set-aside/` in the data folder, room by room; nothing is deleted. The host's page lists them and can put them back. `set-aside` does not help if the data have another version, checkpoint or size, the folder is locked, permissions are missing or the disk is full.",
      },
      snapshot: {
        value: 'SECONDS',
        type: number(0.01, 3_600),
        default: '10',
        help: `minimum seconds between snapshots of a busy room that survive a crash of the server; snapshots that survive a power failure are ${SNAPSHOTS.snapshotStored} times rarer`,
      },
    }),
    ...inSection('Fair use', {
      energy: {
        value: 'A=N,B=N',
        type: energy,
        default: 'default',
        help: 'energy that actions cost, like plant=8,refillPerSecond=8; off: actions are free',
        keys: ENERGY,
      },
      limits: {
        value: 'A=N,B=N',
        type: changesOf(LIMITS),
        default: 'default',
        help: 'rate limits, like connections=5000,commandsPerSecond=40',
        keys: LIMITS,
      },
      bannedWords: {
        value: 'FILE',
        type: orWord('none', undefined, is.wordFile),
        default: 'none',
        help: 'file of words not allowed in names, one per line; the built-in lists also apply',
        details: 'Empty lines and lines that begin with `#` are skipped.',
      },
    }),
    ...inSection('Operations', {
      log: {
        value: 'KIND',
        type: oneOf(['text', 'json']),
        default: 'text',
        help: 'format of the log: text for a terminal, or json with one JSON object per line',
        details: 'The log contains no names or addresses of visitors.',
      },
      metrics: {
        value: 'PORT',
        type: is.metricsPort,
        default: 'none',
        help: 'separate port for Prometheus metrics, open to this machine only; same: /metrics on the main port; none: no metrics',
      },
      alerts: {
        value: 'URL',
        type: orWord('none', undefined, is.webAddress),
        default: 'none',
        help: 'URL to post an alert to when a problem begins or ends',
        details:
          'See "Alerts" in `HOSTING.md`. The server requests only this URL and follows no redirects.',
      },
      supervised: {
        value: 'WHAT',
        type: oneOf(['auto', 'yes', 'no']),
        default: 'auto',
        help: 'whether a supervisor restarts the server after it ends: yes, no, or auto (yes under systemd)',
        details: "The nightly restart, set on the host's page, needs a supervisor.",
      },
      newHostToken: {
        help: "create a new token for the host's page and print it; the old token stops working",
      },
    }),
    ...inSection('Extensions and OSC', {
      extension: {
        value: 'FILE',
        type: is.extensionFiles,
        default: 'none',
        repeatable: true,
        help: 'extension to load, .ts or .js; for several, use commas or repeat the flag',
        details: 'See `server/extensions/EXTENSIONS.md`.',
      },
      oscOut: {
        value: 'HOST:PORT',
        type: orWord('none', undefined, is.endpoint),
        default: 'none',
        help: 'address that receives OSC messages about events in rooms, like 127.0.0.1:9000',
        details: 'See `server/osc/OSC.md`.',
      },
      oscIn: {
        value: 'PORT@ADDRESS',
        type: orWord('none', undefined, is.listening),
        default: 'none',
        help: 'port to receive OSC on, like 9001 (from this machine only) or 9001@0.0.0.0 (from any machine)',
      },
      oscAllow: {
        value: 'A,B',
        type: orWord('none', undefined, is.addresses),
        default: 'none',
        help: 'IP addresses that may send OSC; none: any address',
      },
    }),
  },
  environment: 'VIVARIUM_',
  notes: [
    `Other commands, each with --help: ${['doctor', 'replay', 'keep-page', 'host-token'].map((name) => commandLine(name)).join(', ')}.`,
    'Each setting with a value can also be set in the environment, for example --tick-rate as VIVARIUM_TICK_RATE. Flags take precedence; an empty variable counts as not set.',
    'server/deploy/SETTINGS.md explains each setting, and the names in --energy and --limits.',
  ],
} as const;

export type Config = Values<typeof SERVER.options>;

/**
 * Reads the server's settings.
 *
 * @param args arguments after the program's name
 * @returns the settings, or 'help' if the user requests help
 * @throws SettingsError if a setting is invalid
 */
export const readConfig = (args: readonly string[], environment: Environment): Config | 'help' =>
  readCommand(SERVER, args, environment);
