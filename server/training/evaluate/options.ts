/** The command line of an evaluation. */
import { parseArgs } from 'node:util';
import type { ComputeName } from '../autodiff/compute.ts';
import { EvaluationError } from './errors.ts';

export interface Options {
  /** Checkpoint. */
  readonly folder: string;
  readonly json: boolean;
  readonly write: boolean;
  /** Posterior samples of each image. */
  readonly samples: number;
  /** Images judged; 0: all. */
  readonly limit: number;
  /** Organisms that are aged and wounded; 0: all. */
  readonly organisms: number;
  /** Ascending. */
  readonly steps: readonly number[];
  /** Shares of the cells, 0…1. */
  readonly wounds: readonly number[];
  readonly data?: string;
  /** File of what each image came to. */
  readonly keep?: string;
  readonly backend: ComputeName | 'auto';
  readonly threads?: number;
  readonly seed: number;
}

const BACKENDS = ['auto', 'onnx', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const;

export const HELP = `Measures a checkpoint: likelihood, stability, healing, and what its latents know.

Usage: npm run evaluate -- <folder> [options]

  <folder>            checkpoint with card.json and model.safetensors
  --json              prints the figures as JSON on standard output; else as lines for people
  --write             puts the figures into card.json and pictures into the folder: samples.png, growth.png,
                      heal.png, interpolation.png, map.png, map.json
  --data <what>       images to judge by: a training configuration, or its "data" as JSON (default: the
                      configuration that the card says it was trained with)
  --samples <n>       posterior samples an image, for the importance-weighted bound (default 128)
  --limit <n>         images judged, evenly chosen from the test, else validation, else training images
                      (default 256; 0: all)
  --keep <file>       notes there what each image came to, and goes on from there when it is run again: the
                      likelihood of all images of a set takes hours
  --organisms <n>     organisms aged and wounded, evenly chosen from the gallery (default 64; 0: all)
  --steps <n,n,…>     looks at grown organisms after so many more steps (default 100,1000,10000)
  --wounds <x,x,…>    wounds of such shares of all cells (default 0.1,0.25,0.5)
  --backend <name>    ${BACKENDS.join(', ')} (default auto)
  --threads <n>       threads of the CPU (default: all)
  --seed <n>          same seed, same figures (default 1)
  -h, --help          print this

Long runs tell how far they are on standard error.
`;

/**
 * @param args the command line after the program
 * @returns what to do, or 'help' when that was asked for
 * @throws EvaluationError bad-option
 */
export function readOptions(args: readonly string[]): Options | 'help' {
  const text = { type: 'string' } as const;
  let parsed: ReturnType<typeof parse>;
  const parse = () =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        write: { type: 'boolean' },
        data: text,
        keep: text,
        samples: text,
        limit: text,
        organisms: text,
        steps: text,
        wounds: text,
        backend: text,
        threads: text,
        seed: text,
      },
    });
  try {
    parsed = parse();
  } catch (error) {
    throw new EvaluationError('bad-option', (error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help) return 'help';
  if (positionals.length !== 1) {
    throw new EvaluationError('bad-option', `one folder is needed\n\n${HELP}`);
  }
  const backend = values.backend ?? 'auto';
  if (!BACKENDS.includes(backend as never)) {
    throw bad('backend', backend, `one of ${BACKENDS.join(', ')}`);
  }
  const steps = numbers('steps', values.steps ?? '100,1000,10000', (n) => isCount(n) && n > 0);
  const wounds = numbers('wounds', values.wounds ?? '0.1,0.25,0.5', (x) => x > 0 && x <= 1);
  return {
    folder: positionals[0],
    json: values.json ?? false,
    write: values.write ?? false,
    samples: whole('samples', values.samples ?? '128', 1),
    limit: whole('limit', values.limit ?? '256', 0),
    organisms: whole('organisms', values.organisms ?? '64', 0),
    steps: [...new Set(steps)].sort((a, b) => a - b),
    wounds: [...new Set(wounds)],
    ...(values.data !== undefined && { data: values.data }),
    ...(values.keep !== undefined && { keep: values.keep }),
    backend: backend as Options['backend'],
    ...(values.threads !== undefined && { threads: whole('threads', values.threads, 1) }),
    seed: whole('seed', values.seed ?? '1', 0),
  };
}

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

const bad = (option: string, text: string, wanted: string): EvaluationError =>
  new EvaluationError('bad-option', `--${option} is ${JSON.stringify(text)}, not ${wanted}`);

function whole(option: string, text: string, least: number): number {
  const n = text.trim() === '' ? Number.NaN : Number(text);
  if (!isCount(n) || n < least) throw bad(option, text, `a whole number from ${least} on`);
  return n;
}

function numbers(option: string, text: string, fits: (x: number) => boolean): number[] {
  const list = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!list.every(fits)) {
    const wanted = option === 'steps' ? 'whole numbers from 1 on' : 'shares above 0 and up to 1';
    throw bad(option, text, `${wanted}, with commas between`);
  }
  return list;
}
