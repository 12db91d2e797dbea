/** A small map of the whole room: where its organisms are, and what part of it the page shows. */
import { msg } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import { lightnessOf, OWNER_CHROMA } from '../../../shared/hues.ts';
import type { CameraRig } from '../../render/camera-rig.ts';
import { fire, PageElement } from './page-element.ts';

/** Fires `go` (`detail`: Point) when a place is touched, and `show-all` when a key presses it. */
@customElement('room-overview')
export class RoomOverview extends PageElement {
  static override styles = css`
    button {
      display: block;
      padding: 0;
      border-radius: 9px;
      overflow: hidden;
      touch-action: none;
    }
    canvas {
      display: block;
      max-width: min(96px, 26vw);
      max-height: 96px;
    }
  `;

  @query('canvas') private readonly canvas!: HTMLCanvasElement;

  override render(): TemplateResult {
    const go = (event: PointerEvent): void => {
      if (event.buttons === 0) return;
      const { left, top, width, height } = this.canvas.getBoundingClientRect();
      const x = ((event.clientX - left) / width) * this.canvas.width;
      const y = ((event.clientY - top) / height) * this.canvas.height;
      fire(this, 'go', { x, y });
    };
    return html`<button
      class="panel"
      data-testid="overview"
      aria-label=${msg('Overview of the room')}
      @pointerdown=${go}
      @pointermove=${go}
      @click=${({ detail }: MouseEvent) => detail === 0 && fire(this, 'show-all', undefined)}
    >
      <canvas></canvas>
    </button>`;
  }

  /** Draws it anew, unless the page shows the whole room. To be called with each picture. */
  draw({ isFitted, shown }: CameraRig): void {
    const { room, organisms } = this.session.model;
    this.hidden = !room || isFitted;
    if (!room || isFitted) return;
    const { canvas } = this;
    // A canvas that is given a size gets new memory, even if it is the same size.
    if (canvas.width !== room.width) canvas.width = room.width;
    if (canvas.height !== room.height) canvas.height = room.height;
    const context = canvas.getContext('2d')!;
    context.clearRect(0, 0, room.width, room.height);
    for (const { x, y, stage, planter } of organisms.values()) {
      context.fillStyle = `oklch(${lightnessOf(planter.hue)} ${OWNER_CHROMA} ${planter.hue})`;
      context.beginPath();
      context.arc(x, y, 3 + 0.3 * stage, 0, 7);
      context.fill();
    }
    // What lies outside the room is not on the map.
    const line = room.width / 70;
    const left = Math.max(line, shown.x);
    const top = Math.max(line, shown.y);
    const right = Math.min(room.width - line, shown.x + shown.width);
    const bottom = Math.min(room.height - line, shown.y + shown.height);
    context.strokeStyle = '#fff';
    context.lineWidth = line;
    context.strokeRect(left, top, right - left, bottom - top);
  }
}
