/** Shows a live room, with the host's tools to select organisms and areas. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';
import type { CursorLayer } from '../elements/cursor-layer.ts';
import { number, unsupportedText, waitingText } from '../elements/text.ts';
import { bindCanvas, type CanvasHand, reportView, ViewTools } from '../input/canvas-input.ts';
import { arrowMove, keyAction, type Press } from '../input/keyboard.ts';
import type { Point, Size } from '../render/camera.ts';
import { RoomView } from '../render/room-view.ts';
import { WallConnection } from '../room/connection.ts';
import type { RoomModel } from '../room/room-model.ts';
import { InteractionState } from '../state/interaction-state.ts';
import { HostElement } from './host-element.ts';
import '../elements/cursor-layer.ts';

/**
 * What the pointer does. `look`: a drag moves the view, and a tap selects an organism. `area`: a
 * drag draws a rectangle. `point`: a drag moves the view, and a tap points at a position.
 */
export type PointerTool = 'look' | 'area' | 'point';

/**
 * Returns the rectangle, in whole cells, that has the given points as opposite corners. It is
 * clipped to the grid and contains at least one cell.
 */
export function areaBetween(a: Point, b: Point, grid: Size): Rect {
  const span = (from: number, to: number, size: number): [number, number] => {
    const low = Math.max(0, Math.min(size - 1, Math.floor(Math.min(from, to))));
    const high = Math.max(low + 1, Math.min(size, Math.ceil(Math.max(from, to))));
    return [low, high - low];
  };
  const [x, width] = span(a.x, b.x, grid.width);
  const [y, height] = span(a.y, b.y, grid.height);
  return { x, y, width, height };
}

/**
 * Responds to pointer gestures on the canvas: moves the view, or fires the event `pick`, `point` or
 * `area` of `LiveView`. Positions are in CSS pixels.
 */
export class PointerTools extends ViewTools implements CanvasHand {
  tool: PointerTool = 'look';
  private dragStart: Point = { x: 0, y: 0 };
  private previous: Point = { x: 0, y: 0 };

  constructor(
    model: RoomModel,
    view: RoomView,
    private readonly emit: (event: string, detail: OrganismId | Point | Rect) => void,
  ) {
    super(model, view);
  }

  toolStart(x: number, y: number): void {
    this.previous = { x, y };
    this.dragStart = this.view.toWorld(this.previous);
  }

  toolMove(x: number, y: number, now: number): void {
    const { planes } = this.model;
    const to = this.view.toWorld({ x, y });
    if (this.tool !== 'area') this.view.rig.panBy(x - this.previous.x, y - this.previous.y, now);
    else if (planes) this.emit('area', areaBetween(this.dragStart, to, planes));
    this.previous = { x, y };
    this.view.loop.invalidate();
  }

  toolEnd(x: number, y: number, tap: boolean, now: number): void {
    if (this.tool === 'area') return;
    if (tap && this.tool === 'point') this.emit('point', this.view.toWorld({ x, y }));
    else if (tap) this.emit('pick', this.organismAt({ x, y }));
    else this.view.rig.release(now);
    this.view.loop.invalidate();
  }

  toolCancel(): void {}

  hover(x: number, y: number): void {
    const organism = this.tool === 'look' ? this.organismAt({ x, y }) : 0;
    if (organism === this.view.hovered) return;
    this.view.hovered = organism;
    this.view.loop.invalidate();
  }

  doubleTap(): void {
    this.view.rig.fit();
    this.view.loop.invalidate();
  }

  leave(): void {
    this.view.hovered = 0;
    this.view.loop.invalidate();
  }
}

/** Distance that an arrow key moves or resizes a rectangle, in cells. */
const STEP = 4;
/** Side length of a new rectangle, in cells. */
const INITIAL = 32;

const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(high, value));

/**
 * Changes a rectangle by keyboard. An arrow key moves the rectangle; an arrow key with Shift
 * resizes it. If there is no rectangle yet, creates one.
 *
 * @param middle middle of the view, in cells, where a new rectangle is centred
 * @returns the new rectangle; undefined if the key is not an arrow key
 */
export function areaKey(
  { key, shiftKey }: Press,
  area: Rect | undefined,
  middle: Point,
  grid: Size,
): Rect | undefined {
  const step = arrowMove({ key, shiftKey: false }, STEP);
  if (!step) return undefined;
  if (!area) {
    const [width, height] = [Math.min(INITIAL, grid.width), Math.min(INITIAL, grid.height)];
    const [x, y] = [middle.x - width / 2, middle.y - height / 2].map(Math.round);
    return inside({ x, y, width, height }, grid);
  }
  const { x, y, width, height } = area;
  if (!shiftKey) return inside({ x: x + step.x, y: y + step.y, width, height }, grid);
  return {
    ...area,
    width: clamp(width + step.x, 1, grid.width - x),
    height: clamp(height + step.y, 1, grid.height - y),
  };
}

