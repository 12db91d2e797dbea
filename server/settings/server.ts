/** Defines the server's settings: their types, defaults and help. */

import * as v from 'valibot';
import { gardenerWounds } from '../../shared/common-schemas.ts';
import { ROOM_DEFAULTS, roomSettings } from '../../shared/host/room-settings.ts';
import { DEFAULT_FLASH_LIMIT } from '../../shared/limits.ts';
import { BACKEND_NAMES } from '../engine/backend.ts';
import { commandLine, ownPath } from '../platform/installation.ts';
import { LIMITS } from '../realtime/limits/connection-limits.ts';
import { SNAPSHOTS } from '../storage/snapshots.ts';
import { ENERGY, FREE } from '../world/energy.ts';
import { type Environment, inSection, readCommand, type Values } from './command-line.ts';
import * as is from './server-types.ts';
import { changesOf, number, oneOf, orWord, text, wholeNumber } from './server-types.ts';

export const DEFAULT_CHECKPOINT = ownPath('checkpoints/organisms');

/** Default size of new rooms, in cells. The aspect ratio is roughly that of most wall displays. */
export const DEFAULT_SIZE = { width: 336, height: 192 };

/**
 * Returns the schema and the default for a flag that sets a numeric setting of all rooms.
 *
 * @param name name of the setting in room-settings.ts
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

/** Parses the setting `--energy`. Accepts only values that the host's page can show. */
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
        help: 'port on which the server accepts connections; 0: any free port',
      },
      host: {
        value: 'ADDRESS',
        type: text,
        default: '0.0.0.0',
        help: 'network address on which the server accepts connections',
        details:
          'The terminal, walls (large displays) and signs show the address in `--host`. If `--host` is `0.0.0.0`, the terminal, walls and signs show the network addresses of this machine.',
      },
      origins: {
        value: 'A,B',
        type: orWord('none', undefined, is.origins),
        default: 'none',
        help: 'origins of other sites whose pages may connect to the server and act in rooms, like https://museum.example',
        details:
          "The origin of a page must be exactly equal to a listed origin. Pages from the server's own host may always connect.",
      },
      embed: {
        value: 'A,B',
        type: orWord('none', undefined, is.origins),
        default: 'none',
        help: 'origins of other sites that may embed rooms, like https://museum.example; visitors of these sites can only watch',
        details:
          'A listed site may embed pages of this server (in `<iframe>` elements), and may show rooms with the element `<vivarium-room>` (see `client/CLIENT.md`). If visitors of a site should also act in rooms, list the site in `--origins` too.',
      },
      hosts: {
        value: 'A,B',
        type: orWord('none', undefined, is.hostNames),
        default: 'none',
        help: 'host names under which browsers may reach the server, like play.museum.example; none: any name',
        details:
          '`--hosts` protects against DNS rebinding. A request with a host name that is not listed gets HTTP status 421. `localhost` and the network addresses that the server shows are always allowed. If the server is behind a proxy, list the host name that the proxy passes on. Also list each host name that appears on printed signs. A load balancer may request `/healthz` and `/readyz` without a host name.',
      },
      trustProxy: {
        type: wholeNumber(0, 8),
        default: '0',
        help: "number of reverse proxies in front of the server; the server trusts the visitors' IP addresses that these proxies report",
        details:
          'If the server is behind a proxy and `--trust-proxy` is 0, all visitors seem to have the same IP address, so all visitors share the rate limits of one address.',
      },
    }),
    ...inSection('Rooms', {
      rooms: {
        value: 'A,B',
        type: is.roomNames,
        default: 'garden',
        help: 'names of the rooms to open; visitors who open the server address without a room name enter the first room',
      },
      size: {
        value: 'WxH',
        type: is.gridSize,
        defaultInWords: `${DEFAULT_SIZE.width}x${DEFAULT_SIZE.height}`,
        help: 'size of the grid of each room, 32 to 1024 cells a side',
        details:
          'A stored room keeps its size. If `--size` differs from the size of a stored room, the server does not start.',
      },
      tickRate: {
        ...ofRooms('tickRate'),
        help: 'number of ticks (steps of simulated time) per second',
      },
      capacity: {
        ...ofRooms('capacity'),
        help: 'maximum number of participants per room',
      },
      maxSpectators: {
        type: wholeNumber(0, 20_000),
        default: '200',
        help: 'maximum number of spectators per room: people who watch through view-only links or embedded rooms',
        details: 'Spectators do not count towards `--capacity`.',
      },
      maxOrganisms: {
        ...ofRooms('maxOrganisms'),
        help: 'maximum number of living organisms per room',
      },
      birth: {
        value: 'TICKS',
        ...ofRooms('birth'),
        help: 'number of ticks (steps of simulated time) from one change of a growing organism to the next',
        details: 'If `--birth` is larger, organisms grow more slowly.',
      },
      healing: {
        value: 'TICKS',
        ...ofRooms('healing'),
        help: 'number of ticks (steps of simulated time) from one change of a healing organism to the next',
      },
      liveliness: {
        value: 'SHARE',
        ...ofRooms('liveliness'),
        help: "maximum share of a room's organisms that look like a relative (a similar creature) at the same time; 0: none",
        details:
          'An organism looks like a relative only for a moment, and only while a visitor, a wall or a spectator watches. If a room cannot keep its tick rate, the server halves the share in `--liveliness`.',
      },
      water: {
        value: 'AMOUNT',
        ...ofRooms('water'),
        help: 'strength of the water effect, which makes the picture move as if under water; 1: usual strength; 0: no effect',
        details:
          'On phones, the water effect stops after a while. Paused rooms, and devices that are set to reduce motion, show no water effect.',
      },
      lifetime: {
        value: 'SECONDS',
        ...ofRooms('lifetime'),
        help: 'age in seconds after which a resting (unchanging) organism dissolves in a busy room; 0: never',
        details:
          'A room is busy if it has more than half of `--max-organisms` organisms. While visitors are in the room, they can stop their own organisms from dissolving.',
      },
      maxFlashes: {
        value: 'COUNT',
        type: is.flashLimit,
        default: `${DEFAULT_FLASH_LIMIT}`,
        help: 'maximum number of flashes per second over a large area of a room or page: 3 or 2',
        details:
          'The accessibility guideline WCAG 2.3.1 allows three flashes per second. Some museums ask for two. Rooms slow down organisms that reach the limit of flashes, and pages soften the remaining flashes. If `--max-flashes` is 2, a third of the random creatures (which visitors get from the dice button) grow more slowly.',
      },
      seed: {
        type: wholeNumber(0, 0xffffffff),
        default: '1',
        help: "start value (seed) of the rooms' random numbers",
        details:
          'Two rooms with the same start value and the same commands are equal, byte for byte.',
      },
      keepUrl: {
        value: 'URL',
        type: orWord('own', undefined, is.pageAddress),
        default: 'own',
        help: 'address of the page that the links on keepsakes open, like https://museum.example/keep.html; own: the page /keep on this server',
        details:
          'If visitors cannot reach this server from home, publish a copy of the page /keep elsewhere, and set `--keep-url` to the address of the copy. `npm run keep-page` writes a copy of the page /keep as one file (see "Keepsakes" in `HOSTING.md`).',
      },
      attract: {
        value: 'SECONDS',
        type: orWord('off', 'off', wholeNumber(5, 3_600)),
        default: `${ROOM_DEFAULTS.attract.after}`,
        help: 'if no visitor acts for this number of seconds (5 to 3600), the automatic gardener starts; off: never',
      },
      gardenerWounds: {
        value: 'WHOSE',
        type: oneOf(gardenerWounds.options),
        default: ROOM_DEFAULTS.attract.wounds,
        help: 'which organisms the gardener wounds: own (only organisms that the gardener planted), or unattended (also organisms whose planter has been away for ten minutes)',
        details:
          'Organisms heal the wounds that the gardener makes. The gardener never wounds an organism whose planter is present.',
      },
    }),
    ...inSection('Organisms and engine', {
      checkpoint: {
        value: 'FOLDER',
        type: text,
        defaultInWords: DEFAULT_CHECKPOINT,
        help: 'folder of the checkpoint (trained weights and gallery of creatures) for new rooms',
        details:
          "A stored room keeps the trained weights with which it was created, even if the checkpoint's files change. If you give a checkpoint whose name differs from the name of a stored room's checkpoint, the server does not start.",
      },
      checkpoints: {
        value: 'A,B',
        type: is.folders,
        default: 'none',
        help: 'folders of other checkpoints with which the host can create rooms',
      },
      library: {
        value: 'FOLDER',
        type: orWord('none', undefined, text),
        default: 'none',
        help: 'folder with one subfolder for each additional checkpoint; the host can use a checkpoint added to this folder for new rooms without a restart of the server',
        details:
          'If several servers share rooms, each server needs its own copy of the folder `--library`.',
      },
      engine: {
        value: 'NAME',
        type: oneOf(['auto', ...BACKEND_NAMES]),
        default: 'auto',
        help: `engine that computes the cells: auto (the best engine that works on this machine), ${BACKEND_NAMES.join(', ')}`,
        details:
          '`auto` selects the first engine that works, in this order: `webgpu` on a real GPU, `tensorflow` on a GPU, `native`, `onnx`. `tensorflow` needs the package tfjs-node-gpu or tfjs-node. `native` needs a kernel (compiled code) for the machine. Releases include kernels for Linux on processors with AVX2 and on 64-bit ARM. On other machines, the server needs a C compiler (`cc`), with which it compiles a kernel at the first start. `npm run doctor` shows which engines work on this machine.',
      },
    }),
    ...inSection('Storage', {
      data: {
        value: 'FOLDER',
        type: text,
        default: '.data',
        help: 'folder in which rooms are stored; none: rooms are not stored, and are lost when the server exits',
      },
      cluster: {
        value: 'URL',
        type: orWord('none', undefined, is.clusterAddress),
        secret: true,
        default: 'none',
        help: 'URL of a Valkey server (or Redis 7.2 or later) in which several Vivarium servers store their shared rooms, like redis://127.0.0.1:6379; none: this server does not share rooms',
        details:
          'See "Several servers" in `HOSTING.md`. In a cluster, the folder `--data` contains only data of this machine, such as films. If the URL contains a password, set the URL in the environment, because all users of the machine can read command lines. Under systemd, use an `EnvironmentFile=` that only root can read, because all users can also read systemd units.',
      },
      role: {
        value: 'ROLE',
        type: oneOf(['both', 'owner', 'gateway']),
        default: 'both',
        help: 'role of this server in a cluster: owner (runs rooms), gateway (connects visitors to rooms on other servers), or both',
        details:
          'A server with the role owner connects visitors only to rooms that it runs itself. A server with the role gateway needs no engine (the part that computes cells). See "Several servers" in `HOSTING.md`.',
      },
      onDamage: {
        value: 'WHAT',
        type: oneOf(['refuse', 'set-aside']),
        default: 'refuse',
        help: 'what the server does at start if stored data are damaged: refuse (the server does not start), or set-aside (the server moves damaged data to another folder and opens the intact data)',
        details:
          "With `set-aside`, the server moves damaged data of each room to `set-aside/` in the data folder, and deletes nothing. The host's page lists the moved data, and the host can restore these data. `set-aside` does not help if the data need another version of Vivarium, another checkpoint or another room size. Nor does it help if another process has locked the data folder, the server lacks permissions, or the disk is full.",
      },
      snapshot: {
        value: 'SECONDS',
        type: number(0.01, 3_600),
        default: '10',
        help: 'minimum number of seconds between two recent snapshots (saved states) of a room in which many cells change',
        details: `Recent snapshots survive a crash of the server, but may be lost in a power failure. While a room changes, a snapshot that survives a power failure is taken every ${SNAPSHOTS.snapshotStored} × \`--snapshot\` seconds.`,
      },
    }),
    ...inSection('Fair use', {
      energy: {
        value: 'A=N,B=N',
        type: energy,
        default: 'default',
        help: 'energy (budget for actions) of participants, and costs of actions, like plant=8,refillPerSecond=8; off: actions are free',
        keys: ENERGY,
      },
      limits: {
        value: 'A=N,B=N',
        type: changesOf(LIMITS),
        default: 'default',
        help: 'limits of connections and of rates, like connections=5000,commandsPerSecond=40',
        keys: LIMITS,
      },
      bannedWords: {
        value: 'FILE',
        type: orWord('none', undefined, is.wordFile),
        default: 'none',
        help: "file of words that visitors' names must not contain, one word per line; the built-in lists of words also apply",
        details: 'Empty lines and lines that begin with `#` are skipped.',
      },
    }),
    ...inSection('Operations', {
      log: {
        value: 'KIND',
        type: oneOf(['text', 'json']),
        default: 'text',
        help: 'format of the log: text (for reading in a terminal), or json (one JSON object per line)',
        details: 'The log contains no names or addresses of visitors.',
      },
      metrics: {
        value: 'PORT',
        type: is.metricsPort,
        default: 'none',
        help: 'separate port for Prometheus metrics, to which only this machine can connect; same: serve metrics at /metrics on the main port; none: no metrics',
      },
      alerts: {
        value: 'URL',
        type: orWord('none', undefined, is.webAddress),
        default: 'none',
        help: 'URL to which the server posts an alert when a problem begins or ends',
        details:
          'See "Alerts" in `HOSTING.md`. The server does not follow redirects when it posts an alert.',
      },
      supervised: {
        value: 'WHAT',
        type: oneOf(['auto', 'yes', 'no']),
        default: 'auto',
        help: 'whether a supervisor, such as systemd, restarts the server after it exits: yes, no, or auto (yes if systemd runs the server)',
        details:
          "A nightly restart (set on the host's page) needs a supervisor, because the server exits and cannot start itself again.",
      },
      newHostToken: {
        help: "create and print a new token for the host's page; the old token stops working",
      },
    }),
    ...inSection('Extensions and OSC', {
      extension: {
        value: 'FILE',
        type: is.extensionFiles,
        default: 'none',
        repeatable: true,
        help: 'extension to load, a .ts or .js file; for several extensions, separate the files by commas or repeat the flag',
        details: 'See `server/extensions/EXTENSIONS.md`.',
      },
      oscOut: {
        value: 'HOST:PORT',
        type: orWord('none', undefined, is.endpoint),
        default: 'none',
        help: 'address to which the server sends OSC messages about events in rooms, like 127.0.0.1:9000',
        details: 'See `server/osc/OSC.md`.',
      },
      oscIn: {
        value: 'PORT@ADDRESS',
        type: orWord('none', undefined, is.listening),
        default: 'none',
        help: 'port on which the server receives OSC messages, like 9001 (from this machine only) or 9001@0.0.0.0 (from other machines too)',
      },
      oscAllow: {
        value: 'A,B',
        type: orWord('none', undefined, is.addresses),
        default: 'none',
        help: 'IP addresses from which OSC messages are accepted; none: from any address',
      },
    }),
  },
  environment: 'VIVARIUM_',
  notes: [
    `Other commands, each with --help: ${['doctor', 'replay', 'keep-page', 'host-token'].map((name) => commandLine(name)).join(', ')}.`,
    'Each setting with a value can also be set in the environment, for example --tick-rate as VIVARIUM_TICK_RATE. Flags take precedence over the environment. An empty variable counts as not set.',
    'server/deploy/SETTINGS.md explains each setting in more detail, including the names in --energy and --limits.',
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
