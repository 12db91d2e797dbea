/**
 * Draws the other participants' pointers, each with a name and a colour, and moves them smoothly.
 */
import { css, LitElement } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { Rect } from '../../shared/geometry.ts';
import type { Pointer } from '../../shared/protocol/pointers.ts';
import type { ParticipantId, ParticipantView } from '../../shared/vocabulary.ts';
import type { Point } from '../render/camera.ts';
import { calm, owner } from '../style/fragments.ts';

/** Time constant for smoothing the motion of pointers, in ms. */
const SMOOTHING = 70;
/** Distance from a pointer to its name, in CSS pixels. */
const NAME_OFFSET = 11;
/**
 * Approximate distance from the middle of a pointer to the bottom edge of its name, in CSS pixels.
 */
const HEIGHT = 24;

/**
 * The picture of the room sways slowly, as if under water. So even a pointer that rests on the grid
 * moves on the screen. Such a pointer is redrawn every `FOLLOW` ms, or as soon as it has moved by
 * `LEAST` CSS pixels.
 */
const FOLLOW = 100;
const LEAST = 2;
/**
 * A name is hidden while it would cover other content, and for this time afterwards, in ms, so that
 * it does not flicker while its pointer moves.
 */
const HIDDEN = 400;
const UNDRAWN: Point = { x: Number.NaN, y: 0 };

interface Cursor {
  readonly element: HTMLElement;
  readonly name: HTMLElement;
  /** Width of the participant's name, in CSS pixels. */
  width: number;
  position: Point;
  target: Point;
  /** Position at which the pointer was last drawn, in CSS pixels. */
  at: Point;
  /** Time at which the name last overlapped other content, in ms. */
  coveredAt: number;
}

/**
 * Styles of a layer over the canvas. Pointer events pass through the layer to the canvas. The
 * animation `come` fades elements in.
 */
export const layerStyle = css`
  :host {
    position: absolute;
    inset: 0;
    overflow: hidden;
    pointer-events: none;
    contain: strict;
  }
  @keyframes come {
    from {
      opacity: 0;
    }
  }
`;

@customElement('cursor-layer')
export class CursorLayer extends LitElement {
  static override styles = css`
    ${layerStyle}
    .cursor {
      position: absolute;
      left: 0;
      top: 0;
      will-change: transform;
      animation: come 0.4s ease-out;
    }
    i {
      position: absolute;
      left: -5px;
      top: -5px;
      width: 10px;
      height: 10px;
      border-radius: 50%;
      background: oklch(${owner} var(--hue));
      box-shadow:
        0 0 0 2px oklch(0.15 0.01 230 / 0.65),
        0 0 14px oklch(${owner} var(--hue) / 0.6);
    }
    [data-tool='damage'] i {
      background: none;
      border: 2px solid oklch(${owner} var(--hue));
    }
    [data-tool='graft'] i {
      border-radius: 50% 0 50% 50%;
    }
    [data-tool='look'] i {
      transform: scale(0.75);
    }
    span {
      position: absolute;
      left: ${NAME_OFFSET}px;
      top: 3px;
      font-size: 0.82em;
      line-height: 1.3;
      white-space: nowrap;
      padding: 0 0.5em;
      border-radius: 999px;
      color: oklch(0.9 0.06 var(--hue));
      background: oklch(0.17 0.012 225 / 0.8);
    }
    /* Near the right edge of the screen, the name is to the left of its pointer. */
    .left span {
      left: auto;
      right: ${NAME_OFFSET}px;
    }
    span:empty {
      display: none;
    }
    ${calm}
    @media (forced-colors: active) {
      i {
        forced-color-adjust: none;
      }
    }
  `;

  private readonly cursors = new Map<ParticipantId, Cursor>();
  private lastFrameTime = 0;
  /** Time at which all resting pointers were last redrawn (see `FOLLOW`), in ms. */
  private followedAt = 0;

  /**
   * Applies a server message with new positions of pointers, in cells. Ignores the visitor's own
   * pointer, and removes pointers without a position.
   */
  receive(
    cursors: readonly Pointer[],
    participants: ReadonlyMap<ParticipantId, ParticipantView>,
    you: ParticipantId,
  ): void {
    for (const { id, x, y, tool } of cursors) {
      const participant = participants.get(id);
      if (id === you || !participant || x === undefined || y === undefined) {
        this.drop(id);
        continue;
      }
      let cursor = this.cursors.get(id);
      if (!cursor) {
        const element = document.createElement('div');
        element.className = 'cursor';
        element.style.setProperty('--hue', String(participant.hue));
        const name = document.createElement('span');
        name.textContent = participant.name;
        element.append(document.createElement('i'), name);
        this.renderRoot.append(element);
        const place = { position: { x, y }, target: { x, y }, at: UNDRAWN, coveredAt: -Infinity };
        cursor = { element, name, width: name.offsetWidth, ...place };
        this.cursors.set(id, cursor);
      }
      cursor.target = { x, y };
      cursor.element.dataset.tool = tool;
    }
  }

  /**
   * Removes the pointers of participants who have left, and updates changed names.
   *
   * @param participants the participants in the room; if undefined, removes all pointers
   */
  keep(participants?: ReadonlyMap<ParticipantId, ParticipantView>): void {
    for (const [id, cursor] of this.cursors) {
      const participant = participants?.get(id);
      if (!participant) this.drop(id);
      else if (participant.name !== cursor.name.textContent) {
        cursor.name.textContent = participant.name;
        cursor.width = cursor.name.offsetWidth;
      }
    }
  }

  /**
   * Moves the pointers for one animation frame.
   *
   * @param now time of the frame, in ms
   * @param toScreen converts a position on the grid to CSS pixels
   * @param isBare returns whether an area of the screen, in CSS pixels, is free of other content.
   *   Names are shown only in free areas
   * @returns whether any pointer is still moving
   */
  frame(
    now: number,
    toScreen: (place: Point) => Point,
    isBare: (area: Rect) => boolean = () => true,
  ): boolean {
    const share = 1 - Math.exp(-Math.min(100, now - this.lastFrameTime) / SMOOTHING);
    this.lastFrameTime = now;
    const { clientWidth } = this;
    const isDue = now - this.followedAt > FOLLOW;
    if (isDue) this.followedAt = now;
    let moving = false;
    for (const cursor of this.cursors.values()) {
      const { position, target } = cursor;
      const [dx, dy] = [target.x - position.x, target.y - position.y];
      const distance = Math.hypot(dx, dy);
      // A pointer jumps to a distant position instead of gliding across the room.
      const step = distance > 80 || distance < 0.02 ? 1 : share;
      cursor.position = { x: position.x + dx * step, y: position.y + dy * step };
      moving ||= step < 1;
      const at = toScreen(cursor.position);
      const { x, y } = at;
      const way = Math.abs(x - cursor.at.x) + Math.abs(y - cursor.at.y);
      if (step === 1 && !isDue && way < LEAST) continue;
      cursor.at = at;
      const isLeft = x + NAME_OFFSET + cursor.width > clientWidth;
      cursor.element.classList.toggle('left', isLeft);
      const width = cursor.width + NAME_OFFSET;
      const area = { x: isLeft ? x - width : x, y, width, height: HEIGHT };
      if (!isBare(area)) cursor.coveredAt = now;
      cursor.name.style.opacity = now < cursor.coveredAt + HIDDEN ? '0' : '';
      cursor.element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    }
    return moving;
  }

  private drop(id: ParticipantId): void {
    this.cursors.get(id)?.element.remove();
    this.cursors.delete(id);
  }
}
