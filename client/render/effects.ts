/**
 * Short light effects for events in a room, such as births, deaths and wounds. `LifeEffects` starts
 * an effect for each event. `Effects` draws the effects.
 */
import type { Planes } from '../../shared/codec/chunks.ts';
import { placesUnder, type Rect, type Stroke } from '../../shared/geometry.ts';
import { createRandom } from '../../shared/random.ts';
import { HOUSE, type OrganismId, type OrganismView } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import { ownerColor, type Rgb } from '../style/fragments.ts';
import type { Point } from './camera.ts';
import { RIPPLES } from './current.ts';
import type { MarkList } from './marks.ts';

export interface Speck {
  /** Centre of the cell, in cells from the grid's upper left. */
  readonly x: number;
  readonly y: number;
  readonly color: Rgb;
}

/**
 * Finds the grid positions that a segment of a stroke covers and that earlier segments of the
 * stroke have not covered.
 *
 * @param taken indices of positions that earlier segments have covered; the function adds the
 *   positions that it finds
 * @param counts returns whether to consider the position at an index; by default, always true
 */
export function freshPlaces(
  stroke: Stroke,
  planes: Planes,
  taken: Set<number>,
  counts: (place: number) => boolean = () => true,
): number[] {
  const fresh = placesUnder(stroke, planes).filter((place) => !taken.has(place) && counts(place));
  for (const place of fresh) taken.add(place);
  return fresh;
}

/**
 * Finds the cells that a segment of a stroke cuts away.
 *
 * @param taken indices of cells that earlier segments have cut away; the function adds the cells
 *   that it finds
 * @returns `flesh`: the cells cut away; `rim`: the remaining cells next to them
 */
export function cutOf(stroke: Stroke, planes: Planes, taken: Set<number>) {
  const { owner, width } = planes;
  const fresh = freshPlaces(stroke, planes, taken, (place) => owner[place] !== 0);
  const rim = new Set<number>();
  for (const place of fresh) {
    const column = place % width;
    const beside = [place - width, place + width];
    if (column > 0) beside.push(place - 1);
    if (column < width - 1) beside.push(place + 1);
    for (const other of beside) if (owner[other] > 0 && !taken.has(other)) rim.add(other);
  }
  const specks = (places: Iterable<number>): Speck[] =>
    Array.from(places, (place) => speckOf(place, planes));
  return { flesh: specks(fresh), rim: specks(rim) };
}

/** Returns the centre and the colour, not premultiplied by alpha, of the cell at index `place`. */
function speckOf(place: number, { rgba, width }: Pick<Planes, 'rgba' | 'width'>): Speck {
  const alpha = Math.max(1, rgba[4 * place + 3]);
  const [r, g, b] = rgba.subarray(4 * place, 4 * place + 3);
  return {
    x: (place % width) + 0.5,
    y: Math.floor(place / width) + 0.5,
    color: [r / alpha, g / alpha, b / alpha],
  };
}

/** Approximate maximum number of dust grains per tick, over all dying cells. */
const MAX_GRAINS = 90;
/**
 * Maximum share of the dying cells for which a grain of dust is shown. Does not apply to the cells
 * of departing organisms, which dissolve to make space or because their time is over.
 */
const SHARE = 0.35;

/** A grain of dust: the centre and colour of a cell that has just died. */
interface Grain extends Speck {
  /**
   * Whether the cell belonged to a departing organism. Gentle grains drift more slowly and fade
   * later.
   */
  readonly isGentle: boolean;
}

/** Finds the cells that have died since the last call of `find`. */
export class DustFinder {
  private rgba = new Uint8Array(0);
  private owner = new Uint32Array(0);
  private readonly random = createRandom(2).uniform;

  /**
   * Returns grains of dust for a random selection of the cells that have died since the last call,
   * in the cells' last colours.
   *
   * @param silent members of `changed` for which to return no dust. The last call may have stored
   *   outdated cells for these areas
   * @param departs returns whether an organism is departing
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

interface Effect {
  start: number;
  /** Whether the effect has been drawn at least once. */
  isShown: boolean;
  readonly duration: number;
  draw(share: number, marks: MarkList): void;
}

