/** The command line of `npm run train`. */

import { COMPUTE_NAMES } from '../autodiff/compute.ts';
import { readCommand, SettingsError } from '../settings/command.ts';
import { number, oneOf, text, wholeNumber } from '../settings/types.ts';

/** Options of every command that computes. */
export const COMPUTE_OPTIONS = {
  backend: {
    value: 'NAME',
    type: oneOf(['auto', ...COMPUTE_NAMES]),
    default: 'auto',
    help: `what to compute on: auto (a real GPU, else onnx), ${COMPUTE_NAMES.join(', ')}`,
  },
  threads: {
    type: wholeNumber(1),
    defaultInWords: 'all',
    help: 'CPU threads, for onnx',
  },
} as const;

export const COMMAND = {
  about: 'Trains organisms.',
  usage: 'npm run train -- <file> [options]',
  positional: {
    key: 'file',
    noun: 'configuration',
    help: 'training configuration, JSON; see server/training/configs',
  },
  options: {
    images: {
      value: 'FOLDER',
      type: text,
      help: 'images to train on, for a configuration that trains on a folder of your own',
    },
    name: {
      value: 'NAME',
      type: text,
      help: "name of the run and its checkpoint, instead of the configuration's",
    },
    resume: {
      help: 'continue the run of this name; the result is the same as without the interruption',
    },
    refine: {
      value: 'PULL',
      type: number(0),
      help: 'with --resume: first refine the latents of the gallery, by gradient steps through growth and rest, into its offsets; each is pulled towards where it is with this weight',
    },
    compact: {
      help: 'save a small state, without pools and first moments, to keep it elsewhere; a run that resumes from it fills them again',
    },
    from: {
      value: 'FOLDER',
      type: text,
      help: 'start with the weights of this checkpoint instead of random ones; a larger encoder starts as that of the checkpoint',
    },
    encoder: {
      value: 'FOLDER',
      type: text,
      help: 'with --from: start with the encoder of this checkpoint instead',
    },
    run: {
      value: 'FOLDER',
      type: text,
      defaultInWords: '.cache/training/runs/<name>',
      help: 'where to keep the state and pictures of the run',
    },
    out: {
      value: 'FOLDER',
      type: text,
      defaultInWords: '<run>/checkpoint',
      help: 'where to write the checkpoint when the run ends or is stopped',
    },
    updates: {
      type: wholeNumber(1),
      help: "end after this many updates, instead of the configuration's number",
    },
    minutes: {
      type: number(0),
      defaultInWords: 'no limit',
      help: 'stop after this time; --resume continues',
    },
    batch: {
      type: wholeNumber(1),
      help: "new organisms per update instead of the configuration's number, with a pool to match; for small machines",
    },
    ...COMPUTE_OPTIONS,
  },
  notes: [
    'Ctrl-C stops after the current update, saves, and writes the checkpoint. Without --resume a run starts from the beginning; the state of the previous run in the same folder is kept as state.old.safetensors; if that file has more updates, the run is refused.',
  ],
} as const;

/** Parsed options. */
export type Options = Exclude<ReturnType<typeof readOptions>, 'help'>;

/** Parses the command line. @throws SettingsError */
export function readOptions(args: readonly string[]) {
  const options = readCommand(COMMAND, args);
  if (options !== 'help' && options.resume && options.from !== undefined) {
    throw new SettingsError('--from starts a run and --resume continues one: choose one.');
  }
  if (options !== 'help' && options.encoder !== undefined && options.from === undefined) {
    throw new SettingsError('--encoder replaces the encoder of --from: name that checkpoint too.');
  }
  if (options !== 'help' && options.refine !== undefined && !options.resume) {
    throw new SettingsError('--refine is for a run that has learnt something: add --resume.');
  }
  return options;
}
