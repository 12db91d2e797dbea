/**
 * The drawing pad, on which visitors draw with a finger, a mouse or the keyboard. The server turns
 * the drawing into a seed, and a preview shows what grows from the seed.
 */
import { msg } from '@lit/localize';
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { SeedView } from '../../../shared/vocabulary.ts';
import { icons } from '../../elements/icons.ts';
import { byPointer } from '../../elements/text.ts';
import { arrowMove } from '../../input/keyboard.ts';
import type { Answers } from '../../room/connection.ts';
import {
  fire,
  labelled,
  quiet,
  radioGroup,
  solid,
  VisitorElement,
} from '../elements/page-element.ts';
import type { RoomSession } from '../room-session.ts';
import { reasonText } from '../text.ts';
import { drawPadStyle } from './draw-pad-style.ts';
import {
  COLOURS,
  type Colour,
  type Drawing,
  INK,
  normalise,
  paint,
  WIDTHS,
  type Width,
} from './drawing.ts';

/** Side length of the square canvas from which a drawing's pixels are read, in pixels. */
const READ = 256;
/** Distance that an arrow key moves the pen, as a share of the pad's side. */
const KEY_STEP = 0.02;

/**
 * The drawing pad. Fires `take` (`detail`: SeedSource) when the visitor takes the seed made from
 * the drawing.
 */
@customElement('draw-pad')
export class DrawPad extends VisitorElement {
  static override styles = drawPadStyle;

  /**
   * The visitor's session. Changes of its data do not render the pad again, because rendering is
   * slow.
   */
  @property({ attribute: false }) session!: RoomSession;
  /** Whether the page is connected to the room. */
  @property({ attribute: false }) live = false;
  /** Whether the host reviews drawings before they grow. */
  @property({ attribute: false }) asks = false;
  /**
   * The drawing. It is stored outside the pad, because a new pad is created each time it is opened.
   */
  @property({ attribute: false }) drawing!: Drawing;
  @state() private width: Width = 'medium';
  @state() private colour: Colour = 'red';
  @state() private lines = 0;
  /** Sends the pending request for a seed again; undefined if no request is pending. */
  @state() private asking: (() => void) | undefined;
  @state() private refusal = '';
  /**
   * Position (0 to 1) of the pen that is moved with the keyboard, and whether the pen draws
   * (`down`). Undefined while the keyboard is not used.
   */
  @state() private pen: { x: number; y: number; down: boolean } | undefined;
  @query('[data-testid=plant-drawing]') private readonly planter!: HTMLElement | null;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  private pointer: number | undefined;

  private get isInk(): boolean {
    return this.session.model.checkpoint?.draws === 'ink';
  }

  private get seed(): SeedView | undefined {
    return this.drawing.seed;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.forgetLost();
    this.lines = this.drawing.lines.length;
  }

