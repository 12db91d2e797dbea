/** Schemas for values of the server's settings. Each schema parses a text. */

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import * as v from 'valibot';
import type { FlashLimit } from '../../shared/vocabulary.ts';
import { type NumberTable, numbersOf } from '../platform/collections.ts';

export const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));

const rangeOf = (min: number, max: number): string =>
  max === Infinity ? `, ${min} or more` : ` from ${min} to ${max}`;

/**
 * Creates a schema that parses a whole number. The schema's description is the range for the help,
 * or '' if there is no maximum.
 *
 * @param message error message; by default, a message with the range
 */
export function wholeNumber(min: number, max = Infinity, message?: string) {
  const wrong = message ?? `must be a whole number${rangeOf(min, max)}`;
  return v.pipe(number(min, max, wrong), v.safeInteger(wrong));
}

/**
 * Creates a schema that parses a number. The schema's description is the range for the help, or ''
 * if there is no maximum.
 */
export function number(
  min: number,
  max = Infinity,
  wrong = `must be a number${rangeOf(min, max)}`,
) {
  return v.pipe(
    v.string(),
    v.trim(),
    v.nonEmpty(wrong),
    v.transform(Number),
    v.minValue(min, wrong),
    v.maxValue(max, wrong),
    v.description(max === Infinity ? '' : `${min} to ${max}`),
  );
}

export function oneOf<const T extends string>(words: readonly T[]) {
  const list = words.length === 2 ? words.join(' or ') : `one of ${words.join(', ')}`;
  return v.picklist(words, `must be ${list}`);
}

/**
 * Creates a schema that converts one word, such as "none", to `value`, and parses any other text
 * with `type`.
 */
export const orWord = <const V, T extends v.GenericSchema<string, unknown>>(
  word: string,
  value: V,
  type: T,
) =>
  v.lazy((given) => {
    return given === word
      ? v.pipe(
          v.string(),
          v.transform(() => value),
        )
      : type;
  });

/** Creates a schema that parses items separated by commas. Spaces around items are ignored. */
export const list = <T extends v.GenericSchema<string, unknown>>(item: T) =>
  v.pipe(
    v.string(),
    v.transform((given) => given.split(',').map((part) => part.trim())),
    v.array(item),
  );

const textThat = (fits: (given: string) => boolean, wanted: string) =>
  v.pipe(v.string(), v.check(fits, wanted));

/**
 * Creates a schema that parses items separated by commas. `fits` must return true for each item.
 * @param wanted error message if an item does not fit
 */
const listOf = (fits: (item: string) => boolean, wanted: string) => list(textThat(fits, wanted));

const ROOMS_WANTED = 'must be names of up to 32 characters (a-z, 0-9 and -), separated by commas';

export const roomNames = v.pipe(
  list(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,32}$/, ROOMS_WANTED))),
  v.check((names) => new Set(names).size === names.length, 'must not contain the same room twice'),
);

const SIZE_WANTED = 'must be width x height in cells, each from 32 to 1024, like 256x256';
const side = v.pipe(v.number(), v.minValue(32, SIZE_WANTED), v.maxValue(1024, SIZE_WANTED));

/** Parses the size of a grid in cells, such as 256x128. */
export const gridSize = v.pipe(
  v.string(),
  v.regex(/^\d+x\d+$/, SIZE_WANTED),
  v.transform((given) => {
    const [width, height] = given.split('x').map(Number);
    return { width, height };
  }),
  v.object({ width: side, height: side }),
);

/**
 * Creates a schema that parses changes to a table of numbers, such as "a=1,b=2". The result
 * contains all numbers of the table, changed or not.
 */
export const changesOf = <K extends string>(table: NumberTable<K>) =>
  v.pipe(
    v.string(),
    v.rawTransform<string, Readonly<Record<K, number>>>(({ dataset, addIssue, NEVER }) => {
      const changed: Record<string, number> = { ...numbersOf(table) };
      for (const part of dataset.value === 'default' ? [] : dataset.value.split(',')) {
        const [name, number] = part.split('=').map((word) => word.trim());
        const value = Number(number || Number.NaN);
        if (!Object.hasOwn(table, name) || !(value >= 0 && value <= 1e9)) {
          const names = Object.keys(table);
          addIssue({
            message: `must be a list like ${names[0]}=100, separated by commas, with these names: ${names.join(', ')}`,
          });
          return NEVER;
        }
        changed[name] = value;
      }
      const low = (Object.keys(table) as K[]).find((name) => changed[name] < (table[name][2] ?? 0));
      if (low === undefined) return changed as Record<K, number>;
      addIssue({ message: `must set ${low} to at least ${table[low][2]}` });
      return NEVER;
    }),
  );

