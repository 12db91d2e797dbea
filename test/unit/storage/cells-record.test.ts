import * as v from 'valibot';
import {
  cellsRecord,
  decodeCells,
  decodeRecord,
  encodeCells,
} from '../../../server/storage/records.ts';
import fc from '../../support/property.ts';

const bitsOf = (state: Float32Array): number[] => [
  ...new Uint32Array(state.buffer, state.byteOffset, state.length),
];
const fromBits = (bits: readonly number[]): Float32Array =>
  new Float32Array(Uint32Array.from(bits).buffer);
const bits = (length: number) =>
  fc.array(fc.nat(0xffffffff), { minLength: length, maxLength: length });

const read = (bytes: Uint8Array, base?: Float32Array): Float32Array =>
  decodeCells(v.parse(cellsRecord, decodeRecord('cells', bytes)), base);

test('cells come back bit for bit, whatever their bits are', () =>
  fc.assert(
    fc.asyncProperty(bits(9), async (all) => {
      const { entry, base } = await encodeCells('cells', { id: 1, state: fromBits(all) });
      expect(base).toBeUndefined();
      expect(bitsOf(read(entry.bytes))).toEqual(all);
    }),
  ));

test('cells that are near to their base come back bit for bit, and take less', () =>
  fc.assert(
    fc.asyncProperty(bits(400), fc.infiniteStream(fc.nat(255)), async (all, noise) => {
      const near = all.map((word) => (word ^ noise.next().value!) >>> 0);
      const [state, base] = [fromBits(near), fromBits(all)];
      const stored = await encodeCells('cells', { id: 1, state, base: { tick: 7, state: base } });
      expect(stored.base).toBe(7);
      expect(stored.entry.bytes.length).toBeLessThan(0.5 * state.byteLength);
      expect(bitsOf(read(stored.entry.bytes, base))).toEqual(near);
      expect(bitsOf(base)).toEqual(all);
    }),
  ));

test('cells that have nothing in common with their base are stored without it', async () => {
  const random = fc.sample(bits(400), 2).map(fromBits);
  const [state, base] = random;
  const stored = await encodeCells('cells', { id: 1, state, base: { tick: 7, state: base } });
  expect(stored.base).toBeUndefined();
  expect(bitsOf(read(stored.entry.bytes))).toEqual(bitsOf(state));
  const grown = new Float32Array(1_600);
  const other = await encodeCells('cells', { id: 1, state: grown, base: { tick: 7, state } });
  expect(other.base).toBeUndefined();
});

test('a compressed record with a changed bit is rejected', async () => {
  const state = new Float32Array(2_000).fill(0.5);
  const { bytes } = (await encodeCells('cells', { id: 1, state })).entry;
  expect(bytes.length).toBeLessThan(1_000);
  for (let at = 1; at < bytes.length; at++) {
    const changed = bytes.with(at, bytes[at] ^ 4);
    expect(() => decodeRecord('cells', changed)).toThrow(/damaged/);
  }
});
