/**
 * A random number generator. Equal seeds give equal numbers, so that a room's events can be
 * replayed.
 */
export interface Random {
  /** Returns a uniform number in [0, 1), with 32 random bits. */
  uniform(): number;
  /** Returns a uniform integer in [0, n). */
  integer(n: number): number;
  /** Returns a standard normal number. */
  normal(): number;
  /** Returns a random latent from the prior N(0, I), of shape [size]. */
  latent(size: number): Float32Array;
  /** Returns the generator's state, from which `resumeRandom` can continue. */
  state(): RandomState;
}

export interface RandomState {
  /** The words a, b and c and the counter of sfc32, 32 bits each. */
  readonly words: [number, number, number, number];
  /**
   * Normally distributed numbers are generated in pairs. If only the first number of a pair has
   * been returned, `spare` is the second number.
   */
  readonly spare?: number | undefined;
}

/**
 * Mixes the bits of a number, so that each bit affects all bits of the result (finalizer of
 * MurmurHash3).
 *
 * @returns uint32
 */
export function mixBits(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hashes a text to 32 bits, with FNV-1a and the finalizer of MurmurHash3. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mixBits(h);
}

/**
 * Creates a random number generator: sfc32 (Doty-Humphrey, PractRand) for random bits, Box-Muller
 * for normally distributed numbers.
 *
 * @param seed any 32-bit number; equal seeds give equal sequences
 */
export function createRandom(seed: number): Random {
  const random = resumeRandom({ words: [0x9e3779b9, 0x243f6a88, seed >>> 0, 1] });
  // Twelve rounds make each bit of the seed affect all four words.
  for (let i = 0; i < 12; i++) random.uniform();
  return random;
}

/** Creates a generator that continues from the state of another generator. */
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
