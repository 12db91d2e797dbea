/** The command line of `npm run replay`. */
import * as v from 'valibot';
import { BACKEND_NAMES } from '../engine/backend.ts';
import type { Values } from '../settings/command.ts';
import { number, oneOf, text } from '../settings/server-types.ts';

/** A tick, or a wall-clock time in ms. */
export type When = { readonly tick: number } | { readonly time: number };

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
    'Replays what happened in a room, and proves with the checksums in its journal that the result is the same.',
  usage: 'npm run replay -- <what> [options]',
  positional: {
    key: 'what',
    noun: 'room or replay bundle',
    help: 'name of a room that a server has stored, or a file written with --bundle',
  },
  options: {
    data: { value: 'FOLDER', type: text, default: '.data', help: 'where rooms are stored' },
    checkpoint: {
      value: 'FOLDER',
      type: text,
      default: 'checkpoints/organisms',
      help: 'checkpoint that the room was grown from',
    },
    engine: {
      value: 'NAME',
      type: oneOf(['auto', ...BACKEND_NAMES]),
      default: 'auto',
      help: `what computes the cells: auto, ${BACKEND_NAMES.join(', ')}`,
    },
    from: {
      value: 'WHEN',
      type: when,
      defaultInWords: 'the oldest stored',
      help: 'first tick or time, like 1200 or 2026-11-25T10:30',
    },
    to: {
      value: 'WHEN',
      type: when,
      defaultInWords: 'the latest stored',
      help: 'last tick or time',
    },
    speed: {
      type: number(0.01),
      default: 'Infinity',
      defaultInWords: 'as fast as possible',
      help: 'at most this many times the original speed',
    },
    export: {
      value: 'KIND',
      type: oneOf(['frames', 'gif', 'png']),
      help: 'pictures to write: frames (a PNG each), gif, or png (the last tick only)',
    },
    every: {
      type: v.pipe(number(1, 1e6), v.transform(Math.round)),
      default: '15',
      help: 'write a picture of every Nth tick',
    },
    out: {
      value: 'PATH',
      type: text,
      defaultInWords: 'replay, replay.gif or replay.png',
      help: 'where to write them',
    },
    bundle: {
      value: 'FILE',
      type: text,
      help: 'write the snapshot and journal of that time to one file, a replay bundle, which can be replayed anywhere',
    },
  },
} as const;

/** Parsed options. */
export type ReplayOptions = Values<typeof COMMAND.options, 'what'>;
