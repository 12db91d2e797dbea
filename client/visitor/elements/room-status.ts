/**
 * Three elements of the visitor's page: the status button with its panel, a small map of the room,
 * and the button that finds the visitor's own organisms.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import { lightnessOf, OWNER_CHROMA } from '../../../shared/hues.ts';
import { MAX_NAME_LENGTH } from '../../../shared/names.ts';
import type { OrganismId, ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { icons } from '../../elements/icons.ts';
import { number, peopleText, waitingText } from '../../elements/text.ts';
import type { CameraRig } from '../../render/camera.ts';
import { facts, owner, textField, visuallyHidden } from '../../style/fragments.ts';
import { participantName } from '../room-session.ts';
import { aboutText } from '../text.ts';
import { fire, labelled, PageElement } from './page-element.ts';

/** A field in which visitors can enter their name. */
@customElement('name-field')
export class NameField extends PageElement {
  static override styles = css`
    ${textField}
    form {
      gap: 8px;
    }
    input {
      min-height: 2.9em;
      padding: 0 0.8em;
      background: oklch(0.14 0.01 225);
      border: 1px solid var(--line);
      border-radius: 12px;
      user-select: text;
      -webkit-user-select: text;
    }
    button {
      flex: none;
      min-height: 2.9em;
    }
  `;

  /** The name that the visitor has typed, until the server confirms it. */
  @state() private draft: string | undefined;
  /** Whether `draft` was sent and the server has not answered yet. */
  @state() private submitted = false;
  private you: ParticipantView | undefined;
  @query('input') private readonly input!: HTMLInputElement;

  protected override willUpdate(): void {
    const { you } = this.session.model;
    if (you !== this.you && this.submitted) this.reset();
    this.you = you;
  }

  override render(): TemplateResult {
    const { you } = this.session.model;
    return html`<form class="flex" @submit=${this.submit}>
      <i class="who" style="--hue:${you?.hue ?? 0}"></i>
      <input
        data-testid="name"
        maxlength=${MAX_NAME_LENGTH}
        autocomplete="off"
        autocapitalize="words"
        spellcheck="false"
        enterkeyhint="done"
        aria-label=${msg('Your name')}
        placeholder=${msg('Your name, if you like')}
        .value=${live(this.draft ?? you?.name ?? '')}
        @input=${() => {
          this.draft = this.input.value;
          this.submitted = false;
        }}
      />
      ${
        this.isNew
          ? html`<button class="solid" type="submit" data-testid="save-name">${msg('OK')}</button>`
          : ''
      }
    </form>`;
  }

  /**
   * Whether the typed name can be submitted: it differs from the visitor's current name, and no
   * request is in progress.
   */
  private get isNew(): boolean {
    const name = this.submitted ? undefined : this.draft?.trim();
    return name !== undefined && name !== (this.session.model.you?.name ?? '');
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const { draft: name } = this;
    if (name === undefined || !this.isNew) return;
    this.submitted = true;
    this.input.blur();
    this.session.rename(name, () => {
      // If the visitor has typed another name meanwhile, keep it.
      if (this.submitted && this.draft === name) this.reset();
    });
  }

  private reset(): void {
    this.draft = undefined;
    this.submitted = false;
  }
}

/** Maximum number of other participants in the status panel's list. */
const MAX_OTHERS = 50;

/**
 * The status button. Shows the number of people in the room or, if the page is not connected, the
 * state of the connection.
 */
