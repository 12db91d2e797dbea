/**
 * A ring on a touch table: one person's tools, arranged in a circle. Each person is a participant,
 * but all people at a table share one connection to the server.
 */

import { localized, msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import * as v from 'valibot';
import type { SeedSource } from '../../shared/protocol/commands.ts';
import {
  type Event,
  RING_EVENTS,
  type RingEvent,
  type RingEventName,
} from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismId, OrganismView, SeedView } from '../../shared/vocabulary.ts';
import { icons, tile } from '../elements/icons.ts';
import { kindName } from '../elements/text.ts';
import { organismAt } from '../input/canvas-input.ts';
import { EnergyEstimate, ToolHand, type ToolUser } from '../input/tool-hand.ts';
import type { Point } from '../render/camera.ts';
import type { Framing } from '../render/canvas-view.ts';
import { RoomView } from '../render/room-view.ts';
import { RequestTracker } from '../room/connection.ts';
import type { RoomModel, Send } from '../room/room-model.ts';
import { Previews, SeedColours } from '../room/seed-previews.ts';
import { Listeners, offered } from '../state/browser-store.ts';
import { InteractionState } from '../state/interaction-state.ts';
import { STROKE_RADIUS } from '../state/stroke-width.ts';
import { controls } from '../style/controls.ts';
import { owner, ownerColor } from '../style/fragments.ts';

/**
 * Delay before the next request for a seat in the room, in ms, if the server has temporarily
 * refused a person a seat.
 */
const RETRY = 2_000;

/** Place of a ring: its centre, in CSS pixels, and its rotation (`turn`), in degrees clockwise. */
export interface RingPlace extends Point {
  readonly turn: number;
}

/** The functions of the table's page that a ring uses. */
interface RingPage {
  readonly send: Send;
  /**
   * Shows a QR code for a page that grows an organism again on the person's own device.
   *
   * @param token the organism's seed as text
   * @param page URL of the page that grows the organism; undefined stands for `/keep`, see
   *   `Event<'accepted'>`
   */
  showCode(ring: Ring, token: string, page: string | undefined): void;
  /** Shows that a touch had no effect. */
  refused(ring: Ring): void;
}

export class Ring implements ToolUser {
  /** The table's model of the room, adapted to this person: `you` is this person. */
  readonly model: RoomModel;
  readonly state = new InteractionState(STROKE_RADIUS.touchRadius);
  readonly requests = new RequestTracker((name, message) =>
    this.page.send('ring', { ring: this.number, name: name as never, message }),
  );
  readonly previews = new Previews(this.requests.ask);
  readonly colours = new SeedColours(this.previews, this.state);
  readonly estimate: EnergyEstimate;
  /** Why this person may not act, for example because of a ban; undefined if they may. */
  left: Reason | undefined;
  /** Seeds that this person has made by crossing, newest first. */
  hand: readonly SeedView[] = [];
  /** Number of fingers with which this person is touching the room. */
  fingers = 0;
  /** Index of the ring's first seed among the offered seeds, taken modulo their number. */
  first = Math.floor(Math.random() * 1_000);
  private readonly listeners = new Listeners<{ energy: Event<'energy'>; welcome: undefined }>();
  /** Id of this ring's session on the server. Command ids are unique within a session. */
  private readonly session = Date.now() >>> 0;
  private seat: Partial<RingEvent<'seated'>> = {};
  private isSeated = false;
  private isForgotten = false;
  /** Organisms from which this person has taken back the latest graft. */
  private readonly settled = new Set<OrganismId>();
  private readonly stopWatching: () => void;