type Way = Readonly<Record<'x' | 'y' | 'x2' | 'y2', number>>;

const WARM: Rgb = [0.98, 0.93, 0.8];
/** Colour of the rim of a fresh wound. */
const RAW: Rgb = [1, 0.62, 0.42];
/** Colour of the water seen through a wound. */
const GROUND: Rgb = [0.05, 0.13, 0.16];
const NO: Rgb = [1, 0.48, 0.42];
const HEALED: Rgb = [0.72, 0.97, 0.86];
/** Approximate maximum number of dust grains per segment of a cut. */
const MAX_SPATTER = 16;
const MAX_EFFECTS = 1_500;
/**
 * An effect that has not been drawn within this time, in ms, is dropped. Hidden pages draw no
 * effects.
 */
const MOST_LATE = 1_500;
/** Duration of a beacon (rings around an organism), in ms. */
const BEACON = 3_200;

const easeOut = (t: number): number => 1 - (1 - t) ** 3;

/**
 * Holds the active light effects. In every frame, each effect draws rings, discs or glows (marks)
 * until it has faded.
 */
export class Effects {
  private effects: Effect[] = [];

  /**
   * @param calm whether effects must fade gently and not move, for visitors who prefer reduced
   *   motion
   * @param random returns random numbers from 0 to 1
   */
  constructor(
    public calm = false,
    private readonly random: () => number = createRandom(1).uniform,
  ) {}

  get active(): boolean {
    return this.effects.length > 0;
  }

  /** Shows a spark where the visitor has dropped a seed, before the server replies. */
  sown(x: number, y: number, color: Rgb, now: number): void {
    this.add(now, 420, (t, marks) => {
      const alpha = (1 - t) ** 1.5;
      const here = { x, y, color, glow: 1 };
      marks.add({ ...here, kind: 'glow', radius: 4.5, alpha: 0.6 * alpha });
      marks.add({ ...here, kind: 'disc', radius: 0.6, softness: 1, alpha: 0.9 * alpha });
    });
  }

  /** Shows a ring of light where an organism is born. */
  born({ x, y, color }: Speck, now: number): void {
    this.add(now, 1100, (t, marks) => {
      const radius = this.calm ? 5 : 2 + 9 * easeOut(t);
      const alpha = (1 - t) ** 2;
      const here = { x, y, color, glow: 1 };
      marks.add({ ...here, kind: 'ring', radius, softness: 1.5, alpha: 0.7 * alpha });
      marks.add({ ...here, kind: 'glow', radius: radius * 1.5, alpha: 0.35 * alpha });
    });
  }

  /**
   * Shows a ring of light that spreads from the edge of an organism that has reached a new stage.
   */
  divided({ x, y, color }: Speck, stage: number, now: number): void {
    this.add(now, 900, (t, marks) => {
      const body = stage * 0.42;
      const radius = this.calm ? body + 2 : body * (0.9 + 0.1 * t) + 1 + 3.4 * easeOut(t);
      const alpha = Math.sin(Math.PI * Math.min(1, t * 1.6)) * (1 - t);
      const ring = { kind: 'ring', radius, line: 1, softness: 5, color } as const;
      marks.add({ x, y, ...ring, alpha: 0.26 * alpha, glow: 1 });
      const glow = { kind: 'glow', radius: radius + 5, color: WARM } as const;
      marks.add({ x, y, ...glow, alpha: 0.24 * alpha, glow: 1 });
    });
  }

  /**
   * Makes an organism glow for a moment, because a sensor in the exhibition hall has reported
   * somebody near it.
   */
  sensed({ x, y }: Point, stage: number, now: number): void {
    this.add(now, 2_400, (t, marks) => {
      const glow = { kind: 'glow', radius: 0.75 * stage, color: WARM, glow: 1 } as const;
      marks.add({ x, y, ...glow, alpha: 0.45 * Math.sin(Math.PI * Math.sqrt(t)) });
    });
  }

