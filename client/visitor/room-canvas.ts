/** The room's canvas: shows the room, and responds to pointers, keys and the window's size. */
import type { LitElement } from 'lit';
import type { TierName } from '../../shared/codec/tiers.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import type { CursorLayer } from '../elements/cursor-layer.ts';
import { byPointer } from '../elements/text.ts';
import { bindCanvas, type CanvasHand, nearestCell, reportView } from '../input/canvas-input.ts';
import { type KeyAction, keyAction } from '../input/keyboard.ts';
import { ToolHand } from '../input/tool-hand.ts';
import {
  type Camera,
  fitGrid,
  type Insets,
  type Point,
  type Size,
  screenToWorld,
} from '../render/camera.ts';
import { firstView } from '../render/first-view.ts';
import { Lens } from '../render/lens.ts';
import { RoomView } from '../render/room-view.ts';
import { isBrush } from '../state/interaction-state.ts';
import type { RoomStory } from './elements/announcements.ts';
import type { KeyHelp } from './elements/key-help.ts';
import type { FindMine, RoomOverview } from './elements/room-status.ts';
import type { ToastLayer } from './elements/toast-layer.ts';
import type { ToolDock } from './elements/tool-dock.ts';
import type { RoomSession } from './room-session.ts';
import { offlineText } from './text.ts';

/** Media query for windows in which a view of the whole room would be too small. */
const SMALL = '(max-width: 719px), (max-height: 519px), (max-width: 999px) and (pointer: coarse)';

/** Height of the hint (a line of text above the dock), in CSS pixels. */
const HINT = 32;
/** Space between a panel and the visible part of the grid, in CSS pixels. */
const GAP = 12;

type RoomPage = LitElement & { readonly session: RoomSession };

