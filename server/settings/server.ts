/** The table of the server's settings. */
import * as v from 'valibot';
import { gardenerWounds } from '../../shared/common-schemas.ts';
import { ROOM_DEFAULTS, roomSettings } from '../../shared/host/room-settings.ts';
import { DEFAULT_FLASH_LIMIT } from '../../shared/vocabulary.ts';
import { BACKEND_NAMES } from '../engine/backend.ts';
import { LIMITS } from '../realtime/limits/connection-limits.ts';
import { ENERGY, FREE } from '../world/energy.ts';
import { type Environment, inSection, readCommand, type Values } from './command-line.ts';
import * as is from './server-types.ts';
import { changesOf, number, oneOf, orWord, text, wholeNumber } from './server-types.ts';

/** Default folder of the checkpoint of new rooms. */
export const DEFAULT_CHECKPOINT = 'checkpoints/organisms';

/** Size of new rooms in cells; the shape of most walls. */
export const DEFAULT_SIZE = { width: 336, height: 192 };

/**
 * The type and the default of a flag that sets a number of every room.
 *
 * @param name a room's setting, whose range and default room-settings.ts defines
 */
function ofRooms(
  name: 'tickRate' | 'capacity' | 'maxOrganisms' | 'birth' | 'healing' | 'liveliness' | 'lifetime',
) {
  const { pipe } = roomSettings.entries[name];
  const [min, max] = pipe.flatMap((part) =>
    'requirement' in part && typeof part.requirement === 'number' ? part.requirement : [],
  );
  const reader = pipe.some(({ type }) => type === 'safe_integer') ? wholeNumber : number;
  return { type: reader(min, max), default: `${ROOM_DEFAULTS[name]}` };
}

