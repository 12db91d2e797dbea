/**
 * Defines the custom element `<vivarium-room>`, with which other web sites show a room. See
 * CLIENT.md.
 */
import type { Rect } from '../../shared/geometry.ts';
import type { EndReason } from '../../shared/protocol/reasons.ts';
import { TOOLS, type Tool } from '../../shared/vocabulary.ts';
import { bindCanvas, type CanvasHand, reportView } from '../input/canvas-input.ts';
import { EnergyEstimate, ToolHand, type ToolUser } from '../input/tool-hand.ts';
import { RoomView } from '../render/room-view.ts';
import { Room } from '../room/join.ts';
import { InteractionState } from '../state/interaction-state.ts';

/**
 * Messages to show instead of a room, for the reasons why a room cannot be shown. If the site has
 * put its own content into the element, this content is shown instead of the message.
 */
const SENTENCES: Readonly<Partial<Record<EndReason | 'no-webgl', string>>> = {
  'too-many-spectators': 'Too many people are watching right now. Please wait a moment.',
  'no-such-room': 'There is no room with that name.',
  'no-webgl': 'This browser cannot show the room: it has no WebGL2.',
  'protocol-version': 'This page is out of date. Please reload it.',
};
const OTHERWISE = 'The room cannot be reached right now. Please wait a moment.';

const STYLE = `
:host { display: block; position: relative; overflow: hidden; aspect-ratio: 7 / 4; }
:host([hidden]) { display: none; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
:host([interactive]) canvas { touch-action: none; }
p { position: absolute; inset: 0; margin: 0; display: grid; place-content: center; padding: 1em; text-align: center; }
p[hidden] { display: none; }
:host(:not([transparent])) { background: #0a0c0e; color: #e9efee; }`;

/** Handles pointer and keyboard input of an interactive `<vivarium-room>` element. */
class EmbeddedHand extends ToolHand<ToolUser> implements CanvasHand {
  constructor(
    user: ToolUser,
    view: RoomView,
    private readonly tell: (reason: string) => unknown,
  ) {
    super(user, view);
  }

  doubleTap(_x: number, _y: number, fingers: 1 | 2): void {
    if (fingers === 2 || this.session.state.state.tool === 'look') this.view.rig.fit();
    this.view.loop.invalidate();
  }

  protected override refused(reason: string | undefined): void {
    this.tell(reason ?? 'unreachable');
  }
}

/**
 * Shows a room. Attributes:
 * - `src`: address of the room's page
 * - `view`: the part of the room to show: `whole`; `x,y,width,height` in cells; or `follow`, to
 *   follow the newest organism
 * - `interactive`: if set, visitors can act in the room
 * - `tool`: the visitors' tool
 * - `seed`: the gallery's name for the seed that visitors plant
 * - `transparent`: if set, no background is drawn
 *
 * Fires `change` when the state of the connection has changed. Fires `refused` when the server
 * refuses an action; its `detail` is the reason.
 */
