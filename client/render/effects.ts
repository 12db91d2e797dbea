/** Short-lived light: rings of division, dust of dying cells, the echo of one's own stroke. Time is passed in. */
import type { Rgb } from '../style/oklch.ts';
import type { MarkList } from './marks.ts';

interface Effect {
  readonly start: number;
  readonly duration: number;
  draw(share: number, marks: MarkList): void;
}

const WARM: Rgb = [0.98, 0.93, 0.8];
const MAX_EFFECTS = 1_500;
/** How long a beacon shines, ms. */
const BEACON = 3_200;

const easeOut = (t: number): number => 1 - (1 - t) ** 3;

export class Effects {
  private effects: Effect[] = [];

  /** @param calm no movement, only gentle fading (prefers-reduced-motion) */
  constructor(public calm = false) {}

  get active(): boolean {
    return this.effects.length > 0;
  }

  /** A seed touches the ground. */
  born(x: number, y: number, color: Rgb, now: number): void {
    const { calm } = this;
    this.add(now, 1100, (t, marks) => {
      const radius = calm ? 5 : 2 + 9 * easeOut(t);
      const alpha = (1 - t) ** 2;
      marks.add({
        kind: 'ring',
        x,
        y,
        radius,
        line: 1.5,
        softness: 1.5,
        color,
        alpha: 0.7 * alpha,
        glow: 1,
      });
      marks.add({ kind: 'glow', x, y, radius: radius * 1.5, color, alpha: 0.35 * alpha, glow: 1 });
    });
  }

  /** Every cell has become four: light runs out from the body's edge. */
  divided(x: number, y: number, stage: number, color: Rgb, now: number): void {
    const { calm } = this;
    this.add(now, 900, (t, marks) => {
      const body = stage * 0.42;
      const radius = calm ? body + 2 : body * (0.9 + 0.1 * t) + 1 + 3.4 * easeOut(t);
      const alpha = Math.sin(Math.PI * Math.min(1, t * 1.6 + 0.2)) * (1 - t);
      marks.add({
        kind: 'ring',
        x,
        y,
        radius,
        line: 1,
        softness: 5,
        color,
        alpha: 0.26 * alpha,
        glow: 1,
      });
      marks.add({
        kind: 'glow',
        x,
        y,
        radius: radius + 5,
        color: WARM,
        alpha: 0.24 * alpha,
        glow: 1,
      });
    });
  }

  /** A cell has died: a grain of its colour drifts off and goes out. */
  dust(x: number, y: number, color: Rgb, now: number, random: () => number): void {
    if (this.calm) return;
    const angle = random() * 2 * Math.PI;
    const speed = 0.6 + 2.2 * random();
    const radius = 0.16 + 0.26 * random();
    const [dx, dy] = [Math.cos(angle) * speed, Math.sin(angle) * speed - 0.8];
    this.add(now, 900 + 900 * random(), (t, marks) => {
      const way = easeOut(t);
      const alpha = 0.8 * (1 - t) ** 1.6;
      marks.add({
        kind: 'disc',
        x: x + dx * way,
        y: y + dy * way,
        radius: radius * (1 - 0.6 * t),
        softness: 1,
        color,
        alpha,
        glow: 0.4,
      });
    });
  }

  /** The way one's own brush has just gone, before the server has answered. */
  scar(x: number, y: number, x2: number, y2: number, radius: number, now: number): void {
    this.add(now, 420, (t, marks) => {
      const alpha = (1 - t) ** 2;
      const way = { x, y, x2, y2 };
      const color: Rgb = [0.02, 0.02, 0.025];
      marks.add({ kind: 'disc', ...way, radius, softness: 3, color, alpha: 0.5 * alpha });
      marks.add({
        kind: 'disc',
        ...way,
        radius: 0.12,
        softness: 1,
        color: WARM,
        alpha: 0.55 * alpha,
        glow: 1,
      });
    });
  }

  /** Here it is: rings come in from afar, one after another, and a last one stays around the body for a while. */
  beacon(x: number, y: number, reach: number, color: Rgb, now: number): void {
    const { calm } = this;
    this.add(now, BEACON, (t, marks) => {
      const stay = Math.min(1, t * 5) * Math.min(1, (1 - t) * 4);
      const ring = (radius: number, line: number, alpha: number): void => {
        marks.add({ kind: 'ring', x, y, radius, line, softness: 0.6, color, alpha, glow: 0.6 });
      };
      marks.add({ kind: 'glow', x, y, radius: reach * 2.1, color, alpha: 0.42 * stay, glow: 1 });
      ring(reach, 3, 0.95 * stay);
      if (calm) return;
      for (let i = 0; i < 3; i++) {
        const way = (t - i * 0.17) / 0.42;
        if (way <= 0 || way >= 1) continue;
        ring(reach * (1 + 4.5 * (1 - easeOut(way))), 2, 0.8 * Math.sin(Math.PI * way) ** 0.7);
      }
    });
  }

  /** Puts what is to be seen now on the list and forgets what is over. */
  draw(now: number, marks: MarkList): void {
    this.effects = this.effects.filter(({ start, duration }) => now - start < duration);
    for (const { start, duration, draw } of this.effects) {
      draw(Math.max(0, (now - start) / duration), marks);
    }
  }

  private add(start: number, duration: number, draw: Effect['draw']): void {
    if (this.effects.length >= MAX_EFFECTS) this.effects.shift();
    this.effects.push({ start, duration, draw });
  }
}