  /** @param touchedAt time of the last touch of the ring, in ms */
  constructor(
    readonly number: number,
    readonly place: RingPlace,
    table: RoomModel,
    private readonly page: RingPage,
    public touchedAt: number,
  ) {
    // Inherit all properties of the table's model except these three.
    this.model = Object.create(table, {
      you: { get: () => this.seat.you },
      connection: { get: () => (this.isSeated ? table.connection : 'connecting') },
      on: { value: this.listeners.on.bind(this.listeners) },
    });
    this.estimate = new EnergyEstimate(this.model, () => performance.now());
    this.stopWatching = table.on('life', ({ event }) => {
      const isOwn = event.what === 'grafted' && event.by === this.seat.you?.id;
      if (isOwn && event.kind !== undefined) this.settled.delete(event.id);
    });
    // Request a preview of the held seed only if the ring needs it, because the seed is not in the
    // gallery or because its colours are needed for a graft.
    this.state.onChange(() => {
      const { held, tool } = this.state.state;
      if (held.from === 'gallery' && tool !== 'graft') this.previews.forget(this);
      else this.previews.want(this, held);
    });
  }

  get pause(): string {
    const { paused, farewell } = this.model.settings ?? {};
    return paused || farewell ? 'paused' : '';
  }

  /** The living organism that this person planted last, if any. */
  get own(): OrganismView | undefined {
    const { organisms, you } = this.model;
    return [...organisms.values()].reverse().find((one) => this.isOwn(one) && you !== undefined);
  }

  /** The newest organism with a graft that this person can take back, if any. */
  get grafted(): OrganismView | undefined {
    const { organisms, you } = this.model;
    const hasGraft = ({ id, parts = [] }: OrganismView) =>
      !this.settled.has(id) && parts.some(({ by }) => by && by.id === you?.id);
    return [...organisms.values()].reverse().find(hasGraft);
  }

  isOwn({ planter, phase }: OrganismView): boolean {
    return planter.id === this.model.you?.id && phase !== 'departing';
  }

  /**
   * Asks the server for a seat in the room for this person. If they had a seat before, asks for
   * that seat.
   */
  enter(): void {
    const { resume, mark } = this.seat;
    const { number: ring, session } = this;
    this.isSeated = false;
    if (this.left) return;
    this.page.send('enter', { ring, session, ...(resume && { resume }), ...(mark && { mark }) });
  }

  forget(): void {
    this.isForgotten = true;
    this.stopWatching();
    this.page.send('forget', { ring: this.number });
    this.previews.close();
  }

  /**
   * Handles a message from the server to this ring. Ignores a message that does not match its
   * schema.
   */
  receive<N extends RingEventName>(name: N, payload: unknown): void {
    const parsed = v.safeParse(RING_EVENTS[name], payload);
    if (parsed.success) this.handlers[name](parsed.output as never);
  }

  pointAt(place: Point | undefined): void {
    const message = { ...place, tool: this.state.state.tool };
    this.page.send('ring', { ring: this.number, name: 'cursor', message });
  }

  sown(): void {
    this.state.sown(Math.random);
  }

  readonly refused = (): void => this.page.refused(this);

  cross(a: OrganismId, b: OrganismId): void {
    const accepted = ({ seed }: Event<'accepted'>): void => {
      if (!seed) return;
      this.hand = [seed, ...this.hand];
      this.state.hold({ from: 'hand', seed: seed.id });
    };
    this.requests.ask('cross', { a, b, mix: 0.5 }, { accepted, rejected: this.refused });
  }

  takeAlong({ id: organism }: OrganismView): void {
    const accepted = ({ token, page }: Event<'accepted'>) =>
      token && this.page.showCode(this, token, page);
    this.requests.ask('keep', { organism }, { accepted, rejected: this.refused });
  }

  /** Takes back this person's last graft on an organism. */
  ungraft({ id: organism }: OrganismView): void {
    const accepted = () => this.settled.add(organism);
    this.requests.ask('ungraft', { organism }, { accepted, rejected: this.refused });
  }