export class VivariumRoom extends HTMLElement {
  static readonly observedAttributes = 'src interactive transparent view tool seed'.split(' ');
  /** The room on display, for the site's scripts; undefined if there is none. */
  room: Room | undefined;
  private view: RoomView | undefined;
  private readonly state = new InteractionState();
  private readonly notice: HTMLElement;
  private stop = new AbortController();

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.innerHTML = `<style>${STYLE}</style><p role="status" hidden><slot></slot></p>`;
    this.notice = root.querySelector('p')!;
    new ResizeObserver(() => this.layout()).observe(this);
  }

  connectedCallback(): void {
    this.open(!this.hasAttribute('interactive'));
  }

  attributeChangedCallback(name: string): void {
    if (!this.room) return;
    if (name === 'view') this.aim();
    else if (name === 'tool' || name === 'seed') this.arm();
    else this.connectedCallback();
  }

  /**
   * The area given as `x,y,width,height` in the attribute `view`, in cells; undefined if the
   * attribute has another value or is not set.
   */
  private get area(): Rect | undefined {
    const [x, y, width, height] = (this.getAttribute('view') ?? '').split(',').map(Number);
    return width > 0 && height > 0 && Number.isFinite(x + y) ? { x, y, width, height } : undefined;
  }

  disconnectedCallback(): void {
    this.stop.abort();
    this.view?.dispose();
    this.room?.leave();
    this.view = this.room = undefined;
    this.shadowRoot!.querySelector('canvas')?.remove();
  }

  /** Joins the room. @param watches whether to join as a spectator */
  private open(watches: boolean): void {
    this.disconnectedCallback();
    const src = this.getAttribute('src');
    if (!src) return;
    this.stop = new AbortController();
    const { signal } = this.stop;
    const room = new Room(new URL(src, document.baseURI), { watches, patience: 0 });
    const { connection, model } = room;
    const canvas = document.createElement('canvas');
    this.shadowRoot!.prepend(canvas);
    try {
      const [isClear, renew] = [this.hasAttribute('transparent'), () => this.connectedCallback()];
      this.view = new RoomView(canvas, model, this.state, { isClear, renew });
    } catch {
      this.say('no-webgl');
      return;
    }
    this.room = room;
    const { view } = this;
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    const applyMotion = () => (view.rig.calm = view.effects.calm = calm.matches);
    calm.addEventListener('change', applyMotion, { signal });
    applyMotion();
    const report = reportView(view, connection, signal);
    const flush = this.hasAttribute('interactive') ? this.bind(canvas, view, room, signal) : report;
    view.onFrame = (now) => [report(now), flush(now)].includes(true);
    room.on('opened', () => {
      if (model.checkpoint) this.state.holdFirst(model.checkpoint, Math.random);
      this.arm();
      this.layout();
    });
    room.on('life', ({ event, organism }) => {
      const isNew = event.what === 'born' || event.what === 'divided';
      if (isNew && this.getAttribute('view') === 'follow') view.follow(organism);
    });
    room.on('rejected', ({ reason }) => room.state !== 'live' && this.say(reason));
    connection.unreached = () => this.say('unreachable');
    room.on('connection', (state) => {
      if (state === 'live') this.notice.hidden = true;
      // The server's option `--embed` allows this site to watch rooms, but not to act in them. So
      // join again as a spectator.
      if (room.ended === 'only-watches' && !watches) this.open(true);
      else if (room.ended) this.say(room.ended);
      this.dispatchEvent(new Event('change'));
    });
    connection.open();
  }

  /**
   * Lets visitors act on the canvas by pointer and keyboard, until `signal` aborts.
   *
   * @returns a function to call in each frame, see `ToolHand.flush`
   */
  private bind(canvas: HTMLCanvasElement, view: RoomView, room: Room, signal: AbortSignal) {
    const { connection, model } = room;
    const tell = (detail: string) => this.dispatchEvent(new CustomEvent('refused', { detail }));
    const user: ToolUser = {
      ...{ model, state: this.state, requests: connection.requests, colours: { colours: [] } },
      estimate: new EnergyEstimate(model, () => performance.now()),
      get pause() {
        return model.settings?.paused ? 'paused' : '';
      },
      pointAt: (place) => {
        if (room.you) connection.send('cursor', { ...place, tool: this.state.state.tool });
      },
      sown: () => {
        if (!this.hasAttribute('seed')) this.state.sown(Math.random);
      },
    };
    const hand = new EmbeddedHand(user, view, tell);
    signal.addEventListener('abort', bindCanvas(canvas, hand));
    return (now: number): boolean => hand.flush(now);
  }

  /** Applies the `tool` and `seed` attributes. */
  private arm(): void {
    const { room, state } = this;
    const wished = (this.getAttribute('tool') ?? 'plant') as Tool;
    const index = room?.gallery.indexOf(this.getAttribute('seed') ?? '') ?? -1;
    if (index >= 0) state.hold({ from: 'gallery', index });
    state.take(room?.you && TOOLS.includes(wished) ? wished : 'look');
  }

  private layout(): void {
    const { view, room } = this;
    const size = { width: this.clientWidth, height: this.clientHeight };
    view?.resize(size);
    if (!room?.model.room) return;
    view?.rig.layout(room.model.room, size, { top: 0, right: 0, bottom: 0, left: 0 });
    this.aim();
  }

  /** Applies the `view` attribute immediately, without a camera movement. */
  private aim(): void {
    const { view, area } = this;
    if (!view) return;
    if (area) {
      view.match(area);
      view.rig.open(view.rig.heading);
    } else if (this.getAttribute('view') !== 'follow') view.rig.fit();
    view.loop.invalidate();
  }

  private say(reason: EndReason | 'no-webgl'): void {
    const [slot] = this.notice.children;
    slot.textContent = SENTENCES[reason] ?? OTHERWISE;
    this.notice.hidden = false;
  }
}

if (!customElements.get('vivarium-room')) customElements.define('vivarium-room', VivariumRoom);
