/** The command that repeats a run, for its card: with every option that changes the result. */
import type { Options } from './options.ts';
import type { Run } from './run-folder.ts';

/**
 * Formats the command.
 *
 * @param begun checkpoints that the run started with; a resumed run has no such options
 */
export function commandOf(
  { file, images, name, updates, batch, backend }: Options,
  { from, encoder }: Pick<Run, 'from' | 'encoder'> = {},
): string {
  const option = (flag: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [flag, quoted(`${value}`)];
  return [
    'npm run train --',
    quoted(file),
    // Cards are published; the user's folder is private.
    ...(images === undefined ? [] : ['--images <folder>']),
    ...option('--name', name),
    ...option('--from', from),
    ...option('--encoder', encoder),
    ...option('--updates', updates),
    ...option('--batch', batch),
    // Rounding depends on the back end. For 'auto' the device on the card shows which one was used.
    ...option('--backend', backend === 'auto' ? undefined : backend),
  ].join(' ');
}

/** Quotes a text as one word of a shell. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
