/** `npm run bench` as a function: which benches there are, and what each is told. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { BACKEND_NAMES, type BackendName } from '../../server/engine/backend.ts';
import { CheckpointError } from '../../server/vnca/errors.ts';
import { trainClassifier } from './classifier.ts';
import { benchCrowd } from './crowd.ts';
import { benchDurability } from './durability.ts';
import { benchEngines } from './engines.ts';
import { benchExpectations } from './expectations.ts';
import { benchNursery } from './nursery.ts';
import { benchPages } from './pages.ts';
import { benchPeer } from './peer.ts';
import { recordGarden } from './record-garden.ts';
import { benchReplay } from './replay.ts';
import { benchSoak } from './soak.ts';
import { benchStream } from './stream.ts';
import { benchTick } from './tick.ts';
import { benchTrain } from './train.ts';
import { benchWall } from './wall.ts';

interface Options {
  readonly checkpoint?: string;
  readonly engine?: BackendName;
  readonly pytorch?: boolean;
  readonly seconds?: number;
  readonly organisms?: number;
  readonly visitors?: number;
}

interface Bench {
  /** @returns figures, to be written as JSON */
  readonly run: (log: (line: string) => void, options: Options) => Promise<object>;
  readonly help: string;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  classifier: {
    run: trainClassifier,
    help: 'not a measurement: trains the judge of the drawing test anew',
  },
  crowd: {
    run: benchCrowd,
    help: 'how late ticks are in a whole server with 128 organisms awake and 50 visitors, and what they see',
  },
  durability: {
    run: benchDurability,
    help: 'what it costs a busy room to be kept: ms a tick with and without, by turns in one run',
  },
  engines: {
    run: benchEngines,
    help: 'cells/s of each engine and shipped net, its share of the peak, what sleepers cost, memory',
  },
  expectations: {
    run: benchExpectations,
    help: 'not a measurement: writes anew what the stream expects, after the standard garden has changed',
  },
  garden: {
    run: recordGarden,
    help: 'not a measurement: records the standard garden anew, after the shipped organisms have changed',
  },
  nursery: {
    run: benchNursery,
    help: 'how late ticks are while visitors look at how seeds would grow, and how long they wait for that',
  },
  pages: {
    run: benchPages,
    help: "frames/s of the phone's page and the wall on a processor slowed four times, apart from the pixels themselves",
  },
  peer: {
    run: benchPeer,
    help: 'the same step in PyTorch, in turn with ours, where python3 has it',
  },
  replay: {
    run: benchReplay,
    help: 'how fast an hour of a busy room, with a restart in it, is done again from its journal, and whether it is the same',
  },
  soak: {
    run: benchSoak,
    help: 'whether memory, files, store and ticks stay as they are while bots do the work of ten days in an hour',
  },
  stream: {
    run: benchStream,
    help: 'bytes and ms of each tier of the stream in the standard garden, beside what others would send',
  },
  tick: {
    run: benchTick,
    help: 'cells/s and ms a tick of a room: 1 to 256 organisms, growing and grown',
  },
  train: {
    run: benchTrain,
    help: 'GFLOP/s of forward and backward of update nets on each back end; --pytorch compares',
  },
  wall: {
    run: benchWall,
    help: 'what a wall holds in memory over half an hour in a room that is never at rest',
  },
};

const HELP = [
  'npm run bench -- <name> [options]',
  '',
  ...Object.entries(BENCHES).map(([name, { help }]) => `  ${name.padEnd(19)}${help}`),
  '',
  '  --json FILE        also writes the figures there; without a file, prints nothing but them',
  '  --checkpoint DIR   for crowd, durability, engines, peer, replay and soak: the net of this one, not of all that are shipped',
  `  --engine NAME      for crowd, durability, engines, nursery, peer, replay and soak: this one alone, of ${BACKEND_NAMES.join(', ')}`,
  '  --pytorch          for train: the same nets in PyTorch too, where python3 has it, in turn in the same run',
  '  --seconds N        for crowd, nursery, pages and wall: how long it is measured (30, 15, 30, 1800); for durability, soak and',
  "                     replay too, of which the last is of the room's own time (600, 3600, 3600)",
  '  --organisms N      for crowd: how many are kept awake (128); for durability and replay: how many live in the garden (64)',
  '  --visitors N       for crowd and soak: how many watch and wound (50)',
  '  --help             this text',
].join('\n');

/** A command line that cannot be; the message is one sentence. */
class UsageError extends Error {}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        checkpoint: { type: 'string' },
        engine: { type: 'string' },
        pytorch: { type: 'boolean' },
        seconds: { type: 'string' },
        organisms: { type: 'string' },
        visitors: { type: 'string' },
        help: { type: 'boolean' },
      },
      // `--json` alone is allowed and means standard output.
      args: args.map((arg, i) =>
        arg === '--json' && (args[i + 1] ?? '-').startsWith('-') ? '--json=-' : arg,
      ),
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readEngine(name: string): BackendName {
  if (!BACKEND_NAMES.includes(name as BackendName)) {
    throw new UsageError(`--engine must be one of ${BACKEND_NAMES.join(', ')}, not "${name}".`);
  }
  return name as BackendName;
}

/** @param most the largest that makes sense */
function readCount(flag: string, text: string, most: number): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1 || n > most) {
    throw new UsageError(`--${flag} must be a whole number from 1 to ${most}, not "${text}".`);
  }
  return n;
}

/** Where a bench speaks: lines and figures, and what went wrong. */
export interface Voice {
  readonly say: (text: string) => void;
  readonly complain: (text: string) => void;
}

async function command(args: readonly string[], { say }: Voice): Promise<void> {
  const { values, positionals } = readArguments(args);
  if (values.help) {
    say(HELP);
    return;
  }
  const [name, ...more] = positionals;
  if (name === undefined) throw new UsageError('Which bench?');
  if (!Object.hasOwn(BENCHES, name)) throw new UsageError(`There is no bench "${name}".`);
  if (more.length > 0) throw new UsageError(`One bench at a time, not "${positionals.join(' ')}".`);
  const { checkpoint, pytorch, engine, seconds, organisms, visitors } = values;
  const quiet = values.json === '-';
  const figures = await BENCHES[name].run(
    (line) => {
      if (!quiet) say(line);
    },
    {
      ...(checkpoint !== undefined && { checkpoint }),
      ...(pytorch !== undefined && { pytorch }),
      ...(engine !== undefined && { engine: readEngine(engine) }),
      ...(seconds !== undefined && { seconds: readCount('seconds', seconds, 3_600) }),
      ...(organisms !== undefined && { organisms: readCount('organisms', organisms, 1_024) }),
      ...(visitors !== undefined && { visitors: readCount('visitors', visitors, 1_000) }),
    },
  );
  const json = JSON.stringify(figures, null, 2);
  if (quiet) say(json);
  else if (values.json) await writeFile(values.json, `${json}\n`);
}

/**
 * @param args the command line after the program
 * @returns the exit code; what whoever measures can mend is a sentence to `complain`, and 1
 */
export async function benchCommand(args: readonly string[], voice: Voice): Promise<number> {
  try {
    await command(args, voice);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) voice.complain(`${error.message}\n\n${HELP}`);
    else if (error instanceof CheckpointError) voice.complain(error.message);
    else throw error;
    return 1;
  }
}
