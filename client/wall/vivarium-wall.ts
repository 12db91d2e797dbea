/**
 * The wall page: one room, full screen, unattended for days. It never sends a command. Start here;
 * `wall-view.ts` draws the room, `wall-overlay.ts` shows the text, `captions.ts` chooses it.
 */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { buildOf } from '../../shared/build.ts';
import { isLanguage } from '../../shared/languages.ts';
import '../elements/cursor-layer.ts';
import type { CursorLayer } from '../elements/cursor-layer.ts';
import { ViewportReporter } from '../input/canvas-input.ts';
import type { Insets, Point } from '../render/camera.ts';
import { WallConnection } from '../room/connection.ts';
import type { RoomModel } from '../room/room-model.ts';
import { WallNews } from './captions.ts';
import { FilmPlayer } from './film-player.ts';
import type { NameLayer } from './name-layer.ts';
import { ENGLISH, signature, TEXTS, voiceOf } from './text.ts';
import { languagesWithoutGlyphs, mayRenew, readOptions, visitorAddress } from './wall-options.ts';
import { shareOf, WallView, wholeView } from './wall-view.ts';
import './name-layer.ts';
import './wall-overlay.ts';
import type { WallState } from './wall-overlay.ts';
import './wall-tree.ts';

/** How long there must be no visitors before the wall invites passers-by, in ms. */
const LONELY = 45_000;
/** How long the connection may be lost before the wall shows it, in ms. */
const BLINK = 4_000;
/** Margin around the dish, as a share of the wall's shorter side. */
const GROUND = 0.025;
/** If the dish takes more than this share of the wall, it fills the wall, and text lies over it. */
const FULL = 0.85;
/**
 * Time between two checks whether the QR code covers organisms, in ms. It is long, because the code
 * must not move often while visitors scan it.
 */
const LOOK = 60_000;
/** Height of the QR code with the address below it, as a multiple of the code's width. */
const CODE_HEIGHT = 1.4;

/** The wall's root element. */
@customElement('vivarium-wall')
export class VivariumWall extends LitElement {
  static override styles = css`
    :host {
      position: fixed;
      left: 50%;
      top: 50%;
      width: 100vw;
      height: 100vh;
      overflow: hidden;
      container-type: size;
      cursor: none;
      user-select: none;
      -webkit-user-select: none;
    }
    canvas {
      position: absolute;
      inset: 0;
      width: 100%;
      height: 100%;
    }
    cursor-layer,
    name-layer {
      font-size: 1.5cqmin;
    }
    canvas,
    wall-overlay,
    cursor-layer,
    name-layer {
      transition: opacity 4s ease-in-out;
    }
    /* Outside the opening hours: a dimmed picture without text. */
    :host([dim]) canvas {
      opacity: 0.1;
    }
    :host([dim]) :is(wall-overlay, cursor-layer, name-layer),
    :host([film]) :is(cursor-layer, name-layer) {
      opacity: 0;
    }
  `;