/** Moves a rectangle into the grid. */
const inside = ({ x, y, width, height }: Rect, grid: Size): Rect => ({
  x: clamp(x, 0, grid.width - width),
  y: clamp(y, 0, grid.height - height),
  width,
  height,
});

/** Describes a rectangle for screen readers. */
export function areaText({ x, y, width, height }: Rect): string {
  const [w, h, left, top] = [width, height, x, y].map(number);
  return msg(str`${w} × ${h} cells, ${left} from the left and ${top} from the top`);
}

/** Counts the organisms that own at least one cell in a rectangle. */
export function organismsIn({ x, y, width, height }: Rect, { owner, width: row }: Planes): number {
  const found = new Set<number>();
  for (let j = y; j < y + height; j++) {
    for (const id of owner.subarray(j * row + x, j * row + x + width)) found.add(id);
  }
  found.delete(0);
  return found.size;
}

/** Instructions for using each tool with the keyboard. */
const KEYS: Readonly<Record<PointerTool, string>> = {
  look: msg(
    'Arrow keys move the view, plus and minus zoom. Enter selects the organism in the middle. All organisms are listed below.',
  ),
  area: msg(
    'Arrow keys move the rectangle; with Shift they resize it. Enter clears the area, Escape cancels.',
  ),
  point: msg(
    'Arrow keys move the view, plus and minus zoom. Enter asks everybody to look at the place in the middle, Escape cancels.',
  ),
};

/**
 * Shows a live room. Fires these events:
 *
 * - `model` when the room model has changed
 * - `pick` (`detail`: OrganismId) when the host selects an organism with the tool `look`; the id is 0
 *   when the host taps elsewhere or presses Escape
 * - `point` (`detail`: Point, in cells) when the host points at a position
 * - `area` (`detail`: Rect or undefined) when the host draws or cancels a rectangle
 * - `area-ready` (`detail`: Rect) when the host confirms a rectangle with Enter
 */
@customElement('live-view')
export class LiveView extends HostElement {
  static override styles = css`
    :host {
      position: relative;
      overflow: hidden;
      border-radius: 20px;
      border: 1px solid var(--line);
      background: #0a0c0e;
      user-select: none;
      -webkit-user-select: none;
    }
    canvas {
      touch-action: none;
      border-radius: inherit;
      cursor: grab;
    }
    canvas:active {
      cursor: grabbing;
    }
    canvas:is([data-tool='area'], [data-tool='point']) {
      cursor: crosshair;
    }
    .area {
      inset: 0 auto auto 0;
      border: 2px dashed oklch(0.86 0.1 40);
      background: oklch(0.76 0.13 28 / 0.16);
      border-radius: 4px;
    }
    .aim {
      inset: calc(50% - 11px);
      border: 1.5px solid var(--accent);
    }
    .waiting {
      place-content: center;
      padding: 0 24px;
    }
  `;

  @property() room = '';
  @property() tool: PointerTool = 'look';
  @property({ attribute: false }) picked: OrganismId = 0;
  @property({ attribute: false }) area: Rect | undefined;
  @state() private unsupported = false;
  /** Whether to mark the centre of the view, where the Enter key acts. */
  @state() private aiming = false;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  @query('cursor-layer') private readonly cursors!: CursorLayer;
  @query('.area') private readonly frame!: HTMLElement | null;
  private readonly state = new InteractionState();
  private connection: WallConnection | undefined;
  private view: RoomView | undefined;
  private tools: PointerTools | undefined;
  private stop: AbortController | undefined;

  get model(): RoomModel | undefined {
    return this.connection?.model;
  }

  /** Converts grid coordinates to CSS pixels of this element. */
  worldToScreen(x: number, y: number): Point {
    return this.view?.toScreen({ x, y }) ?? { x: 0, y: 0 };
  }

  show(id: OrganismId): void {
    const organism = this.model?.organisms.get(id);
    if (organism) this.view?.show(organism);
  }

  zoom(factor: number): void {
    this.view?.rig.glideBy(0, 0, factor);
    this.view?.loop.invalidate();
  }

  fit(): void {
    this.view?.rig.fit();
    this.view?.loop.invalidate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.disconnect();
  }