  private readonly handlers: { [N in RingEventName]: (message: RingEvent<N>) => void } = {
    seated: (seat) => {
      const { checkpoint, settings } = this.model;
      const isNew = this.seat.you === undefined;
      this.seat = { ...this.seat, ...seat };
      this.isSeated = true;
      this.listeners.emit('welcome', undefined);
      this.tellEnergy(seat.energy);
      if (isNew && checkpoint) this.state.holdFirst(checkpoint, Math.random, settings);
      if (settings) this.state.setWidest(settings.maxRadius);
      // If the host has chosen seeds to be offered first, show these seeds first.
      if (isNew && settings?.first?.length) this.first = 0;
      this.hand = [...seat.hand].reverse();
      this.state.keepTo(this.hand, Math.random);
      this.requests.resume(seat.you.id);
      this.previews.renew(seat.you.id);
    },
    left: ({ reason }) => {
      this.isSeated = false;
      const isFinal = reason === 'sent-away' || reason === 'table-blocked';
      if (isFinal) this.left = reason;
      else setTimeout(() => this.isForgotten || this.enter(), RETRY);
      this.refused();
    },
    energy: (energy) => this.tellEnergy(energy),
    accepted: (answer) => {
      this.spent(answer.energy);
      this.requests.accepted(answer);
    },
    rejected: (answer) => {
      this.spent(answer.energy);
      this.requests.rejected(answer);
    },
  };

  private spent(level: number | undefined): void {
    const { energy } = this.seat;
    if (level !== undefined && energy) this.tellEnergy({ ...energy, level });
  }

  private tellEnergy(energy: Event<'energy'>): void {
    this.seat = { ...this.seat, energy };
    this.listeners.emit('energy', energy);
  }
}

/** One person's finger that touches the room. */
export class Finger extends ToolHand<Ring> {
  /** Id of the organism under the finger when the touch began; 0 if there was none. */
  from: OrganismId = 0;

  override toolStart(x: number, y: number, now: number): void {
    super.toolStart(x, y, now);
    this.session.fingers++;
    if (this.tool === 'plant') this.from = this.organismAt({ x, y });
  }

  /**
   * Ends a touch. A tap on an organism that this person has planted shows a QR code for taking it
   * home. A drag from one organism to another crosses the two.
   */
  override toolEnd(x: number, y: number, tap: boolean, now: number): void {
    const { from, session, model } = this;
    const to = from && this.organismAt({ x, y });
    const touched = model.organisms.get(to);
    const isTaken = tap && touched && session.isOwn(touched);
    if (isTaken) session.takeAlong(touched);
    else if (to && to !== from) session.cross(from, to);
    if (isTaken || (from && !tap)) this.toolCancel(now);
    else {
      super.toolEnd(x, y, tap, now);
      this.leave(now);
      session.fingers--;
    }
  }

  override toolCancel(now: number): void {
    super.toolCancel(now);
    this.session.fingers--;
  }

  protected override refused(): void {
    this.session.refused();
  }
}

/** Half the width of the line that shows a drag from one organism to another, in cells. */
const THREAD = 0.35;

interface Touch {
  readonly finger: Finger;
  readonly view: RoomView;
  readonly ring: Ring;
  readonly start: Point;
  /** Whether the finger has moved too far for the touch to be a tap. */
  hasMoved: boolean;
}

export class TableView extends RoomView {
  /** The fingers touching the room, by pointer id. */
  readonly touches = new Map<number, Touch>();
  /** The circles of tools (rings) that are open on the table, by ring number. */
  rings: ReadonlyMap<number, Ring> = new Map();

  /** Assigns a pointer that touches the room to a ring. */
  touch(pointer: number, ring: Ring, start: Point): Finger {
    // Give each finger its own pointer properties. All other properties are shared with the table's
    // view.
    const view: RoomView = Object.create(this, {
      pointer: { value: undefined, writable: true },
      hovered: { value: 0, writable: true },
      gauge: { value: undefined, writable: true },
    });
    const finger = new Finger(ring, view);
    this.touches.set(pointer, { finger, view, ring, start, hasMoved: false });
    return finger;
  }