  readonly options = readOptions(location);
  private readonly connection = new WallConnection({
    room: this.options.room,
    as: 'wall',
    pass: this.options.pass,
    unwritable: languagesWithoutGlyphs(getComputedStyle(document.documentElement).fontFamily),
    build: buildOf(document.documentElement.outerHTML),
    renew: () => {
      if (mayRenew(Date.now(), () => sessionStorage)) location.reload();
    },
  });
  private readonly viewportReporter = new ViewportReporter((look) =>
    this.connection.send('look', look),
  );
  private readonly news = new WallNews(this.model, () => performance.now());
  private readonly stop = new AbortController();
  private stage: WallView | undefined;
  private player: FilmPlayer | undefined;
  private lonely: ReturnType<typeof setTimeout> | undefined;
  private gone: ReturnType<typeof setTimeout> | undefined;
  private looks: ReturnType<typeof setInterval> | undefined;
  @state() private insets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };
  @state() private shown: WallState = {
    ...{ visitorAddress: { address: '', forPhones: false }, people: [], voices: [ENGLISH] },
    ...{ attract: false, captions: true, away: false, blind: false },
    ...{ refusal: undefined, farewell: false, tree: false, moment: undefined },
  };
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  @query('cursor-layer') private readonly cursors!: CursorLayer;
  @query('name-layer') private readonly names!: NameLayer;
  @query('wall-overlay') private readonly overlay!: HTMLElement | null;

  get model(): RoomModel {
    return this.connection.model;
  }

  /** For monitoring: number of pictures drawn, and whether the last one's flashes were softened. */
  get drawn(): { readonly pictures: number; readonly soft: boolean } {
    return { pictures: this.stage?.drawn ?? 0, soft: this.stage?.isSoft ?? false };
  }

  /** Converts a position on the grid to CSS pixels of the wall, before rotation. */
  worldToScreen(x: number, y: number): Point {
    return this.stage?.toScreen({ x, y }) ?? { x: 0, y: 0 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.hang();
    void this.speak();
    const { model, options } = this;
    model.on('rejected', () => this.show({ refusal: this.connection.refusal }));
    model.on('wall', ({ origin }) => {
      this.show({
        ...{ refusal: undefined, people: [...model.participants.values()] },
        visitorAddress: visitorAddress(options.room, options.url, location.origin, origin),
      });
      this.viewportReporter.forget();
      this.layout();
    });
    model.on('settings', ({ dim, captions, farewell = false, tree = false }) => {
      this.show({ farewell, tree, captions });
      this.toggleAttribute('dim', dim);
      this.layout();
      void this.speak();
    });
    model.on('people', () => {
      this.cursors?.keep(model.participants);
      this.watchForVisitors();
      this.show({ people: [...model.participants.values()] });
    });
    model.on('connection', (connection) => {
      document.documentElement.dataset.connection = connection;
      clearTimeout(this.gone);
      if (connection === 'live') this.show({ away: false });
      else {
        this.cursors?.keep();
        this.gone = setTimeout(() => this.show({ away: true }), BLINK);
      }
    });
    document.documentElement.dataset.connection = model.connection;
    document.title = `${options.room} · Vivarium`;
    this.connection.open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop.abort();
    this.player?.play(undefined);
    this.stage?.dispose();
    this.connection.close();
    clearInterval(this.looks);
    for (const timer of [this.lonely, this.gone]) clearTimeout(timer);
  }

  override firstUpdated(): void {
    const { model, options, canvas } = this;
    // Without WebGL2 there is no picture, but show the rest, because the QR code is still useful.
    try {
      this.stage = new WallView(canvas, model, options);
    } catch {
      this.show({ blind: true });
      return;
    }
    const { stage } = this;
    const { signal } = this.stop;
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    const settle = (): void => stage.setCalm(calm.matches);
    calm.addEventListener('change', settle, { signal });
    settle();
    stage.onFrame = (now) => {
      const toScreen = (place: Point): Point => stage.toScreen(place);
      let waits = this.names.frame(now, toScreen);
      if (model.connection === 'live') {
        const view = { width: this.clientWidth, height: this.clientHeight };
        waits = this.viewportReporter.shows(stage, view, devicePixelRatio, now) || waits;
      }
      return this.cursors.frame(now, toScreen) || waits;
    };
    const player = new FilmPlayer((path) => fetch(path), stage);
    this.player = player;
    model.on('wall', () => player.play(undefined));
    model.on('film', ({ film }) => player.play(film));
    model.on('closeUp', ({ at }) => {
      stage.showPlace(at);
      // In a close-up, the dish extends under the words, so keep them readable.
      this.overlay?.toggleAttribute('close', at !== undefined);
    });
    player.onMoment = (moment) => {
      this.toggleAttribute('film', moment !== undefined);
      this.show({ moment });
    };
    model.on('cursors', (cursors) => {
      this.cursors.receive(cursors, model.participants, 0);
      stage.loop.invalidate();
    });
    model.on('life', ({ event, organism }) => {
      if (event.what === 'born') this.names.born(organism);
      if (event.what === 'grown' || event.what === 'died') {
        this.names.done(event.id, performance.now());
      }
    });
    this.names.sign = (name) => signature(this.shown.voices[0].say, name);
    model.on('wall', () => this.names.keep(model.organisms, performance.now()));
    new ResizeObserver(() => this.layout()).observe(this);
    const first = model.on('picture', () => {
      first();
      // Check whether the QR code covers organisms only after the first picture, because before it
      // the camera has not reached its position.
      requestAnimationFrame(() => this.stepAside());
    });
    this.looks = setInterval(() => this.stepAside(), LOOK);
  }

  override render(): TemplateResult {
    const { options, shown } = this;
    const { blind, refusal, voices } = shown;
    return html`
      <canvas data-testid="canvas" role="img" aria-label=${voices[0].say(TEXTS.picture)}></canvas>
      <cursor-layer></cursor-layer>
      <name-layer></name-layer>
      ${
        this.showsTree
          ? html`<wall-tree .room=${options.room} .insets=${this.insets} .voice=${voices[0]}></wall-tree>`
          : nothing
      }
      ${
        options.overlay || blind || refusal
          ? html`<wall-overlay .room=${options.room} .wall=${shown} .facts=${this.facts}></wall-overlay>`
          : nothing
      }
    `;
  }

  private readonly facts: WallNews['facts'] = (wall) => this.news.facts(wall);

  private show(change: Partial<WallState>): void {
    this.shown = { ...this.shown, ...change };
  }

  /**
   * Loads the captions in the languages of the address or, if it has none, of the host's settings.
   */
  private async speak(): Promise<void> {
    const { options, model } = this;
    const asked = options.languages.length > 0 ? options.languages : model.settings?.languages;
    const languages = (asked ?? []).filter(isLanguage);
    if (languages.length === 0) return;
    this.show({ voices: await Promise.all(languages.map(voiceOf)) });
    // Writing direction decides on which side of the dish the text is, so lay the wall out again.
    await this.updateComplete;
    this.layout();
  }

  /** Applies the screen's rotation and mirroring. */
  private hang(): void {
    const { rotate, flip } = this.options;
    const [x, y] = [flip.includes('x') ? -1 : 1, flip.includes('y') ? -1 : 1];
    this.style.transform = `translate(-50%, -50%) rotate(${rotate}deg) scale(${x}, ${y})`;
    if (rotate % 180 !== 0) Object.assign(this.style, { width: '100vh', height: '100vw' });
  }

  /** Whether this screen shows the tree. On a wall of several screens, only the first one does. */
  private get showsTree(): boolean {
    return this.shown.tree && this.options.column + this.options.row === 0;
  }

  private layout(): void {
    const view = { width: this.clientWidth, height: this.clientHeight };
    const { options, overlay, model } = this;
    const isSplit = options.columns * options.rows > 1;
    // A room of about the wall's shape leaves no space for words beside it. Such a room fills the
    // wall, and the words lie over it.
    const whole = wholeView(view, options);
    const isFull = model.room !== undefined && shareOf(model.room, whole) > FULL;
    const isOver = isSplit || isFull || options.frame === 'fill';
    // Whatever the wall's shape, a tree is placed beside the words.
    const isBeside = this.showsTree || !isOver;
    overlay?.toggleAttribute('over', !isBeside);
    const gap = isFull ? 0 : GROUND * Math.min(view.width, view.height);
    const around: Insets = { top: gap, right: gap, bottom: gap, left: gap };
    const insets = { ...around };
    if (overlay && isBeside) {
      const { offsetLeft, offsetTop, offsetWidth } = overlay;
      const isWide = view.width >= view.height;
      if (isWide && this.shown.voices[0].direction === 'rtl')
        Object.assign(insets, { right: view.width - offsetLeft + gap });
      else if (isWide) Object.assign(insets, { left: offsetLeft + offsetWidth + gap });
      else Object.assign(insets, { bottom: view.height - offsetTop + gap });
    }
    this.insets = insets;
    this.stage?.layout(view, isOver ? around : insets);
  }

  /**
   * Moves the QR code to the other side of the wall if it would cover less than half as many of the
   * organisms' cells there.
   */
  private stepAside(): void {
    const { overlay, stage } = this;
    const isWide = this.clientWidth >= this.clientHeight;
    if (!overlay?.hasAttribute('over') || !stage || !isWide) return;
    const { offsetLeft, offsetTop, offsetWidth: width, offsetHeight } = overlay;
    const height = CODE_HEIGHT * width;
    const y = offsetTop + offsetHeight - height;
    const sides = [offsetLeft, this.clientWidth - offsetLeft - width];
    const hidden = sides.map((x) => stage.ownedIn({ x, y, width, height }));
    if (overlay.hasAttribute('aside')) hidden.reverse();
    const [here, there] = hidden;
    if (2 * there >= here) return;
    overlay.toggleAttribute('aside');
    overlay.animate([{ opacity: 0 }, { opacity: 1 }], 2_000);
  }

  private watchForVisitors(): void {
    clearTimeout(this.lonely);
    if (this.model.participants.size > 0) this.show({ attract: false });
    else this.lonely = setTimeout(() => this.show({ attract: true }), LONELY);
  }
}