  /** Shows that a cell has died: a grain of dust in the cell's colour drifts away and fades. */
  dust({ x, y, color, isGentle }: Grain, now: number): void {
    const { calm, random } = this;
    if (calm) return;
    const angle = random() * 2 * Math.PI;
    const speed = isGentle ? 0.4 + random() : 0.6 + 2.2 * random();
    const radius = 0.16 + 0.26 * random();
    const [dx, dy] = [Math.cos(angle) * speed, Math.sin(angle) * speed - 0.8];
    this.add(now, (isGentle ? 1_400 : 900) * (1 + random()), (t, marks) => {
      const way = easeOut(t);
      const at = { x: x + dx * way, y: y + dy * way, radius: radius * (1 - 0.6 * t) };
      const alpha = 0.8 * Math.min(1, 9 * t) * (1 - t) ** 1.6;
      marks.add({ kind: 'disc', ...at, softness: 1, color, alpha, glow: 0.4 });
    });
  }

  /**
   * Shows the visitor's own cut immediately, before the server replies: a dark gap with a glowing
   * rim, and grains that fly off. If the cut meets no organism, shows only a faint line of light.
   *
   * @param way segment of the stroke, in cells
   * @param radius radius of the stroke, in cells
   */
  cut(cut: ReturnType<typeof cutOf>, way: Way, radius: number, now: number): void {
    const line = { kind: 'disc', ...way, radius: 0.1, softness: 1, color: WARM } as const;
    this.add(now, 320, (t, marks) => marks.add({ ...line, alpha: 0.5 * (1 - t) ** 2, glow: 1 }));
    if (cut.flesh.length === 0) return;
    const hole = { kind: 'disc', ...way, radius: radius - 0.1, softness: 2.5 } as const;
    this.add(now, 640, (t, marks) => {
      marks.add({ ...hole, color: GROUND, alpha: 0.94 * Math.min(1, (1 - t) * 2.2) });
      marks.add({ ...line, alpha: 0.4 * (1 - t) ** 2, glow: 1 });
    });
    this.add(now, 1_150, (t, marks) => {
      const alpha = 0.62 * (1 - t) ** 2.4;
      for (const { x, y, color } of cut.rim) {
        marks.add({ kind: 'glow', x, y, radius: 1.7, color: mixed(color, RAW), alpha, glow: 1 });
      }
    });
    if (this.calm) return;
    const share = Math.min(0.5, MAX_SPATTER / cut.flesh.length);
    for (const speck of cut.flesh) if (this.random() < share) this.spatter(speck, way, now);
  }

  /**
   * Shows the visitor's own graft immediately, before the server replies.
   *
   * @param specks the cells under the stroke, in the colours of the grafted seed
   */
  grafted(specks: readonly Speck[], now: number): void {
    this.add(now, 1_000, (t, marks) => {
      const alpha = 0.75 * Math.min(1, 2 * (1 - t));
      for (const { x, y, color } of specks) {
        marks.add({ kind: 'disc', x, y, radius: 0.55, softness: 1, color, alpha });
      }
    });
  }

  /** Shows a refused stroke as a row of dim dots that fade. */
  refused({ x, y, x2, y2 }: Way, radius: number, now: number): void {
    const length = Math.hypot(x2 - x, y2 - y);
    const dots = Math.max(1, Math.min(24, Math.round(length / 1.6)));
    this.add(now, 700, (t, marks) => {
      for (let i = 0; i < dots; i++) {
        const share = (i + 0.5) / dots;
        const at = { x: x + (x2 - x) * share, y: y + (y2 - y) * share };
        const alpha = 0.75 * (1 - t) ** 1.5;
        marks.add({ kind: 'disc', ...at, radius: 0.32, softness: 1, color: NO, alpha });
        if (i > 0) continue;
        marks.add({ kind: 'ring', ...at, radius, line: 1, color: NO, alpha: 0.5 * alpha });
      }
    });
  }

  /** Shows that a wound has healed: a soft ring contracts around the organism. */
  healed({ x, y }: Point, reach: number, now: number): void {
    this.add(now, 1_500, (t, marks) => {
      const alpha = Math.sin(Math.PI * t) ** 1.3;
      const radius = this.calm ? reach : reach * (1.35 - 0.35 * easeOut(t));
      const here = { x, y, radius, color: HEALED, glow: 1 };
      marks.add({ ...here, kind: 'ring', line: 1, softness: 4, alpha: 0.34 * alpha });
      marks.add({ ...here, kind: 'glow', radius: reach * 1.3, alpha: 0.16 * alpha });
    });
  }