/** Parses the maximum number of flashes per second. */
export const flashLimit = v.pipe(
  oneOf(['3', '2']),
  v.transform((given) => (given === '2' ? 2 : 3) satisfies FlashLimit),
);

export const folders = orWord('none', [] as string[], list(v.string()));

export const extensionFiles = orWord(
  'none',
  [] as string[],
  listOf(
    (given) => /\.[cm]?[jt]s$/.test(given),
    'must be files that end in .ts or .js, separated by commas',
  ),
);

/** Reads the words in a file, one word per line. Skips empty lines and lines that begin with #. */
export const wordFile = v.pipe(
  v.string(),
  v.rawTransform<string, string[]>(({ dataset, addIssue, NEVER }) => {
    try {
      const lines = readFileSync(dataset.value, 'utf8').split('\n');
      return lines.map((line) => line.trim()).filter((line) => line !== '' && line[0] !== '#');
    } catch {
      addIssue({ message: 'must be a file that can be read, with one word per line' });
      return NEVER;
    }
  }),
);

const isOrigin = (given: string): boolean => URL.canParse(given) && new URL(given).origin === given;

export const origins = listOf(
  isOrigin,
  'must be origins like https://museum.example, separated by commas',
);

export const origin = textThat(
  isOrigin,
  'must be an origin like https://museum.example, without a path',
);

const isHostName = (given: string): boolean =>
  URL.canParse(`http://${given}`) && new URL(`http://${given}`).host === given;

export const hostNames = listOf(
  isHostName,
  'must be host names like play.museum.example, in lower case and without a port, separated by commas',
);

const isWebAddress = (given: string): boolean => {
  if (!URL.canParse(given)) return false;
  const { protocol, username, password } = new URL(given);
  return /^https?:$/.test(protocol) && username === '' && password === '';
};

export const webAddress = textThat(
  isWebAddress,
  'must be a URL like https://monitor.example/vivarium, without a user name',
);

/** Parses the URL of a cluster's Valkey server. */
export const clusterAddress = textThat(
  (given) => URL.canParse(given) && /^rediss?:$/.test(new URL(given).protocol),
  'must be a URL like redis://user:password@127.0.0.1:6379/0, with special characters in the password encoded, like %2F for /',
);

/**
 * Parses the URL of a page. The URL must not contain a fragment (#…), because links append their
 * own fragment.
 */
export const pageAddress = v.pipe(
  textThat(
    (given) => isWebAddress(given) && !given.includes('#'),
    'must be a URL like https://museum.example/keep.html, without a user name and without "#"',
  ),
  v.transform((given) => new URL(given).href),
);

const isAddress = (given: string): boolean => isIP(given) > 0;

export const addresses = listOf(isAddress, 'must be IP addresses, separated by commas');

const port = wholeNumber(0, 65_535);
const ENDPOINT_WANTED = 'must be host:port, like 127.0.0.1:9000 or [::1]:9000';
const ENDPOINT = /^(?:([^\s:[\]@]+)|\[([\da-f:.]+)\]):(\d+)$/i;

/** Parses an address to send to: host:port. */
export const endpoint = v.pipe(
  v.string(),
  v.regex(ENDPOINT, ENDPOINT_WANTED),
  v.transform((given) => {
    const [, name, six, port] = ENDPOINT.exec(given)!;
    return { host: name ?? six, port };
  }),
  v.object({ host: text, port: wholeNumber(1, 65_535, ENDPOINT_WANTED) }),
);

/** Parses an address to listen on: port, or port@address. */
export const listening = v.pipe(
  v.string(),
  v.transform((given) => {
    const [port, host = '127.0.0.1'] = given.split('@');
    return { port, host };
  }),
  v.object({
    port,
    host: textThat(
      isAddress,
      "must be a port, or port@address with one of this machine's addresses",
    ),
  }),
);

export const metricsPort = orWord(
  'same',
  'same',
  orWord('none', 'none', wholeNumber(0, 65_535, 'must be a port number, same or none')),
);
