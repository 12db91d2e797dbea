/** fast-check with a fixed seed, and a different seed each time in full runs. */
import fc from 'fast-check';
import { isFull, SEED } from './needs.ts';

fc.configureGlobal({ seed: SEED, numRuns: isFull ? 100 : 25 });

/** Any number from one to another. */
export const between = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true });

/**
 * Text of any characters, and some of ASCII alone. fast-check's own of unit `binary` lists a million characters first,
 * in each suite.
 */
export const anyText = (constraints: fc.ArrayConstraints = {}): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .array(fc.nat(0x10ffff - SURROGATES), constraints)
        .map((codes) => String.fromCodePoint(...codes.map(withoutSurrogates))),
    },
    { weight: 1, arbitrary: fc.string(constraints) },
  );

const SURROGATES = 0x800;
const withoutSurrogates = (code: number): number => (code < 0xd800 ? code : code + SURROGATES);

/** Arbitraries, and a predicate of their values. */
type Property<Values extends [unknown, ...unknown[]]> = [
  ...arbitraries: { [K in keyof Values]: fc.Arbitrary<Values[K]> },
  predicate: (...values: Values) => void,
];

/** Checks a property 25 times, a hundred times in full runs. */
export const forAll = <Values extends [unknown, ...unknown[]]>(
  ...property: Property<Values>
): void => fc.assert(fc.property(...property));

/** Checks a property this many times in full runs, and else a quarter of them, at least ten if there are as many. */
export const forRuns = <Values extends [unknown, ...unknown[]]>(
  numRuns: number,
  ...property: Property<Values>
): void => {
  const fewer = Math.min(numRuns, Math.max(10, Math.ceil(numRuns / 4)));
  fc.assert(fc.property(...property), { numRuns: isFull ? numRuns : fewer });
};

export default fc;