export class RoomCanvas {
  readonly view: RoomView;
  readonly tools: Tools;
  private readonly canvas = this.find<HTMLCanvasElement>('canvas');
  private readonly dock = this.find<ToolDock>('tool-dock');
  private readonly finder = this.find<FindMine>('find-mine');
  private readonly help = this.find<KeyHelp>('key-help');
  private readonly overview = this.find<RoomOverview>('room-overview');
  /**
   * Position, in cells, at which the tool last pointed while the visitor used the keyboard;
   * undefined if the visitor does not use the keyboard.
   */
  private aimed: Point | undefined;
  /** The open panel beside which the whole grid must stay visible. */
  private panel: HTMLElement | undefined;
  private readonly panelSize = new ResizeObserver(() => this.glide());
  /** The camera before `panel` was opened; undefined if the view showed the whole grid. */
  private before: Camera | undefined;
  private isOpened = false;
  /** Space taken by the header and the dock, in CSS pixels. */
  private insets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };
  private carded: OrganismId = 0;
  /**
   * The camera, as JSON, after `showBeside` last moved the view away from the whole grid; '' if it
   * has not. If the camera is still the same when the organism's card closes, the view shows the
   * whole grid again.
   */
  private uncovered = '';

  /** @throws GlError if this browser has no WebGL2 */
  constructor(private readonly page: RoomPage) {
    const { canvas, dock, overview } = this;
    const { session } = page;
    const { model, state, estimate, feedback, connection } = session;
    const cursors = this.find<CursorLayer>('cursor-layer');
    // `Lens` and `reportView` need a signal that can stop them. It is never aborted, because the
    // page always shows the room.
    const { signal } = new AbortController();
    const view = new RoomView(canvas, model, state);
    const tools = new Tools(session, view, this.find<ToastLayer>('toast-layer'));
    this.view = view;
    this.tools = tools;
    bindCanvas(canvas, tools);
    window.addEventListener('keydown', (event) => this.press(event));
    canvas.addEventListener('pointerdown', () => view.rig.stay());
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    const applyMotion = () => (view.rig.calm = view.effects.calm = feedback.calm = calm.matches);
    calm.addEventListener('change', applyMotion);
    applyMotion();
    const lens = new Lens(canvas, this.find('.lens'), signal);
    // At the quality tier `phone`, the server delays changes that are too small to see on a phone.
    const report = reportView(view, connection, signal, byPointer<TierName>('phone', 'full'));
    view.onPainter = (paint) => session.previews.paintWith(paint);
    view.onFrame = (now) => {
      this.aim(now);
      lens.draw(tools.drawing, view.size);
      const isSending = tools.flush(now);
      // While the visitor draws a stroke, show its cost.
      dock.energy = estimate.energy;
      const isReporting = report(now);
      overview.draw(view.rig);
      return cursors.frame(now, (place) => view.toScreen(place)) || isSending || isReporting;
    };
    model.on('cursors', (pointers) => {
      cursors.receive(pointers, model.participants, model.you?.id ?? 0);
      view.loop.invalidate();
    });
    let newest: OrganismId = 0;
    model.on('life', ({ event: { what }, organism }) => {
      // Move the view only for the visitor's own organisms, and not while the view follows a
      // participant.
      if (organism.planter.id !== model.you?.id || session.following) return;
      if (what === 'born' && matchMedia(SMALL).matches) newest = organism.id;
      else if (organism.id !== newest || !view.rig.isFollowing) return;
      view.follow(organism);
    });
    for (const event of ['people', 'connection'] as const) {
      model.on(event, () => cursors.keep(session.isLive ? model.participants : undefined));
    }
    model.on('opened', () => {
      this.layout();
      void this.open();
    });
    document.addEventListener('visibilitychange', () => feedback.hide(document.hidden));
    const observer = new ResizeObserver(() => this.layout());
    for (const element of [page, dock]) observer.observe(element);
    for (const name of ['pointerdown', 'pointermove', 'keydown']) {
      window.addEventListener(name, () => session.busy.touch(performance.now()), { capture: true });
    }
  }

  private find<T extends HTMLElement>(selector: string): T {
    return this.page.renderRoot.querySelector<T>(selector)!;
  }

  private get organisms(): OrganismView[] {
    return [...this.page.session.model.organisms.values()];
  }

  private press(event: KeyboardEvent): void {
    const { canvas } = this;
    // While a modal dialog is open, it receives all keys, even if nothing in it has the focus.
    if (this.page.session.panels.modals) return;
    const target = event.composedPath()[0] as HTMLElement;
    // Ignore keys with Ctrl, Alt or Meta, except brackets with Alt. On many keyboards, brackets are
    // typed with Option or AltGr; Windows reports AltGr as Ctrl and Alt.
    const bracket = event.altKey && /^[[\]]$/.test(event.key);
    if (event.metaKey || (!bracket && (event.ctrlKey || event.altKey))) return;
    if (target.matches('input, select, textarea')) return;
    const onCanvas = target === canvas || target === document.body;
    const action = keyAction(event.key, onCanvas, this.help.everywhere || target === canvas);
    if (!action) return;
    event.preventDefault();
    this.act(action);
  }

  /** Performs the action of a keyboard shortcut or of the button that corresponds to it. */
  act(action: KeyAction): void {
    const { view, canvas } = this;
    const { session } = this.page;
    const { state } = session;
    if (session.watches && /take|seeds/.test(action.do)) return;
    if (action.do === 'take' && action.tool === 'graft' && !session.canGraft) return;
    if (/move|zoom|fit|meet|mine/.test(action.do)) session.stopFollowing();
    if (action.do === 'take') state.take(action.tool);
    if (action.do === 'radius') state.setRadius(state.state.radius + action.by);
    if (action.do === 'move') view.rig.glideBy(action.dx, action.dy, 1);
    if (action.do === 'zoom') view.rig.glideBy(0, 0, action.factor);
    if (action.do === 'fit') view.rig.fit();
    if (action.do === 'look') state.update({ crisp: !state.state.crisp });
    if (action.do === 'escape') {
      state.update({ selection: undefined });
      canvas.focus();
    }
    if (action.do === 'use') this.tools.use(view.rig.middle, performance.now());
    if (action.do === 'meet') this.meet(action.by);
    if (action.do === 'mine') this.finder.find();
    if (action.do === 'seeds') this.dock.focusSeeds();
    if (action.do === 'help') this.help.open();
    view.loop.invalidate();
  }

  /**
   * Points the tool at the middle of the view while the visitor uses the canvas with the keyboard.
   * Called in every animation frame.
   *
   * @param now time of the frame, in ms
   */
  private aim(now: number): void {
    const { rig, camera, size } = this.view;
    if (!this.canvas.matches(':focus-visible')) {
      this.aimed = undefined;
      return;
    }
    // Do not use `toWorld`: its result follows the picture, which moves as under water, so it
    // changes even while the camera rests.
    const place = screenToWorld(camera, size, rig.middle);
    if (this.aimed?.x === place.x && this.aimed.y === place.y) return;
    this.aimed = place;
    this.tools.hover(rig.middle.x, rig.middle.y, now);
  }

  /**
   * Selects the next or previous organism in the order of birth. If none is selected, selects the
   * one nearest to the middle of the view.
   *
   * @param by 1 for the next organism, −1 for the previous one
   */
  private meet(by: 1 | -1): void {
    const { view, organisms: all } = this;
    const { state } = this.page.session;
    if (all.length === 0) return;
    const { selection } = state.state;
    const index = all.findIndex(({ id }) => id === (selection?.second || selection?.organism));
    const { x, y } = view.toWorld(view.rig.middle);
    const distance = (one: OrganismView): number => Math.hypot(one.x - x, one.y - y);
    const nearest = all.reduce((best, one) => (distance(one) < distance(best) ? one : best));
    const next = index < 0 ? nearest : all[(index + by + all.length) % all.length];
    state.select(next.id);
    view.show(next);
    this.find<RoomStory>('room-story').tell(next);
  }

  /**
   * Shows the whole grid beside an open panel. When the panel closes, restores the earlier view,
   * unless the visitor has moved the view meanwhile.
   *
   * @param panel the open panel; undefined if there is none
   */
  makeRoomFor(panel: HTMLElement | undefined): void {
    if (panel === this.panel) return;
    const { rig } = this.view;
    const returns = this.panel && rig.isFitted ? this.before : undefined;
    if (panel) this.before = rig.isFitted ? undefined : rig.camera;
    this.panel = panel;
    this.panelSize.disconnect();
    if (panel) {
      this.panelSize.observe(panel);
      rig.fit();
    }
    this.glide();
    if (returns) rig.goTo(returns);
  }

  /**
   * When an organism's card opens, moves the view so that the card does not hide the organism. If
   * the view showed the whole grid before, it shows the whole grid again when the card closes,
   * unless the visitor has moved the view meanwhile.
   *
   * @param id the organism whose card is open; 0 if no card is open
   */
  async showBeside(card: LitElement | null, id: OrganismId): Promise<void> {
    if (id === this.carded) return;
    this.carded = id;
    // Wait for the card to be rendered, because only then does it have its final size.
    await card?.updateComplete;
    const { rig, size, loop } = this.view;
    const organism = this.page.session.model.organisms.get(this.carded);
    if (!organism && this.uncovered === JSON.stringify(rig.heading)) this.act({ do: 'fit' });
    if (!organism || !card) return;
    const { side } = organism;
    const square = { width: side, height: side };
    const covers = [card, ...this.covers];
    const free = covers.reduce((rest, each) => beside(each, square, size, rest), this.insets);
    const wasFitted = rig.isFitted;
    rig.reveal(organism, side, free);
    if (wasFitted && !rig.isFitted) this.uncovered = JSON.stringify(rig.heading);
    loop.invalidate();
  }

  /** The elements that cover parts of the view, except the selected organism's card. */
  private get covers(): Element[] {
    return [...this.page.renderRoot.querySelectorAll('.view, room-overview, find-mine')];
  }

  centre(place: Point): void {
    this.page.session.stopFollowing();
    this.view.rig.centre(place);
    this.view.loop.invalidate();
  }

  /** Fits the view between the header and the dock. */
  private layout(): void {
    const { page } = this;
    const { session } = page;
    const size = { width: page.clientWidth, height: page.clientHeight };
    this.view.resize(size);
    const { height, top: dockTop } = this.dock.getBoundingClientRect();
    // On a spectator's page, which has no dock, the height is 0.
    const dock = height > 0 ? size.height - dockTop : 0;
    // Styles need the dock's height: on a phone, the organism card is above the dock.
    page.style.setProperty('--dock', `${dock}px`);
    const { room } = session.model;
    if (!room) return;
    const { rig } = this.view;
    const isSmall = size.width < 720 || size.height < 520;
    const gap = isSmall ? 14 : Math.max(26, size.height / 50);
    const top = this.find('header').getBoundingClientRect().bottom + gap / 2;
    const insets = { top, bottom: dock + gap, left: gap, right: gap };
    this.insets = insets;
    const isLow = size.height < 520 && size.width > size.height;
    // On a phone in landscape, which has little height, let the room extend behind the header and
    // the dock.
    const edge = { top: 7, right: 7, bottom: 7, left: 7 };
    const free = this.panel ? beside(this.panel, room, size, insets) : insets;
    rig.layout(room, size, free, isLow && !this.panel ? edge : free);
  }

  /**
   * Chooses the initial view. On a small screen, the view shows free space for a seed, and no other
   * element covers this space.
   */
  private async open(): Promise<void> {
    const { page } = this;
    const { room, checkpoint } = page.session.model;
    if (this.isOpened || !room || !checkpoint) return;
    this.isOpened = true;
    if (!matchMedia(SMALL).matches) return;
    await page.updateComplete;
    await this.finder.updateComplete;
    const { rig, loop } = this.view;
    rig.open(rig.camera);
    // Show the small map first, because `groundView` avoids the area that the map covers.
    this.overview.draw(rig);
    rig.open(this.groundView(room, checkpoint.side));
    loop.invalidate();
  }

  /** Moves the view to an area with space for a seed. */
  findGround(): void {
    const { page, view } = this;
    const { room, checkpoint } = page.session.model;
    if (!room || !checkpoint) return;
    page.session.stopFollowing();
    view.rig.goTo(this.groundView(room, checkpoint.side));
    view.loop.invalidate();
  }

  /**
   * Returns a view of an area with space for a seed.
   *
   * @param side side length of a grown organism, in cells
   */
  private groundView(grid: Size, side: number): Camera {
    const { insets } = this;
    const { size: view } = this.view;
    const { top, right, bottom, left } = insets;
    const [width, height] = [view.width - left - right, view.height - top - bottom - HINT];
    const free = { x: left, y: top, width, height };
    const covers = this.covers.map((cover) => cover.getBoundingClientRect());
    const sights = { grid, side, organisms: this.organisms };
    return firstView(sights, { view, free, covers }, Math.random);
  }

  /** Fits the view, but lets the camera glide to its new position instead of jumping. */
  private glide(): void {
    const { rig, loop } = this.view;
    const { camera, isFitted } = rig;
    this.layout();
    rig.camera = camera;
    if (isFitted) rig.fit();
    loop.invalidate();
  }
}

