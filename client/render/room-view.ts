/**
 * The view of a room for visitors and hosts: a movable camera, highlighted organisms, and a preview
 * of the tool's effect at the pointer.
 */
import type { Planes } from '../../shared/codec/chunks.ts';
import { clampCentre, type Rect } from '../../shared/geometry.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import { type InteractionState, isBrush } from '../state/interaction-state.ts';
import type { Rgb } from '../style/fragments.ts';
import { type Camera, CameraRig, type Point, type Size } from './camera.ts';
import { CanvasView, type Framing } from './canvas-view.ts';
import type { Effects } from './effects.ts';
import { Resolution } from './frame-pacing.ts';
import { LostConnectionFade } from './lost-connection.ts';
import type { MarkList } from './marks.ts';
import type { CanvasStyle } from './renderer.ts';

/** Draws a room on a canvas, with a camera and the visitor's pointer. */
export class RoomView extends CanvasView {
  readonly rig = new CameraRig();
  hovered = 0;
  /**
   * Position of the visitor's pointer, in CSS pixels; undefined while it is not over the canvas.
   */
  pointer: Pointer | undefined;
  /**
   * Returns the state of the energy ring around the pointer. Undefined while the visitor draws no
   * stroke.
   */
  gauge: (() => EnergyRing) | undefined;
  private readonly fade = new LostConnectionFade();
  private panned = false;
  private drawnFrom: Camera = { x: 0, y: 0, zoom: 1 };

  /** @throws GlError if this browser has no WebGL2 */
  constructor(
    canvas: HTMLCanvasElement,
    model: RoomModel,
    private readonly state: InteractionState,
    style?: CanvasStyle,
  ) {
    super(canvas, model, new Resolution(), style);
    const { invalidate } = this.loop;
    this.unsubscribers.push(model.on('connection', invalidate), state.onChange(invalidate));
  }

  get camera(): Camera {
    return this.rig.camera;
  }

  get effects(): Effects {
    return this.happenings.effects;
  }

  get size(): Size {
    return this.view;
  }

  resize(view: Size): void {
    this.view = view;
    this.loop.invalidate();
  }

  show(organism: Pick<OrganismView, 'x' | 'y' | 'side'>): void {
    this.rig.show(organism, organism.side);
    this.loop.invalidate();
  }

  follow(organism: OrganismView): void {
    this.rig.follow(organism, organism.side, organism.stage);
    this.loop.invalidate();
  }

  /** Moves the camera to show all of an area. @param area in cells */
  match(area: Rect): void {
    this.rig.match(area);
    this.loop.invalidate();
  }

  /** Loads the image that contains the previews of all seeds of the gallery. */
  async loadSheet(): Promise<void> {
    const { sheet } = this.model.checkpoint!;
    const image = new Image();
    image.src = sheet.url;
    // Without the image, there is no preview of the seed at the pointer.
    await image.decode().then(
      () => this.renderer.setSheet(image, sheet.columns),
      () => undefined,
    );
  }

  protected override get isStill(): boolean {
    return this.state.state.still;
  }

  protected move(now: number): boolean {
    const before = this.drawnFrom;
    const moving = this.rig.step(now);
    const { x, y, zoom } = this.camera;
    this.panned = x !== before.x || y !== before.y || zoom !== before.zoom;
    this.drawnFrom = { x, y, zoom };
    return this.fade.step(this.model.connection === 'reconnecting', now) || moving;
  }

  protected frame(): Framing {
    const { pointer, state, hovered } = this;
    if (pointer) this.drawPointer(pointer, state.state, this.gauge);
    const { selection, crisp } = state.state;
    const selected = selection?.organism ?? 0;
    return {
      ...{ camera: this.camera, crisp, faded: this.fade.faded, panned: this.panned },
      highlights: {
        selected,
        hovered: hovered === selected ? 0 : hovered,
        second: selection?.second ?? 0,
      },
    };
  }

  /** Draws a preview of what the active tool would do at a pointer. */
  protected drawPointer(
    pointer: Pointer,
    state: InteractionState['state'],
    gauge: RoomView['gauge'],
  ): void {
    const { model, marks } = this;
    if (model.connection !== 'live') return;
    const at = this.toWorld(pointer);
    const { tool, radius } = state;
    drawPreview(model, state, { ...at, pressed: pointer.pressed }, marks);
    if (!isBrush(tool) || !pointer.pressed || !gauge) return;
    drawEnergyRing(gauge(), { at, radius, zoom: this.camera.zoom }, marks);
  }
}

const CALM: Rgb = [0.74, 0.94, 0.86];
const NO: Rgb = [1, 0.48, 0.42];
const BRUSH: Rgb = [0.98, 0.9, 0.78];
/** Number of beads in the energy ring. */
const BEADS = 30;

