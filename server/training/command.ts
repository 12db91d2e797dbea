/**
 * Defines the command line of `npm run train`. Formats the command that repeats a run, which is
 * stored in the card of the run's checkpoint.
 */
import { readCommand, SettingsError } from '../settings/command-line.ts';
import { number, text, wholeNumber } from '../settings/server-types.ts';
import { COMPUTE_OPTIONS } from './terminal.ts';

export const COMMAND = {
  about: 'Trains organisms.',
  usage: 'npm run train -- <file> [options]',
  positional: {
    key: 'file',
    noun: 'configuration',
    help: 'training configuration, a JSON file; for examples, see server/training/configs',
  },
  options: {
    images: {
      value: 'FOLDER',
      type: text,
      help: 'folder of images to train on, if the configuration trains on images of your own',
    },
    name: {
      value: 'NAME',
      type: text,
      help: "name of the run and its checkpoint, instead of the configuration's",
    },
    resume: {
      help: 'continue the run of this name; the result is the same as that of an uninterrupted run',
    },
    refine: {
      value: 'PULL',
      type: number(0),
      help: "with --resume: before training, refine the offsets of the gallery's latents by gradient steps through growth and rest; PULL weighs how strongly each latent is held at its present value",
    },
    from: {
      value: 'FOLDER',
      type: text,
      help: "start with the weights of this checkpoint instead of random weights; an encoder larger than the checkpoint's computes the same at first",
    },
    run: {
      value: 'FOLDER',
      type: text,
      defaultInWords: '.cache/training/runs/<name>',
      help: 'folder for the state and pictures of the run',
    },
    out: {
      value: 'FOLDER',
      type: text,
      defaultInWords: '<run>/checkpoint',
      help: 'folder for the checkpoint, which is written when the run ends or is stopped',
    },
    updates: {
      type: wholeNumber(1),
      help: "end after this many updates, instead of the configuration's number",
    },
    minutes: {
      type: number(0),
      defaultInWords: 'no limit',
      help: 'stop after this many minutes; continue with --resume',
    },
    batch: {
      type: wholeNumber(1),
      help: "new organisms per update, instead of the configuration's number, with a pool in proportion; for small machines",
    },
    ...COMPUTE_OPTIONS,
  },
  notes: [
    'Ctrl-C stops after the current update, saves the state, and writes the checkpoint. Without --resume, a run starts from the beginning, and the state of the previous run in the same folder is kept as state.old.safetensors. If that file would replace one with more updates, the run does not start.',
  ],
} as const;

export type Options = Exclude<ReturnType<typeof readOptions>, 'help'>;

/** Parses the command line. @throws SettingsError */
export function readOptions(args: readonly string[]) {
  const options = readCommand(COMMAND, args);
  if (options === 'help') return options;
  const { resume, from, refine } = options;
  if (resume && from !== undefined) {
    throw new SettingsError(
      '--from starts a new run, but --resume continues a run. Choose one of them.',
    );
  }
  if (refine !== undefined && !resume) {
    throw new SettingsError('--refine needs a run that has already trained. Add --resume.');
  }
  return options;
}

/** One start of a run: the first, or a later one with `--resume`. */
export interface RunStart {
  /** Number of updates done before this start. */
  readonly update: number;
  /** The configuration file, quoted for a shell. */
  readonly file: string;
  /** Options that change the result, quoted for a shell. */
  readonly options: readonly string[];
}

/** Options that change the result, in the order in which the checkpoint's card names them. */
const RECORDED = ['name', 'from', 'updates', 'batch', 'backend', 'refine'] as const;

/** Picks the parts of a command line that change the result. */
export function startOf(options: Options, update: number): RunStart {
  // Records the back end, because rounding depends on it. 'auto' is left out, because the
  // checkpoint's card names the device, which shows the back end that was chosen.
  const isRecorded = (key: (typeof RECORDED)[number]): boolean =>
    options[key] !== undefined && !(key === 'backend' && options.backend === 'auto');
  return {
    update,
    file: quoted(options.file),
    options: [
      // Hides the user's folder, because checkpoints' cards are published.
      ...(options.images === undefined ? [] : ['--images <folder>']),
      ...RECORDED.filter(isRecorded).flatMap((key) => [`--${key}`, quoted(`${options[key]}`)]),
    ],
  };
}

/**
 * Formats the starts of a run as one command, followed by later changes of options. A start with
 * the same options as the previous start is left out, because resuming alone does not change the
 * result.
 */
export function commandOf(starts: readonly RunStart[]): string {
  const parts: string[] = [];
  let before: RunStart | undefined;
  for (const start of starts) {
    const { update, file, options } = start;
    if (!before) parts.push(['npm run train --', file, ...options].join(' '));
    else if (changesMore(start, before)) {
      const other = file === before.file ? [] : [file];
      parts.push([`from update ${update} on with`, ...other, '--resume', ...options].join(' '));
    }
    before = start;
  }
  return parts.join(', ');
}

/** Whether a start changes the result of the run. */
const changesMore = (start: RunStart, before: RunStart): boolean =>
  start.options.includes('--refine') || wordsOf(start) !== wordsOf(before);

/**
 * Returns the file and the options of a start, without the options that apply only once (`--from`,
 * `--refine`).
 */
const wordsOf = ({ file, options }: RunStart): string => {
  const once = ['--from', '--refine'];
  const lasting = options.filter(
    (word, i) => !once.includes(word) && !once.includes(options[i - 1]),
  );
  return [file, ...lasting].join(' ');
};

/** Quotes a text as one word of a shell. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