  override render(): TemplateResult {
    const { model, area, tool } = this;
    const isLive = !model || model.connection === 'live';
    const waiting = isLive ? '' : `${waitingText(model.connection)} …`;
    const message = this.unsupported ? unsupportedText() : waiting;
    return html`<canvas class="fill" data-testid="live" data-tool=${tool} tabindex="0" role="application"
        aria-label=${msg('The room as visitors see it')} aria-describedby="keys"
        @keydown=${this.key} @focus=${this.updateAim} @blur=${this.updateAim}></canvas>
      <p id="keys" hidden>${KEYS[tool]}</p>
      <cursor-layer></cursor-layer>
      ${area ? html`<div class="area over ghost" role="img" aria-label=${areaText(area)}></div>` : nothing}
      ${this.aiming && tool !== 'area' ? html`<i class="aim over round ghost"></i>` : nothing}
      ${message ? html`<p class="waiting fill grid centred ghost soft" role="status">${message}</p>` : nothing}`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('room')) {
      this.disconnect();
      if (this.room) this.connect();
    }
    if (this.tools) this.tools.tool = this.tool;
    if (changed.has('picked') && this.state.state.selection?.organism !== this.picked) {
      this.state.select(this.picked);
    }
    if (this.area && this.view) this.placeFrame();
  }

  private connect(): void {
    // Connect as a display that only watches. A participant would count towards the room's maximum
    // number of visitors.
    const place = { room: this.room, as: 'view', pass: '', build: '' } as const;
    const connection = new WallConnection({ ...place, renew: () => {} });
    const { model } = connection;
    this.state.take('look');
    try {
      this.view = new RoomView(this.canvas, model, this.state);
    } catch {
      this.unsupported = true;
      return;
    }
    this.connection = connection;
    const { view } = this;
    this.stop = new AbortController();
    const { signal } = this.stop;
    this.tools = new PointerTools(model, view, (event, detail) => this.emit(event, detail));
    signal.addEventListener('abort', bindCanvas(this.canvas, this.tools));
    const { matches } = matchMedia('(prefers-reduced-motion: reduce)');
    view.rig.calm = view.effects.calm = matches;
    // Tell the server which area is visible. The server streams only this area; if the page is
    // hidden, the server streams nothing.
    const report = reportView(view, connection, signal);
    view.onFrame = (now) => {
      const isPending = report(now);
      if (this.area) this.placeFrame();
      return this.cursors.frame(now, (place) => view.toScreen(place)) || isPending;
    };
    const notify = (): void => {
      this.requestUpdate();
      this.emit('model', model);
    };
    for (const name of ['people', 'pace', 'life', 'waiting', 'connection'] as const) {
      model.on(name, () => {
        this.cursors.keep(model.connection === 'live' ? model.participants : undefined);
        notify();
      });
    }
    model.on('cursors', (cursors) => {
      this.cursors.receive(cursors, model.participants, 0);
      view.loop.invalidate();
    });
    model.on('wall', () => {
      this.layout();
      notify();
    });
    const observer = new ResizeObserver(() => this.layout());
    observer.observe(this);
    signal.addEventListener('abort', () => observer.disconnect());
    connection.open();
  }

  private disconnect(): void {
    this.stop?.abort();
    const { connection } = this;
    this.view?.dispose();
    this.view = this.tools = this.connection = undefined;
    connection?.close();
  }

  private layout(): void {
    const { view, model } = this;
    const size = { width: this.clientWidth, height: this.clientHeight };
    view?.resize(size);
    if (!view || !model?.room) return;
    const gap = size.width < 600 ? 10 : 22;
    view.rig.layout(model.room, size, { top: gap, right: gap, bottom: gap, left: gap });
  }

  /** Moves the outline (`frame`) of the selected area to the area's place on the screen. */
  private placeFrame(): void {
    const { frame, area, view } = this;
    if (!frame || !area || !view) return;
    const from = view.toScreen(area);
    const to = view.toScreen({ x: area.x + area.width, y: area.y + area.height });
    const [width, height] = [`${to.x - from.x}px`, `${to.y - from.y}px`];
    const transform = `translate(${from.x}px, ${from.y}px)`;
    Object.assign(frame.style, { transform, width, height });
  }

  private key(event: KeyboardEvent): void {
    const { view, model } = this;
    if (!view || !model?.planes || event.ctrlKey || event.metaKey || event.altKey) return;
    const middle = { x: this.clientWidth / 2, y: this.clientHeight / 2 };
    const action = keyAction(event.key, true);
    if (this.tool === 'area') {
      const area = areaKey(event, this.area, view.toWorld(middle), model.planes);
      if (event.key === 'Enter' && this.area) this.emit('area-ready', this.area);
      else if (area || event.key === 'Escape') this.emit('area', area);
      else return;
    } else if (!action) return;
    else if (action.do === 'move') view.rig.glideBy(action.dx, action.dy, 1);
    else if (action.do === 'zoom') this.zoom(action.factor);
    else if (action.do === 'fit') this.fit();
    else if (action.do === 'use') this.tools?.toolEnd(middle.x, middle.y, true, performance.now());
    else if (action.do === 'escape') this.emit('pick', 0);
    else return;
    event.preventDefault();
    view.loop.invalidate();
  }

  private updateAim(): void {
    this.aiming = this.canvas.matches(':focus-visible');
  }
}