/** Returns whether an organism already owns one of the four cells that a new seed would take. */
function isOccupied(planes: Planes, x: number, y: number): boolean {
  for (let j = y - 1; j <= y; j++) {
    for (let i = x - 1; i <= x; i++) {
      if (planes.owner[j * planes.width + i] !== 0) return true;
    }
  }
  return false;
}

interface Pointer extends Point {
  readonly pressed: boolean;
}

/**
 * Draws a preview of what the active tool would do at the pointer.
 *
 * @param pointer position of the pointer, in cells
 */
function drawPreview(
  { planes, checkpoint }: Pick<RoomModel, 'planes' | 'checkpoint'>,
  { tool, radius, held }: InteractionState['state'],
  pointer: Pointer,
  marks: MarkList,
): void {
  if (!planes || !checkpoint) return;
  const { pressed } = pointer;
  const margin = isBrush(tool) ? radius : 6;
  const off =
    pointer.x < -margin ||
    pointer.y < -margin ||
    pointer.x > planes.width + margin ||
    pointer.y > planes.height + margin;
  if (off) return;
  const picture = (at: Point, reach: number, alpha: number): void => {
    if (held.from !== 'gallery') return;
    const { columns } = checkpoint.sheet;
    const tile = { ...at, x2: held.index % columns, y2: Math.floor(held.index / columns) };
    marks.add({ kind: 'picture', ...tile, radius: reach, color: CALM, alpha });
  };
  if (isBrush(tool)) {
    const { x, y } = pointer;
    const alpha = pressed ? 0.95 : 0.65;
    marks.add({ kind: 'disc', x, y, radius, softness: 1, color: BRUSH, alpha: 0.05, glow: 1 });
    marks.add({ kind: 'ring', x, y, radius, line: 1.25, color: BRUSH, alpha });
    if (tool === 'graft' && !pressed) picture({ x, y }, radius, 0.5);
    return;
  }
  if (tool !== 'plant') return;
  const { x, y } = clampCentre(pointer.x, pointer.y, checkpoint.side, planes);
  const half = checkpoint.side / 2;
  if (isOccupied(planes, x, y)) {
    const ring = { kind: 'ring', x, y, color: NO } as const;
    marks.add({ ...ring, radius: half * 0.9, line: 1, softness: 1, alpha: 0.4 });
    marks.add({ ...ring, radius: 2.2, line: 1.5, alpha: 0.9 });
    const d = 1.55;
    const way = { x: x - d, y: y + d, x2: x + d, y2: y - d };
    marks.add({ kind: 'disc', ...way, radius: 0.16, color: NO, alpha: 0.9 });
    return;
  }
  picture({ x, y }, half, pressed ? 0.42 : 0.26);
  marks.add({ kind: 'glow', x, y, radius: half * 1.15, color: CALM, alpha: 0.1, glow: 1 });
  marks.add({ kind: 'ring', x, y, radius: half, line: 1, softness: 0.6, color: CALM, alpha: 0.34 });
  marks.add({ kind: 'disc', x, y, radius: 0.5, softness: 1, color: CALM, alpha: 0.85 });
}

interface EnergyRing {
  /** Share of the visitor's energy that is left, 0…1. */
  readonly share: number;
  /** Whether the current stroke needs more energy than is left. */
  readonly refused: boolean;
  readonly color: Rgb;
  /** Radius of the area that the finger hides, in CSS pixels. */
  readonly finger: number;
}

/**
 * Draws the energy ring: beads around the pointer. Lit beads represent the energy that the visitor
 * has left.
 *
 * @param at position of the pointer, in cells
 * @param radius radius of the stroke, in cells
 * @param zoom CSS pixels per cell
 */
function drawEnergyRing(
  { share, refused, color, finger }: EnergyRing,
  { at, radius, zoom }: { readonly at: Point; readonly radius: number; readonly zoom: number },
  marks: MarkList,
): void {
  const reach = Math.max(radius + 9 / zoom, finger / zoom);
  const lit = share * BEADS;
  for (let i = 0; i < BEADS; i++) {
    const angle = (2 * Math.PI * i) / BEADS - Math.PI / 2;
    const full = Math.max(0, Math.min(1, lit - i));
    marks.add({
      kind: 'disc',
      x: at.x + reach * Math.cos(angle),
      y: at.y + reach * Math.sin(angle),
      radius: (1.1 + 0.7 * full) / zoom,
      softness: 1,
      color: refused ? NO : color,
      alpha: refused ? 0.85 : 0.16 + 0.74 * full,
    });
  }
}
