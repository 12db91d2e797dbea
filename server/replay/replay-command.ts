/**
 * Implements `npm run replay`, which replays a range of a room's journal and checks the stored
 * checksums. Never changes stored data. Start reading at `replayCommand`.
 */

import { statSync } from 'node:fs';
import * as v from 'valibot';
import { BACKEND_NAMES } from '../engine/backend.ts';
import { createEngine } from '../engine/create-engine.ts';
import { systemClock } from '../platform/clock.ts';
import { commandLine } from '../platform/installation.ts';
import { speciesOf } from '../rooms/loaded-checkpoint.ts';
import { readCommand, SettingsError, type Values } from '../settings/command-line.ts';
import { helpText } from '../settings/document.ts';
import { DEFAULT_CHECKPOINT } from '../settings/server.ts';
import { number, oneOf, text } from '../settings/server-types.ts';
import { readFolder } from '../storage/lmdb/open.ts';
import { StoreError } from '../storage/records.ts';
import { Store } from '../storage/store.ts';
import { fingerprint, loadCheckpoint } from '../vnca/checkpoint.ts';
import {
  type JournalRange,
  readBundle,
  readMiddle,
  readRange,
  type When,
  writeBundle,
} from './journal-range.ts';
import {
  frames,
  gif,
  MAX_FRAMES,
  type Moment,
  type PictureWriter,
  runReplay,
} from './run-replay.ts';

const when = v.pipe(
  v.string(),
  v.transform(
    (given): When => (/^\d+$/.test(given) ? { tick: Number(given) } : { time: Date.parse(given) }),
  ),
  v.check(
    (at) => 'tick' in at || !Number.isNaN(at.time),
    'must be a tick or a time, like 1200 or 2026-11-25T10:30',
  ),
);

export const COMMAND = {
  about:
    'Replays the journal of a room (its commands and events), and checks the result against the checksums in the journal.',
  usage: commandLine('replay', '<what> [options]'),
  positional: {
    key: 'what',
    noun: 'room or replay bundle',
    help: 'name of a stored room, or a file written with --bundle',
  },
  options: {
    data: {
      value: 'FOLDER',
      type: text,
      default: '.data',
      help: 'folder in which rooms are stored',
    },
    checkpoint: {
      value: 'FOLDER',
      type: text,
      default: DEFAULT_CHECKPOINT,
      help: 'folder of the checkpoint that the room grows from',
    },
    engine: {
      value: 'NAME',
      type: oneOf(['auto', ...BACKEND_NAMES]),
      default: 'auto',
      help: `engine that computes the cells: auto, ${BACKEND_NAMES.join(', ')}`,
    },
    from: {
      value: 'WHEN',
      type: when,
      defaultInWords: 'the oldest stored',
      help: 'first tick or time to replay, like 1200 or 2026-11-25T10:30',
    },
    to: {
      value: 'WHEN',
      type: when,
      defaultInWords: 'the latest stored',
      help: 'last tick or time to replay',
    },
    speed: {
      type: number(0.01),
      default: 'Infinity',
      defaultInWords: 'as fast as possible',
      help: "maximum speed of the replay, as a multiple of the room's original speed",
    },
    export: {
      value: 'KIND',
      type: oneOf(['frames', 'gif']),
      help: 'form in which to write pictures of the room: frames (one PNG per picture), or gif (one animated picture)',
    },
    every: {
      type: v.pipe(number(1, 1e6), v.transform(Math.round)),
      default: '15',
      help: 'write a picture every N ticks',
    },
    out: {
      value: 'PATH',
      type: text,
      defaultInWords: 'replay or replay.gif',
      help: 'folder or file to write the pictures to',
    },
    bundle: {
      value: 'FILE',
      type: text,
      help: 'also write the snapshot and journal to one file, a replay bundle, which can be replayed on any machine',
    },
  },
} as const;

type ReplayOptions = Values<typeof COMMAND.options, 'what'>;

/** Number of ticks per second at `--speed 1`. */
const RATE = 15;