  protected override frame(): Framing {
    for (const { view, ring, finger } of this.touches.values()) {
      const from = this.model.organisms.get(finger.from);
      if (!view.pointer) continue;
      if (!from) this.drawPointer(view.pointer, ring.state.state, view.gauge);
      else {
        const color = ownerColor(ring.model.you?.hue ?? 0);
        const { x: x2, y: y2 } = this.toWorld(view.pointer);
        const line = { x: from.x, y: from.y, x2, y2, radius: THREAD };
        this.marks.add({ kind: 'disc', ...line, softness: 1, color, alpha: 0.9 });
      }
    }
    for (const { state, fingers, place, left } of this.rings.values()) {
      // If the ring is not in use and no organism is at its centre, preview the tool's effect at
      // the centre.
      const isFree = !left && fingers === 0 && organismAt(this.model, this.toWorld(place)) === 0;
      if (isFree) this.drawPointer({ ...place, pressed: false }, state.state, undefined);
    }
    return super.frame();
  }
}

/** Distances from a ring's centre, in em: to the centres of its buttons, and to its outer edge. */
export const REACH = { buttons: 6.6, edge: 8.4 } as const;
/** Number of seeds that a ring shows at a time. */
const TILES = 5;
/**
 * Angle between neighbouring buttons, in degrees. Leaves a gap in the ring for the person's hand.
 */
const STEP = 32;

interface RingButton {
  readonly id: string;
  readonly label: string;
  readonly picture: TemplateResult;
  readonly act: () => void;
  readonly pressed?: boolean;
}

/**
 * Renders a ring (the circle of tools for one person at a touch table): its buttons, and a band
 * that shows this person's energy.
 */