@customElement('room-status')
export class RoomStatus extends PageElement {
  static override styles = css`
    ${facts}
    :host {
      position: relative;
    }
    .pill {
      gap: 0.7em;
      height: 2.6em;
      padding: 0 0.95em;
      white-space: nowrap;
      border-radius: 999px;
    }
    .pill svg {
      --icon: 1.2em;
      margin-inline-end: -0.35em;
    }
    .dot {
      width: 7px;
      background: var(--accent);
    }
    .slow .dot {
      background: var(--warm);
    }
    .waiting .dot {
      background: var(--ink-soft);
      --faintest: 0.25;
      animation: pulse 1.8s ease-in-out infinite;
    }
    .details {
      background: oklch(0.2 0.012 225);
      top: calc(100% + 8px);
      inset-inline-end: 0;
      padding: 16px 18px;
      width: min(19em, calc(100vw - 2 * var(--gap)));
      max-height: calc(100dvh - var(--edge-top) - var(--edge-bottom) - max(2.6em, 44px) - 8px);
    }
    name-field {
      margin-bottom: 14px;
    }
    .logo {
      display: block;
      max-width: 100%;
      max-height: 5em;
      margin-top: 14px;
    }
    .own + .own {
      color: var(--ink-soft);
    }
    .own,
    dd,
    .follow {
      overflow-wrap: anywhere;
    }
    .details p {
      margin: 10px 0 4px;
    }
    .details .about {
      margin: 0 0 10px;
    }
    :is(a, label).follow {
      min-height: 44px;
    }
    .follow {
      color: inherit;
      gap: 0.7em;
      width: 100%;
      min-height: 2.6em;
      border-radius: 10px;
      text-align: start;
    }
    @media (max-width: 359px) {
      .pace {
        display: none;
      }
    }
    @media (max-width: 299px) {
      .details {
        padding: 10px 12px;
      }
    }
  `;

  @state() private open = false;
  private closed: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    // Listen on the root of the shadow tree that contains this element, because the document
    // receives no focus events when the focus moves within that tree.
    const page = this.getRootNode();
    const closeIfOutside = (event: Event): void => {
      if (this.open && !event.composedPath().includes(this)) this.toggle(false);
    };
    for (const name of ['click', 'focusin']) page.addEventListener(name, closeIfOutside, true);
    const press = ({ key }: KeyboardEvent): void => {
      if (key !== 'Escape' || !this.open) return;
      if (this.matches(':focus-within')) this.renderRoot.querySelector('button')?.focus();
      this.toggle(false);
    };
    document.addEventListener('keydown', press, true);
  }

  private toggle(open: boolean): void {
    this.open = open;
    this.closed?.();
    this.closed = open ? this.session.panels.open(() => this.toggle(false)) : undefined;
  }

  override render(): TemplateResult {
    const { connection, pace, participants } = this.session.model;
    const live = connection === 'live';
    const mood = live ? (pace?.slow ? 'slow' : '') : 'waiting';
    return html`<button
        class="pill panel flex small soft number ${mood}"
        data-testid="status"
        aria-expanded=${this.open}
        @click=${() => this.toggle(!this.open)}
      >
        <span class="dot round"></span>
        ${
          live
            ? html`${
                this.session.followers > 0
                  ? html`<span role="img" aria-label=${msg('Somebody sees what you see')}>${icons.watch}</span>`
                  : nothing
              }${icons.people}<span aria-label=${peopleText(participants.size)}
                >${number(participants.size)}</span
              >${pace?.slow ? html`<span class="pace">${msg('slow')}</span>` : nothing}`
            : html`<span>${waitingText(connection)}</span>`
        }
      </button>
      ${this.open ? this.details() : nothing}`;
  }

  private details(): TemplateResult {
    const { session } = this;
    const { mine, gone, watches, roomName } = session;
    const { room, organisms, pace, settings } = session.model;
    const row = (name: string, value: unknown): TemplateResult | typeof nothing =>
      value === undefined || value === '' ? nothing : html`<dt>${name}</dt><dd>${value}</dd>`;
    return html`<div class="panel details over scroll" data-testid="details">
      ${settings?.names === false || watches ? nothing : html`<name-field .session=${session}></name-field>`}
      <p class="about small soft">${aboutText()}</p>
      <dl>
        ${row(msg('Size'), room && msg(str`${number(room.width)} × ${number(room.height)} cells`))}
        ${row(msg('Creatures'), number(organisms.size))} ${row(msg('Awake'), pace && number(pace.awake))}
      </dl>
      ${mine.length + gone.length > 0 ? this.listButton(mine.length) : nothing}
      ${settings?.logo ? html`<img class="logo" src=${settings.logo} alt="" />` : nothing}
      ${[settings?.exhibition, settings?.credits].map((text) => text && html`<p class="own" dir="auto">${text}</p>`)}
      <label class="follow flex">
        <input
          type="checkbox"
          data-testid="water"
          .checked=${!session.state.state.still}
          @change=${({ target }: Event) => session.stillWater(!(target as HTMLInputElement).checked)}
        />
        ${msg('Moving water')}
      </label>
      <a class="follow raise flex" href="/lineage#${roomName}">${msg('Family tree')}</a>
      ${this.others()}
    </div>`;
  }

  private listButton(living: number): TemplateResult {
    const list = (): void => {
      this.toggle(false);
      fire(this, 'list-mine');
    };
    return html`<button class="follow raise flex" data-testid="all-mine" @click=${list}>
      ${icons.list}${msg('My creatures')}<span class="soft number">${number(living)}</span>
    </button>`;
  }

  /**
   * Renders a list of the other participants, in which the visitor chooses whose view to follow.
   */
  private others(): TemplateResult | typeof nothing {
    const { session } = this;
    const { participants, you } = session.model;
    if (session.watches || participants.size < 2) return nothing;
    const others = [...participants.values()].filter(({ id }) => id !== you?.id);
    return html`<p class="soft">${msg('See what others see')}</p>
      ${others.slice(0, MAX_OTHERS).map(
        ({ id, hue }) =>
          html`<button class="follow raise flex" data-testid="follow-${id}" @click=${() => this.follow(id)}>
            <i class="who" style="--hue:${hue}"></i>${participantName(id, session.model)}
          </button>`,
      )}`;
  }

  private follow(id: ParticipantId): void {
    this.toggle(false);
    this.session.follow(id);
  }
}