async function readRequested(
  options: ReplayOptions,
): Promise<{ readonly range: JournalRange; readonly middle?: Moment | undefined }> {
  // An argument that is not a file names a stored room, even if a folder has the same name.
  const isFile = statSync(options.what, { throwIfNoEntry: false })?.isFile();
  if (isFile) return { range: await readBundle(options.what) };
  const store = new Store(await readFolder(options.data));
  try {
    const range = await readRange(store, options.what, options);
    return { range, middle: await readMiddle(store, range) };
  } finally {
    await store.close();
  }
}

/**
 * Creates a writer for the requested pictures; undefined if no pictures are requested.
 *
 * @throws SettingsError if a GIF would have too many pictures
 */
function picturesOf(
  { export: kind, out, every, speed }: ReplayOptions,
  { from, to }: JournalRange,
): PictureWriter | undefined {
  if (kind === 'frames') return frames(out);
  if (kind === undefined) return undefined;
  // The first and the last tick always get a picture, so round up and add 1.
  const pictures = Math.ceil((to - from) / every) + 1;
  if (pictures > MAX_FRAMES) {
    const least = Math.ceil((to - from) / (MAX_FRAMES - 1));
    const text = `A GIF can have at most ${MAX_FRAMES} pictures, but this GIF would have ${pictures}. Choose --every ${least} or more, or --export frames.`;
    throw new SettingsError(text);
  }
  const delay = Math.max(20, (1000 * every) / RATE / Math.min(speed, 1000));
  return gif(out, Math.round(speed === Infinity ? 66 : delay));
}

type Say = (line: string) => void;

async function run(options: ReplayOptions, say: Say, complain: Say): Promise<number> {
  const { range, middle } = await readRequested(options);
  const { room, snapshot, from, to } = range;
  const text = `Replaying ticks ${from} to ${to} of room "${room.name}". The replay starts from the snapshot of tick ${snapshot.tick}.`;
  say(text);
  if (options.bundle) {
    await writeBundle(options.bundle, range);
    say(`Replay bundle: ${options.bundle}`);
  }
  const pictures = picturesOf(options, range);
  const checkpoint = await loadCheckpoint(options.checkpoint);
  if (fingerprint(checkpoint) !== room.checkpoint.hash) {
    const text = `The room grows from the checkpoint "${room.checkpoint.name}", but the folder ${options.checkpoint} contains other weights. Give the folder of the room's checkpoint with --checkpoint.`;
    throw new StoreError('other-checkpoint', text);
  }
  const engine = await createEngine({ checkpoints: [checkpoint], backend: options.engine });
  try {
    const begun = performance.now();
    const done = await runReplay(range, {
      ...{ engine, species: speciesOf(checkpoint), clock: systemClock, middle },
      ...{ rate: RATE * options.speed, pictures, every: options.every },
    });
    const seconds = (performance.now() - begun) / 1000;
    const times = done.ticks / RATE / seconds;
    const text = `Replayed ${done.ticks} ticks in ${seconds.toFixed(1)} s, ${times.toFixed(1)} times as fast as the usual ${RATE} ticks per second.`;
    say(text);
    if (pictures) say(await pictures.end());
    const { equal, unequal, proven } = done;
    if (unequal.length === 0) {
      const text = `All ${equal} checksums equal the checksums in the journal. The checksums cover ${proven} ticks.`;
      say(text);
      return 0;
    }
    const { name, device } = engine.info;
    complain(
      `${unequal.length} of ${equal + unequal.length} checksums differ from the journal. The first difference is at tick ${unequal[0]}. ` +
        `The room was recorded with ${snapshot.engine.name} on ${snapshot.engine.device}, and replayed with ${name} on ${device}.`,
    );
    return 1;
  } finally {
    await engine.close();
  }
}

/**
 * Runs the command.
 *
 * @param args command-line arguments
 * @param say prints a line
 * @param complain prints an error
 * @returns the exit code: 0 after success; 1 if a checksum differs, or after a printed error
 * @throws errors that the command did not expect
 */
export async function replayCommand(
  args: readonly string[],
  say: Say,
  complain: Say,
): Promise<number> {
  try {
    const options = readCommand(COMMAND, args);
    if (options !== 'help') return await run(options, say, complain);
    say(helpText(COMMAND));
    return 0;
  } catch (error) {
    if (!(error instanceof Error && 'reason' in error)) throw error;
    complain(error.message);
    return 1;
  }
}
