/**
 * Encodes seeds as short texts (tokens) for links. A token has just enough data to plant the same
 * creature again.
 *
 * | bytes | meaning |
 * |---|---|
 * | 1 | version, 1 |
 * | 4 | identity of the model weights with which the seed must be grown, see `identityOf` |
 * | 3 … 3 + 2 Z | the organism's own genome |
 * | 1 | only for a chimera: number of grafted genomes (1…3) + 4 × log₂ of a block's side length |
 * | variable | only for a chimera: the grafted genomes, then the label of each block of cells (see `encodeLabels`) |
 * | 2 | checksum of all preceding bytes |
 *
 * | bytes of a genome | meaning |
 * |---|---|
 * | 2 | gallery index plus one; for a seed without a gallery name, 65535 (from a cross), 65534 (from the dice) or 0 |
 * | 1 | signed exponent e; −128 for a latent of the gallery, for which the next row is left out |
 * | 2 Z | Z signed 16-bit numbers; the values of the latent are these numbers × 2^e / 32768 |
 *
 * With fewer bits per number, some creatures from the dice (random seeds) would look different.
 */
import { coarsenLabels, decodeLabels, encodeLabels, refineLabels } from './label-code.ts';
import { hashText } from './random.ts';
import type { Origin } from './vocabulary.ts';

export interface TokenGenome {
  /**
   * Gallery index of the genome's creature; undefined if the genome does not belong to a gallery
   * creature.
   */
  readonly kind: number | undefined;
  /** [Z] values with magnitudes below 2^127. Must not be modified. */
  readonly latent: Float32Array;
  /**
   * Source of the genome. A token keeps the source only for genomes from a cross or from the dice
   * (a random draw).
   */
  readonly origin?: Origin | undefined;
}

/** The parts that were grafted onto an organism. */
export interface TokenGrafts {
  /** One to three genomes besides the organism's own. */
  readonly genomes: readonly TokenGenome[];
  /**
   * [S, S] For each cell, 0 for the organism's own genome, or n + 1 for the genome `genomes[n]`.
   */
  readonly places: Uint8Array;
}

export interface TokenSeed extends TokenGenome {
  /** The organism's grafts. Absent if all cells read the same genome. */
  readonly grafts?: TokenGrafts | undefined;
}

/** The properties of a checkpoint that its tokens depend on. */
export interface TokenSpecies {
  /** Identity of the weights: eight hexadecimal digits. */
  readonly identity: string;
  /** Latent size Z, 1…1024. */
  readonly latentSize: number;
  /** Side length S, in cells, of the square window that a grown organism fills. */
  readonly side: number;
  readonly gallery: readonly { readonly latent: Float32Array }[];
}

const VERSION = 1;
const HEAD = 5;
const TAIL = 2;
const GENOME_HEAD = 3;
const NAMELESS: Readonly<Partial<Record<Origin, number>>> = { cross: 0xffff, prior: 0xfffe };
const STEPS = 32_768;
/**
 * Value of the exponent that marks a latent of the gallery. The token then does not contain the
 * latent's numbers.
 */
const OF_GALLERY = -128;
/**
 * Maximum number of bytes for labels. If one label per cell needs more, a token stores one label
 * per block of cells.
 */
const MAX_LABEL_BYTES = 150;

/** Minimum and maximum length of a token, in characters. */
export const MIN_TOKEN = Math.ceil(((HEAD + GENOME_HEAD + TAIL) * 4) / 3);
export const MAX_TOKEN = Math.ceil(
  ((HEAD + 4 * (GENOME_HEAD + 2 * 1024) + 1 + MAX_LABEL_BYTES + TAIL) * 4) / 3,
);

const checkOf = (bytes: Uint8Array): number => hashText(String.fromCharCode(...bytes)) & 0xffff;

/**
 * Encodes a seed as a token. A latent outside the gallery is rounded to multiples of 2^e / 32768,
 * where 2^e is the smallest power of two above the largest magnitude. Grafts that no cell reads are
 * omitted. If the shapes of the grafts need too many bytes, they are coarsened, and small grafted
 * parts may disappear.
 */
