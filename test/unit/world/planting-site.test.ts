/** Where a seed is planted again when its place is taken. */
import { GridPlanes } from '../../../server/world/grid-planes.ts';
import { nearestWindow } from '../../../server/world/planting.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import fc, { forAll } from '../../support/property.ts';

const SIDE = 8;
const [WIDTH, HEIGHT] = [20, 14];

/** All windows with a bare square of this side in their middle, by rows. */
function windows(grid: GridPlanes, bare: number) {
  const inset = (SIDE - bare) / 2;
  const all = Array.from({ length: (WIDTH - SIDE + 1) * (HEIGHT - SIDE + 1) }, (_, i) => {
    const across = WIDTH - SIDE + 1;
    return { x: i % across, y: Math.floor(i / across), width: SIDE, height: SIDE };
  });
  return all.filter(({ x, y }) => {
    let owned = 0;
    grid.each({ x: x + inset, y: y + inset, width: bare, height: bare }, (place) => {
      owned += grid.ownerAt(place);
    });
    return owned === 0;
  });
}

test('DEP-10: it is the nearest with room, of equally near ones the first by rows', () => {
  const taken = fc.array(fc.nat({ max: WIDTH * HEIGHT - 1 }), { maxLength: 90 });
  const corner = fc.record({
    x: fc.nat({ max: WIDTH - SIDE }),
    y: fc.nat({ max: HEIGHT - SIDE }),
  });
  forAll(taken, corner, (places, from) => {
    const grid = new GridPlanes(WIDTH, HEIGHT);
    for (const place of places) grid.claim(place, 1);
    const some = windows(grid, SIDE / 2);
    const fitting = some.length > 0 ? some : windows(grid, 2);
    const distance = ({ x, y }: { x: number; y: number }) => (x - from.x) ** 2 + (y - from.y) ** 2;
    const [wanted] = fitting.sort((a, b) => distance(a) - distance(b));
    expect(nearestWindow(from, SIDE, grid)).toEqual(wanted);
  });
  const full = new GridPlanes(WIDTH, HEIGHT);
  full.planes.owner.fill(1);
  expect(() => nearestWindow({ x: 3, y: 3 }, SIDE, full)).toThrow(Refusal);
});
