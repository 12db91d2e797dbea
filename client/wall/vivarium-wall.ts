/** The page of a wall, which shows one room in full screen. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { buildOf } from '../../shared/build.ts';
import { isLanguage } from '../../shared/languages.ts';
import '../elements/cursor-layer.ts';
import type { CursorLayer } from '../elements/cursor-layer.ts';
import { ViewportReporter } from '../input/canvas-input.ts';
import type { Point } from '../render/camera.ts';
import { renewPage, visitorAddress, WallConnection } from '../room/connection.ts';
import type { RoomModel } from '../room/room-model.ts';
import { WallNews } from './captions.ts';
import { CloseUps } from './close-ups.ts';
import { FilmPlayer } from './film-player.ts';
import { Invitation } from './invitation.ts';
import type { LabelLayer } from './label-layer.ts';
import { signature, TEXTS, voiceOf } from './text.ts';
import { languagesWithoutGlyphs, readOptions } from './wall-options.ts';
import { stripOf, WallView } from './wall-view.ts';
import './label-layer.ts';
import { INITIAL_STATE, type WallOverlay, type WallState } from './wall-overlay.ts';
import './wall-tree.ts';

/** How long the connection must be lost before the wall shows a message, in ms. */
const BLINK = 4_000;
/** Margin around the room, as a share of the shorter side of the canvas. */
const GROUND = 0.025;