@localized()
@customElement('table-ring')
export class TableRing extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        position: absolute;
        width: 0;
        height: 0;
        pointer-events: none;
      }
      .band,
      .away,
      button {
        translate: -50% -50%;
      }
      /* The band shows the energy that is left, in the person's colour. */
      .band {
        width: ${2 * REACH.buttons - 3.6}em;
        background: conic-gradient(
          oklch(${owner} var(--hue)) calc(var(--share) * 360deg),
          oklch(0.95 0.01 210 / 0.14) 0
        );
        mask: radial-gradient(closest-side, transparent 97%, #000 97.5%);
        animation: fade-in 0.25s ease-out;
      }
      button {
        width: 3.2em;
        min-width: 0 !important;
        min-height: 0 !important;
        background: var(--panel);
        border: 1px solid var(--line);
        color: var(--ink);
        pointer-events: auto;
        touch-action: none;
        animation: fade-in 0.25s ease-out;
      }
      button[aria-pressed='true'] {
        background: var(--accent-deep);
        box-shadow: inset 0 0 0 0.15em oklch(${owner} var(--hue));
      }
      .tile {
        width: 72%;
      }
      svg {
        --icon: 1.7em;
      }
      .leaving {
        animation: pulse 1s ease-in-out infinite;
        --faintest: 0.25;
      }
      .away svg {
        --icon: 2.6em;
        color: var(--alarm);
      }
    `,
  ];

  /**
   * Lit cannot detect changes inside a ring, so render the element whenever the table is rendered.
   */
  @property({ attribute: false, hasChanged: () => true }) ring!: Ring;
  /** Whether the ring will soon be removed, because nobody touches it. */
  @property({ type: Boolean }) leaving = false;

  override render(): TemplateResult {
    const { ring, leaving } = this;
    const { place, model, estimate, left } = ring;
    Object.assign(this.style, { left: `${place.x}px`, top: `${place.y}px` });
    this.style.setProperty('--hue', `${model.you?.hue ?? 0}`);
    this.style.setProperty('--share', `${estimate.share}`);
    const buttons = left ? [] : this.buttons();
    const first = -(STEP * (buttons.length - 1)) / 2;
    return html`<div class=${leaving ? 'leaving' : ''} style="rotate:${place.turn}deg" role="group" aria-label=${msg('Tools')}>
      <div class="band over round"></div>
      ${left ? html`<div class="away over">${icons.close}</div>` : nothing}
      ${buttons.map((button, i) => this.button(button, ((first + STEP * i) * Math.PI) / 180))}
    </div>`;
  }

  /** Shakes the ring, to show that a touch had no effect. */
  refuse(): void {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const steps = [0, -0.4, 0.4, -0.2, 0].map((x) => ({ transform: `translateX(${x}em)` }));
    this.animate(steps, 300);
  }

  /**
   * Returns the buttons of the ring in clockwise order. The first is at the lower left, the last at
   * the lower right.
   */
  private buttons(): RingButton[] {
    const { ring } = this;
    const { state, model, own, grafted, hand } = ring;
    const { checkpoint, settings } = model;
    if (!checkpoint) return [];
    const { held, tool } = state.state;
    const all = offered(checkpoint, settings);
    // The button for taking back a graft takes the place of one seed.
    const tiles = grafted ? TILES - 1 : TILES;
    const shown = Array.from({ length: Math.min(tiles, all.length) }, (_, i) => {
      return all[(ring.first + i) % all.length];
    });
    const inGallery = held.from === 'gallery' && shown.includes(held.index);
    if (held.from === 'gallery' && !inGallery) shown[0] = held.index;
    const brush = (id: 'damage' | 'graft', label: string): RingButton => {
      const act = (): void => state.take(tool === id ? 'plant' : id);
      return { id, label, picture: icons[id], act, pressed: tool === id };
    };
    const seed = (source: SeedSource, more: Omit<RingButton, 'act'>): RingButton => {
      const pressed = JSON.stringify(held) === JSON.stringify(source);
      return { ...more, act: () => state.hold(source), pressed };
    };
    const buttons = [brush('damage', msg('Damage'))];
    if (checkpoint.transforms) buttons.push(brush('graft', msg('Graft')));
    if (grafted) {
      const label = msg('Take back my last graft');
      buttons.push({ id: 'ungraft', label, picture: icons.undo, act: () => ring.ungraft(grafted) });
    }
    for (const { id } of hand.slice(0, 1)) {
      const source = { from: 'hand', seed: id } as const;
      const picture = this.film(source) ?? icons.cross;
      buttons.push(seed(source, { id: 'hand-seed', label: msg('A child of two'), picture }));
    }
    for (const index of shown) {
      const label = kindName(checkpoint.gallery[index].name);
      const picture = tile(checkpoint, index);
      buttons.push(seed({ from: 'gallery', index }, { id: 'creature', label, picture }));
    }
    const turn = () => (ring.first += tiles);
    buttons.push(
      { id: 'more', label: msg('More'), picture: icons.closer, act: turn },
      {
        ...{ id: 'dice', label: msg('Dice'), picture: this.film(held) ?? icons.dice },
        ...{ act: () => state.throwDice(Math.random), pressed: held.from === 'prior' },
      },
    );
    if (own) {
      const act = (): void => ring.takeAlong(own);
      buttons.push({ id: 'keep', label: msg('Keep'), picture: icons.keep, act });
    }
    return buttons;
  }

  /**
   * Renders the preview of a seed; undefined if the seed is in the gallery or there is no preview.
   */
  private film(seed: SeedSource): TemplateResult | undefined {
    const film = seed.from === 'gallery' ? undefined : this.ring.previews.film(seed);
    if (!film || film === 'none') return undefined;
    const background = `background:url(${film.url}) 100% 0 / ${film.frames * 100}% 100%`;
    return html`<i class="tile" style=${background}></i>`;
  }

  /**
   * Renders a button of the ring.
   *
   * @param angle position of the button on the ring, in radians clockwise from the top
   */
  private button({ id, label, picture, act, pressed }: RingButton, angle: number): TemplateResult {
    const press = (): void => {
      act();
      this.requestUpdate();
    };
    // Use pointer events, because browsers fire no click events while several fingers touch the
    // screen.
    const up = (event: PointerEvent): void => {
      const { left, top, right, bottom } = (event.currentTarget as Element).getBoundingClientRect();
      const { clientX: x, clientY: y } = event;
      if (x >= left && x <= right && y >= top && y <= bottom) press();
    };
    return html`<button
      class="over middle round"
      style="left:${REACH.buttons * Math.sin(angle)}em;top:${-REACH.buttons * Math.cos(angle)}em"
      data-testid=${id}
      aria-label=${label}
      aria-pressed=${pressed ?? nothing}
      @pointerup=${up}
      @click=${({ detail }: MouseEvent) => detail === 0 && press()}
    >${picture}</button>`;
  }
}
