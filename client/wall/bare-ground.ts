/** Finds bare ground for text on a wall, so that no text lies on a body. Pure. */
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { Point, Size } from '../render/camera.ts';

type Owners = Pick<Planes, 'width' | 'height' | 'owner'>;

/** Calls back for each place of an area of the grid, until the callback returns true. */
function someOwner(
  { width, height, owner }: Owners,
  area: Rect,
  is: (id: number, x: number, y: number) => boolean,
): boolean {
  const [right, lower] = [area.x + area.width, area.y + area.height];
  for (let y = Math.max(0, Math.floor(area.y)); y < Math.min(height, lower); y++) {
    for (let x = Math.max(0, Math.floor(area.x)); x < Math.min(width, right); x++) {
      if (is(owner[y * width + x], x, y)) return true;
    }
  }
  return false;
}

/** Returns whether no organism owns a cell in an area, given in cells. */
export const isBare = (planes: Owners, area: Rect): boolean =>
  !someOwner(planes, area, (id) => id !== 0);

/** Returns the bounds of an organism's cells, in cells; a point if it has none yet. */
export function bodyOf(planes: Owners, { id, x, y, side }: OrganismView): Rect {
  let [left, top, right, bottom] = [x, y, x, y];
  const patch = { x: x - side / 2, y: y - side / 2, width: side, height: side };
  someOwner(planes, patch, (owner, i, j) => {
    if (owner !== id) return false;
    [left, top] = [Math.min(left, i), Math.min(top, j)];
    [right, bottom] = [Math.max(right, i + 1), Math.max(bottom, j + 1)];
    return false;
  });
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Shifts along a side of a body that are tried in turn, as shares of the text's size. */
const SHIFTS = [0, 0.45, -0.45];

/**
 * Finds a place for a text beside a body: below, above, after or before it.
 *
 * @param body in px
 * @param text in px
 * @param gap distance between body and text, in px
 * @param fits whether a text may stand in an area, given in px
 * @returns the upper left corner of the text, in px; undefined if there is no place
 */
export function placeBeside(
  body: Rect,
  text: Size,
  gap: number,
  fits: (area: Rect) => boolean,
): Point | undefined {
  const x = body.x + (body.width - text.width) / 2;
  const y = body.y + (body.height - text.height) / 2;
  const [above, below] = [body.y - gap - text.height, body.y + body.height + gap];
  const [before, after] = [body.x - gap - text.width, body.x + body.width + gap];
  const places = [
    ...[below, above].flatMap((at) => SHIFTS.map((by) => ({ x: x + by * text.width, y: at }))),
    ...[after, before].flatMap((at) => SHIFTS.map((by) => ({ x: at, y: y + by * body.height }))),
  ];
  return places.find((place) => fits({ ...place, ...text }));
}