/**
 * A small map of the room. Fires `go` (`detail`: Point) when the visitor presses a position on the
 * map, and `show-all` when the visitor activates the map with the keyboard.
 */
@customElement('room-overview')
export class RoomOverview extends PageElement {
  static override styles = css`
    button {
      display: block;
      border-radius: 9px;
      overflow: hidden;
      touch-action: none;
    }
    canvas {
      display: block;
      max-width: min(96px, 26vw);
      max-height: 96px;
    }
    span {
      display: block;
      margin-bottom: 2px;
      font-size: 0.75em;
      line-height: 1.3;
    }
  `;

  @query('canvas') private readonly canvas!: HTMLCanvasElement;

  override render(): TemplateResult {
    const go = (event: PointerEvent): void => {
      if (event.buttons === 0) return;
      const { left, top, width, height } = this.canvas.getBoundingClientRect();
      const x = ((event.clientX - left) / width) * this.canvas.width;
      const y = ((event.clientY - top) / height) * this.canvas.height;
      fire(this, 'go', { x, y });
    };
    return html`<button
      class="panel"
      data-testid="overview"
      aria-label=${msg('Overview of the room')}
      @pointerdown=${go}
      @pointermove=${go}
      @click=${({ detail }: MouseEvent) => detail === 0 && fire(this, 'show-all', undefined)}
    >
      <canvas></canvas>
      <span class="soft">${msg('Overview')}</span>
    </button>`;
  }