/**
 * Returns insets that place the grid beside a panel, on the side where the grid can be shown
 * largest.
 *
 * @param insets minimum insets, in CSS pixels
 */
function beside(panel: Element, grid: Size, view: Size, insets: Insets): Insets {
  const { top, bottom, left, right } = panel.getBoundingClientRect();
  const zoom = (some: Insets): number => fitGrid(grid, view, some).zoom;
  return [
    { ...insets, top: Math.max(insets.top, bottom + GAP) },
    { ...insets, bottom: Math.max(insets.bottom, view.height - top + GAP) },
    { ...insets, left: Math.max(insets.left, right + GAP) },
    { ...insets, right: Math.max(insets.right, view.width - left + GAP) },
  ].reduce((best, each) => (zoom(each) > zoom(best) ? each : best));
}

/**
 * A visitor's tools. In addition to the tools of `ToolHand`, handles the tool *look*, double taps,
 * and the use of tools with the keyboard.
 */
export class Tools extends ToolHand<RoomSession> implements CanvasHand {
  constructor(
    session: RoomSession,
    view: RoomView,
    private readonly toasts: Pick<ToastLayer, 'show'>,
  ) {
    super(session, view);
  }

  protected override tapped(at: Point): void {
    this.session.state.select(this.organismAt(at), this.view.toWorld(at));
  }