  /**
   * Shows a beacon, which draws attention to an organism: rings that shrink towards the organism.
   */
  beacon({ x, y, color }: Speck, reach: number, now: number): void {
    this.add(now, BEACON, (t, marks) => {
      const stay = Math.min(1, t * 5) * Math.min(1, (1 - t) * 4);
      const ring = (radius: number, line: number, alpha: number): void => {
        marks.add({ kind: 'ring', x, y, radius, line, softness: 0.6, color, alpha, glow: 0.6 });
      };
      marks.add({ kind: 'glow', x, y, radius: reach * 2.1, color, alpha: 0.42 * stay, glow: 1 });
      ring(reach, 3, 0.95 * stay);
      if (this.calm) return;
      for (let i = 0; i < 3; i++) {
        const way = (t - i * 0.17) / 0.42;
        if (way <= 0 || way >= 1) continue;
        ring(reach * (1 + 4.5 * (1 - easeOut(way))), 2, 0.8 * Math.sin(Math.PI * way) ** 0.7);
      }
    });
  }

  /** Shows a grain that flies off a cut. */
  private spatter({ x, y, color }: Speck, way: Way, now: number): void {
    const { random } = this;
    const [dx, dy] = [way.x2 - way.x, way.y2 - way.y];
    const length = Math.max(1e-6, Math.hypot(dx, dy));
    const along = Math.min(1, length / 2) * (0.6 + 2.4 * random());
    const aside = (random() - 0.5) * 4.4;
    const fx = (dx * along - dy * aside) / length;
    const fy = (dy * along + dx * aside) / length;
    const radius = 0.18 + 0.3 * random();
    this.add(now, 420 + 380 * random(), (t, marks) => {
      const share = 1 - (1 - t) ** 4;
      const at = { x: x + fx * share, y: y + fy * share, radius: radius * (1 - 0.5 * t) };
      const alpha = 0.95 * (1 - t) ** 1.2;
      marks.add({ kind: 'disc', ...at, softness: 1, color, alpha, glow: 0.25 });
    });
  }

  /** Draws the active effects and removes the finished ones. */
  draw(now: number, marks: MarkList): void {
    this.effects = this.effects.filter(
      ({ start, duration, isShown }) => now - start < (isShown ? duration : MOST_LATE),
    );
    for (const effect of this.effects) {
      // On a slow machine, the first frame of an effect may be late. Start the effect at that
      // frame.
      if (!effect.isShown && effect.start < now) effect.start = now;
      effect.isShown = true;
      effect.draw(Math.max(0, (now - effect.start) / effect.duration), marks);
    }
  }

  private add(start: number, duration: number, draw: Effect['draw']): void {
    if (this.effects.length >= MAX_EFFECTS) this.effects.shift();
    this.effects.push({ start, duration, draw, isShown: false });
  }
}

const mixed = (a: Rgb, b: Rgb): Rgb => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2];

/** Stage from which an organism is clearly visible. A glow marks younger organisms. */
const VISIBLE_STAGE = 8;
/** Duration of a ripple, in ms. An organism has at most one ripple at a time. */
const RIPPLE = 2_000;
/** Maximum amplitude of a ripple, in cells. */
const RIPPLE_AMPLITUDE = 0.6;

/**
 * Starts a light effect for each event in the life of an organism. Also draws the glow of young
 * organisms.
 */
export class LifeEffects {
  readonly effects = new Effects();
  /** Organisms from which a ripple is spreading, each with the start time of its ripple, in ms. */
  private readonly shaken: { readonly organism: OrganismView; readonly start: number }[] = [];
  private readonly departed = new Set<OrganismId>();
  private readonly dust = new DustFinder();
  private readonly unsubscribers: readonly (() => void)[];

