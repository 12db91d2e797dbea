/** The room's canvas: its view, and what pointers, keys and the window do to it. */
import type { CursorLayer } from '../elements/cursor-layer.ts';
import { bindCanvas } from '../input/canvas-input.ts';
import { ViewportReporter } from '../input/viewport-reporter.ts';
import type { Point } from '../render/camera.ts';
import { RoomView } from '../render/room-view.ts';
import { KeyControl, type KeyElements } from './key-control.ts';
import type { RoomSession } from './room-session.ts';
import { Tools } from './tools.ts';

/** The elements of the page that the canvas works with. */
export interface CanvasElements extends KeyElements {
  readonly page: HTMLElement;
  readonly header: HTMLElement;
  readonly cursors: CursorLayer;
}

/** Draws the room, and turns the visitor's gestures into commands. */
export class RoomCanvas {
  readonly view: RoomView;
  readonly tools: Tools;
  readonly keys: KeyControl;
  private readonly stop = new AbortController();

  /**
   * @param refuse shows the visitor why an action was refused, near a point on the screen
   * @throws GlError when this browser has no WebGL2
   */
  constructor(
    private readonly session: RoomSession,
    private readonly elements: CanvasElements,
    refuse: (text: string, at: Point) => void,
  ) {
    const { page, canvas, dock, cursors } = elements;
    const { model, state, estimate, feedback, connection } = session;
    const { signal } = this.stop;
    const view = new RoomView(canvas, model, state);
    const tools = new Tools(session, view, refuse);
    const keys = new KeyControl(session, view, tools, elements);
    this.view = view;
    this.tools = tools;
    this.keys = keys;
    signal.addEventListener('abort', bindCanvas(canvas, tools));
    window.addEventListener('keydown', (event) => keys.down(event), { signal });

    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    const applyMotion = (): void => {
      view.rig.calm = view.effects.calm = feedback.calm = calm.matches;
    };
    calm.addEventListener('change', applyMotion, { signal });
    applyMotion();

    const reporter = new ViewportReporter((look) => connection.send('look', look));
    view.onFrame = (now) => {
      keys.follow(now);
      const isSending = tools.flush(now);
      // Shows the cost of a stroke while it is drawn.
      dock.energy = estimate.energy;
      const isReporting =
        session.isLive &&
        !document.hidden &&
        reporter.shows(view.rig.camera, view.size, devicePixelRatio, now);
      return cursors.frame(now, (place) => view.toScreen(place)) || isSending || isReporting;
    };
    model.on('cursors', (pointers) => {
      cursors.receive(pointers, model.participants, model.you?.id ?? 0);
      view.loop.invalidate();
    });
    model.on('people', () => cursors.keep(model.participants));
    model.on('opened', () => {
      reporter.forget();
      if (document.hidden) reporter.hide();
      this.layout();
    });
    const onVisibility = (): void => {
      feedback.hide(document.hidden);
      if (document.hidden && session.isLive) reporter.hide();
      view.loop.invalidate();
    };
    document.addEventListener('visibilitychange', onVisibility, { signal });
    const observer = new ResizeObserver(() => this.layout());
    for (const element of [page, dock]) observer.observe(element);
  }

  /** Loads the seeds' pictures. */
  async loadSheet(url: string): Promise<void> {
    const image = new Image();
    image.src = url;
    // Without the sheet the gallery shows empty tiles; everything else works.
    await image.decode().then(
      () => this.view.setSheet(image),
      () => undefined,
    );
  }

  close(): void {
    this.stop.abort();
    this.view.loop.end();
  }

  /** Fits the view between the header and the dock. */
  private layout(): void {
    const { page, header, dock: dockElement } = this.elements;
    const size = { width: page.clientWidth, height: page.clientHeight };
    this.view.resize(size);
    const { height, top: dockTop } = dockElement.getBoundingClientRect();
    // A page that only watches has no dock.
    const dock = height > 0 ? size.height - dockTop : 0;
    // On a phone the card sits above the dock, whose height depends on its labels.
    page.style.setProperty('--dock', `${dock}px`);
    const { room } = this.session.model;
    if (!room) return;
    const isSmall = size.width < 720 || size.height < 520;
    const gap = isSmall ? 14 : Math.max(26, size.height / 50);
    const top = header.getBoundingClientRect().bottom + gap / 2;
    this.view.rig.layout(room, size, { top, bottom: dock + gap, left: gap, right: gap });
  }
}
