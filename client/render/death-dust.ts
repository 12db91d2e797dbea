/** Finds the cells that died in a tick, by comparison with a copy of the previous one. */
import type { Planes } from '../../shared/codec/planes.ts';
import type { Rect } from '../../shared/geometry.ts';
import { createRandom } from '../../shared/random.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';
import { type Speck, speckOf } from './wound-effect.ts';

/** Grains per tick, at most. */
const MAX_GRAINS = 90;
/** Share of the cells that leave a grain, unless they depart. */
const SHARE = 0.35;

/** A cell that died, with its colour. */
export interface Grain extends Speck {
  /** Whether its organism departs. */
  readonly isGentle: boolean;
}

/** Finds the cells that have died since the last call. */
export class DustFinder {
  private rgba = new Uint8Array(0);
  private owner = new Uint32Array(0);
  private readonly random = createRandom(2).uniform;

  /**
   * Finds some of the places that were owned and are now bare, with the colours they had.
   *
   * @param silent changed chunks that were sent in full: differences there are not deaths
   * @param departs tells of which organisms all cells leave a grain
   */
  find(
    planes: Planes,
    changed: readonly Rect[],
    silent: readonly Rect[],
    departs: (id: OrganismId) => boolean,
  ): Grain[] {
    if (this.owner.length !== planes.owner.length) {
      this.rgba = planes.rgba.slice();
      this.owner = planes.owner.slice();
      return [];
    }
    const dead: number[] = [];
    for (const rect of changed) {
      if (silent.includes(rect)) continue;
      const { x, y, width, height } = rect;
      for (let j = y; j < y + height; j++) {
        for (let place = j * planes.width + x; place < j * planes.width + x + width; place++) {
          if (this.owner[place] !== 0 && planes.owner[place] === 0) dead.push(place);
        }
      }
    }
    const share = MAX_GRAINS / Math.max(1, dead.length);
    const grains: Grain[] = [];
    for (const place of dead) {
      const alpha = this.rgba[4 * place + 3];
      const isGentle = departs(this.owner[place]);
      if (alpha < 60 || this.random() > Math.min(share, isGentle ? 1 : SHARE)) continue;
      grains.push({ ...speckOf(place, { rgba: this.rgba, width: planes.width }), isGentle });
    }
    for (const { x, y, width, height } of changed) {
      for (let j = y; j < y + height; j++) {
        const [from, to] = [j * planes.width + x, j * planes.width + x + width];
        this.owner.set(planes.owner.subarray(from, to), from);
        this.rgba.set(planes.rgba.subarray(4 * from, 4 * to), 4 * from);
      }
    }
    return grains;
  }
}
