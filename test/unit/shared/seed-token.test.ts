import { decodeSeed, encodeSeed, identityInToken, MAX_TOKEN } from '../../../shared/seed-token.ts';
import fc, { forAll } from '../../support/property.ts';

const speciesOf = (latentSize: number, identity = '0123abcd') => ({ identity, latentSize });
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
  const longest = encodeSeed({ kind: undefined, latent: new Float32Array(1024) }, speciesOf(1024));
  expect(longest.length).toBeLessThanOrEqual(MAX_TOKEN);
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
