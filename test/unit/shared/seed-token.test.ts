import { encodeLabels } from '../../../shared/label-code.ts';
import { createRandom, hashText } from '../../../shared/random.ts';
import {
  decodeSeed,
  encodeSeed,
  identityInToken,
  MAX_TOKEN,
  MIN_TOKEN,
  type TokenSeed,
} from '../../../shared/seed-token.ts';
import fc, { forAll } from '../../support/property.ts';

const SIDE = 32;

const speciesOf = (latentSize: number, identity = '0123abcd') => ({
  ...{ identity, latentSize, side: SIDE },
  gallery: [] as { latent: Float32Array }[],
});
const SPECIES = {
  ...speciesOf(8),
  gallery: [0, 1, 2, 3].map((seed) => ({ latent: createRandom(seed).latent(8) })),
};
const known = (kind: number) => ({ kind, latent: SPECIES.gallery[kind].latent });

/** A latent as a token restores it. */
function rounded(latent: Float32Array): Float32Array {
  return decodeSeed(encodeSeed({ kind: undefined, latent }, SPECIES), SPECIES)!.latent;
}

/** Random labels, in as many cells or all. */
function noise(count: number, cells = SIDE * SIDE): Uint8Array {
  const random = createRandom(count);
  const labels = new Uint8Array(SIDE * SIDE);
  for (let i = 0; i < cells; i++) labels[random.integer(labels.length)] = random.integer(count);
  return labels;
}

const stripes = (count: number, width = 1): Uint8Array =>
  Uint8Array.from({ length: SIDE * SIDE }, (_, i) => Math.floor(i / width) % count);

/** Labels painted with round brushes, so few that nothing is coarsened. */
const blobs = fc
  .array(fc.tuple(fc.nat(SIDE), fc.nat(SIDE), fc.integer({ min: 1, max: 8 }), fc.nat(3)), {
    maxLength: 6,
  })
  .map((discs) =>
    Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
      const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
      return discs.findLast(([cx, cy, r]) => Math.hypot(x - cx, y - cy) < r)?.[3] ?? 0;
    }),
  );

/** A token of these bytes with the right checksum. */
function signed(bytes: readonly number[]): string {
  const check = hashText(String.fromCharCode(...bytes)) & 0xffff;
  return Buffer.from([...bytes, check >> 8, check & 0xff]).toString('base64url');
}

const latents = fc.float32Array({
  minLength: 1,
  maxLength: 130,
  noNaN: true,
  noDefaultInfinity: true,
  min: -100,
  max: 100,
});

test('a seed is restored to within a ten-thousandth of its largest number', () => {
  fc.assert(
    fc.property(latents, fc.option(fc.nat(500), { nil: undefined }), (latent, kind) => {
      const species = speciesOf(latent.length);
      const back = decodeSeed(encodeSeed({ kind, latent }, species), species)!;
      expect(back.kind).toBe(kind);
      const largest = Math.max(2 ** -20, ...latent.map(Math.abs));
      back.latent.forEach((value, i) => {
        expect(Math.abs(value - latent[i])).toBeLessThanOrEqual(largest / 10_000);
      });
      // A restored seed is encoded without further loss.
      const again = encodeSeed(back, species);
      expect(decodeSeed(again, species)!.latent).toEqual(back.latent);
    }),
    {
      examples: [
        [Float32Array.of(8.000001, 0), undefined],
        [Float32Array.of(-7.9999, 0.003), 1],
      ],
    },
  );
});

test('a token fits into a link and a QR code', () => {
  const latent = Float32Array.from({ length: 96 }, (_, i) => Math.sin(i));
  const token = encodeSeed({ kind: 12, latent }, speciesOf(96));
  expect(token).toMatch(/^[\w-]+$/);
  expect(token.length).toBeLessThan(280);
  const far = { kind: undefined, latent: new Float32Array(1024) };
  const places = noise(4);
  const grafts = { genomes: [far, far, far], places };
  const longest = encodeSeed({ ...far, grafts }, speciesOf(1024));
  expect(longest.length).toBeLessThanOrEqual(MAX_TOKEN);
  expect(longest.length).toBeGreaterThan(MAX_TOKEN - 200);
});

test('a token tells children of two and of chance from other nameless seeds', () => {
  const latent = Float32Array.of(1, -1);
  for (const [origin, kind] of [
    ['cross', undefined],
    ['prior', undefined],
    [undefined, 7],
  ] as const) {
    const token = encodeSeed({ kind, latent, origin }, speciesOf(2));
    expect(decodeSeed(token, speciesOf(2))).toMatchObject({ kind, origin });
  }
  const drawn = encodeSeed({ kind: undefined, latent, origin: 'drawing' }, speciesOf(2));
  expect(decodeSeed(drawn, speciesOf(2))).toMatchObject({ kind: undefined, origin: undefined });
});

test('a token names the weights that it grows from', () => {
  const token = encodeSeed({ kind: 3, latent: new Float32Array(8) }, speciesOf(8));
  expect(identityInToken(token)).toBe('0123abcd');
  expect(identityInToken(token.slice(0, -3))).toBeUndefined();
});

test('a damaged token, or one of another checkpoint, is refused', () => {
  const latent = Float32Array.from({ length: 16 }, (_, i) => i - 8);
  const token = encodeSeed({ kind: 3, latent }, speciesOf(16));
  expect(decodeSeed(token, speciesOf(16, '89ef4567'))).toBeUndefined();
  expect(decodeSeed(token, speciesOf(18))).toBeUndefined();
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  forAll(fc.nat(token.length - 1), fc.constantFrom(...letters), (at, letter) => {
    fc.pre(token[at] !== letter);
    const damaged = token.slice(0, at) + letter + token.slice(at + 1);
    const back = decodeSeed(damaged, speciesOf(16));
    // The last letter may carry unused bits.
    if (back) expect(back.latent).toEqual(decodeSeed(token, speciesOf(16))!.latent);
  });
  forAll(fc.string(), (text) => {
    expect(decodeSeed(text, speciesOf(16))).toBeUndefined();
  });
});

