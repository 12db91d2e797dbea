/**
 * Seeds as short texts, for links: just what is needed to plant the same creature again.
 *
 * | bytes | meaning |
 * |---|---|
 * | 1 | version, 2 |
 * | 4 | which weights it grows from: the card's identity, or a hash of name and Z without one |
 * | 2 | its place in the gallery plus one; for the nameless, 65535 of a cross, 65534 of the dice, else 0 |
 * | 1 | e, signed: numbers are multiples of 2^e / 32768 |
 * | 2 Z | Z numbers of 16 bits, signed |
 * | 2 | check of all before |
 *
 * With fewer bits, some creatures from the dice would look different. Version 1 had 12, two in
 * three bytes; such tokens are on keepsakes and in journals.
 */
import { hashText } from './random.ts';
import type { Origin } from './vocabulary.ts';

export interface TokenSeed {
  /** Gallery index, or undefined for the nameless. */
  readonly kind: number | undefined;
  /** [Z], each within 2^127. */
  readonly latent: Float32Array;
  /** Tells the nameless from each other. */
  readonly origin?: Origin | undefined;
}

/** What the weights of a checkpoint are known by. */
export interface TokenSpecies {
  /** Eight hexadecimal digits; absent for weights that are as old as tokens: their name counts. */
  readonly identity?: string | undefined;
  readonly checkpoint: string;
  /** Z, at most 1024. */
  readonly latentSize: number;
}

const VERSION = 2;
const EARLIER_VERSION = 1;
const HEAD = 8;
const TAIL = 2;
const NAMELESS: Readonly<Partial<Record<Origin, number>>> = { cross: 0xffff, prior: 0xfffe };
const STEPS = 32_768;
const EARLIER_STEPS = 2_048;

/** Characters of the longest token. */
export const MAX_TOKEN = Math.ceil(((HEAD + TAIL + 2 * 1024) * 4) / 3);

/** Bytes of a token, with a number of bytes for each of its numbers. */
const bytesOf = (latentSize: number, each: number): number =>
  HEAD + Math.ceil(latentSize * each) + TAIL;

const speciesId = ({ identity, checkpoint, latentSize }: TokenSpecies): number =>
  identity === undefined ? hashText(`${checkpoint}/${latentSize}`) : Number.parseInt(identity, 16);

const checkOf = (bytes: Uint8Array): number => hashText(String.fromCharCode(...bytes)) & 0xffff;

/** Numbers are kept to 1/32768 of the power of two above the largest of them. */
export function encodeSeed({ kind, latent, origin }: TokenSeed, species: TokenSpecies): string {
  const bytes = new Uint8Array(bytesOf(latent.length, 2));
  const view = new DataView(bytes.buffer);
  const largest = latent.reduce((most, value) => Math.max(most, Math.abs(value)), 2 ** -20);
  // Above the largest, and so is what becomes of it: encoded again, it has the same steps.
  const exponent = Math.max(-20, Math.min(127, Math.floor(Math.log2(largest)) + 1));
  view.setUint8(0, VERSION);
  view.setUint32(1, speciesId(species));
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

const nameOf = (id: number): string => id.toString(16).padStart(8, '0');

/** How the model is named that tokens of a species grow from: eight hexadecimal digits. */
export const modelName = (species: TokenSpecies): string => nameOf(speciesId(species));

/** Where a server has a model for the page of keepsakes. */
export const modelPath = (name: string): string => `/keep/models/${name}`;

/** The `modelName` of what a token grows from; undefined for what is damaged. */
export function modelNameIn(token: string): string | undefined {
  const view = viewOf(token);
  return view && nameOf(view.getUint32(1));
}

/** @returns undefined for what is damaged, or grows from another checkpoint */
export function decodeSeed(token: string, species: TokenSpecies): TokenSeed | undefined {
  const { latentSize } = species;
  const view = viewOf(token);
  if (!view || view.getUint32(1) !== speciesId(species)) return undefined;
  const isEarlier = view.getUint8(0) === EARLIER_VERSION;
  if (view.byteLength !== bytesOf(latentSize, isEarlier ? 1.5 : 2)) return undefined;
  const scale = 2 ** view.getInt8(7) / (isEarlier ? EARLIER_STEPS : STEPS);
  const latent = Float32Array.from({ length: latentSize }, (_, i) => {
    return scale * (isEarlier ? earlierNumber(view, i) : view.getInt16(HEAD + 2 * i));
  });
  const kind = view.getUint16(5);
  const origin = (Object.keys(NAMELESS) as Origin[]).find((one) => NAMELESS[one] === kind);
  return { kind: kind === 0 || origin ? undefined : kind - 1, latent, origin };
}

/** A number of version 1, of 12 bits. */
function earlierNumber(view: DataView, i: number): number {
  const at = HEAD + 3 * (i >> 1);
  const bits = i % 2 === 0 ? view.getUint16(at) >> 4 : view.getUint16(at + 1) & 0xfff;
  return bits < EARLIER_STEPS ? bits : bits - 2 * EARLIER_STEPS;
}

/** The bytes of a token that is whole. */
function viewOf(token: string): DataView | undefined {
  const bytes = bytesOfText(token);
  if (!bytes || bytes.length < HEAD + TAIL) return undefined;
  const view = new DataView(bytes.buffer);
  const version = view.getUint8(0);
  if (version !== VERSION && version !== EARLIER_VERSION) return undefined;
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
