/** The line that does a run anew, for its card: with every option that changes what comes out. */
import type { Options } from './options.ts';

/** @param from checkpoint that the run began with, which a resumed one is not told again */
export function commandOf(
  { file, images, name, updates, batch, backend }: Options,
  from?: string,
): string {
  const option = (flag: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [flag, quoted(`${value}`)];
  return [
    'npm run train --',
    quoted(file),
    // Cards are published; where somebody keeps their pictures is not.
    ...(images === undefined ? [] : ['--images <folder>']),
    ...option('--name', name),
    ...option('--from', from),
    ...option('--updates', updates),
    ...option('--batch', batch),
    // Numbers are rounded otherwise on another; which one 'auto' took, the card's device says.
    ...option('--backend', backend === 'auto' ? undefined : backend),
  ].join(' ');
}

/** As one word of a shell. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
