/** The visitor's page: one room on a full-window canvas, with dock, status and organism card. */
import { localized, msg } from '@lit/localize';
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import type { CursorLayer } from '../../elements/cursor-layer.ts';
import { Feedback } from '../../feedback/feedback.ts';
import { bindCanvas } from '../../input/canvas-input.ts';
import { EnergyEstimate } from '../../input/energy-estimate.ts';
import { keyAction } from '../../input/keyboard.ts';
import { ViewportReporter } from '../../input/viewport-reporter.ts';
import { Connection } from '../../net/connection.ts';
import { RequestTracker } from '../../net/request-tracker.ts';
import type { RoomModel } from '../../net/room-model.ts';
import { browserPreviews } from '../../net/seed-previews.ts';
import { tabName, tabSeatStorage, WishedName } from '../../net/session-storage.ts';
import type { Point } from '../../render/camera.ts';
import { RoomView } from '../../render/room-view.ts';
import { InteractionState } from '../../state/interaction-state.ts';
import { LocalStore } from '../../state/local-store.ts';
import { controls } from '../../style/controls.ts';
import { KeyControl } from '../key-control.ts';
import { offlineText } from '../offline-notice.ts';
import { Tools } from '../tools.ts';
import '../../elements/cursor-layer.ts';
import type { FindMine } from './find-mine.ts';
import './find-mine.ts';
import { icons } from '../../elements/icons.ts';
import type { KeyHelp } from './key-help.ts';
import './key-help.ts';
import './language-switch.ts';
import type { Rename } from './name-field.ts';
import './organism-card.ts';
import './room-status.ts';
import type { RoomStory } from './room-story.ts';
import './room-story.ts';
import './seed-sheet.ts';
import type { ToastLayer } from './toast-layer.ts';
import './toast-layer.ts';
import type { ToolDock } from './tool-dock.ts';
import './tool-dock.ts';
import { departedText } from '../../elements/organism-text.ts';
import { lineText, number } from '../../elements/text.ts';
import { noticeText, reasonText } from '../refusal-text.ts';
import { roomStyle } from './room-style.ts';

/**
 * Reasons not shown to the visitor: a message sent before joining, and a connection that the server
 * closed after it had refused to let the visitor join.
 */
const SILENT_REASONS: ReadonlySet<Reason> = new Set(['not-joined', 'join-timeout']);

/** Creates the connection, the view and the tools, and passes their state to the elements. */
@localized()
@customElement('vivarium-room')
export class VivariumRoom extends LitElement {
  static override styles = [controls, roomStyle];

  readonly roomName = location.pathname.match(/^\/r\/([a-z0-9-]+)/)?.[1] ?? 'main';
  readonly state = new InteractionState();
  private readonly name = tabName();
  private readonly connection = new Connection(this.roomName, this.name.read(), {
    seat: tabSeatStorage(this.roomName),
    mark: new LocalStore('vivarium device'),
  });
  private readonly viewportReporter = new ViewportReporter(
    (look) => this.connection.send('look', look),
    'full',
  );
  private readonly requests = new RequestTracker((name, payload) =>
    this.connection.send(name, payload),
  );
  private readonly wishedName = new WishedName(
    this.requests.ask.bind(this.requests) as RequestTracker['ask'],
    () => this.model.connection === 'live',
    (name) => {
      this.connection.name = name;
      this.name.write(name);
    },
  );
  private readonly estimate = new EnergyEstimate(this.connection.model, () => performance.now());
  private readonly feedback = new Feedback(this.connection.model);
  private readonly previews = browserPreviews(this.requests);
  private view: RoomView | undefined;
  private tools: Tools | undefined;
  private keys: KeyControl | undefined;
  private readonly stop = new AbortController();
  private leavesCard = false;
  @state() private version = 0;
  @state() private refusal = '';
  /** The organism of the open keepsake sheet. */
  @state() private keeping: OrganismView | undefined;
  /** Whether the first picture of the room has arrived. */
  @state() private pictured = false;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  @query('tool-dock') private readonly dock!: ToolDock;
  @query('find-mine') private readonly finder!: FindMine;
  @query('key-help') private readonly help!: KeyHelp;
  @query('room-story') private readonly story!: RoomStory;
  @query('header') private readonly top!: HTMLElement;
  @query('cursor-layer') private readonly cursors!: CursorLayer;
  @query('toast-layer') private readonly toasts!: ToastLayer;

  get model(): RoomModel {
    return this.connection.model;
  }

