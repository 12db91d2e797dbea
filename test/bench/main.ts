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
    help: 'whether memory stays bounded while 30 visitors plant, wound, leave and return for two hours, and GB per hour written; a line each minute',
  },
  drawings: {
    run: benchDrawings,
    help: 'how well twenty drawings from a phone grow, and ms until their first picture, one at a time and ten at the same time',
  },
  pages: {
    run: benchPages,
    help: "ms per frame of the phone's page and the wall on a CPU slowed down four times, without rasterization, and their memory",
  },
  paint: {
    run: benchPaint,
    help: 'multiply-adds and texture reads of the painter per frame, on a busy wall in 4K and on a phone; ms on the main threads of both pages',
  },
  peer: {
    run: benchPeer,
    help: 'the same step in PyTorch, alternating with ours; needs PyTorch in python3',
  },
  replay: {
    run: benchReplay,
    help: 'speed of replaying an hour of a busy room, including a restart, and whether the result is the same',
  },
  stream: {
    run: benchStream,
    help: 'bytes, ms and errors of each tier of the stream in the standard garden',
  },
  tick: {
    run: benchTick,
    help: 'cells/s and ms per tick of a room with 1 to 256 organisms, growing and grown',
  },
  train: {
    run: benchTrain,
    help: 'GFLOP/s of forward and backward passes of update nets on each back end; with --pytorch, compared with PyTorch',
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
      help: 'write the figures to FILE instead of printing them; without FILE, print only the figures',
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
      help: 'for train: also measure the same nets in PyTorch, alternating in the same run; needs PyTorch in python3',
    },
    seconds: {
      type: wholeNumber(1, 7_200),
      defaultInWords: '30, 3600, 7200',
      help: "for pages, paint, replay and busy-show: seconds to measure; for replay, in the room's own time",
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
