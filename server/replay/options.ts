/** What `npm run replay` is asked for. */
import { parseArgs } from 'node:util';
import { ConfigError } from '../config.ts';
import { BACKEND_NAMES, type BackendName } from '../engine/backend.ts';

export const HELP = `Does again what happened in a room, and proves it by the checksums in its journal.

npm run replay -- ROOM [settings]        from what a server has kept
npm run replay -- FILE [settings]        from a bottle

  --data FOLDER        where rooms are kept (.data)
  --checkpoint FOLDER  what was grown (checkpoints/organisms)
  --engine NAME        auto, or one by its name (auto)
  --from WHEN          tick or time, like 1200 or 2026-11-25T10:30 (the first that is kept)
  --to WHEN            the same (the last)
  --speed N            N times as fast as it was, at most (as fast as it goes)
  --export KIND        frames (a PNG each), gif, or png (the last tick alone)
  --every N            of the ticks, every Nth becomes a picture (15)
  --out PATH           where that goes (replay, replay.gif, replay.png)
  --bottle FILE        puts snapshot and journal of that time into one file, which can be done again anywhere
  --help               this text`;

const EXPORTS = ['frames', 'gif', 'png'] as const;

export interface ReplayOptions {
  /** A room's name or a bottle's file. */
  readonly what: string;
  readonly data: string;
  readonly checkpoint: string;
  readonly engine: BackendName | 'auto';
  readonly from: When | undefined;
  readonly to: When | undefined;
  readonly speed: number;
  readonly export: (typeof EXPORTS)[number] | undefined;
  readonly every: number;
  readonly out: string | undefined;
  readonly bottle: string | undefined;
}

/** A tick, or a wall clock's ms. */
export type When = { readonly tick: number } | { readonly time: number };

/** @throws ConfigError */
export function readOptions(args: readonly string[]): ReplayOptions | 'help' {
  const text = { type: 'string' } as const;
  let parsed: { values: Record<string, string | boolean | undefined>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...Object.fromEntries(
          'data checkpoint engine from to speed export every out bottle'
            .split(' ')
            .map((name) => [name, text]),
        ),
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new ConfigError(`${(error as Error).message} See --help.`);
  }
  const { positionals } = parsed;
  const values = parsed.values as Record<string, string | undefined>;
  if (parsed.values.help) return 'help';
  if (positionals.length !== 1) throw new ConfigError('Name one room or one bottle. See --help.');
  return {
    what: positionals[0],
    data: values.data ?? '.data',
    checkpoint: values.checkpoint ?? 'checkpoints/organisms',
    engine: oneOf('engine', values.engine ?? 'auto', ['auto', ...BACKEND_NAMES] as const),
    from: readWhen('from', values.from),
    to: readWhen('to', values.to),
    speed: readNumber('speed', values.speed ?? 'Infinity', 0.01, Infinity),
    export: values.export === undefined ? undefined : oneOf('export', values.export, EXPORTS),
    every: Math.round(readNumber('every', values.every ?? '15', 1, 1e6)),
    out: values.out,
    bottle: values.bottle,
  };
}

function readWhen(flag: string, text: string | undefined): When | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return { tick: Number(text) };
  const time = Date.parse(text);
  if (Number.isNaN(time)) {
    throw new ConfigError(`--${flag} must be a tick or a time, like 1200 or 2026-11-25T10:30.`);
  }
  return { time };
}

function readNumber(flag: string, text: string, min: number, max: number): number {
  const n = Number(text);
  if (text.trim() === '' || !(n >= min && n <= max)) {
    throw new ConfigError(`--${flag} must be a number from ${min} to ${max}, not "${text}".`);
  }
  return n;
}

function oneOf<const T extends string>(flag: string, text: string, words: readonly T[]): T {
  if (!words.includes(text as T)) {
    throw new ConfigError(`--${flag} must be one of ${words.join(', ')}, not "${text}".`);
  }
  return text as T;
}
