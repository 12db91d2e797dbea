/**
 * The page of a touch table. It shows a room in full screen, and up to ten people use it from all
 * sides. A touch near a ring (a person's tools) belongs to this ring. Any other touch opens a new
 * ring.
 */
import { localized, msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, query, queryAll, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { buildOf } from '../../shared/build.ts';
import { RINGS } from '../../shared/limits.ts';
import { type Code, codeOf } from '../../shared/printed-address.ts';
import type { RingEventName } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import '../elements/cursor-layer.ts';
import type { CursorLayer } from '../elements/cursor-layer.ts';
import { number, unsupportedText } from '../elements/text.ts';
import { reportView } from '../input/canvas-input.ts';
import type { Point } from '../render/camera.ts';
import { renewPage, visitorAddress, WallConnection } from '../room/connection.ts';
import type { RoomModel } from '../room/room-model.ts';
import { InteractionState } from '../state/interaction-state.ts';
import { controls } from '../style/controls.ts';
import { REACH, Ring, type RingPlace, TableRing, TableView } from './ring.ts';
import { TIMEOUTS } from './timeouts.ts';

/** A touch belongs to the nearest ring if the ring's centre is less than this far away, in em. */
const NEAR = 2 * REACH.edge;
/** Maximum distance that a finger may move during a tap, in CSS pixels. */
const SLOP = 10;
/** Width of the empty margin around a QR code, in modules (small squares of the code). */
const QUIET = 4;
/** How long the connection must be lost before the table shows a message, in ms. */
const BLINK = 4_000;

/** A QR code for taking an organism home. It stays on screen when its ring is removed. */
interface Card {
  readonly ring: Ring;
  readonly code: Code;
  readonly link: string;
  /** Time at which the code disappears, in ms. */
  readonly until: number;
}

@localized()
@customElement('vivarium-table')
export class VivariumTable extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        position: fixed;
        inset: 0;
        overflow: hidden;
        background: var(--bench);
        font-size: clamp(15px, 1.9vmin, 60px);
        touch-action: none;
        user-select: none;
        -webkit-user-select: none;
        -webkit-touch-callout: none;
      }
      canvas {
        touch-action: none;
      }
      :host([dim]) canvas {
        opacity: 0.1;
      }
      .card,
      .hint {
        translate: -50% -50%;
      }
      .card {
        width: 14em;
        border-radius: 1em;
        background: oklch(0.945 0.012 165);
        box-shadow: var(--shadow);
        touch-action: none;
      }
      .card svg {
        width: 100%;
        height: auto;
        stroke: none;
        fill: oklch(0.17 0.015 225);
        shape-rendering: crispEdges;
      }
      .hint {
        width: 7em;
        border: 0.15em solid oklch(0.94 0.008 200 / 0.75);
        animation: invite 3s ease-out infinite;
      }
      .count,
      .message {
        left: 50%;
        top: 50%;
        translate: -50% -50%;
      }
      .count {
        width: 4em;
        font-size: 1.6em;
        background: conic-gradient(
          var(--accent-deep) calc(var(--left) * 360deg),
          oklch(0.2 0.012 225) 0
        );
      }
      .message {
        max-width: 24em;
        padding: 1.2em 1.8em;
        font-size: 1.3em;
      }
      /* The host's message, shown twice, so that people on both sides can read it. */
      .said {
        left: 50%;
        bottom: 1em;
        translate: -50% 0;
        width: max-content;
        max-width: min(44em, 90%);
        padding: 0.6em 1.4em;
      }
      .said.far {
        inset-block: 1em auto;
        rotate: 180deg;
      }
      @keyframes invite {
        from {
          scale: 0.25;
          opacity: 1;
        }
        to {
          opacity: 0;
        }
      }
    `,
  ];

  private readonly room = location.pathname.match(/^\/table\/([a-z0-9-]+)/)?.[1] ?? 'garden';
  private readonly query = new URLSearchParams(location.search);
  private readonly connection = new WallConnection({
    room: this.room,
    as: 'table',
    pass: this.query.get('pass')?.slice(0, 64) ?? '',
    build: buildOf(document.documentElement.outerHTML),
    renew: renewPage,
  });
  readonly model: RoomModel = this.connection.model;
  /** The circles of tools (rings) that are open on the table, by ring number. */
  readonly rings = new Map<number, Ring>();
  private view: TableView | undefined;
  private gone: ReturnType<typeof setTimeout> | undefined;
  /** Time of the last touch, in ms. Undefined after the table has started over for new people. */
  private touchedAt: number | undefined;
  private origin = '';
  @state() private cards: readonly Card[] = [];
  @state() private isAway = false;
  @state() private isBlind = false;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  @query('cursor-layer') private readonly cursors!: CursorLayer;
  @queryAll('table-ring') private readonly elements!: NodeListOf<TableRing>;

  /** Converts a grid position in cells to CSS pixels. */
  worldToScreen(x: number, y: number): Point {
    return this.view?.toScreen({ x, y }) ?? { x: 0, y: 0 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { model } = this;
    const block = (event: Event): void => event.preventDefault();
    for (const name of ['contextmenu', 'gesturestart', 'dragstart', 'selectstart'] as const) {
      document.addEventListener(name, block);
    }
    document.addEventListener('wheel', block, { passive: false });
    // Record every touch, even on rings and QR codes: the table starts over for new people after a
    // time without touches.
    const touched = (event: Event): void => {
      this.touchedAt = performance.now();
      const pressed = event.composedPath().find((one) => one instanceof TableRing);
      if (pressed) pressed.ring.touchedAt = this.touchedAt;
    };
    window.addEventListener('pointerdown', touched, { capture: true });
    const refresh = (): void => this.requestUpdate();
    for (const event of ['rejected', 'people', 'energy'] as const) model.on(event, refresh);
    model.on('wall', ({ origin }) => {
      const { address } = visitorAddress(this.room, '', location.origin, origin);
      this.origin = new URL(address).origin;
      for (const ring of this.rings.values()) ring.enter();
      this.layout();
    });
    model.on('ring', ({ ring, name, message }) => {
      this.rings.get(ring)?.receive(name as RingEventName, message);
      this.requestUpdate();
    });
    model.on('settings', ({ dim }) => {
      this.toggleAttribute('dim', dim);
      refresh();
    });
    model.on('connection', (state) => {
      document.documentElement.dataset.connection = state;
      clearTimeout(this.gone);
      if (state === 'live') this.isAway = false;
      else this.gone = setTimeout(() => (this.isAway = true), BLINK);
      refresh();
    });
    document.title = `${this.room} · Vivarium`;
    setInterval(() => this.check(performance.now()), TIMEOUTS.check);
    this.connection.open();
  }

  override firstUpdated(): void {
    const { model, canvas, cursors } = this;
    try {
      const state = new InteractionState();
      state.take('look');
      this.view = new TableView(canvas, model, state);
    } catch {
      this.isBlind = true;
      return;
    }
    const { view } = this;
    view.rings = this.rings;
    const report = reportView(view, this.connection, new AbortController().signal);
    view.onFrame = (now) => {
      let waits = report(now);
      for (const { finger } of view.touches.values()) waits = finger.flush(now) || waits;
      return cursors.frame(now, (place) => view.toScreen(place)) || waits;
    };
    model.on('cursors', (pointers) => {
      // Do not show the pointers of people at this table.
      const own = new Set([...this.rings.values()].map((ring) => ring.model.you?.id));
      const others = pointers.filter(({ id }) => !own.has(id));
      cursors.receive(others, model.participants, 0);
      view.loop.invalidate();
    });
    model.on('opened', () => view.loadSheet());
    const { matches } = matchMedia('(prefers-reduced-motion: reduce)');
    view.rig.calm = view.effects.calm = matches;
    new ResizeObserver(() => this.layout()).observe(this);
  }

  override render(): TemplateResult {
    const { rings, cards, message } = this;
    const { message: said } = this.model.settings ?? {};
    const now = performance.now();
    const label = msg('A dish of living creatures. Touch it to begin.');
    const shown = (ring: Ring) =>
      html`<table-ring .ring=${ring} ?leaving=${this.timeLeft(ring, now) < TIMEOUTS.warning.ring}></table-ring>`;
    return html`
      <canvas
        class="fill"
        data-testid="canvas"
        role="img"
        aria-label=${label}
        @pointerdown=${this.down}
        @pointermove=${this.move}
        @pointerup=${this.lift}
        @pointercancel=${this.lift}
      ></canvas>
      <cursor-layer></cursor-layer>
      ${rings.size === 0 && !message ? this.hints() : nothing}
      ${repeat(rings.values(), (ring) => ring, shown)}
      ${cards.map((card) => this.card(card))}
      ${this.countdown(now)}
 ${said ? html`<p class="said panel over centred ghost" role="status" dir="auto">${said}</p><p class="said far panel over centred ghost" aria-hidden="true" dir="auto">${said}</p>` : nothing}
      ${message ? html`<p class="message panel over centred ghost" role="status">${message}</p>` : nothing}
    `;
  }

  /** Explains why nobody can use the table at present; '' if people can use it. */
  private get message(): string {
    const { model, connection, rings } = this;
    const { paused, farewell } = model.settings ?? {};
    const refusal = model.connection === 'live' ? undefined : connection.refusal;
    if (this.isBlind) return unsupportedText();
    const refused: Partial<Record<Reason, string>> = {
      'table-taken': msg(
        'Another screen uses this table’s address. Only one screen at a time can use it.',
      ),
      'no-such-table': msg('This is not the address of a table. Add a table on the host’s page.'),
      'no-such-room': msg('There is no room with that name.'),
    };
    if (refusal && refused[refusal]) return refused[refusal];
    if (this.isAway) return msg('The room cannot be reached right now. Please wait a moment.');
    if (farewell) return msg('This day is over. Thank you, and goodbye.');
    const isBlocked = [...rings.values()].some(({ left }) => left === 'table-blocked');
    return paused || isBlocked ? msg('The host has paused the room for a moment.') : '';
  }

  /** Renders two circles that invite people to touch the table, one in each half of the screen. */
  private hints(): TemplateResult[] {
    const isUpright = this.clientHeight > this.clientWidth;
    return [30, 70].map((share, i) => {
      const [left, top] = isUpright ? [50, share] : [share, 50];
      return html`<div class="hint over round ghost" style="left:${left}%;top:${top}%;animation-delay:${1.5 * i}s"></div>`;
    });
  }

  private card({ ring: { place }, code, link }: Card): TemplateResult {
    const close = () => (this.cards = this.cards.filter((other) => other.link !== link));
    const label = msg(
      'Scan the code, or open the link, and the creature grows again in your own browser.',
    );
    return html`<button
      class="card over"
      data-testid="code"
      data-link=${link}
      style="left:${place.x}px;top:${place.y}px;rotate:${place.turn}deg"
      aria-label=${label}
      @pointerup=${close}
      @click=${({ detail }: MouseEvent) => detail === 0 && close()}
    >
      <svg viewBox="0 0 ${code.side} ${code.side}" aria-hidden="true"><path d=${code.path}></path></svg>
    </button>`;
  }

  /** Renders a countdown shortly before the table starts over. */
  private countdown(now: number): TemplateResult | typeof nothing {
    const left = (this.touchedAt ?? Number.POSITIVE_INFINITY) + TIMEOUTS.table - now;
    const { table } = TIMEOUTS.warning;
    if (left > table) return nothing;
    return html`<div class="count number over middle round centred ghost" data-testid="countdown" style="--left:${left / table}">
      ${number(Math.ceil(left / 1000))}
    </div>`;
  }

  /** Returns the time until a ring is removed, in ms. */
  private timeLeft({ touchedAt, fingers }: Ring, now: number): number {
    return fingers > 0 ? TIMEOUTS.ring : touchedAt + TIMEOUTS.ring - now;
  }

  /**
   * Removes the rings and QR codes whose time is over. If nobody has touched the table for
   * `TIMEOUTS.table` ms, it starts over for new people.
   */
  private check(now: number): void {
    const { touchedAt, cards } = this;
    for (const ring of this.rings.values()) {
      if (this.timeLeft(ring, now) > 0) continue;
      this.rings.delete(ring.number);
      ring.forget();
      this.view?.loop.invalidate();
    }
    const begins = touchedAt !== undefined && now - touchedAt >= TIMEOUTS.table;
    if (begins) this.touchedAt = undefined;
    const kept = begins ? [] : cards.filter(({ until }) => until > now);
    if (kept.length < cards.length) this.cards = kept;
    // Render the current energy and the current countdown.
    if (touchedAt !== undefined) this.requestUpdate();
  }

  private down({ pointerId, offsetX: x, offsetY: y, timeStamp }: PointerEvent): void {
    const { view, model } = this;
    if (!view || model.connection !== 'live' || this.message) return;
    const found = this.ringAt({ x, y });
    if (!found) {
      this.open({ x, y });
      return;
    }
    found.touchedAt = performance.now();
    if (found.left) return;
    this.canvas.setPointerCapture(pointerId);
    view.touch(pointerId, found, { x, y }).toolStart(x, y, timeStamp);
  }

  private move(event: PointerEvent): void {
    const touch = this.view?.touches.get(event.pointerId);
    if (!touch) return;
    for (const { offsetX: x, offsetY: y, timeStamp } of event.getCoalescedEvents?.() ?? [event]) {
      touch.hasMoved ||= Math.hypot(x - touch.start.x, y - touch.start.y) > SLOP;
      touch.finger.toolMove(x, y, timeStamp);
    }
  }

  private lift({ type, pointerId, offsetX: x, offsetY: y, timeStamp }: PointerEvent): void {
    const touch = this.view?.touches.get(pointerId);
    if (!touch) return;
    if (type === 'pointercancel') touch.finger.toolCancel(timeStamp);
    else touch.finger.toolEnd(x, y, !touch.hasMoved, timeStamp);
    touch.ring.touchedAt = performance.now();
    this.view?.touches.delete(pointerId);
    this.requestUpdate();
  }

  /** Returns the ring that a touch belongs to; undefined if the touch must open a new ring. */
  private ringAt(at: Point): Ring | undefined {
    const distance = ({ place }: Ring): number => Math.hypot(place.x - at.x, place.y - at.y);
    const [nearest] = [...this.rings.values()].sort((a, b) => distance(a) - distance(b));
    if (!nearest) return undefined;
    return this.rings.size >= RINGS || distance(nearest) < NEAR * this.em ? nearest : undefined;
  }

  private open(at: Point): void {
    const free = [...Array(RINGS).keys()].find((each) => !this.rings.has(each))!;
    const page = { send: this.connection.send, showCode: this.showCode, refused: this.refused };
    const ring = new Ring(free, this.placeOf(at), this.model, page, performance.now());
    this.rings.set(free, ring);
    ring.state.onChange(() => this.view?.loop.invalidate());
    ring.previews.onChange(() => this.requestUpdate());
    ring.enter();
    this.requestUpdate();
  }

  /**
   * Returns the place of the ring that a touch opens: at the touch, but completely on the screen,
   * and facing the screen's nearest edge.
   */
  private placeOf({ x, y }: Point): RingPlace {
    const { clientWidth: width, clientHeight: height } = this;
    const reach = REACH.edge * this.em;
    const inside = (at: number, length: number): number =>
      Math.max(Math.min(reach, length / 2), Math.min(length - reach, at));
    const edges = [height - y, x, y, width - x];
    // If the screen stands upright (option `upright`), all people see it from the same side, so
    // every ring faces the lower edge.
    const turn = this.query.has('upright') ? 0 : 90 * edges.indexOf(Math.min(...edges));
    return { x: inside(x, width), y: inside(y, height), turn };
  }

  /** Font size, in CSS pixels. All lengths on the page are relative to it. */
  private get em(): number {
    return Number.parseFloat(getComputedStyle(this).fontSize);
  }

  private readonly showCode = (ring: Ring, token: string, page = `${this.origin}/keep`): void => {
    const link = `${page}#${token}/${this.room}`;
    // Replace the ring's previous QR code.
    const others = this.cards.filter((card) => card.ring !== ring);
    const until = performance.now() + TIMEOUTS.table;
    this.cards = [...others, { ring, link, code: codeOf(link, QUIET), until }];
  };

  private readonly refused = (ring: Ring): void => {
    for (const element of this.elements) if (element.ring === ring) element.refuse();
    this.requestUpdate();
  };

  /**
   * Zooms so that the room covers the whole screen, and centres the room. Negative insets stand for
   * parts of the room outside the screen.
   */
  private layout(): void {
    const { view, clientWidth: width, clientHeight: height } = this;
    const { room } = this.model;
    if (!view || !room) return;
    const zoom = Math.max(width / room.width, height / room.height);
    const x = (width - zoom * room.width) / 2;
    const y = (height - zoom * room.height) / 2;
    view.resize({ width, height });
    view.rig.layout(room, { width, height }, { top: y, right: x, bottom: y, left: x });
  }
}
