/** Pictures of films: painted, each place only when it has changed, and for a limited time. */
import fc from 'fast-check';
import { FilmPainter } from '../../../server/host/film-process.ts';
import { createPlanes, type Planes } from '../../../shared/codec/chunks.ts';
import { paint } from '../../../shared/painter/paint.ts';
import { chanceNet } from '../../support/painter-net.ts';

const net = chanceNet(3);
const SIZE = { width: 40, height: 36 };
const SCALE = 2;

const painterOf = (limit = Infinity, now = () => 0) =>
  new FilmPainter({ net, scale: SCALE, limit, now });

function reference({ width, height, rgba, owner }: Planes): number[] {
  const pixels = paint({ cells: rgba, owners: owner, width, height, net, scale: SCALE });
  return [...pixels].filter((_, i) => i % 4 < 3);
}

function live(planes: Planes, x: number, y: number, value: number): void {
  const place = y * planes.width + x;
  planes.rgba.fill(value, 4 * place, 4 * place + 4);
  planes.owner[place] = 1 + (value % 3);
}

const cells = fc.array(
  fc.record({ x: fc.nat(SIZE.width - 1), y: fc.nat(SIZE.height - 1), value: fc.nat(255) }),
  { minLength: 1, maxLength: 20 },
);

test('each picture of a film is what the reference paints, whatever has changed', () => {
  fc.assert(
    fc.property(fc.array(cells, { minLength: 2, maxLength: 3 }), (steps) => {
      const painter = painterOf();
      const planes = createPlanes(SIZE.width, SIZE.height);
      for (const step of steps) {
        for (const { x, y, value } of step) live(planes, x, y, value);
        expect([...painter.draw(planes)!]).toEqual(reference(planes));
      }
    }),
    { numRuns: 4 },
  );
});

test('painting ends when its time is over, and does not begin again', () => {
  let time = 0;
  const painter = painterOf(12, () => time++);
  const planes = createPlanes(SIZE.width, SIZE.height);
  expect(painter.draw(planes)).toBeDefined();
  const first = structuredClone(planes);
  for (let i = 0; i < SIZE.width; i++) live(planes, i, i % SIZE.height, 200);
  expect(painter.draw(planes)).toBeUndefined();
  // Nothing of this one has changed since it was painted, but half of its pixels have been painted over.
  expect(painter.draw(first)).toBeUndefined();
});