  /** Converts a position on the grid, in cells, to CSS pixels of the window. */
  worldToScreen(x: number, y: number): Point {
    return this.view?.toScreen({ x, y }) ?? { x: 0, y: 0 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { model, state: session } = this;
    const refresh = (): void => {
      this.version++;
    };
    session.onChange(refresh);
    model.on('people', refresh);
    model.on('pace', refresh);
    model.on('waiting', refresh);
    model.on('energy', refresh);
    model.on('settings', ({ maxRadius }) => session.setWidest(maxRadius));
    model.on('notice', ({ notice }) => this.tell(noticeText(notice)));
    model.on('life', ({ event, organism }) => {
      if (event.what === 'died') session.forget(organism.id);
      if (event.what === 'died' && event.cause === 'departed') this.announceDeparture(organism);
      if (session.state.selection || organism.planter.id === model.you?.id) refresh();
    });
    model.on('accepted', (answer) => this.requests.accepted(answer));
    model.on('rejected', (answer) => this.rejected(answer));
    let first = true;
    model.on('welcome', ({ checkpoint, hand, you }) => {
      if (first) session.holdFirst(checkpoint.gallery, Math.random);
      session.setHand(hand, Math.random);
      const { selection } = session.state;
      for (const id of [selection?.organism, selection?.second]) {
        if (id && !model.organisms.has(id)) session.forget(id);
      }
      // A keepsake link selects its seed.
      const token = new URLSearchParams(location.search).get('seed');
      if (first && token && /^[\w-]{16,2100}$/.test(token)) session.hold({ from: 'token', token });
      first = false;
      this.previews.renew(you.id);
      document.title = `${this.roomName} · Vivarium`;
    });
    model.on('connection', (connection) => {
      document.documentElement.dataset.connection = connection;
      this.wishedName.tell();
      refresh();
    });
    // Load the seeds' pictures after the room's, so that they do not compete on a slow connection.
    const stop = model.on('picture', () => {
      stop();
      this.pictured = true;
      if (model.checkpoint) this.loadSheet(model.checkpoint.sheet.url);
    });
    document.documentElement.dataset.connection = model.connection;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop.abort();
    this.feedback.turnOff();
    this.view?.loop.stop();
    this.connection.close();
  }

  override firstUpdated(): void {
    try {
      this.view = new RoomView(this.canvas, this.model, this.state);
    } catch {
      this.refusal = msg('This browser cannot draw the room: it has no WebGL2.');
      return;
    }
    const { view: roomView, model } = this;
    const send = this.connection.send.bind(this.connection) as Connection['send'];
    const refuse = (text: string, at: Point): void => this.toasts.show(text, at);
    this.tools = new Tools(
      model,
      this.state,
      this.requests,
      roomView,
      send,
      refuse,
      this.estimate,
      this.feedback,
    );
    const unbind = bindCanvas(this.canvas, this.tools);
    const { signal } = this.stop;
    signal.addEventListener('abort', unbind);
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    const applyMotion = (): void => {
      roomView.rig.calm = roomView.effects.calm = this.feedback.calm = calm.matches;
    };
    calm.addEventListener('change', applyMotion, { signal });
    applyMotion();
    roomView.onFrame = (now) => {
      this.keys?.follow(now);
      let isPending = this.tools?.flush(now) ?? false;
      // Shows the cost of a stroke while it is drawn.
      this.dock.energy = this.estimate.energy;
      if (model.connection === 'live' && !document.hidden) {
        isPending =
          this.viewportReporter.shows(roomView.rig.camera, roomView.size, devicePixelRatio, now) ||
          isPending;
      }
      return this.cursors.frame(now, (place) => roomView.toScreen(place)) || isPending;
    };
    model.on('cursors', (cursors) => {
      this.cursors.receive(cursors, model.participants, model.you?.id ?? 0);
      roomView.loop.invalidate();
    });
    model.on('people', () => this.cursors.keep(model.participants));
    // A closed room has opened, or a full one accepts visitors to its queue again.
    model.on('waiting', () => {
      this.refusal = '';
    });
    model.on('welcome', () => {
      this.refusal = '';
      this.viewportReporter.forget();
      if (document.hidden) this.viewportReporter.hide();
      this.layout();
    });
    const onVisibility = (): void => {
      this.feedback.hide(document.hidden);
      if (document.hidden && model.connection === 'live') this.viewportReporter.hide();
      roomView.loop.invalidate();
    };
    document.addEventListener('visibilitychange', onVisibility, { signal });
    const observer = new ResizeObserver(() => this.layout());
    for (const element of [this, this.dock]) observer.observe(element);
    const { canvas, state: session, tools } = this;
    const keys = new KeyControl({
      ...{ canvas, model, state: session, view: roomView, tools },
      mine: () => this.finder.find(),
      seeds: () => this.dock.focusSeeds(),
      help: () => this.help.open(keys),
      meet: (organism) => this.story.tell(organism),
    });
    this.keys = keys;
    window.addEventListener('keydown', (event) => keys.down(event), { signal });
  }

  protected override willUpdate(): void {
    const { selection } = this.state.state;
    this.leavesCard = !selection && this.shadowRoot?.activeElement?.localName === 'organism-card';
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    this.canvas.dataset.tool = this.state.state.tool;
    // When the card that has the focus is removed, the focus moves to the canvas.
    if (this.leavesCard) this.canvas.focus();
  }

  override render(): TemplateResult {
    const { model, state: session, version } = this;
    const { planted, crisp, tool, selection } = session.state;
    // A full-page message makes everything behind it inert.
    const isCovered = this.refusal !== '' || model.connection === 'waiting';
    const hint = model.connection === 'live' && !planted && tool === 'plant';
    return html`
      <canvas data-testid="canvas" tabindex="0" aria-label=${msg('The room’s living cells. Arrow keys move, Enter uses the tool at the centre.')}
        role="application"
        ?inert=${isCovered}
        @focus=${() => this.view?.loop.invalidate()}
        @blur=${() => this.tools?.leave(performance.now())}
      ></canvas>
      <cursor-layer></cursor-layer>
      ${
        selection
          ? html`<organism-card
              .model=${model}
              .previews=${this.previews}
              .state=${session}
              .version=${version}
              @make-seed=${this.makeSeed}
              @visit=${this.visit}
              @keep=${this.keep}
            ></organism-card>`
          : nothing
      }
      <room-story ?inert=${isCovered} .model=${model} @visit=${this.meet}></room-story>
      <header>
        <h1>Vivarium<span>${this.roomName}</span></h1>
        <language-switch></language-switch>
        <room-status .model=${model} .version=${version} @rename=${this.rename}></room-status>
      </header>
      <find-mine ?inert=${isCovered} .model=${model} .version=${version} @find=${this.find}></find-mine>
      <div class="view panel" ?inert=${isCovered} role="group" aria-label=${msg('View')}>
        ${this.viewButton(crisp ? msg('Smooth look') : msg('Cells look'), crisp ? 'smooth' : 'crisp', 'c')}
        ${this.soundButton()}
        ${this.viewButton(msg('Show all'), 'fit', '0')}
        ${this.viewButton(msg('Keys'), 'keys', '?')}
        ${this.viewButton(msg('Closer'), 'closer', '+')} ${this.viewButton(msg('Farther'), 'farther', '-')}
      </div>
      <div class="foot" ?inert=${isCovered}>
        <p class="hint" ?hidden=${!hint}>${session.state.held.from === 'token' ? msg('Tap to plant it again') : msg('Tap to plant')}</p>
        <tool-dock
          .state=${session}
          .checkpoint=${this.pictured ? model.checkpoint : undefined}
          .model=${model}
          .previews=${this.previews}
          .energy=${this.estimate.energy}
          .hue=${model.you?.hue ?? 0}
          .version=${version}
        ></tool-dock>
      </div>
      <seed-sheet
        .model=${model}
        .state=${session}
        .previews=${this.previews}
        .requests=${this.requests}
        .sheet=${session.state.sheet}
        .live=${model.connection === 'live'}
      ></seed-sheet>
      <toast-layer></toast-layer>
      <key-help></key-help>
      ${
        this.keeping
          ? html`<keepsake-sheet
              .model=${model}
              .requests=${this.requests}
              .organism=${this.keeping}
              .live=${model.connection === 'live'}
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

  private viewButton(label: string, icon: keyof typeof icons, key: string): TemplateResult {
    const action = keyAction(key, false)!;
    return html`<button
      class=${icon}
      title=${label}
      aria-label=${label}
      @click=${() => this.keys?.act(action)}
    >
      ${icons[icon]}
    </button>`;
  }

  private soundButton(): TemplateResult {
    const { isOn } = this.feedback;
    const label = msg('Sound and touch');
    return html`<button
      class="sense"
      title=${label}
      aria-label=${label}
      aria-pressed=${isOn}
      data-testid="senses"
      @click=${() => {
        if (isOn) this.feedback.turnOff();
        else this.feedback.turnOn();
        this.requestUpdate();
      }}
    >
      ${icons[isOn ? 'sound' : 'silent']}
    </button>`;
  }

  /** The visitor's position in the queue of a full room. */
  private line(): TemplateResult {
    const { ahead = 0 } = this.model;
    return html`<div class="closed line" role="status" data-testid="line">
      <p class="place">${ahead === 0 ? msg('Next') : number(ahead)}</p>
      <p>${lineText(ahead)}</p>
      <p class="aside">${msg('Keep this page open: it lets you in by itself.')}</p>
    </div>`;
  }

  private closed(): TemplateResult {
    return html`<div class="closed" role="alert">
      <p>${this.refusal}</p>
      <button class="solid" @click=${() => location.reload()}>${msg('Reload')}</button>
    </div>`;
  }

  private layout(): void {
    const { view: roomView, model } = this;
    if (!roomView) return;
    const view = { width: this.clientWidth, height: this.clientHeight };
    roomView.resize(view);
    const dock = view.height - this.dock.getBoundingClientRect().top;
    // On a phone the card sits above the dock, whose height depends on its labels.
    this.style.setProperty('--dock', `${dock}px`);
    if (!model.room) return;
    const isSmall = view.width < 720 || view.height < 520;
    const gap = isSmall ? 14 : Math.max(26, view.height / 50);
    const insets = {
      top: this.top.getBoundingClientRect().bottom + gap / 2,
      bottom: dock + gap,
      left: gap,
      right: gap,
    };
    roomView.rig.layout(model.room, view, insets);
  }

  private loadSheet(url: string): void {
    const image = new Image();
    image.src = url;
    image.decode().then(
      () => this.view?.setSheet(image),
      // Without the sheet the gallery shows empty tiles; everything else works.
      () => undefined,
    );
  }

  private rejected(answer: { id?: number | undefined; reason: Reason }): void {
    if (this.requests.rejected(answer)) return;
    const text = reasonText(answer.reason);
    if (this.model.connection === 'live') this.tell(text);
    else if (!SILENT_REASONS.has(answer.reason)) this.refusal = text;
  }

  /** Tells the visitor, where it was, that one of their organisms was removed to make room. */
  private announceDeparture(organism: OrganismView): void {
    if (organism.planter.id !== this.model.you?.id) return;
    this.toasts.show(departedText(organism), this.worldToScreen(organism.x, organism.y));
  }

  private tell(text: string): void {
    this.toasts.show(text, { x: this.clientWidth / 2, y: this.clientHeight / 2 });
  }

  /** Whether the room is connected; if not, shows a notice. */
  private isOnline(): boolean {
    if (this.model.connection === 'live') return true;
    this.tell(offlineText());
    return false;
  }

  /** Moves the visitor's view to the organism and highlights it for everybody. */
  private find({ detail: organism }: CustomEvent<OrganismView>): void {
    this.view?.show(organism);
    if (!this.isOnline()) return;
    const rejected = (reason: Reason): void => this.tell(reasonText(reason));
    this.requests.ask('beacon', { organism: organism.id }, { rejected });
  }

  /** Opens the card of a relative and moves the view to it. */
  private visit({ detail: organism }: CustomEvent<OrganismView>): void {
    this.state.select(organism.id);
    this.view?.show(organism);
  }

  /** Opens an organism of the screen reader list and focuses its card, for the next action. */
  private async meet(event: CustomEvent<OrganismView>): Promise<void> {
    this.visit(event);
    await this.updateComplete;
    this.shadowRoot?.querySelector<HTMLElement>('organism-card')?.focus();
  }

  /** Opens the keepsake sheet; its module is loaded on first use. */
  private keep({ detail: organism }: CustomEvent<OrganismView>): void {
    import('./keepsake-sheet.ts').then(
      () => {
        this.keeping = organism;
      },
      () => this.tell(msg('That did not come through. Please try again.')),
    );
  }

  private rename({ detail: { name, refused } }: CustomEvent<Rename>): void {
    this.wishedName.want(name, (reason) => {
      this.tell(reasonText(reason));
      refused();
    });
  }

  private makeSeed(): void {
    const { selection } = this.state.state;
    if (!selection?.second || !this.isOnline()) return;
    const { organism: a, second: b, mix, mutation } = selection;
    this.requests.ask(
      'cross',
      { a, b, mix, mutation },
      {
        accepted: ({ seed }) => seed && this.state.receive(seed),
        rejected: (reason) => this.tell(reasonText(reason)),
      },
    );
  }
}
