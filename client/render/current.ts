/**
 * The water current: a slow displacement field that bends the whole picture like water. The
 * displacement depends only on the position and the room's time, so all screens of a room show the
 * same current.
 */
import { smoothstep } from '../../shared/smoothstep.ts';
import type { Point } from './camera.ts';

/**
 * The water current consists of four waves. Each wave displaces cells at a right angle to its
 * direction. Lengths and amplitudes are in cells, headings in radians, periods in seconds.
 */
const WAVES = [
  { length: 230, heading: 0.4, period: 23, amplitude: 0.75 },
  { length: 150, heading: 2, period: 17, amplitude: 0.6 },
  { length: 118, heading: -0.9, period: 13, amplitude: 0.45 },
  { length: 84, heading: 1.2, period: 11, amplitude: 0.3 },
].map(({ length, heading, period, amplitude }) => {
  const [cos, sin] = [Math.cos(heading), Math.sin(heading)];
  const k = (2 * Math.PI) / length;
  return { kx: k * cos, ky: k * sin, dx: -amplitude * sin, dy: amplitude * cos, period };
});
/** Maximum number of simultaneous ripples. */
export const RIPPLES = 4;
/**
 * A ripple is a growing ring. `CREST`: wave number, in radians per cell. `NARROW`: at a distance of
 * sqrt(1 / NARROW) cells from the ring, the amplitude has fallen to 1/e.
 */
const CREST = 0.45;
const NARROW = 0.01;

/** The displacement field at one moment. */
export interface Field {
  /** [4] Phase of each wave, 0…2π. */
  readonly phases: Float32Array;
  /** Factor for the amplitudes of the waves, 0…2. */
  readonly strength: number;
  /** Centre x, centre y, radius and amplitude of each ripple, in cells: [RIPPLES, 4]. */
  readonly ripples: Float32Array;
}

/**
 * A field in the layout that shaders read, [RIPPLES + 2, 4]: one row for each ripple, then a row
 * with the four phases, then a row that contains the strength four times.
 */
export type FieldRows = Float32Array;

const row = (name: keyof (typeof WAVES)[number]): string =>
  `vec4(${WAVES.map((wave) => wave[name].toFixed(7)).join()})`;

/**
 * GLSL source text of the functions `current` and `displaced`, and of the uniform with the rows of
 * the field.
 */
export const CURRENT = `
uniform vec4 uField[${RIPPLES + 2}];
vec2 current(vec2 q) {
  vec2 d = vec2(0.0);
  if (uField[${RIPPLES + 1}].x > 0.0) {
    vec4 s = uField[${RIPPLES + 1}] * sin(q.x * ${row('kx')} + q.y * ${row('ky')} + uField[${RIPPLES}]);
    d = vec2(dot(s, ${row('dx')}), dot(s, ${row('dy')}));
  }
  for (int i = 0; i < ${RIPPLES}; i++) {
    if (uField[i].w == 0.0) continue;
    vec2 away = q - uField[i].xy;
    float r = length(away), off = r - uField[i].z;
    d += uField[i].w * sin(${CREST} * off) * exp(-${NARROW} * off * off) / (r + 1.0) * away;
  }
  return d;
}
vec2 displaced(vec2 p) {
  vec2 q = p;
  for (int i = 0; i < 8; i++) q = p - current(q);
  return q;
}`;

/**
 * The water current bends the picture. Returns the grid position that is visible at `place`.
 *
 * @param place position in the bent picture, in cells
 */
export function undisplace({ x, y }: Point, { phases, strength, ripples }: Field): Point {
  const place = { x, y };
  for (let i = 0; strength > 0 && i < WAVES.length; i++) {
    const { kx, ky, dx, dy } = WAVES[i];
    const s = strength * Math.sin(x * kx + y * ky + phases[i]);
    place.x += s * dx;
    place.y += s * dy;
  }
  for (let i = 0; i < ripples.length; i += 4) {
    const amplitude = ripples[i + 3];
    if (amplitude === 0) continue;
    const [awayX, awayY] = [x - ripples[i], y - ripples[i + 1]];
    const r = Math.hypot(awayX, awayY);
    const off = r - ripples[i + 2];
    const by = (amplitude * Math.sin(CREST * off) * Math.exp(-NARROW * off * off)) / (r + 1);
    place.x += by * awayX;
    place.y += by * awayY;
  }
  return place;
}