  override firstUpdated(): void {
    new ResizeObserver(() => this.repaint()).observe(this.canvas);
    this.canvas.focus();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.get('live') === false && this.live) this.forgetLost();
    this.toggleAttribute('ink', this.isInk);
    this.toggleAttribute('grown', this.seed !== undefined);
  }

  /** Forgets the seed made from the drawing if the server no longer has the seed. */
  private forgetLost(): void {
    if (!this.session.model.seeds.some(({ id }) => id === this.seed?.id))
      this.drawing.seed = undefined;
  }

  protected override updated(changed: PropertyValues): void {
    this.repaint();
    // After a reconnection, send a pending request again, because its answer was lost.
    if (changed.has('live') && this.live) this.asking?.();
  }

  override render(): TemplateResult {
    const { seed, pen, asking } = this;
    const empty = this.lines === 0;
    return html`<div class="pictures flex">
        <figure>
          <div class="pad">
            <canvas
              class="fill"
              tabindex="0"
              ?inert=${seed !== undefined}
              data-testid="pad"
              role="application"
              aria-label=${msg('Drawing pad. Arrow keys move the pen, space puts it down or lifts it, backspace removes the last line.')}
              @pointerdown=${this.down}
              @pointermove=${this.move}
              @pointerup=${this.up}
              @pointercancel=${this.up}
              @keydown=${this.key}
              @blur=${() => (this.pen = undefined)}
            ></canvas>
            ${empty && !pen && !seed ? html`<p class="hint fill middle soft centred ghost">${this.isInk ? msg('Draw a digit') : byPointer(msg('Draw here with your finger'), msg('Draw here with the mouse'))}</p>` : nothing}
            ${
              pen
                ? html`<span
                  class="pen over round ghost ${pen.down ? 'down' : ''}"
                  style="left:${pen.x * 100}%;top:${pen.y * 100}%"
                ></span>`
                : nothing
            }
            <p class="refusal over centred ghost" role="status">${this.refusal || this.waits()}</p>
          </div>
          ${seed ? html`<figcaption class="soft centred">${msg('Your drawing')}</figcaption>` : nothing}
        </figure>
        <div class="creature" role="status">${seed ? this.creature(seed) : nothing}</div>
      </div>
      <div class="side">
        ${seed ? nothing : html`<div class="tools grid">${this.isInk ? this.brushes() : this.colours()} ${this.edits(empty)}</div>`}
        <div class="last wrap">
          ${this.isInk || seed ? nothing : this.brushes()}
          <footer class="wrap">${
            seed
              ? html`${quiet('try-again', msg('Try again'), () => {
                  this.drawing.seed = undefined;
                  this.requestUpdate();
                  this.updateComplete.then(() => this.canvas.focus());
                })}
                ${solid('plant-drawing', msg('Take it'), () => fire(this, 'take', { from: 'hand', seed: seed.id }))}`
              : solid(
                  'grow-drawing',
                  msg('Let it grow'),
                  this.grow,
                  empty || !!asking || !this.live,
                )
          }</footer>
        </div>
      </div>`;
  }

  private creature({ id: seed }: SeedView): TemplateResult {
    return html`<figure>
      <div class="pad">
        <seed-film
          class="over"
          data-testid="drawn-film"
          .previews=${this.session.previews}
          .seed=${{ from: 'hand', seed }}
        ></seed-film>
      </div>
      <figcaption class="centred">
        ${this.isInk ? msg('Most similar digit that can grow') : msg('Most similar creature that can grow')}
      </figcaption>
    </figure>`;
  }

  /** Returns a note about the host's review of drawings; '' if none is needed. */
  private waits(): string {
    if (!this.asks || this.seed) return '';
    if (this.asking)
      return msg('Your drawing was sent to the host. Keep playing: the answer will appear here.');
    return this.lines === 0 ? msg('The host looks at drawings before they grow.') : '';
  }

  private edits(empty: boolean): TemplateResult {
    const button = (id: 'undo' | 'clear', label: string, icon: TemplateResult) =>
      labelled('soft middle', [label, icon], () => this.edit(id), { id, disabled: empty });
    return html`${button('undo', msg('Undo the last line'), icons.undo)}
    ${button('clear', msg('Clear'), icons.bin)}`;
  }

  private brushes(): TemplateResult {
    const widths = Object.entries(WIDTHS) as [Width, (typeof WIDTHS)[Width]][];
    return radioGroup({
      class: 'brushes',
      label: msg('Thickness'),
      options: widths.map(([value, { share, label }]) => ({
        value,
        testid: `width-${value}`,
        label: label(),
        content: html`<i class="round" style="--size:${share};--colour:${this.ink}"></i>`,
      })),
      selected: this.width,
      choose: (width) => (this.width = width),
    });
  }

  private colours(): TemplateResult {
    const colours = Object.entries(COLOURS) as [Colour, (typeof COLOURS)[Colour]][];
    return radioGroup({
      class: 'colours',
      label: msg('Colour'),
      options: colours.map(([value, { css, label }]) => ({
        value,
        testid: `colour-${value}`,
        label: label(),
        style: `--colour:${css}`,
      })),
      selected: this.colour,
      choose: (colour) => (this.colour = colour),
    });
  }

  private get ink(): string {
    return this.isInk ? INK : COLOURS[this.colour].css;
  }

  private place({ clientX, clientY }: PointerEvent): [number, number] {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  private begin(x: number, y: number): void {
    this.drawing.begin(this.ink, WIDTHS[this.width].share, x, y);
    this.refusal = '';
    this.changed();
  }

  private down(event: PointerEvent): void {
    if (this.seed || this.pointer !== undefined || event.button !== 0) return;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.pen = undefined;
    this.begin(...this.place(event));
  }

  private move(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length > 0 ? all : [event]) this.drawing.move(...this.place(one));
    this.repaint();
  }

  private up(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    this.pointer = undefined;
    this.drawing.end();
    this.changed();
  }

  private key(event: KeyboardEvent): void {
    if (this.seed) return;
    if (event.key === 'Backspace') {
      this.edit('undo');
      event.preventDefault();
      return;
    }
    const move = arrowMove(event, KEY_STEP);
    if (!move && event.key !== ' ') return;
    event.preventDefault();
    const pen = this.pen ?? { x: 0.5, y: 0.5, down: false };
    if (!move) {
      if (pen.down) this.drawing.end();
      else this.begin(pen.x, pen.y);
      this.pen = { ...pen, down: !pen.down };
      this.changed();
      return;
    }
    const clamp = (value: number): number => Math.max(0, Math.min(1, value));
    const [x, y] = [clamp(pen.x + move.x), clamp(pen.y + move.y)];
    this.pen = { ...pen, x, y };
    if (pen.down) this.drawing.move(x, y);
    this.repaint();
  }

  private edit(how: 'undo' | 'clear'): void {
    this.drawing[how]();
    this.changed();
  }

  private changed(): void {
    this.lines = this.drawing.lines.length;
    this.repaint();
  }

  private repaint(): void {
    const side = Math.round(this.canvas.clientWidth * Math.min(2, devicePixelRatio));
    if (side === 0) return;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const context = this.canvas.getContext('2d');
    const { seed, sent, lines } = this.drawing;
    if (context) paint(context, seed ? sent : lines, side);
  }

  /**
   * Returns the drawing as bytes: either ink of shape [side, side], or premultiplied RGBA of shape
   * [side, side, 4]; undefined if the drawing is empty.
   */
  private pixels(): Uint8Array<ArrayBuffer> | undefined {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = READ;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) return undefined;
    paint(context, this.drawing.lines, READ);
    const { data } = context.getImageData(0, 0, READ, READ);
    const { side } = this.session.model.checkpoint!;
    if (this.isInk) {
      const ink = Float32Array.from({ length: READ * READ }, (_, i) => data[4 * i + 3] / 255);
      return normalise({ side: READ, channels: 1, data: ink }, side);
    }
    const colours = Float32Array.from(data, (value, i) => {
      const alpha = data[i | 3] / 255;
      return (i & 3) === 3 ? alpha : (value / 255) * alpha;
    });
    return normalise({ side: READ, channels: 4, data: colours }, side);
  }

  private grow(): void {
    this.drawing.end();
    const pixels = this.pixels();
    if (!pixels) return;
    const sent = [...this.drawing.lines];
    const answers: Answers = {
      accepted: ({ seed }) => {
        this.asking = undefined;
        if (!seed) return;
        Object.assign(this.drawing, { seed, sent });
        // Move the focus, because the button that had the focus was removed.
        this.updateComplete.then(() => this.planter?.focus());
        this.session.receiveDrawing(seed);
      },
      rejected: (reason) => {
        this.asking = undefined;
        this.refusal = reasonText(reason);
        this.session.refuseDrawing(reason);
      },
    };
    this.asking = () => this.session.requests.ask('draw', { pixels }, answers);
    this.asking();
  }
}
