/** `npm run bench -- <name> [options]`: measures; never part of the tests. */

import { writeFile } from 'node:fs/promises';
import { BACKEND_NAMES } from '../../server/engine/backend.ts';
import { collectGarbageRarely } from '../../server/operations/metrics.ts';
import { readCommand, SettingsError } from '../../server/settings/command-line.ts';
import { helpText } from '../../server/settings/document.ts';
import { number, oneOf, text, wholeNumber } from '../../server/settings/server-types.ts';
import { CheckpointError } from '../../server/vnca/card.ts';
import { benchBusyShow } from './busy-show.ts';
import { benchDrawings } from './drawings.ts';
import type { BenchOptions, Log } from './options.ts';
import { benchPages } from './pages.ts';
import { benchPaint } from './paint.ts';
import { benchPeer } from './peer.ts';
import { benchReplay } from './replay.ts';
import { benchStream } from './stream.ts';
import { benchTick } from './tick.ts';
import { benchTrain } from './train.ts';

const BENCHES: Readonly<
  Record<string, { run(log: Log, options: BenchOptions): Promise<object>; help: string }>
> = {
  'busy-show': {
    run: benchBusyShow,
    help: 'memory, and GB written per hour, while 30 visitors plant, wound, leave and return for two hours. Prints one line each minute',
  },
  drawings: {
    run: benchDrawings,
    help: 'how well twenty drawings from a phone grow, and how many ms each drawing waits for its first picture. The drawings come one at a time, then ten at the same time',
  },
  pages: {
    run: benchPages,
    help: "ms per frame and memory of the phone's page and the wall. Times are multiplied by four, as on a CPU a quarter as fast, and nothing is rasterized",
  },
  paint: {
    run: benchPaint,
    help: 'multiply-adds and texture reads of the painter per frame, and ms on the main thread, for a busy wall in 4K and for a phone',
  },
  peer: {
    run: benchPeer,
    help: 'speed of an engine step, compared with the same step in PyTorch. Needs PyTorch in python3',
  },
  replay: {
    run: benchReplay,
    help: 'speed of replaying an hour of a busy room, including a restart, and whether the replay gives the same result',
  },
  stream: {
    run: benchStream,
    help: 'bytes, ms and errors of the stream in the standard garden, for each tier (level of detail)',
  },
  tick: {
    run: benchTick,
    help: 'cells/s and ms per tick of a room with 1 to 256 growing or grown organisms',
  },
  train: {
    run: benchTrain,
    help: 'GFLOP/s of forward and backward passes of update nets on each back end. With --pytorch, also in PyTorch',
  },
};

const COMMAND = {
  about: 'Runs a benchmark. The figures depend on the machine.',
  usage: 'npm run bench -- <name> [options]',
  positional: {
    key: 'name',
    noun: 'bench',
    help: 'what to measure',
    choices: Object.fromEntries(Object.entries(BENCHES).map(([name, { help }]) => [name, help])),
  },
  options: {
    json: {
      value: 'FILE',
      type: text,
      bare: '-',
      help: 'write the figures to FILE instead of printing the figures. Without FILE, print only the figures',
    },
    checkpoint: {
      value: 'FOLDER',
      type: text,
      defaultInWords: 'all shipped checkpoints',
      help: 'for drawings, peer and replay: folder of the checkpoint to use',
    },
    engine: {
      value: 'NAME',
      type: oneOf(BACKEND_NAMES),
      help: `for busy-show, peer and replay: engine to use, ${BACKEND_NAMES.join(', ')}`,
    },
    pytorch: {
      help: 'for train: also measure the same nets in PyTorch, alternating with ours. Needs PyTorch in python3',
    },
    seconds: {
      type: wholeNumber(1, 7_200),
      defaultInWords: '30; 3600 for replay; 7200 for busy-show',
      help: "for pages, paint, replay and busy-show: seconds to measure. For replay, these are seconds of the room's time",
    },
    organisms: {
      type: wholeNumber(1, 1_024),
      defaultInWords: '64',
      help: 'for replay: number of living organisms',
    },
    visitors: {
      type: wholeNumber(1, 1_000),
      defaultInWords: '30',
      help: 'for busy-show: number of clients that plant and damage',
    },
    liveliness: {
      type: number(0, 1),
      defaultInWords: '0',
      help: 'for replay: share of the organisms that may look like a relative at the same time',
    },
  },
} as const;

// As in the server, which is what is measured.
collectGarbageRarely();
try {
  const given = readCommand(COMMAND, process.argv.slice(2));
  if (given === 'help') console.log(helpText(COMMAND));
  else {
    const { name, json: file, ...options } = given;
    const isPrinted = file === undefined || file === '-';
    const figures = await BENCHES[name].run((line) => file !== '-' && console.log(line), options);
    const json = JSON.stringify(figures, null, 2);
    if (isPrinted) console.log(json);
    else await writeFile(file, `${json}\n`);
  }
} catch (error) {
  const isKnown = error instanceof SettingsError || error instanceof CheckpointError;
  console.error(isKnown ? error.message : error);
  // An engine or a server that a failed bench has left would keep the process alive.
  process.exit(1);
}