/**
 * The water current bends the picture. Returns the position in the bent picture, in cells, at which
 * a grid position is visible: the inverse of `undisplace`.
 */
export function displace(place: Point, field: Field): Point {
  let at = place;
  for (let i = 0; i < 32; i++) {
    const seen = undisplace(at, field);
    const [dx, dy] = [place.x - seen.x, place.y - seen.y];
    at = { x: at.x + dx, y: at.y + dy };
    if (Math.abs(dx) + Math.abs(dy) < 5e-3) break;
  }
  return at;
}

/** The room's time, in seconds, is its tick divided by this number. */
const TICKS = 15;
/** Time in which the water current fades in or out, in ms. */
export const EASE = 3_000;
/** Time constant for correcting the page's estimate of the room's time, in ms. */
const CORRECTION = 2_000;
/**
 * If the page's estimate of the room's time is wrong by more than this, in s, the water current
 * fades out before the estimate is corrected. Smaller errors are corrected gradually.
 */
const FAR = 3;
/**
 * How long a slow machine shows no water current, in ms: `PATIENCE` the first time, then twice as
 * long each time, up to `LONGEST_PATIENCE`.
 */
const PATIENCE = 60_000;
const LONGEST_PATIENCE = 1_800_000;
/**
 * Number of late frames after which a machine counts as too slow. Ten frames on time cancel one
 * late frame.
 */
const MANY_LATE = 8;

/** Advances the water current with the room's time, and fades it in and out. */
export class Current implements Field {
  readonly rows: FieldRows = new Float32Array(4 * (RIPPLES + 2));
  readonly ripples = this.rows.subarray(0, 4 * RIPPLES);
  readonly phases = this.rows.subarray(4 * RIPPLES, 4 * RIPPLES + 4);
  /** Last known tick of the room, and the time at which it arrived, in ms. */
  private tick = 0;
  private tickedAt = 0;
  /** Estimated time of the room, in seconds. */
  private time = 0;
  private drawnAt = 0;
  /** How far the water current has faded in, from 0 (no current) to 1 (full strength). */
  private level = 0;
  private late = 0;
  private lostUntil = 0;
  private patience = PATIENCE;

  get strength(): number {
    return this.rows[4 * RIPPLES + 4];
  }

  get flows(): boolean {
    return this.level > 0;
  }

  /** Records the current tick of the room. @param now current time, in ms */
  ticked(tick: number, now: number): void {
    this.tick = tick;
    this.tickedAt = now;
  }

  /**
   * Counts a frame. After `MANY_LATE` late frames, turns the water current off for some time.
   *
   * @param isLate whether the frame was drawn late
   */
  paced(isLate: boolean, now: number): void {
    this.late = isLate ? this.late + 1 : Math.max(0, this.late - 0.1);
    if (this.late < MANY_LATE) return;
    this.late = 0;
    this.lostUntil = now + this.patience;
    this.patience = Math.min(LONGEST_PATIENCE, 2 * this.patience);
  }

  /**
   * Advances the water current to the time of the next frame.
   *
   * @param now current time, in ms
   * @param rate actual ticks per second of the room
   * @param most strength of the water current when it has fully faded in
   * @param wanted whether the water current should flow; if false, it fades out
   */
  move(now: number, rate: number, most: number, wanted: boolean): void {
    const elapsed = now - this.drawnAt;
    this.drawnAt = now;
    const actual = (this.tick + ((now - this.tickedAt) / 1000) * rate) / TICKS;
    this.time += ((elapsed / 1000) * rate) / TICKS;
    const isFar = Math.abs(actual - this.time) > FAR;
    if (this.level === 0) this.time = actual;
    else this.time += (actual - this.time) * (isFar ? 0 : 1 - Math.exp(-elapsed / CORRECTION));
    const isOn = wanted && most > 0 && !(isFar && this.level > 0) && now >= this.lostUntil;
    const step = Math.min(100, elapsed) / EASE;
    this.level = Math.max(0, Math.min(1, this.level + (isOn ? step : -step)));
    this.rows.fill(most * smoothstep(0, 1, this.level), 4 * RIPPLES + 4);
    for (let i = 0; i < WAVES.length; i++)
      this.phases[i] = 2 * Math.PI * ((this.time / WAVES[i].period + 0.618 * i) % 1);
  }

  /** Stops the water current immediately, without fading. */
  stop(): void {
    this.level = 0;
    this.rows.fill(0);
  }
}