/**
 * Accepts only values that the host's page could set too, because the page cannot show others.
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
  usage: 'npm start -- [settings]',
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
          'The terminal, the wall and the sign show this address; for `0.0.0.0`, all addresses of the machine, with those of containers and tunnels last.',
      },
      origins: {
        value: 'A,B',
        type: orWord('none', undefined, is.origins),
        default: 'none',
        help: 'other sites whose pages may connect, like https://museum.example',
        details: 'Compared exactly. Pages of the same host may always connect.',
      },
      hosts: {
        value: 'A,B',
        type: orWord('none', undefined, is.hostNames),
        default: 'none',
        help: 'names by which browsers may address the server, like play.museum.example; none: any',
        details:
          'Against DNS rebinding: requests for another host get status 421. `localhost` and the network addresses that the server shows are always allowed. Name what a proxy passes on as `Host`, and every name on signs. A balancer that asks `/healthz` or `/readyz` need not name a host.',
      },
      trustProxy: {
        type: wholeNumber(0, 8),
        default: '0',
        help: "reverse proxies in front of the server that are trusted to report visitors' addresses",
        details: 'Behind a proxy, 0 makes all visitors count as one address.',
      },
    }),
    ...inSection('Rooms', {
      rooms: {
        value: 'A,B',
        type: is.roomNames,
        default: 'garden',
        help: 'rooms to open; / leads to the first',
      },
      size: {
        value: 'WxH',
        type: is.gridSize,
        defaultInWords: `${DEFAULT_SIZE.width}x${DEFAULT_SIZE.height}`,
        help: 'cell grid of each room, 32 to 1024 cells a side',
        details: 'A stored room keeps its size; if another one is given here, it is refused.',
      },
      tickRate: { ...ofRooms('tickRate'), help: 'ticks per second' },
      capacity: {
        ...ofRooms('capacity'),
        help: 'participants per room',
      },
      maxOrganisms: {
        ...ofRooms('maxOrganisms'),
        help: 'living organisms per room',
      },
      birth: {
        value: 'TICKS',
        ...ofRooms('birth'),
        help: 'ticks between two steps of an organism that grows',
        details: 'The more, the longer a birth can be watched.',
      },
      healing: {
        value: 'TICKS',
        ...ofRooms('healing'),
        help: 'ticks between two steps of an organism that heals',
      },
      liveliness: {
        value: 'SHARE',
        ...ofRooms('liveliness'),
        help: 'share of the organisms that may look like a relative for a moment at once',
        details:
          'They do so only while a visitor, a wall or a spectator watches, and half as often in a room that is slow. 0: never.',
      },
      lifetime: {
        value: 'SECONDS',
        ...ofRooms('lifetime'),
        help: 'resting organisms depart from a busy room when they are older; 0: never',
        details: 'Busy: more than half of `--max-organisms` live. Planters can keep theirs.',
      },
      maxFlashes: {
        value: 'COUNT',
        type: is.flashLimit,
        default: `${DEFAULT_FLASH_LIMIT}`,
        help: 'most flashes a second that rooms and pages show over a large area: 3, or 2',
        details:
          'Three is the limit of WCAG 2.3.1; some museums ask for two. Organisms that reach it are slowed, and pages soften what still flashes. With 2, a third of the seeds from the dice grow more slowly.',
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
        help: "page that the links of keepsakes open, like https://museum.example/keep.html; own: this server's /keep",
        details:
          'For keepsakes that open at home. `npm run keep-page` writes the page as one file; see "Keepsakes" in `HOSTING.md`.',
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
        help: 'whose organisms the gardener wounds: own, or unattended (also those whose planter has been away for ten minutes)',
        details: 'They heal. Organisms of planters who are here are never wounded.',
      },
    }),
    ...inSection('Organisms and engine', {
      checkpoint: {
        value: 'FOLDER',
        type: text,
        defaultInWords: DEFAULT_CHECKPOINT,
        help: 'checkpoint to grow organisms from',
        details:
          'A stored room keeps its weights, also when the files of its checkpoint change; if a checkpoint of another name is given here, it is refused.',
      },
      checkpoints: {
        value: 'A,B',
        type: is.folders,
        default: 'none',
        help: 'more checkpoints that the host can create rooms with',
      },
      engine: {
        value: 'NAME',
        type: oneOf(['auto', ...BACKEND_NAMES]),
        default: 'auto',
        help: `what computes the cells: auto (the best that works here), ${BACKEND_NAMES.join(', ')}`,
        details:
          '`auto` takes `webgpu` on a real GPU, else `tensorflow` (tfjs-node-gpu, tfjs-node) where it has a GPU, else `native` where there is a C compiler (`cc`), with which the server compiles its kernel when it first starts, else `onnx`. `npm run doctor` shows what works on this machine.',
      },
    }),
    ...inSection('Storage', {
      data: {
        value: 'FOLDER',
        type: text,
        default: '.data',
        help: 'where rooms are stored; none: they end with the server',
      },
      cluster: {
        value: 'URL',
        type: orWord('none', undefined, is.clusterAddress),
        secret: true,
        default: 'none',
        help: 'Valkey or Redis >= 7.2 where several servers keep the same rooms, like redis://127.0.0.1:6379; none',
        details:
          'See "Several servers" in `HOSTING.md`. `--data` then holds only what belongs to this machine, such as films. Put a URL with a password in the environment, with systemd from an `EnvironmentFile=` that only root can read: all users can read command lines and units.',
      },
      role: {
        value: 'ROLE',
        type: oneOf(['both', 'owner', 'gateway']),
        default: 'both',
        help: "with --cluster: owner runs rooms, gateway connects visitors to other servers' rooms, both does both",
        details:
          'An owner lets visitors into the rooms that it runs itself. A gateway starts no engine. See "Several servers" in `HOSTING.md`.',
      },
      onDamage: {
        value: 'WHAT',
        type: oneOf(['refuse', 'set-aside']),
        default: 'refuse',
        help: 'what to do with damaged data: refuse to start, or set-aside: move them aside and open what is whole',
        details:
          "Damaged data are moved to `set-aside/` in the data folder, room by room; nothing is deleted. The host's page says so and puts them back. It never concerns data of another version, checkpoint or size, a locked folder, missing permissions or a full disk.",
      },
      snapshot: {
        value: 'SECONDS',
        type: number(0.01, 3_600),
        default: '10',
        help: `minimum seconds between snapshots of a busy room that survive a crash of the server; snapshots that survive a power failure are 6 times rarer`,
      },
    }),
    ...inSection('Fair use', {
      energy: {
        value: 'A=N,B=N',
        type: energy,
        default: 'default',
        help: 'what actions cost, like plant=8,refillPerSecond=8; off: nothing',
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
        help: 'words not allowed in names, one per line, in addition to the built-in lists',
        details: 'Empty lines and lines that begin with `#` are skipped.',
      },
    }),
    ...inSection('Operations', {
      log: {
        value: 'KIND',
        type: oneOf(['text', 'json']),
        default: 'text',
        help: 'text for a terminal, or json: one JSON object per line',
        details: 'Neither contains names or addresses of visitors.',
      },
      metrics: {
        value: 'PORT',
        type: is.metricsPort,
        default: 'none',
        help: 'Prometheus metrics: a port of their own, open to this machine only; same: at /metrics of the main port; none',
      },
      alerts: {
        value: 'URL',
        type: orWord('none', undefined, is.webAddress),
        default: 'none',
        help: 'where to post an alert when something is wrong, and when it is over',
        details:
          'See "Alerts" in `HOSTING.md`. Only this URL is ever requested; redirects are not followed.',
      },
      supervised: {
        value: 'WHAT',
        type: oneOf(['auto', 'yes', 'no']),
        default: 'auto',
        help: 'whether a supervisor restarts the process: yes, no, or auto, which means yes under systemd',
        details: "The nightly restart that can be set on the host's page needs one.",
      },
      newHostToken: {
        help: "create a new token for the host's page and print it; the old one stops working",
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
        help: 'where to send OSC messages about what happens, like 127.0.0.1:9000',
        details: 'See `server/osc/OSC.md`.',
      },
      oscIn: {
        value: 'PORT@ADDRESS',
        type: orWord('none', undefined, is.listening),
        default: 'none',
        help: 'where to listen for OSC, like 9001 (this machine only) or 9001@0.0.0.0',
      },
      oscAllow: {
        value: 'A,B',
        type: orWord('none', undefined, is.addresses),
        default: 'none',
        help: 'addresses that may send OSC; none: any that reach the port',
      },
    }),
  },
  environment: 'VIVARIUM_',
  notes: [
    'Each setting with a value can also be set in the environment: --tick-rate as VIVARIUM_TICK_RATE. Flags take precedence; an empty variable counts as not set.',
    'server/deploy/SETTINGS.md has more about each setting, and the names that --energy and --limits take.',
  ],
} as const;

export type Config = Values<typeof SERVER.options>;

/**
 * @param args the command line after the program
 * @returns the settings, or 'help' if the command line asks for help
 * @throws SettingsError
 */
export const readConfig = (args: readonly string[], environment: Environment): Config | 'help' =>
  readCommand(SERVER, args, environment);
