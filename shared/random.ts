/** A seeded random generator. A room draws from only one generator, so that it can be replayed. */
export interface Random {
  /** Returns a uniform number in [0, 1), with 32 random bits. */
  uniform(): number;
  /** Returns a uniform integer in [0, n). */
  integer(n: number): number;
  /** Returns a standard normal number. */
  normal(): number;
  /** Returns a point of the prior N(0, I), of shape [size]. */
  latent(size: number): Float32Array;
  /** The generator's state, from which `resumeRandom` continues. */
  state(): RandomState;
}

export interface RandomState {
  /** sfc32's a, b, c and counter, 32 bits each. */
  readonly words: [number, number, number, number];
  /** The second of a pair of normal numbers, if only the first has been returned. */
  readonly spare?: number | undefined;
}

/** Spreads each bit of a number over all bits (the finisher of MurmurHash3). @returns uint32 */
export function mixBits(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hashes a text to 32 bits (FNV-1a, finished as in MurmurHash3), to make seeds from names. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mixBits(h);
}

/**
 * Creates an independent generator: sfc32 (Doty-Humphrey, PractRand) for bits, Box-Muller for
 * normals.
 *
 * @param seed any 32-bit number; equal seeds give equal sequences
 */
export function createRandom(seed: number): Random {
  const random = resumeRandom({ words: [0x9e3779b9, 0x243f6a88, seed >>> 0, 1] });
  // Twelve rounds mix a poor seed through all four words.
  for (let i = 0; i < 12; i++) random.uniform();
  return random;
}

/** Creates a generator that continues from another generator's state. */
export function resumeRandom({ words, spare: left }: RandomState): Random {
  let [a, b, c, counter] = words;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  let spare = left;
  const uniform = (): number => next() / 4294967296;
  const normal = (): number => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return {
    uniform,
    normal,
    integer: (n) => Math.floor(uniform() * n),
    latent: (size) => Float32Array.from({ length: size }, normal),
    state: () => ({ words: [a, b, c, counter].map((word) => word >>> 0) as never, spare }),
  };
}