describe('gallery creatures', () => {
  test('are stored by number, without loss, and others of their name by latent', () => {
    for (const [kind, { latent }] of SPECIES.gallery.entries()) {
      const token = encodeSeed({ kind, latent }, SPECIES);
      expect(token).toHaveLength(MIN_TOKEN);
      expect(decodeSeed(token, SPECIES)).toEqual({ kind, latent, origin: undefined });
    }
    const latent = SPECIES.gallery[1].latent.map((value) => value / 2);
    const other = encodeSeed({ kind: 1, latent }, SPECIES);
    expect(other.length).toBeGreaterThan(MIN_TOKEN);
    expect(decodeSeed(other, SPECIES)!.kind).toBe(1);
  });
});

describe('chimeras', () => {
  test('are restored exactly', () => {
    forAll(blobs, fc.nat(1_000), (places, seed) => {
      const own = { kind: undefined, latent: rounded(createRandom(seed).latent(8)) };
      const cross = { ...own, origin: 'cross' } as const;
      const chimera = { ...own, grafts: { genomes: [known(1), cross, known(2)], places } };
      const back = decodeSeed(encodeSeed(chimera, SPECIES), SPECIES)!;
      // What no place reads is left out.
      const genomes = chimera.grafts.genomes.filter((_, i) => places.includes(i + 1));
      const kept = [own, ...genomes];
      expect([back, ...(back.grafts?.genomes ?? [])]).toMatchObject(kept);
      const read = (seed: TokenSeed) =>
        Array.from(seed.grafts?.places ?? new Uint8Array(SIDE * SIDE), (label) => {
          return label === 0 ? -1 : seed.grafts!.genomes[label - 1];
        });
      expect(read(back).map((one) => JSON.stringify(one))).toEqual(
        read(chimera).map((one) => JSON.stringify(one)),
      );
    });
  });

  test.each([2, 3, 4])(
    'of %i gallery creatures have at most 300 characters, whatever is painted',
    (count) => {
      const genomes = [1, 2, 3].slice(0, count - 1).map(known);
      for (const places of [noise(count), stripes(count), noise(count, 200), noise(count, 20)]) {
        const token = encodeSeed({ ...known(0), grafts: { genomes, places } }, SPECIES);
        expect(token.length).toBeLessThanOrEqual(300);
        const back = decodeSeed(token, SPECIES)!;
        expect(back.grafts).toBeDefined();
        // A restored seed is encoded without further loss.
        expect(decodeSeed(encodeSeed(back, SPECIES), SPECIES)).toEqual(back);
      }
    },
  );

  test('lose only details where there are too many', () => {
    const places = noise(4).fill(1, (SIDE * SIDE) / 2 + SIDE);
    const genomes = [1, 2, 3].map(known);
    const token = encodeSeed({ ...known(0), grafts: { genomes, places } }, SPECIES);
    const back = decodeSeed(token, SPECIES)!.grafts!.places;
    const isWrong = places.map((label, i) => Number(label !== back[i]));
    expect(isWrong).toContain(1);
    // Two rows share blocks with what is above them.
    expect(isWrong.subarray((SIDE * SIDE) / 2 + 3 * SIDE)).not.toContain(1);
  });
});

test('whatever a token holds, it is refused or grows', () => {
  const whole = encodeSeed(
    { ...known(0), grafts: { genomes: [known(1), known(2)], places: stripes(3, 8) } },
    SPECIES,
  );
  const start = [...Buffer.from(whole, 'base64url')].slice(0, -2);
  let accepted = 0;
  const check = (bytes: readonly number[]): void => {
    const seed = decodeSeed(signed(bytes), SPECIES);
    if (!seed) return;
    accepted++;
    const { genomes, places } = seed.grafts ?? { genomes: [], places: Uint8Array.of(0) };
    for (const { latent } of [seed, ...genomes]) {
      expect(latent).toHaveLength(8);
      expect(latent.every(Number.isFinite)).toBe(true);
    }
    expect(places).toHaveLength(seed.grafts ? SIDE * SIDE : 1);
    expect(Math.max(...places)).toBeLessThanOrEqual(genomes.length);
    expect(genomes.every((_, i) => places.includes(i + 1))).toBe(true);
  };
  const byte = fc.nat(255);
  fc.assert(
    fc.property(fc.nat(start.length), fc.array(byte, { maxLength: 60 }), (from, bytes) => {
      check([...start.slice(0, from), ...bytes]);
      check([...start.slice(0, from), ...bytes, ...start.slice(from + bytes.length)]);
      check([...start.slice(0, 5), ...bytes]);
    }),
    { numRuns: 500 },
  );
  expect(accepted).toBeGreaterThan(20);
});

test.each([
  ['an unused genome', [2, 0, 2, 128, 0, 3, 128, ...encodeLabels(stripes(2), 3)]],
  ['no graft', [0, 0b1000_0000]],
  ['half a genome', [1, 0, 2]],
  ['half a latent', [1, 0, 2, 1, 0, 1, 0]],
  ['the gallery’s latent of a nameless seed', [1, 0, 0, 128]],
])('a token with %s is refused', (_, bytes) => {
  const head = [1, 0x01, 0x23, 0xab, 0xcd, 0, 2, 128];
  expect(decodeSeed(signed(head), SPECIES)).toBeDefined();
  expect(decodeSeed(signed([...head, ...bytes]), SPECIES)).toBeUndefined();
});
