/**
 * Defines the command line of `npm run train`, and formats the command that repeats a training run.
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
    help: 'training configuration (a JSON file). Examples are in the folder server/training/configs',
  },
  options: {
    images: {
      value: 'FOLDER',
      type: text,
      help: 'folder of your own images to train on. Works only if the configuration trains on a folder of images',
    },
    name: {
      value: 'NAME',
      type: text,
      help: 'name of the run and of the checkpoint. If --name is absent, "name" in the configuration applies',
    },
    resume: {
      help: 'continue the earlier run of this name. The result is the same as without the interruption',
    },
    refine: {
      value: 'PULL',
      type: number(0),
      help: 'with --resume: before training, change the latents (numbers) from which gallery organisms grow, so that the organisms look more like their images. The higher PULL is, the less each latent changes',
    },
    from: {
      value: 'FOLDER',
      type: text,
      help: "start with the weights of this checkpoint instead of random weights. The configuration may have a larger encoder, whose output at first equals that of the checkpoint's encoder",
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
      help: 'folder for the checkpoint. The checkpoint is written when the run ends or is stopped',
    },
    updates: {
      type: wholeNumber(1),
      help: 'end the run after this many updates. If --updates is absent, "updates" in the configuration applies',
    },
    minutes: {
      type: number(0),
      defaultInWords: 'no limit',
      help: 'stop the run after this many minutes. Later, --resume continues the run',
    },
    batch: {
      type: wholeNumber(1),
      help: 'number of new organisms per update. Choose a low number for small machines. The pool (a store of grown organisms that are trained further) grows or shrinks in proportion. If --batch is absent, "batch.fresh" in the configuration applies',
    },
    ...COMPUTE_OPTIONS,
  },
  notes: [
    'If you press Ctrl-C, training finishes the current update, saves the state, and writes the checkpoint. Without --resume, a run starts from the beginning and renames the state of the previous run in the same folder to state.old.safetensors. If this would overwrite an older state.old.safetensors with more updates than the previous run, the new run does not start.',
  ],
} as const;

export type Options = Exclude<ReturnType<typeof readOptions>, 'help'>;

/**
 * Parses the command line.
 *
 * @returns the options, or 'help' if the user asked for help
 * @throws SettingsError if options are invalid or contradict each other
 */
export function readOptions(args: readonly string[]) {
  const options = readCommand(COMMAND, args);
  if (options === 'help') return options;
  const { resume, from, refine } = options;
  if (resume && from !== undefined) {
    throw new SettingsError(
      '--from starts a new run, but --resume continues a run. Use only one of these options.',
    );
  }
  if (refine !== undefined && !resume) {
    throw new SettingsError('--refine improves the gallery of an earlier run, so add --resume.');
  }
  return options;
}

/** Options that change the result of a run. */
const RECORDED = ['name', 'from', 'updates', 'batch', 'backend', 'refine'] as const;

/**
 * Returns the command that repeats a run. If the run was resumed with different options, the result
 * lists these options and the update from which they apply.
 *
 * @param update number of updates done before the program was started this time
 * @param before what this function returned when the program was last started for this run; absent
 *   if the run has just begun
 */
export function commandOf(options: Options, update: number, before?: string): string {
  // Rounding depends on the back end, so include it. But omit 'auto', which names no back end; the
  // checkpoint's card names the device that was chosen.
  const given = RECORDED.filter(
    (key) => options[key] !== undefined && !(key === 'backend' && options.backend === 'auto'),
  );
  const words = [
    quoted(options.file),
    // The cards of checkpoints are published, so hide the path of the user's folder.
    ...(options.images === undefined ? [] : ['--images <folder>']),
    ...given.flatMap((key) => [`--${key}`, quoted(`${options[key]}`)]),
  ].join(' ');
  if (before === undefined) return `npm run train -- ${words}`;
  // Check whether the options have changed. Ignore the earlier options --from and --refine, which
  // applied only to the start for which they were given.
  const lasting = before.replace(/ --(from|refine) \S+/g, '');
  if (options.refine === undefined && lasting.endsWith(` ${words}`)) return before;
  return `${before}; continued from update ${update} with --resume ${words}`;
}

/** Quotes a text as one word for a shell. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
