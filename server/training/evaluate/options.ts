/** Defines the command line of `npm run evaluate`. */
import * as v from 'valibot';
import type { Values } from '../../settings/command-line.ts';
import { list, oneOf, text, wholeNumber } from '../../settings/server-types.ts';
import { SPLITS } from '../data/dataset.ts';
import { CHECKPOINT_FOLDER, COMPUTE_OPTIONS } from '../terminal.ts';
import { STAY_STEPS } from './stability.ts';

export const COMMAND = {
  about:
    'Measures a checkpoint: likelihood, error for unseen pictures, stability, healing, organisms from random seeds, and chimeras (organisms with several genomes). Prints the figures as JSON.',
  usage: 'npm run evaluate -- <folder> [options]',
  positional: CHECKPOINT_FOLDER,
  options: {
    write: {
      help: 'write the figures to card.json, and write these files to the same folder: samples.png, growth.png, heal.png, wounds.png, map.png, map.json',
    },
    data: {
      value: 'WHAT',
      type: text,
      defaultInWords: 'the configuration named by the card',
      help: 'images to evaluate on, given as the file of a training configuration or as JSON like the field "data" of a configuration',
    },
    split: {
      value: 'NAME',
      type: oneOf(SPLITS),
      defaultInWords: 'the first split with images, in the order test, validation, train',
      help: 'split of the images to use. Compare trials on the validation split. Measure the test split only once, at the end',
    },
    samples: {
      type: wholeNumber(1),
      default: '128',
      help: 'number of posterior samples per image, for the importance-weighted bound (IWAE)',
    },
    limit: {
      type: wholeNumber(0),
      default: '256',
      help: 'maximum number of images, chosen evenly from the split. Also the maximum number of unseen pictures. 0 means all',
    },
    organisms: {
      type: wholeNumber(0),
      default: '64',
      help: 'number of organisms whose stability and healing are measured, chosen evenly from the gallery. 0 means all',
    },
    steps: {
      value: 'N,N,…',
      type: v.pipe(
        list(wholeNumber(1, Infinity, 'must be whole numbers, 1 or more, separated by commas')),
        v.transform((steps) => [...new Set(steps)].sort((a, b) => a - b)),
      ),
      default: STAY_STEPS.join(),
      help: 'numbers of steps after growth at which organisms are compared with their grown pictures',
    },
    throws: {
      type: wholeNumber(0),
      default: '1000',
      help: 'number of organisms to grow from random seeds and compare with the gallery. 0 means none',
    },
    chimeras: {
      type: wholeNumber(0),
      default: '200',
      help: 'number of chimeras to grow, each from random gallery creatures. 0 means none',
    },
    ...COMPUTE_OPTIONS,
    seed: {
      type: wholeNumber(0),
      default: '1',
      help: 'seed of the random numbers. The same seed gives the same figures',
    },
  },
  notes: ['Long runs report progress on standard error.'],
} as const;

export type Options = Values<typeof COMMAND.options, 'folder'>;