  /**
   * Called when the visitor presses the canvas. Closes the panel that was opened last. But if the
   * tool is *look* and an organism is selected, closes nothing.
   *
   * @returns true if a panel was closed
   */
  dismiss(): boolean {
    const { state, panels } = this.session;
    const { tool, selection } = state.state;
    return !(tool === 'look' && selection) && panels.closeTop();
  }

  doubleTap(x: number, y: number, fingers: 1 | 2): void {
    const { planes } = this.model;
    const { x: i, y: j } = this.view.toWorld({ x, y });
    const onGrid = planes && i >= 0 && j >= 0 && i < planes.width && j < planes.height;
    // A double tap shows the whole room. But if one finger taps twice on the grid, each tap uses
    // the tool, so leave the view as it is (unless the tool is *look*).
    if (fingers === 2 || !onGrid || this.session.state.state.tool === 'look') {
      this.moved();
      this.view.rig.fit();
    }
    this.view.loop.invalidate();
  }

  /**
   * Uses the tool once at a point of the screen, when a key is pressed. If the tool draws strokes,
   * and the point is in an organism's square, uses the nearest cell of such an organism instead of
   * the point.
   */
  use(point: Point, now: number): void {
    const place = this.view.toWorld(point);
    const surrounds = ({ x, y, side }: OrganismView): boolean =>
      Math.max(Math.abs(x - place.x), Math.abs(y - place.y)) < side / 2;
    const reach = isBrush(this.session.state.state.tool) ? (this.model.checkpoint?.side ?? 0) : 0;
    const cell = nearestCell(this.model, place, reach, surrounds);
    const at = cell ? this.view.toScreen(cell) : point;
    this.toolStart(at.x, at.y, now);
    this.toolEnd(at.x, at.y, true, now);
  }

  protected override moved(): void {
    this.session.stopFollowing();
  }

  protected override refused(reason: Reason | undefined, at: Point): void {
    if (reason === 'occupied') this.session.setOccupied(true);
    else this.toasts.show(reason ? this.session.whyNot(reason) : offlineText(), at);
  }
}
