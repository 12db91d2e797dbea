/** Types of option values: valibot schemas whose messages complete the sentence "--flag …". */
import * as v from 'valibot';

/** Any text but the empty one. */
export const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));

const rangeOf = (min: number, max: number): string =>
  max === Infinity ? `, ${min} or more` : ` from ${min} to ${max}`;

/**
 * Its description is the range, for the help; empty without a maximum.
 *
 * @param message instead of the one that names the range
 */
export function wholeNumber(min: number, max = Infinity, message?: string) {
  const wrong = message ?? `must be a whole number${rangeOf(min, max)}`;
  return v.pipe(number(min, max, wrong), v.safeInteger(wrong));
}

/** Its description is the range, for the help; empty without a maximum. */
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

/** A word that stands for a value of its own, like "none" or "off"; all else is of another type. */
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

/** Items with commas between; spaces around them do not count. */
export const list = <T extends v.GenericSchema<string, unknown>>(item: T) =>
  v.pipe(
    v.string(),
    v.transform((given) => given.split(',').map((part) => part.trim())),
    v.array(item),
  );
