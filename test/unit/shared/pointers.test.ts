import { pack } from 'msgpackr';
import * as v from 'valibot';
import { packedPointer, packPointer, unpackPointer } from '../../../shared/protocol/pointers.ts';
import { TOOLS } from '../../../shared/vocabulary.ts';
import fc, { between, forAll } from '../../support/property.ts';

const id = fc.integer({ min: 1, max: 2 ** 31 });
const place = fc.double({ noNaN: true, noDefaultInfinity: true });
const tool = fc.constantFrom(...TOOLS);

test('positions are exact to a sixteenth of a place', () => {
  const near = between(-100, 10_000);
  forAll(id, near, near, tool, (id, x, y, tool) => {
    const told = unpackPointer(packPointer({ id, x, y, tool }));
    expect(told).toMatchObject({ id, tool });
    expect(Math.abs(told.x! - x)).toBeLessThanOrEqual(1 / 16);
    expect(Math.abs(told.y! - y)).toBeLessThanOrEqual(1 / 16);
  });
});

test('a pointer that has left the grid has no position', () => {
  expect(unpackPointer(packPointer({ id: 7, tool: 'plant' }))).toEqual({ id: 7, tool: 'look' });
});

test('any position is valid, and takes 12 bytes on a grid', () => {
  forAll(id, place, place, tool, (id, x, y, tool) => {
    expect(v.is(packedPointer, packPointer({ id, x, y, tool }))).toBe(true);
  });
  expect(pack(packPointer({ id: 999, x: 255.9, y: 255.9, tool: 'look' })).length).toBeLessThan(13);
});

test.each([[[]], [[1, 2]], [[1, 2, 3, 9]], [[1, 2.5, 3, 0]], [['1']]])(
  '%j is not valid',
  (packed) => {
    expect(v.is(packedPointer, packed)).toBe(false);
  },
);
