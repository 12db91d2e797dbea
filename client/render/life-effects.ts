/** Shows events of a room as light: births, divisions, deaths, beacons, and the glow of seeds. */
import type { Rect } from '../../shared/geometry.ts';
import { HOUSE, type OrganismId, type OrganismView } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import { ownerColor } from '../style/fragments.ts';
import { DustFinder, Effects } from './effects.ts';
import type { MarkList } from './marks.ts';
import { SHIVERS } from './shaders/scene.ts';

/** Below this stage an organism may be too faint to see, so a mark shows its seed. */
const VISIBLE_STAGE = 8;
/** Duration of a shiver, ms. A stroke that goes on starts no other meanwhile. */
const SHIVER = 900;

interface Shiver {
  readonly organism: OrganismView;
  /** ms */
  readonly start: number;
}

/** Starts an effect for each life event, and draws the glow of seeds. */
export class LifeEffects {
  readonly effects = new Effects();
  /** What spreads from wounds, see `Picture`. */
  readonly shivers = new Float32Array(4 * SHIVERS);
  private readonly shaken: Shiver[] = [];
  private readonly departed = new Set<OrganismId>();
  private readonly dust = new DustFinder();
  private readonly unsubscribers: readonly (() => void)[];

  /** @param invalidate called when there is something new to draw */
  constructor(
    private readonly model: RoomModel,
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
        if (event.what === 'wounded') this.shake(organism, now);
        if (event.what === 'died' && event.cause === 'departed') this.departed.add(id);
        if (/healed|renewed|transformed/.test(event.what)) effects.healed(here, 0.5 * stage, now);
        invalidate();
      }),
      model.on('beacon', ({ organism: id, hue }) => {
        const organism = model.organisms.get(id);
        if (!organism) return;
        const { x, y, stage } = organism;
        const here = { x, y, color: ownerColor(hue) };
        effects.beacon(here, Math.max(6, 0.62 * stage), performance.now());
        invalidate();
      }),
      model.on('spotlight', ({ x, y }) => {
        const { side = 0 } = model.checkpoint ?? {};
        const here = { x, y, color: ownerColor(HOUSE.hue) };
        effects.beacon(here, Math.max(6, 0.62 * side), performance.now());
        invalidate();
      }),
    ];
  }

  /** Removes the listeners from the room model. */
  dispose(): void {
    for (const off of this.unsubscribers) off();
  }

  /** Handles a new tick: dust for the cells that died in it. */
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
   * Draws the effects.
   *
   * @returns whether the next picture will differ
   */
  draw(now: number, marks: MarkList): boolean {
    const growing = this.drawSeeds(now, marks);
    this.effects.draw(now, marks);
    this.shiver(now);
    return growing || this.effects.active || this.shaken.length > 0;
  }

  private shake(organism: OrganismView, now: number): void {
    const { shaken } = this;
    if (this.effects.calm || shaken.some((one) => one.organism.id === organism.id)) return;
    if (shaken.length === SHIVERS) shaken.shift();
    shaken.push({ organism, start: now });
  }

  private shiver(now: number): void {
    const { shaken, shivers } = this;
    while (shaken.length > 0 && now - shaken[0].start > SHIVER) shaken.shift();
    shivers.fill(0);
    shaken.forEach(({ organism: { x, y, side }, start }, i) => {
      const t = Math.max(0, now - start) / SHIVER;
      shivers.set([x, y, side * (0.2 + 1.2 * t), 0.5 * (1 - t) * Math.min(1, 6 * t)], 4 * i);
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