@customElement('vivarium-wall')
export class VivariumWall extends LitElement {
  static override styles = css`
    :host {
      position: fixed;
      left: 50%;
      top: 50%;
      width: 100vw;
      height: 100vh;
      display: flex;
      overflow: hidden;
      container-type: size;
      cursor: none;
      user-select: none;
      -webkit-user-select: none;
    }
    :host([upright]) {
      flex-direction: column-reverse;
    }
    .room {
      position: relative;
      flex: 1;
      min-width: 0;
      min-height: 0;
      overflow: hidden;
    }
    canvas {
      position: absolute;
      inset: 0;
      width: 100%;
      height: 100%;
    }
    wall-overlay {
      flex: none;
    }
    /* On a video wall (several screens), the overlay lies over the canvas. */
    :host([split]) wall-overlay {
      position: absolute;
      inset-inline-start: 0;
      bottom: 0;
    }
    cursor-layer,
    label-layer {
      font-size: 1.5cqmin;
    }
    canvas,
    wall-overlay,
    cursor-layer,
    label-layer {
      transition: opacity 4s ease-in-out;
    }
    /* Outside opening hours, dim the room and hide all texts. */
    :host([dim]) canvas {
      opacity: 0.1;
    }
    :host([dim]) :is(wall-overlay, cursor-layer, label-layer),
    :host([film]) :is(cursor-layer, label-layer) {
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
    renew: renewPage,
  });
  private readonly viewportReporter = new ViewportReporter((look) =>
    this.connection.send('look', look),
  );
  private readonly news = new WallNews(this.model, () => performance.now());
  private stage: WallView | undefined;
  private readonly closeUps = new CloseUps(this.model, this.news, () => performance.now());
  private readonly invitation = new Invitation(this.model, (attract) => this.show({ attract }));
  private gone: ReturnType<typeof setTimeout> | undefined;
  @state() private shown = INITIAL_STATE;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  @query('cursor-layer') private readonly cursors!: CursorLayer;
  @query('label-layer') private readonly labels!: LabelLayer;
  @query('wall-overlay') private readonly overlay!: WallOverlay | null;
  @query('.room') private readonly frame!: HTMLElement;

  get model(): RoomModel {
    return this.connection.model;
  }

  /**
   * For monitoring: the number of frames drawn so far, and whether the last one was softened to
   * prevent flashes.
   */
  get drawn(): { readonly pictures: number; readonly soft: boolean } {
    return { pictures: this.stage?.drawn ?? 0, soft: this.stage?.isSoft ?? false };
  }

  /**
   * Converts a grid position, in cells, to a point on the page, in CSS pixels. Ignores the wall's
   * rotation.
   */
  worldToScreen(x: number, y: number): Point {
    const at = this.stage?.toScreen({ x, y }) ?? { x: 0, y: 0 };
    return { x: at.x + this.frame.offsetLeft, y: at.y + this.frame.offsetTop };
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
    model.on('settings', (settings) => {
      const { dim, captions, closeUps = 0, farewell = false, tree = false } = settings;
      this.show({ farewell, tree, captions, host: settings });
      this.closeUps.rate = dim || farewell || options.frame !== 'drift' ? 0 : closeUps;
      this.toggleAttribute('dim', dim);
      this.layout();
      void this.speak();
    });
    model.on('people', () => {
      this.cursors?.keep(model.participants);
      this.invitation.update();
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

  override firstUpdated(): void {
    const { model, options, canvas } = this;
    // Without WebGL2, the wall shows only its texts and the QR code.
    try {
      this.stage = new WallView(canvas, model, options);
    } catch {
      this.show({ blind: true });
      return;
    }
    const { stage } = this;
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    const settle = (): void => stage.setCalm(calm.matches);
    calm.addEventListener('change', settle);
    settle();
    stage.onFrame = (now) => {
      const { clientWidth: width, clientHeight: height } = this.frame;
      const { viewportReporter, labels, cursors } = this;
      const isReporting =
        model.connection === 'live' &&
        viewportReporter.shows(stage, { width, height }, devicePixelRatio, now);
      const isLabelled = labels.frame(now, stage);
      const toScreen = (place: Point): Point => stage.toScreen(place);
      const isPointed = cursors.frame(now, toScreen, (area) => stage.isBare(area));
      return isReporting || isLabelled || isPointed;
    };
    const player = new FilmPlayer((path) => fetch(path), stage);
    model.on('wall', () => player.play(undefined));
    model.on('film', ({ film }) => player.play(film));
    model.on('closeUp', ({ at }) => stage.showPlace(at));
    stage.closeUps = this.closeUps;
    stage.onEvent = () => this.overlay?.begin();
    player.onMoment = (moment) => {
      this.toggleAttribute('film', moment !== undefined);
      this.show({ moment });
    };
    model.on('cursors', (cursors) => {
      this.cursors.receive(cursors, model.participants, 0);
      stage.loop.invalidate();
    });
    model.on('life', ({ event, organism }) => {
      // Update the captions, because the event may have made one of them false.
      this.overlay?.requestUpdate();
      if (event.what === 'born') this.labels.born(organism);
      if (['grown', 'died'].includes(event.what)) this.labels.done(organism.id, performance.now());
    });
    this.labels.sign = (name) => signature(this.shown.voices[0].say, name);
    model.on('wall', () => this.labels.keep(model.organisms, performance.now()));
    const sizes = new ResizeObserver(() => this.layout());
    for (const element of [this, this.frame]) sizes.observe(element);
  }

  override render(): TemplateResult {
    const { options, shown } = this;
    const { blind, refusal, voices } = shown;
    // On a video wall, only the upper left screen shows the family tree.
    const hasTree = shown.tree && options.column + options.row === 0;
    const tree = html`<wall-tree .room=${options.room} .voice=${voices[0]}></wall-tree>`;
    const overlay = html`<wall-overlay .room=${options.room} .wall=${shown} .facts=${this.facts} .tell=${this.tell}></wall-overlay>`;
    return html`
      ${options.overlay || blind || refusal ? overlay : nothing}
      <div class="room">
        <canvas data-testid="canvas" role="img" aria-label=${voices[0].say(TEXTS.picture)}></canvas>
        <cursor-layer></cursor-layer>
        <label-layer></label-layer>
        ${hasTree ? tree : nothing}
      </div>
    `;
  }

  private readonly facts: WallOverlay['facts'] = (wall) =>
    this.news.facts(wall, (one) => this.stage?.isSeen(one) ?? true, this.stage?.event?.id);

  private readonly tell: WallOverlay['tell'] = (told) => this.labels?.showCaption(told);

  private show(change: Partial<WallState>): void {
    this.shown = { ...this.shown, ...change };
  }

  /**
   * Loads the texts in the languages listed in the page's address or, if there are none, in the
   * languages that the host has chosen.
   */
  private async speak(): Promise<void> {
    const { options, model } = this;
    const asked = options.languages.length > 0 ? options.languages : model.settings?.languages;
    const languages = (asked ?? []).filter(isLanguage);
    if (languages.length === 0) return;
    this.show({ voices: await Promise.all(languages.map(voiceOf)) });
    // Compute the layout again, because a right-to-left language moves the texts to the other side.
    await this.updateComplete;
    this.layout();
  }

  /** Applies the rotation and mirroring that the page's address asks for. */
  private hang(): void {
    const { rotate, flip } = this.options;
    const [x, y] = [flip.includes('x') ? -1 : 1, flip.includes('y') ? -1 : 1];
    this.style.transform = `translate(-50%, -50%) rotate(${rotate}deg) scale(${x}, ${y})`;
    if (rotate % 180 !== 0) Object.assign(this.style, { width: '100vh', height: '100vw' });
  }

  private layout(): void {
    const { options, stage, frame } = this;
    const { clientWidth: width, clientHeight: height } = this;
    const isUpright = width < height;
    const isMirrored = this.shown.voices[0].direction === 'rtl';
    const isSplit = options.columns * options.rows > 1;
    const strip = stripOf({ width, height });
    this.dir = isMirrored ? 'rtl' : 'ltr';
    this.style.setProperty('--strip', `${strip}px`);
    this.toggleAttribute('upright', isUpright);
    this.toggleAttribute('split', isSplit);
    const gap = GROUND * Math.min(frame.clientWidth, frame.clientHeight);
    const insets = { top: gap, right: gap, bottom: gap, left: gap };
    // On a video wall, every screen computes the same camera for the whole wall. So reserve the
    // area of the texts on every screen, even if another screen shows them.
    if (isSplit && options.strip) {
      insets[isUpright ? 'bottom' : isMirrored ? 'right' : 'left'] += strip;
    }
    stage?.layout({ width: frame.clientWidth, height: frame.clientHeight }, insets);
  }
}
