/**
 * Seeds as short texts for links, with just enough data to plant the same creature again.
 *
 * | bytes | meaning |
 * |---|---|
 * | 1 | version, 1 |
 * | 4 | identity of the weights that the seed grows from, see `identityOf` |
 * | 2 | gallery index plus one; nameless seeds: 65535 from a cross, 65534 from the dice, else 0 |
 * | 1 | e, signed: numbers are multiples of 2^e / 32768 |
 * | 2 Z | Z numbers of 16 bits, signed |
 * | 2 | checksum of all bytes before |
 *
 * With fewer bits per number, some creatures from the dice would look different.
 */
import { hashText } from './random.ts';
import type { Origin } from './vocabulary.ts';

export interface TokenSeed {
  /** Gallery index; undefined for nameless seeds. */
  readonly kind: number | undefined;
  /** [Z], each within 2^127. */
  readonly latent: Float32Array;
  /** Distinguishes the origins of nameless seeds. */
  readonly origin?: Origin | undefined;
}

/** The properties of a checkpoint that its tokens depend on. */
export interface TokenSpecies {
  /** Identity of the weights: eight hexadecimal digits. */
  readonly identity: string;
  /** Latent size Z, 1…1024. */
  readonly latentSize: number;
}

const VERSION = 1;
const HEAD = 8;
const TAIL = 2;
const NAMELESS: Readonly<Partial<Record<Origin, number>>> = { cross: 0xffff, prior: 0xfffe };
const STEPS = 32_768;

/** Maximum number of characters of a token. */
export const MAX_TOKEN = Math.ceil(((HEAD + TAIL + 2 * 1024) * 4) / 3);

/** Number of bytes of a token. */
const bytesOf = (latentSize: number): number => HEAD + 2 * latentSize + TAIL;

const checkOf = (bytes: Uint8Array): number => hashText(String.fromCharCode(...bytes)) & 0xffff;

/**
 * Encodes a seed. Numbers are rounded to 1/32768 of the power of two above the largest magnitude.
 */
export function encodeSeed({ kind, latent, origin }: TokenSeed, species: TokenSpecies): string {
  const bytes = new Uint8Array(bytesOf(latent.length));
  const view = new DataView(bytes.buffer);
  const largest = latent.reduce((most, value) => Math.max(most, Math.abs(value)), 2 ** -20);
  // 2^exponent exceeds the largest magnitude even after rounding, so encoding a decoded seed again
  // uses the same steps.
  const exponent = Math.max(-20, Math.min(127, Math.floor(Math.log2(largest)) + 1));
  view.setUint8(0, VERSION);
  view.setUint32(1, Number.parseInt(species.identity, 16));
  view.setUint16(5, kind === undefined ? ((origin && NAMELESS[origin]) ?? 0) : kind + 1);
  view.setInt8(7, exponent);
  latent.forEach((value, i) => {
    const whole = Math.round((value / 2 ** exponent) * STEPS);
    view.setInt16(HEAD + 2 * i, Math.max(1 - STEPS, Math.min(STEPS - 1, whole)));
  });
  view.setUint16(bytes.length - TAIL, checkOf(bytes.subarray(0, -TAIL)));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Path from which the keepsake page loads the model with these weights. */
export const modelPath = (identity: string): string => `/keep/models/${identity}`;

/** Reads the identity of the weights that a token grows from; undefined for a damaged token. */
export function identityInToken(token: string): string | undefined {
  return viewOf(token)?.getUint32(1).toString(16).padStart(8, '0');
}

/** @returns the seed; undefined if the token is damaged or grows from another checkpoint */
export function decodeSeed(token: string, species: TokenSpecies): TokenSeed | undefined {
  const { identity, latentSize } = species;
  const view = viewOf(token);
  if (!view || view.getUint32(1) !== Number.parseInt(identity, 16)) return undefined;
  if (view.byteLength !== bytesOf(latentSize)) return undefined;
  const scale = 2 ** view.getInt8(7) / STEPS;
  const latent = Float32Array.from({ length: latentSize }, (_, i) => {
    return scale * view.getInt16(HEAD + 2 * i);
  });
  const kind = view.getUint16(5);
  const origin = (Object.keys(NAMELESS) as Origin[]).find((one) => NAMELESS[one] === kind);
  return { kind: kind === 0 || origin ? undefined : kind - 1, latent, origin };
}

/** Returns a view of a token's bytes; undefined if the token is damaged. */
function viewOf(token: string): DataView | undefined {
  const bytes = bytesOfText(token);
  if (!bytes || bytes.length < HEAD + TAIL) return undefined;
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
