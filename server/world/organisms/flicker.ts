/**
 * Measures how organisms flash (rule LIF-9), as defined by WCAG 2.3.1. Two kinds of changes count:
 * changes of saturated red, and changes of relative luminance by at least 0.1 if the darker colour
 * is below 0.8. A turn is a change in the direction opposite to the previous change; two turns make
 * a flash. The code uses plain loops over integers, because it runs for each cell of each awake
 * organism in every tick.
 */
import { stageRect } from '../../../shared/geometry.ts';
import type { FlashLimit } from '../../../shared/vocabulary.ts';
import type { RoomTime } from '../commands.ts';
import type { GridPlanes } from '../grid-planes.ts';
import { type FlickerState, isStale, type Organism } from './organism.ts';

/**
 * Number of time slots into which the last second is divided. A cell's turns (changes of direction)
 * are counted for each slot, in four bits.
 */
const SLOTS = 8;
/**
 * Thresholds of WCAG 2.3.1, converted to 255ths. In WCAG, they are a luminance change of 0.1 (on a
 * scale of 0…1), a change of red by 20 (on a scale of 0…320), and a luminance of 0.8 (on a scale of
 * 0…1).
 */
const LUMINANCE_STEP = 25;
const RED_STEP = 16;
const BRIGHT = 204;
/** An organism counts as flashing if more than this share of its window is flashing (WCAG). */
const SHARE = 1 / 4;
/**
 * Bits that say whether a cell's luminance is rising or falling. Before the first change, no bit is
 * set. The bits for red are the same, shifted left by `RED_BITS`.
 */
const RISES = 1;
const FALLS = 2;
const RED_BITS = 2;

/** Returns a table [256] that maps 8-bit sRGB values to linear light, scaled to 0…`scale`. */
const linear = (scale: number): Uint16Array =>
  Uint16Array.from({ length: 256 }, (_, value) => {
    const c = value / 255;
    return Math.round(scale * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  });
const LIGHT = linear(65_280);
const RED = linear(0.2126 * 65_280);
const GREEN = linear(0.7152 * 65_280);
const BLUE = linear(0.0722 * 65_280);

/**
 * Returns the number of ticks per time slot. Seven full slots, and one tick of the newest slot,
 * together cover at least a second.
 */
const slotTicks = (tickRate: number): number =>
  Math.max(1, Math.ceil((tickRate - 1) / (SLOTS - 1)));

/** The tick in which flashes are measured, and the limit on flashes at that tick. */
export interface FlickerMoment extends RoomTime {
  readonly limit: FlashLimit;
}

/**
 * Records the colours that an organism is showing, unless they were recorded recently. Call before
 * the organism's step.
 *
 * @param tick number of the tick that the step completes
 */
export function remember(organism: Organism, grid: GridPlanes, tick: number): void {
  const { id, window, flicker } = organism;
  if (flicker && !isStale(flicker, tick)) return;
  const places = window.width * window.height;
  const levels = new Uint8Array(2 * places);
  const { rgba } = grid.planes;
  grid.each(window, (place, cell) => {
    if (grid.ownerAt(place) !== id) return;
    const [r, g, b] = [rgba[4 * place], rgba[4 * place + 1], rgba[4 * place + 2]];
    levels[2 * cell] = luminanceOf(r, g, b);
    levels[2 * cell + 1] = rednessOf(r, g, b);
  });
  organism.flicker = {
    ...{ levels, going: new Uint8Array(places), turns: new Uint32Array(places) },
    at: tick,
  };
}

/**
 * Compares the colours that an organism is showing with the recorded colours, and updates the
 * record. Skips cells that other organisms own.
 *
 * @returns whether the organism has reached the limit of flashes within a second
 */
export function hasFlashed(
  { id, window, stage, flicker }: Organism,
  grid: GridPlanes,
  { tick, tickRate, limit }: FlickerMoment,
): boolean {
  if (!flicker) return false;
  passTime(flicker, tick, slotTicks(tickRate));
  const { levels, going, turns } = flicker;
  const within = tickRate >= SLOTS ? 0xffffffff : 2 ** (4 * tickRate) - 1;
  const { owner, rgba } = grid.planes;
  const { x, y } = stageRect(window, stage);
  let flashing = 0;
  for (let row = y; row < y + stage; row++) {
    const from = grid.place(x, row);
    let cell = (row - window.y) * window.width + x - window.x;
    for (let place = from; place < from + stage; place++, cell++) {
      if (owner[place] !== id && owner[place] !== 0) continue;
      const before = going[cell];
      let now = before;
      const r = rgba[4 * place];
      const g = rgba[4 * place + 1];
      const b = rgba[4 * place + 2];
      const light = luminanceOf(r, g, b);
      const edge = levels[2 * cell];
      const way = before & (RISES | FALLS);
      if (way === RISES ? light > edge : way === FALLS && light < edge) levels[2 * cell] = light;
      else if (Math.abs(light - edge) >= LUMINANCE_STEP && Math.min(light, edge) < BRIGHT) {
        levels[2 * cell] = light;
        now += (light > edge ? RISES : FALLS) - way;
      }
      const red = rednessOf(r, g, b);
      const redEdge = levels[2 * cell + 1];
      const redWay = before >> RED_BITS;
      if (redWay === RISES ? red > redEdge : redWay === FALLS && red < redEdge) {
        levels[2 * cell + 1] = red;
      } else if (Math.abs(red - redEdge) >= RED_STEP) {
        levels[2 * cell + 1] = red;
        now += ((red > redEdge ? RISES : FALLS) - redWay) << RED_BITS;
      }
      if (now !== before) {
        going[cell] = now;
        turns[cell]++;
      }
      if (turns[cell] !== 0 && sumOf(turns[cell] & within) >= 2 * limit) flashing++;
    }
  }
  return flashing > SHARE * window.width * window.height;
}

/** Returns the relative luminance of a colour on a black background, in 255ths. */
const luminanceOf = (r: number, g: number, b: number): number => (RED[r] + GREEN[g] + BLUE[b]) >> 8;

/** Returns R − G − B, in 255ths, if a colour is a saturated red; otherwise 0. */
function rednessOf(r: number, g: number, b: number): number {
  // Most colours are not red, so compare the bytes first.
  if (r <= g || r <= b) return 0;
  const others = LIGHT[g] + LIGHT[b];
  const red = LIGHT[r];
  return red > 4 * others ? (red - others) >> 8 : 0;
}

/**
 * Shifts each cell's counts by the number of time slots since the last measurement. The oldest
 * counts are dropped.
 */
function passTime(flicker: FlickerState, tick: number, slot: number): void {
  const passed = Math.floor(tick / slot) - Math.floor(flicker.at / slot);
  flicker.at = tick;
  if (passed === 0) return;
  const { turns } = flicker;
  if (passed >= SLOTS) turns.fill(0);
  else for (let cell = 0; cell < turns.length; cell++) turns[cell] <<= 4 * passed;
}

/** Returns the sum of the eight 4-bit numbers in a 32-bit number. */
function sumOf(counts: number): number {
  const pairs = (counts & 0x0f0f0f0f) + ((counts >>> 4) & 0x0f0f0f0f);
  return Math.imul(pairs, 0x01010101) >>> 24;
}
