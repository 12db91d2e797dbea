/** What visitors see of a room, live, with the host's hand over it. */
import { msg } from '@lit/localize';
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Rect } from '../../../shared/geometry.ts';
import type { OrganismId } from '../../../shared/vocabulary.ts';
import type { CursorLayer } from '../../elements/cursor-layer.ts';
import '../../elements/cursor-layer.ts';
import { waitingText } from '../../elements/text.ts';
import { bindCanvas } from '../../input/canvas-input.ts';
import { keyAction } from '../../input/keyboard.ts';
import { ViewportReporter } from '../../input/viewport-reporter.ts';
import type { RoomModel } from '../../net/room-model.ts';
import { WallConnection } from '../../net/wall-connection.ts';
import { RoomView } from '../../render/room-view.ts';
import { InteractionState } from '../../state/interaction-state.ts';
import { areaKey, areaWords } from '../area.ts';
import { type PointerTool, PointerTools } from '../pointer-tools.ts';
import { hostStyle } from '../style.ts';

/**
 * Says `model` when what is known of the room has changed, `pick` (`detail`: OrganismId) when an organism was tapped, `area`
 * (`detail`: Rect or undefined) when a rectangle was drawn or let go, and `area-ready` when Enter says that it is meant.
 */
@customElement('live-view')
export class LiveView extends LitElement {
  static override styles = [
    hostStyle,
    css`
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
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        touch-action: none;
        outline-offset: -3px;
        border-radius: inherit;
        cursor: grab;
      }
      canvas:active {
        cursor: grabbing;
      }
      canvas[data-tool='area'] {
        cursor: crosshair;
      }
      .area {
        position: absolute;
        left: 0;
        top: 0;
        pointer-events: none;
        border: 2px dashed oklch(0.86 0.1 40);
        background: oklch(0.76 0.13 28 / 0.16);
        border-radius: 4px;
      }
      .aim {
        position: absolute;
        left: 50%;
        top: 50%;
        width: 22px;
        height: 22px;
        margin: -11px;
        border: 1.5px solid var(--accent);
        border-radius: 50%;
        pointer-events: none;
      }
      .wait {
        position: absolute;
        inset: 0;
        display: grid;
        place-content: center;
        color: var(--ink-soft);
        pointer-events: none;
      }
    `,
  ];

  @property() room = '';
  @property() tool: PointerTool = 'look';
  @property({ attribute: false }) picked: OrganismId = 0;
  @property({ attribute: false }) area: Rect | undefined;
  /** Why there is no picture, if this browser cannot draw one. */
  @state() private blind = false;
  @state() private aiming = false;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  @query('cursor-layer') private readonly cursors!: CursorLayer;
  @query('.area') private readonly frame!: HTMLElement | null;
  private readonly state = new InteractionState();
  private connection: WallConnection | undefined;
  private view: RoomView | undefined;
  private hand: PointerTools | undefined;
  private stop: AbortController | undefined;

  get model(): RoomModel | undefined {
    return this.connection?.model;
  }

  /** CSS pixels of this element at which a place of the grid is shown. */
  worldToScreen(x: number, y: number): { x: number; y: number } {
    return this.view?.toScreen({ x, y }) ?? { x: 0, y: 0 };
  }