  /**
   * Draws the map; hides it if the view shows the whole room. Call it after each change of the
   * picture or the view.
   */
  draw({ isFitted, shown }: CameraRig): void {
    const { room, organisms } = this.session.model;
    this.hidden = !room || isFitted;
    if (!room || isFitted) return;
    const { canvas } = this;
    // Assign a size only if it has changed: each assignment reallocates the canvas's memory.
    if (canvas.width !== room.width) canvas.width = room.width;
    if (canvas.height !== room.height) canvas.height = room.height;
    const context = canvas.getContext('2d')!;
    context.clearRect(0, 0, room.width, room.height);
    for (const { x, y, stage, planter } of organisms.values()) {
      context.fillStyle = `oklch(${lightnessOf(planter.hue)} ${OWNER_CHROMA} ${planter.hue})`;
      context.beginPath();
      context.arc(x, y, 3 + 0.3 * stage, 0, 7);
      context.fill();
    }
    // Mark the view with a frame. Keep the frame inside the map.
    const line = room.width / 70;
    const left = Math.max(line, shown.x);
    const top = Math.max(line, shown.y);
    const right = Math.min(room.width - line, shown.x + shown.width);
    const bottom = Math.min(room.height - line, shown.y + shown.height);
    context.strokeStyle = '#fff';
    context.lineWidth = line;
    context.strokeRect(left, top, right - left, bottom - top);
  }
}

/**
 * The button “Find mine”. Fires `find` (`detail`: OrganismView) to show one of the visitor's own
 * organisms, and `list-mine` to list all of them.
 */
@customElement('find-mine')
export class FindMine extends PageElement {
  static override styles = css`
    .panel {
      border-radius: 999px;
      overflow: hidden;
      animation: fade-in 0.5s ease-out;
    }
    button {
      gap: 0.65em;
      padding: 0.62em;
      padding-inline: 0.85em 1.1em;
      white-space: nowrap;
    }
    .list {
      --icon: 1.3em;
      gap: 0.3em;
      padding-inline: 0.6em 0.9em;
      border-inline-start: 1px solid var(--line);
    }
    button:focus-visible {
      outline-offset: -3px;
      border-radius: 999px;
    }
    @media (max-width: 359px), (max-height: 299px) {
      .list {
        display: none;
      }
    }
    .who {
      position: relative;
      width: 0.62em;
      height: 0.62em;
      margin: 0.3em;
    }
    .who::after {
      content: '';
      position: absolute;
      inset: -0.3em;
      border: 1.5px solid oklch(${owner} var(--hue) / 0.7);
      border-radius: 50%;
    }
    .unseen {
      border-color: var(--warm);
    }
    .unseen .who::after {
      border: 2px solid var(--warm);
      animation: pulse 1.2s ease-in-out 8;
      --faintest: 0;
    }
    @media (max-width: 299px), (max-height: 299px) {
      span {
        ${visuallyHidden}
      }
      button {
        padding: 0.62em;
        justify-content: center;
      }
    }
  `;

  private lastFound: OrganismId = 0;

  override render(): TemplateResult | typeof nothing {
    const { unseen, model, mine, gone } = this.session;
    const { you, connection } = model;
    const { length: living } = mine;
    if (!you || connection !== 'live' || living === 0) return nothing;
    return html`<div class="panel flex ${unseen ? 'unseen' : ''}">
      <button class="raise shrinks flex ${unseen ? 'unseen' : ''}" data-testid="find-mine" @click=${this.find}>
        <i class="who rigid" style="--hue:${you.hue}"></i><span class="cut">${msg('Find mine')}</span>
      </button>
      ${
        living + gone.length > 1
          ? labelled(
              'list raise soft rigid number flex',
              [msg('My creatures'), html`${icons.list}${number(living)}`],
              () => fire(this, 'list-mine'),
              { id: 'list-mine' },
            )
          : nothing
      }
    </div>`;
  }

  /**
   * Finds one of the visitor's organisms. If one has changes that the visitor has not seen, finds
   * this organism. Otherwise, the first call finds the newest organism, and each further call the
   * next older one.
   */
  find(): void {
    const { session } = this;
    const { mine } = session;
    const organism =
      mine.find(({ id }) => id === session.unseen) ??
      mine.filter(({ id }) => id < this.lastFound).at(-1) ??
      mine.at(-1);
    session.unseen = 0;
    this.requestUpdate();
    if (!organism) return;
    this.lastFound = organism.id;
    fire(this, 'find', organism);
  }
}