  /**
   * @param ripples array that receives the visible ripples in each frame; see `Field.ripples`
   * @param invalidate called when there is something new to draw
   */
  constructor(
    private readonly model: RoomModel,
    private readonly ripples: Float32Array,
    invalidate: () => void,
  ) {
    const { effects } = this;
    this.unsubscribers = [
      model.on('life', ({ event, organism }) => {
        const { id, x, y, stage, planter } = organism;
        const now = performance.now();
        const here = { x, y, color: ownerColor(planter.hue) };
        if (event.what === 'born') effects.born(here, now);
        if (event.what === 'divided') effects.divided(here, stage, now);
        if (event.what === 'sensed') effects.sensed(here, stage, now);
        if (/born|wounded|grafted|sensed/.test(event.what)) this.shake(organism, now);
        if (event.what === 'died' && event.cause === 'departed') this.departed.add(id);
        if (/healed|renewed|transformed/.test(event.what)) effects.healed(here, 0.5 * stage, now);
        invalidate();
      }),
      model.on('beacon', ({ organism: id, hue }) => {
        const organism = model.organisms.get(id);
        if (organism) this.shine(organism, hue, organism.stage);
        invalidate();
      }),
      model.on('spotlight', (place) => {
        this.shine(place, HOUSE.hue, model.checkpoint?.side ?? 0);
        invalidate();
      }),
    ];
  }

  dispose(): void {
    for (const off of this.unsubscribers) off();
  }

  /**
   * Adds dust for the cells that died in a new tick, except in the areas `anew`. There, the page
   * may have had outdated cells, which died earlier.
   */
  arrived(changed: readonly Rect[], anew: readonly Rect[], now: number): void {
    const { planes } = this.model;
    if (!planes) return;
    const silent = document.hidden ? changed : anew;
    const departs = (id: OrganismId): boolean =>
      this.departed.has(id) || this.model.organisms.get(id)?.phase === 'departing';
    const grains = this.dust.find(planes, changed, silent, departs);
    for (const grain of grains) this.effects.dust(grain, now);
    this.departed.clear();
  }

  /**
   * Adds the marks of all active effects to `marks`.
   *
   * @returns whether the next frame will differ from this one
   */
  draw(now: number, marks: MarkList): boolean {
    const growing = this.drawSeeds(now, marks);
    this.effects.draw(now, marks);
    this.ripple(now);
    return growing || this.effects.active || this.shaken.length > 0;
  }

  private shine({ x, y }: Point, hue: number, side: number): void {
    const reach = Math.max(6, 0.62 * side);
    this.effects.beacon({ x, y, color: ownerColor(hue) }, reach, performance.now());
  }

  private shake(organism: OrganismView, now: number): void {
    const { shaken } = this;
    if (this.effects.calm || shaken.some((one) => one.organism.id === organism.id)) return;
    if (shaken.length === RIPPLES) shaken.shift();
    shaken.push({ organism, start: now });
  }

  private ripple(now: number): void {
    const { shaken, ripples } = this;
    while (shaken.length > 0 && now - shaken[0].start > RIPPLE) shaken.shift();
    ripples.fill(0);
    shaken.forEach(({ organism: { x, y, side }, start }, i) => {
      const t = Math.max(0, now - start) / RIPPLE;
      const amplitude = RIPPLE_AMPLITUDE * (1 - t) * Math.min(1, 6 * t);
      ripples.set([x, y, side * (0.1 + 1.9 * t), amplitude], 4 * i);
    });
  }

  private drawSeeds(now: number, marks: MarkList): boolean {
    let any = false;
    for (const { x, y, stage, phase, planter, id } of this.model.organisms.values()) {
      if (phase !== 'growing' || stage >= VISIBLE_STAGE) continue;
      any = true;
      const breath = this.effects.calm ? 0.8 : 0.8 + 0.2 * Math.sin(now / 260 + id);
      const color = ownerColor(planter.hue);
      const here = { x, y, color, glow: 1 };
      marks.add({ ...here, kind: 'glow', radius: 5.5, alpha: 0.55 * breath });
      marks.add({ ...here, kind: 'glow', radius: 2, alpha: 0.7 * breath });
      marks.add({ ...here, kind: 'disc', radius: 0.55, softness: 1.5, alpha: 0.85, glow: 0.3 });
    }
    return any && !this.effects.calm;
  }
}