export function encodeSeed(seed: TokenSeed, species: TokenSpecies): string {
  const identity = Number.parseInt(species.identity, 16);
  const bytes = [VERSION, ...bytesOf(identity, 4), ...bytesOfGenome(seed, species)];
  if (seed.grafts) bytes.push(...bytesOfGrafts(seed.grafts, species));
  bytes.push(...bytesOf(checkOf(Uint8Array.from(bytes)), TAIL));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Returns the lowest bytes of an integer, most significant byte first. */
const bytesOf = (value: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (value >> (8 * (count - 1 - i))) & 0xff);

function bytesOfGenome(
  { kind, latent, origin }: TokenGenome,
  { gallery }: TokenSpecies,
): readonly number[] {
  const code = bytesOf(kind === undefined ? ((origin && NAMELESS[origin]) ?? 0) : kind + 1, 2);
  const known = kind === undefined ? undefined : gallery[kind]?.latent;
  if (known?.every((value, i) => value === latent[i])) return [...code, OF_GALLERY & 0xff];
  const largest = latent.reduce((most, value) => Math.max(most, Math.abs(value)), 2 ** -20);
  // 2^exponent is above all magnitudes, even after rounding. If a decoded seed is encoded again, it
  // therefore gets the same exponent and the same numbers.
  const exponent = Math.max(-20, Math.min(127, Math.floor(Math.log2(largest)) + 1));
  const numbers = Array.from(latent, (value) => {
    const whole = Math.round((value / 2 ** exponent) * STEPS);
    return bytesOf(Math.max(1 - STEPS, Math.min(STEPS - 1, whole)), 2);
  });
  return [...code, exponent & 0xff, ...numbers.flat()];
}

/**
 * Encodes grafts, with one label per block of cells. The blocks are as small as `MAX_LABEL_BYTES`
 * allows.
 */
function bytesOfGrafts({ genomes, places }: TokenGrafts, species: TokenSpecies): number[] {
  for (let level = 0; ; level++) {
    const coarse = coarsenLabels(places, 2 ** level);
    const used = [...genomes.keys()].filter((i) => coarse.includes(i + 1));
    if (used.length === 0) return [];
    const renumbered = coarse.map((label) => 1 + used.indexOf(label - 1));
    const labels = encodeLabels(renumbered, 1 + used.length);
    if (labels.length > MAX_LABEL_BYTES) continue;
    const latents = used.flatMap((i) => bytesOfGenome(genomes[i], species));
    return [used.length + 4 * level, ...latents, ...labels];
  }
}

/** Path of the model with given weights. The keepsake page loads the model from this path. */
export const modelPath = (identity: string): string => `/keep/models/${identity}`;

/** Returns the identity of a token's weights; undefined if the token is damaged. */
export function identityInToken(token: string): string | undefined {
  return viewOf(token)?.getUint32(1).toString(16).padStart(8, '0');
}

/**
 * Decodes a token.
 *
 * @returns the seed; undefined if the token is damaged or was made for another checkpoint
 */
export function decodeSeed(token: string, species: TokenSpecies): TokenSeed | undefined {
  const view = viewOf(token);
  if (!view || view.getUint32(1) !== Number.parseInt(species.identity, 16)) return undefined;
  const reader = new Reader(view, species);
  const own = reader.takeGenome();
  if (!own || reader.isAtEnd) return own;
  const grafts = reader.takeGrafts();
  return grafts && { ...own, grafts };
}

/** Reads the genomes and the grafts of a token, in order. */
class Reader {
  private at = HEAD;

  constructor(
    private readonly view: DataView,
    private readonly species: TokenSpecies,
  ) {}

  get isAtEnd(): boolean {
    return this.at === this.view.byteLength - TAIL;
  }

  /** Reads the next genome. @returns undefined if the genome is damaged */
  takeGenome(): TokenGenome | undefined {
    const { at, view } = this;
    const { latentSize, gallery } = this.species;
    const left = view.byteLength - TAIL - at;
    if (left < GENOME_HEAD) return undefined;
    const code = view.getUint16(at);
    const exponent = view.getInt8(at + 2);
    const origin = (Object.keys(NAMELESS) as Origin[]).find((one) => NAMELESS[one] === code);
    const kind = code === 0 || origin ? undefined : code - 1;
    this.at += GENOME_HEAD;
    if (exponent === OF_GALLERY) {
      const known = kind === undefined ? undefined : gallery[kind];
      return known && { kind, latent: known.latent, origin };
    }
    if (left < GENOME_HEAD + 2 * latentSize) return undefined;
    const scale = 2 ** exponent / STEPS;
    const numbers = this.at;
    this.at += 2 * latentSize;
    const latent = Float32Array.from({ length: latentSize }, (_, i) => {
      return scale * view.getInt16(numbers + 2 * i);
    });
    return { kind, latent, origin };
  }

  /** Reads the grafts at the end of the token. @returns undefined if the grafts are damaged */
  takeGrafts(): TokenGrafts | undefined {
    const { view } = this;
    const { side } = this.species;
    const shape = view.getUint8(this.at++);
    const [count, block] = [shape & 3, 2 ** (shape >> 2)];
    const genomes = Array.from({ length: count }, () => this.takeGenome());
    if (count === 0 || !genomes.every((genome) => genome !== undefined)) return undefined;
    const bytes = new Uint8Array(view.buffer, this.at, view.byteLength - TAIL - this.at);
    const labels = decodeLabels(bytes, Math.ceil(side / block), 1 + count);
    if (genomes.some((_, i) => !labels.includes(i + 1))) return undefined;
    return { genomes, places: refineLabels(labels, side, block) };
  }
}

/** Returns a view of a token's bytes; undefined if the token is damaged. */
function viewOf(token: string): DataView | undefined {
  const bytes = bytesOfText(token);
  if (!bytes || bytes.length < HEAD + GENOME_HEAD + TAIL) return undefined;
  const view = new DataView(bytes.buffer);
  if (view.getUint8(0) !== VERSION) return undefined;
  const check = view.getUint16(bytes.length - TAIL);
  return check === checkOf(bytes.subarray(0, -TAIL)) ? view : undefined;
}

function bytesOfText(token: string): Uint8Array | undefined {
  try {
    const text = atob(token.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