  /** The view goes to an organism. */
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
    this.leave();
  }

  override render(): TemplateResult {
    const { model, area } = this;
    const live = model?.connection === 'live';
    return html`<canvas
        data-testid="live"
        data-tool=${this.tool}
        tabindex="0"
        role="application"
        aria-label=${msg('The room as visitors see it')}
        aria-describedby="keys"
        @keydown=${this.key}
        @focus=${() => {
          this.aiming = this.canvas.matches(':focus-visible');
        }}
        @blur=${() => {
          this.aiming = false;
        }}
      ></canvas>
      <p id="keys" hidden>
        ${
          this.tool === 'area'
            ? msg(
                'Arrow keys move a rectangle, with Shift they change its size. Enter clears what lies in it, Escape lets it go.',
              )
            : msg(
                'Arrow keys move the view, plus and minus zoom. Enter chooses the organism in the middle. All organisms are in a list below.',
              )
        }
      </p>
      <cursor-layer></cursor-layer>
      ${area ? html`<div class="area" role="img" aria-label=${areaWords(area)}></div>` : nothing}
      ${this.aiming && this.tool === 'look' ? html`<i class="aim"></i>` : nothing}
      ${
        this.blind
          ? html`<p class="wait">${msg('This browser cannot draw the room: it has no WebGL2.')}</p>`
          : live || !model
            ? nothing
            : html`<p class="wait" role="status">${waitingText(model.connection, model.ahead)} …</p>`
      }`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (changed.has('room')) {
      this.leave();
      if (this.room) this.enter();
    }
    if (this.hand) this.hand.tool = this.tool;
    if (changed.has('picked') && this.state.state.selection?.organism !== this.picked) {
      this.state.select(this.picked);
    }
    if (this.area && this.view) this.place();
  }

  private enter(): void {
    // Like a wall, the host's page is nobody in the room, and takes no visitor's place.
    const connection = new WallConnection({
      room: this.room,
      build: '',
      renew: () => {},
    });
    this.connection = connection;
    const { model } = connection;
    this.state.take('look');
    try {
      this.view = new RoomView(this.canvas, model, this.state);
    } catch {
      this.blind = true;
      return;
    }
    const { view: director } = this;
    this.stop = new AbortController();
    const { signal } = this.stop;
    this.hand = new PointerTools(model, director, {
      tapped: (organism) => this.say('pick', organism),
      area: (area) => this.say('area', area),
    });
    signal.addEventListener('abort', bindCanvas(this.canvas, this.hand));
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    director.rig.calm = director.effects.calm = calm.matches;
    // A host's phone is sent what it shows, and nothing in a pocket.
    const viewportReporter = new ViewportReporter((look) => connection.send('look', look), 'full');
    director.onFrame = (now) => {
      const live = model.connection === 'live' && !document.hidden;
      const { camera } = director.rig;
      const waits = live && viewportReporter.shows(camera, director.size, devicePixelRatio, now);
      if (this.area) this.place();
      return this.cursors.frame(now, (place) => director.toScreen(place)) || waits;
    };
    const seen = (): void => {
      if (document.hidden && model.connection === 'live') viewportReporter.hide();
      director.loop.invalidate();
    };
    document.addEventListener('visibilitychange', seen, { signal });
    const again = (): void => {
      this.requestUpdate();
      this.say('model', model);
    };
    for (const name of ['people', 'pace', 'life', 'waiting', 'connection'] as const) {
      model.on(name, again);
    }
    model.on('cursors', (cursors) => {
      this.cursors.receive(cursors, model.participants, 0);
      director.loop.invalidate();
    });
    model.on('people', () => this.cursors.keep(model.participants));
    model.on('wall', () => {
      viewportReporter.forget();
      if (document.hidden) viewportReporter.hide();
      this.layout();
      again();
    });
    const observer = new ResizeObserver(() => this.layout());
    observer.observe(this);
    signal.addEventListener('abort', () => observer.disconnect());
  }

  private leave(): void {
    this.stop?.abort();
    const { connection } = this;
    this.view?.dispose();
    this.view = undefined;
    this.hand = undefined;
    this.connection = undefined;
    connection?.close();
  }

  private layout(): void {
    const { view: director, model } = this;
    if (!director) return;
    const view = { width: this.clientWidth, height: this.clientHeight };
    director.resize(view);
    if (!model?.room) return;
    const gap = view.width < 600 ? 10 : 22;
    director.rig.layout(model.room, view, { top: gap, right: gap, bottom: gap, left: gap });
  }

  /** The drawn rectangle stays on its ground while the view moves. */
  private place(): void {
    const { frame, area, view: director } = this;
    if (!frame || !area || !director) return;
    const from = director.toScreen(area);
    const to = director.toScreen({ x: area.x + area.width, y: area.y + area.height });
    frame.style.transform = `translate(${from.x}px, ${from.y}px)`;
    frame.style.width = `${to.x - from.x}px`;
    frame.style.height = `${to.y - from.y}px`;
  }

  private key(event: KeyboardEvent): void {
    const { view: director, model } = this;
    if (!director || !model?.planes || event.ctrlKey || event.metaKey || event.altKey) return;
    const middle = { x: this.clientWidth / 2, y: this.clientHeight / 2 };
    if (this.tool === 'area') {
      if (event.key === 'Enter' && this.area) this.say('area-ready', this.area);
      else if (event.key === 'Escape') this.say('area', undefined);
      else {
        const area = areaKey(event, this.area, director.toWorld(middle), model.planes);
        if (!area) return;
        this.say('area', area);
      }
      event.preventDefault();
      return;
    }
    const action = keyAction(event.key, true);
    if (!action) return;
    if (action.do === 'move') director.rig.glideBy(action.dx, action.dy, 1);
    else if (action.do === 'zoom') this.zoom(action.factor);
    else if (action.do === 'fit') this.fit();
    else if (action.do === 'use') this.hand?.toolEnd(middle.x, middle.y, true, performance.now());
    else if (action.do === 'escape') this.say('pick', 0);
    else return;
    event.preventDefault();
    director.loop.invalidate();
  }

  private say(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
