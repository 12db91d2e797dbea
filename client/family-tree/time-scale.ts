/** Where moments of a tree lie along it: long times without a birth take less room. */
import type { LineageTree } from '../../shared/lineage.ts';
import { interpolate } from '../../shared/time-points.ts';

/** A gap between two births takes at most as much room as this many usual ones. */
const LONGEST_GAP = 6;

/** Maps ticks to places along the tree, and back. */
export class TimeScale {
  /** Sorted, and their places, which begin at 0. */
  private readonly ticks: readonly number[];
  private readonly places: readonly number[];

  /** @param step room of a usual gap between two births, widths of a picture */
  constructor({ organisms, tick }: Pick<LineageTree, 'organisms' | 'tick'>, step: number) {
    const births = organisms.map(({ born }) => born);
    this.ticks = [...new Set([...births, tick])].sort((a, b) => a - b);
    const gaps = this.ticks.slice(1).map((at, i) => at - this.ticks[i]);
    const usual = [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? 1;
    const places = [0];
    for (const gap of gaps) {
      places.push(places.at(-1)! + step * Math.min(LONGEST_GAP, gap / usual));
    }
    this.places = places;
  }

  /** The last moment's place. */
  get end(): number {
    return this.places.at(-1)!;
  }

  placeOf(tick: number): number {
    return interpolate(this.ticks, this.places, tick);
  }

  /** The tick at a place; a fraction. */
  tickAt(place: number): number {
    return interpolate(this.places, this.ticks, place);
  }
}
