/** A live picture of one organism without its neighbours. */
import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { Planes } from '../../../shared/codec/chunks.ts';
import { intersects, type Rect, windowAround } from '../../../shared/geometry.ts';
import type { OrganismId, OrganismView } from '../../../shared/vocabulary.ts';
import type { RoomModel } from '../../room/room-model.ts';
import { VisitorElement } from '../elements/page-element.ts';

/**
 * Copies the cells that an organism owns from the room's planes.
 *
 * @returns RGBA [side, side, 4], not premultiplied
 */
export function portraitOf(
  { id, x, y, side }: OrganismView,
  { rgba, owner, width, height }: Planes,
): Uint8ClampedArray<ArrayBuffer> {
  const shown = new Uint8ClampedArray(4 * side * side);
  const { x: left, y: top } = windowAround(x, y, side);
  for (let j = 0, offset = 0; j < side; j++) {
    for (let i = 0; i < side; i++, offset += 4) {
      const [px, py] = [left + i, top + j];
      if (px < 0 || py < 0 || px >= width || py >= height) continue;
      const cell = py * width + px;
      const alpha = rgba[4 * cell + 3];
      if (owner[cell] !== id || alpha === 0) continue;
      for (let c = 0; c < 3; c++) shown[offset + c] = (255 * rgba[4 * cell + c]) / alpha;
      shown[offset + 3] = alpha;
    }
  }
  return shown;
}

/** Redraws when a part of the room that overlaps the organism changes. */
@customElement('organism-portrait')
export class OrganismPortrait extends VisitorElement {
  static override styles = css`
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
  `;

  @property({ attribute: false }) model!: RoomModel;
  @property({ attribute: false }) organism: OrganismId = 0;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute('aria-hidden', 'true');
    this.untilGone(this.model.on('picture', ({ changed }) => this.changed(changed)));
  }

  override render(): TemplateResult {
    return html`<canvas></canvas>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('organism')) this.draw();
  }

  private changed(rects: readonly Rect[]): void {
    const organism = this.model.organisms.get(this.organism);
    if (!organism) return;
    const window = windowAround(organism.x, organism.y, organism.side);
    if (rects.some((rect) => intersects(rect, window))) this.draw();
  }

  private draw(): void {
    const { planes, organisms } = this.model;
    const organism = organisms.get(this.organism);
    // A removed organism keeps its last picture.
    if (!planes || !organism) return;
    const { side } = organism;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const image = new ImageData(portraitOf(organism, planes), side, side);
    this.canvas.getContext('2d')?.putImageData(image, 0, 0);
  }
}
