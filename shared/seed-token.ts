/**
 * Seeds as short texts, for links: just what is needed to plant the same creature again.
 *
 * | bytes | meaning |
 * |---|---|
 * | 1 | version, 1 |
 * | 4 | which checkpoint it grows from |
 * | 2 | its place in the gallery plus one, 0 for the nameless |
 * | 1 | e, signed: numbers are multiples of 2^e / 2048 |
 * | ⌈3 Z / 2⌉ | Z numbers of 12 bits, signed, two in three bytes |
 * | 2 | check of all before |
 */
import { hashText } from './random.ts';

export interface TokenSeed {
  /** Gallery index, or undefined for the nameless. */
  readonly kind: number | undefined;
  /** [Z], each within 2^127. */
  readonly latent: Float32Array;
}

/** What a checkpoint is known by. */
export interface TokenSpecies {
  readonly checkpoint: string;
  /** Z, at most 1024. */
  readonly latentSize: number;
}

const VERSION = 1;
const HEAD = 8;
const TAIL = 2;
const STEPS = 2_048;

/** Characters of the longest token. */
export const MAX_TOKEN = Math.ceil(((HEAD + TAIL + 1.5 * 1024) * 4) / 3);

const bytesOf = (latentSize: number): number => HEAD + Math.ceil((latentSize * 3) / 2) + TAIL;

const speciesId = ({ checkpoint, latentSize }: TokenSpecies): number =>
  hashText(`${checkpoint}/${latentSize}`);

const checkOf = (bytes: Uint8Array): number => hashText(String.fromCharCode(...bytes)) & 0xffff;

/** Numbers are kept to 1/2048 of the power of two above the largest of them. */
export function encodeSeed({ kind, latent }: TokenSeed, species: TokenSpecies): string {
  const bytes = new Uint8Array(bytesOf(latent.length));
  const view = new DataView(bytes.buffer);
  const largest = latent.reduce((most, value) => Math.max(most, Math.abs(value)), 2 ** -20);
  // Above the largest, and so is what becomes of it: encoded again, it has the same steps.
  const exponent = Math.max(-20, Math.min(127, Math.floor(Math.log2(largest)) + 1));
  view.setUint8(0, VERSION);
  view.setUint32(1, speciesId(species));
  view.setUint16(5, kind === undefined ? 0 : kind + 1);
  view.setInt8(7, exponent);
  latent.forEach((value, i) => {
    const whole = Math.round((value / 2 ** exponent) * STEPS);
    const bits = Math.max(1 - STEPS, Math.min(STEPS - 1, whole)) & 0xfff;
    const at = HEAD + 3 * (i >> 1);
    if (i % 2 === 0) {
      bytes[at] = bits >> 4;
      bytes[at + 1] |= (bits & 0xf) << 4;
    } else {
      bytes[at + 1] |= bits >> 8;
      bytes[at + 2] = bits & 0xff;
    }
  });
  view.setUint16(bytes.length - TAIL, checkOf(bytes.subarray(0, -TAIL)));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @returns undefined for what is damaged, or grows from another checkpoint */
export function decodeSeed(token: string, species: TokenSpecies): TokenSeed | undefined {
  const { latentSize } = species;
  const bytes = bytesOfText(token);
  if (bytes?.length !== bytesOf(latentSize)) return undefined;
  const view = new DataView(bytes.buffer);
  if (view.getUint8(0) !== VERSION || view.getUint32(1) !== speciesId(species)) return undefined;
  if (view.getUint16(bytes.length - TAIL) !== checkOf(bytes.subarray(0, -TAIL))) return undefined;
  const scale = 2 ** view.getInt8(7) / STEPS;
  const latent = Float32Array.from({ length: latentSize }, (_, i) => {
    const at = HEAD + 3 * (i >> 1);
    const bits =
      i % 2 === 0
        ? (bytes[at] << 4) | (bytes[at + 1] >> 4)
        : ((bytes[at + 1] & 0xf) << 8) | bytes[at + 2];
    return scale * (bits < STEPS ? bits : bits - 2 * STEPS);
  });
  const kind = view.getUint16(5);
  return { kind: kind === 0 ? undefined : kind - 1, latent };
}

function bytesOfText(token: string): Uint8Array | undefined {
  try {
    const text = atob(token.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
