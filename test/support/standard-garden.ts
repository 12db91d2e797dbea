/**
 * The standard garden: 256×256 places, 64 organisms, one planting and one stroke a second, 15
 * ticks/s. What everybody sees of half a minute of it is kept in a file, so that every run of every
 * codec is given the same picture.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { chunkAt } from '../../shared/codec/chunks.ts';
import { createPlanes, type Planes } from '../../shared/codec/planes.ts';

export const GARDEN = {
  side: 256,
  organisms: 64,
  tickRate: 15,
  ticks: 450,
} as const;

const FILE = fileURLToPath(new URL('../fixtures/standard-garden.br', import.meta.url));

/** What has changed in one tick: places, and what they show since. */
export interface Change {
  readonly places: readonly number[];
  /** [places, 4] premultiplied RGBA. */
  readonly rgba: Uint8Array;
  /** [places] */
  readonly owner: readonly number[];
}

/** What differs between two planes. */
export function changeBetween(before: Planes, after: Planes): Change {
  const places: number[] = [];
  for (let i = 0; i < after.owner.length; i++) {
    let differs = before.owner[i] !== after.owner[i];
    for (let c = 0; c < 4; c++) differs ||= before.rgba[i * 4 + c] !== after.rgba[i * 4 + c];
    if (differs) places.push(i);
  }
  return {
    places,
    rgba: Uint8Array.from(places.flatMap((i) => [...after.rgba.subarray(i * 4, i * 4 + 4)])),
    owner: places.map((i) => after.owner[i]),
  };
}

/** @returns the chunks that it touches */
export function applyChange(planes: Planes, { places, rgba, owner }: Change): Set<number> {
  const chunks = new Set<number>();
  places.forEach((place, i) => {
    planes.rgba.set(rgba.subarray(i * 4, i * 4 + 4), place * 4);
    planes.owner[place] = owner[i];
    chunks.add(chunkAt(planes, place % planes.width, Math.floor(place / planes.width)));
  });
  return chunks;
}

/** Places and owners fit 16 bits: 65,536 places, and ids that count from one. */
export function packChanges(changes: readonly Change[]): Buffer {
  const parts: Uint8Array[] = [];
  const numbers = (values: readonly number[]) => {
    const low = Uint8Array.from(values, (value) => value & 0xff);
    const high = Uint8Array.from(values, (value) => value >>> 8);
    parts.push(low, high);
  };
  for (const { places, rgba, owner } of changes) {
    numbers([places.length & 0xffff]);
    numbers(places.map((place, i) => place - (places[i - 1] ?? 0)));
    for (let c = 0; c < 4; c++) parts.push(rgba.filter((_, i) => i % 4 === c));
    numbers(owner);
  }
  return brotliCompressSync(Buffer.concat(parts), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
  });
}

function unpackChanges(packed: Uint8Array): Change[] {
  const bytes = brotliDecompressSync(packed);
  const changes: Change[] = [];
  let at = 0;
  const numbers = (count: number): number[] => {
    const values = Array.from(
      { length: count },
      (_, i) => bytes[at + i] | (bytes[at + count + i] << 8),
    );
    at += 2 * count;
    return values;
  };
  while (at < bytes.length) {
    const [count] = numbers(1);
    let place = 0;
    const places = numbers(count).map((step) => {
      place += step;
      return place;
    });
    const rgba = new Uint8Array(count * 4);
    for (let c = 0; c < 4; c++, at += count) {
      for (let i = 0; i < count; i++) rgba[i * 4 + c] = bytes[at + i];
    }
    changes.push({ places, rgba, owner: numbers(count) });
  }
  return changes;
}

/** A recording to play: the picture that it begins with, and the changes of each tick. */
export interface Garden {
  readonly planes: Planes;
  readonly changes: readonly Change[];
}

let unpacked: readonly Change[] | undefined;

/** The standard garden. */
export function readGarden(): Garden {
  unpacked ??= unpackChanges(readFileSync(FILE));
  return gardenOf(unpacked);
}

/** @param recorded the first change makes the picture that the garden begins with */
export function gardenOf([first, ...changes]: readonly Change[]): Garden {
  const planes = createPlanes(GARDEN.side, GARDEN.side);
  applyChange(planes, first);
  return { planes, changes };
}
