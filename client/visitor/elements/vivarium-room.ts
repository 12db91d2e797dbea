/**
 * The visitor's page. The room fills the window; the dock, the status button and the card of the
 * selected organism are in front of it.
 */
import { msg } from '@lit/localize';
import { html, type LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import type { Rect } from '../../../shared/geometry.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { icons } from '../../elements/icons.ts';
import { byPointer, lineText, number, unsupportedText } from '../../elements/text.ts';
import { keyAction } from '../../input/keyboard.ts';
import { language, languageSelect } from '../../locale/locale.ts';
import type { Point } from '../../render/camera.ts';
import type { RoomModel } from '../../room/room-model.ts';
import { Hint } from '../../state/hints.ts';
import { RoomCanvas } from '../room-canvas.ts';
import { followingText, RoomSession, type SessionPage, spotText } from '../room-session.ts';
import { aboutText, changeText, reasonText, type WayBack } from '../text.ts';
import type { MyCreatures } from './my-creatures.ts';
import { closeButton, labelled, solid, VisitorElement } from './page-element.ts';
import { roomStyle } from './room-style.ts';
import type { ToastLayer } from './toast-layer.ts';

/** Root element of the visitor's page. Creates the session, and passes it to the other elements. */
@customElement('vivarium-room')
export class VivariumRoom extends VisitorElement implements SessionPage {
  static override styles = roomStyle;

  readonly session = new RoomSession(this);
  private room: RoomCanvas | undefined;
  /** The element that had the focus before the current update. */
  private focused: Element | null | undefined;
  private readonly pinchHint = new Hint('pinched');
  private readonly takeHint = new Hint('taken');
  /**
   * Whether the visitor has selected a seed from the drawing pad or the map, and has not planted it
   * yet.
   */
  private isTaken = false;
  private hint = '';
  @state() private refusal = '';
  private wayBack: WayBack | undefined;
  /** The organism whose keepsake dialog is open. */
  @state() private keeping: OrganismView | undefined;
  /** The host's message that the visitor closed last; '' if there is none. */
  @state() private closedMessage = '';
  @state() private pictured = false;
  /** Whether this browser lacks WebGL2, so that the page shows only an error message. */
  @state() private unsupported = false;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  @query('.foot') private readonly foot!: HTMLElement;
  @query('my-creatures') private readonly list!: MyCreatures;
  @query('organism-card') private readonly card!: LitElement | null;
  @query('toast-layer') private readonly toasts!: ToastLayer;

  get model(): RoomModel {
    return this.session.model;
  }

  /** Converts a grid position, in cells, to CSS pixels of the window. */
  worldToScreen(x: number, y: number): Point {
    return this.room?.view.toScreen({ x, y }) ?? { x: 0, y: 0 };
  }

  override firstUpdated(): void {
    const { model } = this;
    try {
      this.room = new RoomCanvas(this);
    } catch {
      this.unsupported = true;
      return;
    }
    // Both events mean that the server has let the visitor into the queue or the room. Remove the
    // notice of an earlier refusal.
    for (const event of ['waiting', 'opened'] as const) {
      model.on(event, () => (this.refusal = ''));
    }
    // Load the pictures of seeds only after the room's first picture.
    const stop = model.on('picture', () => {
      stop();
      this.pictured = true;
      void this.room?.view.loadSheet();
    });
    this.session.connection.open();
  }

  protected override willUpdate(): void {
    this.toggleAttribute('crossing', this.session.state.state.selection?.crossing === true);
    this.focused = this.shadowRoot?.activeElement;
    const { taken } = this.session.state.state;
    if (this.isTaken && !taken) this.takeHint.follow();
    this.isTaken = taken > 0;
    this.hint = this.session.isLive ? this.chooseHint() : '';
  }

  protected override updated(): void {
    if (this.unsupported) return;
    // The canvas is inert while a message covers the page. Close all panels then: modal dialogs
    // would be in front of the message.
    if (this.canvas.inert) this.session.panels.closeAll();
    this.canvas.dataset.tool = this.session.state.state.tool;
    this.room?.makeRoomFor((this.hasAttribute('crossing') && this.card) || undefined);
    const { selection } = this.session.state.state;
    void this.room?.showBeside(this.card, selection?.crossing ? 0 : (selection?.organism ?? 0));
    // If the focused card or notice was removed, move the focus to the canvas.
    if (this.focused?.isConnected === false) this.canvas.focus();
  }

  override render(): TemplateResult {
    const { session } = this;
    if (this.unsupported) {
      return html`<div class="closed fill grid centred" role="alert"><h1>Vivarium</h1><p>${unsupportedText()}</p></div>`;
    }
    const { model, estimate } = session;
    const { crisp, planted, selection, sheet } = session.state.state;
    // A message over the whole page makes the rest of the page inert.
    const isCovered = this.refusal !== '' || model.connection === 'waiting';
    const { watches } = session;
    return html`
      <canvas class="fill" data-testid="canvas" tabindex="0" aria-label=${msg('The room’s living cells. Arrow keys move, Enter uses the tool at the centre.')}
        role="application"
        ?inert=${isCovered}
        @focus=${() => this.room?.view.loop.invalidate()}
        @blur=${() => this.room?.tools.leave(performance.now())}
        @touchmove=${this.pinch}
      ></canvas>
      <cursor-layer></cursor-layer>
      <canvas class="lens over round ghost" hidden aria-hidden="true"></canvas>
      ${
        selection
          ? html`<organism-card
              class="over"
              .session=${session}
              @visit=${this.visit}
              @keep=${this.keep}
            ></organism-card>`
          : nothing
      }
      <room-story ?inert=${isCovered} .model=${model} @visit=${this.meet}></room-story>
      <header class="over flex ghost">
        <h1 class="shrinks cut">Vivarium<span>${session.roomName}</span></h1>
        ${planted ? nothing : html`<p class="about over small soft panel">${aboutText()}</p>`}
        <label class="language rigid panel middle small soft bright" title=${msg('Language')}>
          ${languageSelect()}<span aria-hidden="true">${language()}</span>
        </label>
        <room-status class="rigid" .session=${session} @list-mine=${this.listMine}></room-status>
      </header>
      <find-mine class="over" ?inert=${isCovered} .session=${session} @find=${this.find} @list-mine=${this.listMine}></find-mine>
      <room-overview
        class="over"
        hidden
        ?inert=${isCovered}
        .session=${session}
        @go=${({ detail: place }: CustomEvent<Point>) => this.room?.centre(place)}
        @show-all=${() => this.room?.act({ do: 'fit' })}
      ></room-overview>
      <div class="view over grid panel" ?inert=${isCovered} role="group" aria-label=${msg('View')}>
        ${this.viewButton(crisp ? msg('Smooth view') : msg('Cell view'), crisp ? 'smooth' : 'crisp', 'c')}
        ${this.soundButton()}
        ${this.viewButton(msg('Show all'), 'fit', '0')}
        ${this.viewButton(msg('Keys'), 'keys', '?')}
        ${this.viewButton(msg('Closer'), 'closer', '+')} ${this.viewButton(msg('Farther'), 'farther', '-')}
      </div>
      <div class="foot over flex ghost" ?inert=${isCovered}>
        <p class="hint over centred" ?hidden=${!this.hint}>${this.hint}</p>
        <tool-dock
          class="shrinks"
          ?hidden=${watches}
          .session=${session}
          .pictured=${this.pictured && !watches}
          .energy=${estimate.energy}
        ></tool-dock>
      </div>
      <div class="shared over grid">${this.message()}${this.departure()}${this.lead()}${this.ground()}</div>
      <seed-sheet .session=${session} .sheet=${sheet}></seed-sheet>
      <toast-layer role="status" aria-live="polite"></toast-layer>
      <key-help .session=${session}></key-help>
      <my-creatures .session=${session} @visit=${this.visit}></my-creatures>
      ${
        this.keeping
          ? html`<keepsake-sheet
              .session=${session}
              .organism=${this.keeping}
              .live=${session.isLive}
              @close=${({ detail: reason }: CustomEvent<Reason | undefined>) => {
                this.keeping = undefined;
                if (reason) this.tell(reasonText(reason));
              }}
            ></keepsake-sheet>`
          : nothing
      }
      ${this.refusal ? this.closed() : model.connection === 'waiting' ? this.line() : nothing}
    `;
  }

  /**
   * Returns a hint about what to try next, or why the visitor cannot act; '' if there is no hint.
   */
  private chooseHint(): string {
    const { planted, taken, tool, held, grafted } = this.session.state.state;
    const { watches, pause } = this.session;
    if (pause || watches) return pause || msg('You are watching.');
    if (tool === 'plant' && taken && this.takeHint.isShown(`${taken}`))
      return byPointer(msg('Tap where it should grow'), msg('Click where it should grow'));
    if (!planted && tool === 'plant')
      return held.from === 'token'
        ? byPointer(msg('Tap to plant it again'), msg('Click to plant it again'))
        : byPointer(msg('Tap to plant'), msg('Click to plant'));
    if (tool === 'graft' && !grafted)
      return msg('Paint over a creature with the seed in your hand');
    const isClose = this.room && !this.room.view.rig.isFitted;
    const mayPinch = isClose && matchMedia('(pointer: coarse)').matches;
    return mayPinch && this.pinchHint.isShown(`${planted} ${tool}`) ? msg('Pinch to zoom') : '';
  }

  private pinch({ touches }: TouchEvent): void {
    if (touches.length < 2 || this.pinchHint.isFollowed) return;
    this.pinchHint.follow();
    this.requestUpdate();
  }

  get isBusy(): boolean {
    const { sheet, selection } = this.session.state.state;
    const within = this.shadowRoot?.activeElement?.matches('key-help, room-status');
    const { pressed } = this.room?.view.pointer ?? {};
    return !!(sheet || this.keeping || selection?.crossing || pressed || within);
  }

  private message(): TemplateResult | typeof nothing {
    const { message } = this.model.settings ?? {};
    if (!message || message === this.closedMessage) return nothing;
    return notice(html`<bdi>${message}</bdi>`, nothing, () => (this.closedMessage = message));
  }

  private departure(): TemplateResult | typeof nothing {
    const { session, model } = this;
    const [departing] = session.departing.values();
    if (!departing) return nothing;
    const { id } = departing;
    const label = model.organisms.has(id) ? msg('Let it stay') : msg('Plant it again');
    return notice(
      changeText(departing, model),
      solid('renew', label, () => session.renew(id)),
      () => session.dismiss(id),
    );
  }

  /**
   * Renders a notice if the page follows another participant's view, or if the host asks everybody
   * to look at a position.
   */
  private lead(): TemplateResult | typeof nothing {
    const { session, model } = this;
    const { spot, following } = session;
    if (!spot && following === 0) return nothing;
    return notice(
      spot ? spotText() : followingText(following, model),
      spot ? solid('go-to-spot', msg('Show me'), () => session.goToSpot()) : nothing,
      () => session.stopFollowing(true),
    );
  }

  /**
   * If the visitor's seed was refused because another creature covers its position, renders a
   * notice with a button that finds free space.
   */
  private ground(): TemplateResult | typeof nothing {
    const { session, room } = this;
    if (!session.isOccupied) return nothing;
    const find = (): void => {
      session.setOccupied(false);
      room?.findGround();
    };
    return notice(reasonText('occupied'), solid('find-ground', msg('Find ground'), find), () =>
      session.setOccupied(false),
    );
  }

  private viewButton(label: string, icon: keyof typeof icons, key: string): TemplateResult {
    const action = keyAction(key, false)!;
    const act = (): void => this.room?.act(action);
    return labelled(`raise soft ${icon}`, [label, icons[icon]], act);
  }

  private soundButton(): TemplateResult {
    const { feedback } = this.session;
    const { isOn } = feedback;
    const toggle = (): void => {
      feedback.toggle();
      this.requestUpdate();
    };
    const icon = isOn ? 'sound' : 'silent';
    const face = [msg('Sound and vibration'), icons[icon]] as const;
    return labelled(`raise soft ${icon}`, face, toggle, { id: 'senses', pressed: isOn });
  }

  /** Renders the visitor's position in the queue of a full room. */
  private line(): TemplateResult {
    const { ahead = 0 } = this.model;
    return html`<div class="closed fill grid centred line" role="status" data-testid="line">
      <p class="place">${ahead === 0 ? msg('Next') : number(ahead)}</p>
      <p>${lineText(ahead)}</p>
      <p class="aside soft">${msg('Keep this page open to get in automatically.')}</p>
    </div>`;
  }

  private closed(): TemplateResult {
    const { refusal, wayBack } = this;
    const go = (): void => (wayBack?.to ? location.assign(wayBack.to) : location.reload());
    return html`<div class="closed fill grid centred" role="alert">
      <p>${refusal}</p>
      ${wayBack ? html`<button class="solid" @click=${go}>${wayBack.label}</button>` : nothing}
    </div>`;
  }

  private get middle(): Point {
    return { x: this.clientWidth / 2, y: this.clientHeight / 2 };
  }

  tell(text: string, at?: Point): void {
    this.toasts.show(text, at ? this.worldToScreen(at.x, at.y) : this.middle);
  }

  announce(text: string): void {
    this.toasts.show(text, { ...this.middle, y: this.foot.getBoundingClientRect().top - 24 });
  }

  refuse(text: string, wayBack?: WayBack): void {
    this.refusal = text;
    this.wayBack = wayBack;
  }

  showPlace(place: Point): void {
    this.room?.view.show({ ...place, side: this.model.checkpoint?.side ?? 32 });
  }

  match(area: Rect): void {
    this.room?.view.match(area);
  }

  /** Moves this visitor's view to an organism, and highlights the organism for everybody. */
  private find({ detail: organism }: CustomEvent<OrganismView>): void {
    this.session.stopFollowing();
    this.room?.view.show(organism);
    this.session.beacon(organism);
  }

  private listMine(): void {
    void this.list.open();
  }

  private visit({ detail: organism }: CustomEvent<OrganismView>): void {
    this.session.stopFollowing();
    this.session.state.select(organism.id);
    this.room?.view.show(organism);
  }

  /** Opens and focuses the card of an organism chosen in the list for screen readers. */
  private async meet(event: CustomEvent<OrganismView>): Promise<void> {
    this.visit(event);
    await this.updateComplete;
    this.card?.focus();
  }

  /** Opens the keepsake dialog of an organism. Loads the dialog's module first. */
  private keep({ detail: organism }: CustomEvent<OrganismView>): void {
    import('../organisms/keepsake-sheet.ts').then(
      () => (this.keeping = organism),
      () => this.tell(msg('Your action did not get through. Please try again.')),
    );
  }
}

function notice(text: unknown, button: unknown, close: () => void): TemplateResult {
  return html`<div class="panel flex small" role="status" data-testid="shared-view">
    <span>${text}</span>${button} ${closeButton(close, 'over')}
  </div>`;
}
