/**
 * Orientation in the room: a small map of the whole room, and a button that finds the visitor's own
 * organisms.
 */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import { lightnessOf, OWNER_CHROMA } from '../../../shared/hues.ts';
import type { OrganismId } from '../../../shared/vocabulary.ts';
import { icons } from '../../elements/icons.ts';
import { number } from '../../elements/text.ts';
import type { CameraRig } from '../../render/camera.ts';
import { owner, visuallyHidden } from '../../style/fragments.ts';
import { fire, PageElement } from './page-element.ts';

/**
 * A small map of the room. Fires `go` (`detail`: Point) when a pointer presses a position, and
 * `show-all` when the map is activated with the keyboard.
 */
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
    span {
      display: block;
      margin-bottom: 2px;
      font-size: 0.75em;
      line-height: 1.3;
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
      <span class="soft">${msg('Overview')}</span>
    </button>`;
  }

  /** Draws the map, unless the page shows the whole room. Call it with each picture. */
  draw({ isFitted, shown }: CameraRig): void {
    const { room, organisms } = this.session.model;
    this.hidden = !room || isFitted;
    if (!room || isFitted) return;
    const { canvas } = this;
    // Assign a size only if it differs, because every assignment reallocates the canvas's memory.
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
    // Keep the frame inside the map, because the view may extend beyond the room.
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

/**
 * Fires `find` (`detail`: OrganismView) with one of the visitor's organisms, and `list-mine` to list
 * all of them.
 */
@customElement('find-mine')
export class FindMine extends PageElement {
  static override styles = css`
    .panel {
      border-radius: 999px;
      overflow: hidden;
      animation: fade-in 0.5s ease-out;
    }
    button {
      display: inline-flex;
      align-items: center;
      gap: 0.65em;
      padding: 0.62em;
      padding-inline: 0.85em 1.1em;
      white-space: nowrap;
    }
    .list {
      gap: 0.3em;
      padding-inline: 0.6em 0.9em;
      border-inline-start: 1px solid var(--line);
    }
    .list svg {
      width: 1.3em;
      height: 1.3em;
    }
    button:focus-visible {
      outline-offset: -3px;
      border-radius: 999px;
    }
    @media (max-width: 359px), (max-height: 299px) {
      .list {
        display: none;
      }
    }
    .who {
      position: relative;
      width: 0.62em;
      height: 0.62em;
      margin: 0.3em;
    }
    .who::after {
      content: '';
      position: absolute;
      inset: -0.3em;
      border: 1.5px solid oklch(${owner} var(--hue) / 0.7);
      border-radius: 50%;
    }
    .unseen {
      border-color: var(--warm);
    }
    .unseen .who::after {
      border: 2px solid var(--warm);
      animation: pulse 1.2s ease-in-out 8;
      --faintest: 0;
    }
    @media (max-width: 299px), (max-height: 299px) {
      span {
        ${visuallyHidden}
      }
      button {
        padding: 0.62em;
        justify-content: center;
      }
    }
  `;

  private lastFound: OrganismId = 0;

  override render(): TemplateResult | typeof nothing {
    const { unseen, model, mine, gone } = this.session;
    const { you, connection } = model;
    const { length: living } = mine;
    if (!you || connection !== 'live' || living === 0) return nothing;
    const label = msg('My creatures');
    return html`<div class="panel flex ${unseen ? 'unseen' : ''}">
      <button class="raise shrinks ${unseen ? 'unseen' : ''}" data-testid="find-mine" @click=${this.find}>
        <i class="who rigid" style="--hue:${you.hue}"></i><span class="cut">${msg('Find mine')}</span>
      </button>
      ${
        living + gone.length > 1
          ? html`<button class="list raise soft rigid number" data-testid="list-mine" title=${label} aria-label=${label} @click=${() => fire(this, 'list-mine')}>
            ${icons.list}${number(living)}
          </button>`
          : nothing
      }
    </div>`;
  }

  /**
   * Finds one of the visitor's organisms: an organism that others have changed and the visitor has
   * not looked at since. If there is none, it finds the newest and then, at each call, the next
   * older organism.
   */
  find(): void {
    const { session } = this;
    const { mine } = session;
    const organism =
      mine.find(({ id }) => id === session.unseen) ??
      mine.filter(({ id }) => id < this.lastFound).at(-1) ??
      mine.at(-1);
    session.unseen = 0;
    this.requestUpdate();
    if (!organism) return;
    this.lastFound = organism.id;
    fire(this, 'find', organism);
  }
}
