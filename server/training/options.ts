/** The command line of `npm run train`. */
import { parseArgs } from 'node:util';
import type { ComputeName } from './autodiff/compute.ts';
import { TrainingError } from './errors.ts';

export const HELP = `Trains organisms.

Usage: npm run train -- <config.json> [options]

  <config.json>        what to train on what; see server/training/configs
  --images <folder>    pictures to train on, where the configuration is for a folder of your own
  --name <name>        of run and checkpoint, instead of the configuration's
  --resume             go on with the run of this name, to the same end as if it had never stopped
  --from <checkpoint>  begin with the weights of a checkpoint instead of fresh ones
  --run <folder>       where the run keeps its state and pictures (default .cache/training/runs/<name>)
  --out <folder>       where the checkpoint goes when the run ends or is stopped (default <run>/checkpoint)
  --updates <n>        end after this many updates instead of the configuration's
  --minutes <n>        stop after this time (default: no limit); --resume goes on
  --batch <n>          new organisms an update instead of the configuration's, and a pool to match: for small machines
  --backend <name>     onnx, tensorflow, webgpu, wasm, cpu or auto (default auto: a real GPU, else onnx)
  --threads <n>        threads of the CPU, for onnx, wasm and cpu (default: all)
  -h, --help           print this

Ctrl-C stops after the running update, saves, and writes the checkpoint. Without --resume a run begins anew; the one
before in the same folder is kept there as state.old.safetensors.
`;

const BACKENDS = [
  'auto',
  'onnx',
  'tensorflow',
  'webgpu',
  'wasm',
  'cpu',
] as const satisfies readonly (ComputeName | 'auto')[];

export interface Options {
  readonly file: string;
  readonly images?: string;
  readonly name?: string;
  readonly resume: boolean;
  readonly from?: string;
  readonly run?: string;
  readonly out?: string;
  readonly updates?: number;
  readonly minutes?: number;
  readonly batch?: number;
  readonly backend: (typeof BACKENDS)[number];
  readonly threads?: number;
}

/** @throws TrainingError bad-config, naming the option */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parse(args);
  if (values.help) return 'help';
  if (positionals.length !== 1) {
    throw new TrainingError(
      'bad-config',
      `one configuration is needed, not ${positionals.length}; --help tells more`,
    );
  }
  const backend = BACKENDS.find((name) => name === (values.backend ?? 'auto'));
  if (!backend) {
    throw new TrainingError(
      'bad-config',
      `--backend is none of ${BACKENDS.join(', ')}: ${values.backend}`,
    );
  }
  if (values.resume && values.from !== undefined) {
    throw new TrainingError('bad-config', '--from begins a run and --resume goes on: choose one');
  }
  const { images, name, from, run, out } = values;
  const updates = countOf('--updates', values.updates);
  const batch = countOf('--batch', values.batch);
  const threads = countOf('--threads', values.threads);
  const minutes = minutesOf(values.minutes);
  return {
    file: positionals[0],
    resume: values.resume ?? false,
    backend,
    ...(images !== undefined && { images }),
    ...(name !== undefined && { name }),
    ...(from !== undefined && { from }),
    ...(run !== undefined && { run }),
    ...(out !== undefined && { out }),
    ...(updates !== undefined && { updates }),
    ...(batch !== undefined && { batch }),
    ...(threads !== undefined && { threads }),
    ...(minutes !== undefined && { minutes }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        images: { type: 'string' },
        name: { type: 'string' },
        resume: { type: 'boolean' },
        from: { type: 'string' },
        run: { type: 'string' },
        out: { type: 'string' },
        updates: { type: 'string' },
        minutes: { type: 'string' },
        batch: { type: 'string' },
        backend: { type: 'string' },
        threads: { type: 'string' },
      },
    });
  } catch (error) {
    throw new TrainingError('bad-config', `${(error as Error).message.split('\n')[0]}`);
  }
}

function countOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new TrainingError('bad-config', `${option} is not a whole number from 1 on: ${text}`);
}

function minutesOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const minutes = Number(text);
  if (text.trim() !== '' && minutes >= 0) return minutes;
  throw new TrainingError('bad-config', `--minutes is not a number from 0 on: ${text}`);
}
