/** The command that repeats a run, for its card: with every option that changes the result. */
import type { Options } from './options.ts';

/** A start of a run: the first one, or one with --resume. */
export interface RunStart {
  /** Updates that were done before. */
  readonly update: number;
  /** The configuration, as a word of a shell. */
  readonly file: string;
  /** Options that change the result, as words of a shell. */
  readonly options: readonly string[];
}

/** What of a command line changes the result. */
export function startOf(
  { file, images, name, from, encoder, updates, batch, backend, refine, compact }: Options,
  update: number,
): RunStart {
  const option = (flag: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [flag, quoted(`${value}`)];
  return {
    update,
    file: quoted(file),
    options: [
      // Cards are published; the user's folder is private.
      ...(images === undefined ? [] : ['--images <folder>']),
      ...option('--name', name),
      ...option('--from', from),
      ...option('--encoder', encoder),
      ...option('--updates', updates),
      ...option('--batch', batch),
      // Rounding depends on the back end. For 'auto' the device on the card shows which one was used.
      ...option('--backend', backend === 'auto' ? undefined : backend),
      ...option('--refine', refine),
      ...(compact ? ['--compact'] : []),
    ],
  };
}

/**
 * Formats the starts of a run as a command, and what followed. One with the options of the start
 * before it is left out, as a resumed run is the same as one that went on.
 */
export function commandOf(starts: readonly RunStart[]): string {
  const told: string[] = [];
  let before: RunStart | undefined;
  for (const start of starts) {
    const { update, file, options } = start;
    if (!before) told.push(['npm run train --', file, ...options].join(' '));
    else if (changesMore(start, before)) {
      const other = file === before.file ? [] : [file];
      told.push([`from update ${update} on with`, ...other, '--resume', ...options].join(' '));
    }
    // Runs of earlier versions do not tell how they began.
    if (!before && update > 0) told.push(`with these options from update ${update} on`);
    before = start;
  }
  return told.join(', ');
}

/** Whether a start changes the result. From a compact state a run goes on as another. */
const changesMore = (start: RunStart, before: RunStart): boolean =>
  start.options.includes('--refine') ||
  before.options.includes('--compact') ||
  wordsOf(start) !== wordsOf(before);

/** Without what only a first start has, or what a start does once. */
const wordsOf = ({ file, options }: RunStart): string => {
  const once = ['--from', '--encoder', '--refine'];
  const lasting = options.filter(
    (word, i) => !once.includes(word) && !once.includes(options[i - 1]),
  );
  return [file, ...lasting].join(' ');
};

/** Quotes a text as one word of a shell. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
