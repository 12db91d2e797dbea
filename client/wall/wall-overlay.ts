/**
 * The texts that a wall shows beside the room: the QR code, the names of the participants, and one
 * caption after another.
 */
import { css, html, LitElement, nothing, type PropertyValues, svg, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { repeat } from 'lit/directives/repeat.js';
import { type Code, codeOf, readable } from '../../shared/printed-address.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../shared/vocabulary.ts';
import type { VisitorAddress } from '../room/connection.ts';
import { brand, calm, owner } from '../style/fragments.ts';
import { CAPTION_TIME, type CaptionFacts, CaptionTurns, type Line } from './captions.ts';
import type { OrganismCaption } from './label-layer.ts';
import { type Caption, ENGLISH, here, others, refusedText, TEXTS } from './text.ts';

/** State that decides which texts a wall shows. These values apply until the room is known. */
export const INITIAL_STATE = {
  /**
   * The web address at which visitors can join the room. If phones cannot reach it, no QR code is
   * shown.
   */
  visitorAddress: { address: '', forPhones: false } as VisitorAddress,
  people: [] as readonly ParticipantView[],
  /** Languages of the captions, shown in turn. */
  voices: [ENGLISH] as readonly Caption[],
  /** Whether the wall invites passers-by, because the room has had no visitors for a while. */
  attract: false,
  /** Whether the host has turned captions on. */
  captions: true,
  /** Whether the connection to the server has been lost for a while. */
  away: false,
  /** Whether this browser cannot draw the room, because it has no WebGL2. */
  blind: false,
  /** Why the server refuses the wall; undefined if the server lets the wall in. */
  refusal: undefined as Reason | undefined,
  /** Whether the room's day is ending. */
  farewell: false,
  /** Whether the family tree of the day covers the room. */
  tree: false,
  /** Time of day shown in a film of the room. Undefined while no film plays. */
  moment: undefined as string | undefined,
  host: {} as Pick<Event<'settings'>, 'credits' | 'logo' | 'message'>,
};
export type WallState = Readonly<typeof INITIAL_STATE>;

/**
 * The strip of texts is beside the room or, on an upright wall, below it. `--strip` is the length
 * of the strip's shorter side.
 */
const overlayStyle = css`
  ${brand}
  :host {
    --edge: 2.6cqmin;
    box-sizing: border-box;
    height: 100cqh;
    width: var(--strip);
    padding: var(--edge);
    display: flex;
    flex-direction: column;
    font-size: 1.72cqmin;
    line-height: 1.4;
    color: var(--ink);
    background: var(--bench);
    cursor: none;
  }
  h1,
  p,
  figure {
    margin: 0;
  }
  h1 {
    font-size: 1.32em;
  }
  .logo {
    max-width: 100%;
    max-height: 7em;
    margin-top: 1.4em;
    object-fit: contain;
    object-position: 0;
    align-self: start;
  }
  .credits {
    margin-top: 0.8em;
    font-size: 0.86em;
    text-wrap: balance;
  }
  /* Names that do not fit wrap into a second column or row, which is hidden. */
  .people {
    display: flex;
    flex-flow: column wrap;
    align-content: start;
    column-gap: 2em;
    margin-top: 2.2em;
    min-height: 0;
    overflow: hidden;
  }
  .people :is(p, li, .guests) {
    width: 100%;
  }
  .people p {
    margin-bottom: 0.5em;
  }
  .credits,
  .people p,
  li.more,
  figcaption {
    color: var(--ink-soft);
  }
  ul {
    display: contents;
  }
  li {
    display: flex;
    align-items: baseline;
    gap: 0.6em;
    padding: 0.12em 0;
    animation: come 1.2s ease-out;
  }
  li span {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  i {
    flex: none;
    width: 0.62em;
    height: 0.62em;
    border-radius: 50%;
    background: oklch(${owner} var(--hue));
    box-shadow: 0 0 0.9em oklch(${owner} var(--hue) / 0.55);
  }
  .guests {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5em;
    padding-top: 0.5em;
  }
  .words {
    flex: 1 0 auto;
    display: grid;
    align-items: end;
    min-height: 9.2em;
    padding-bottom: 1.6em;
  }
  .words p {
    grid-area: 1 / 1;
    font-size: 1.62em;
    font-weight: 300;
    line-height: 1.24;
    letter-spacing: -0.005em;
    text-wrap: balance;
    animation: speak var(--turn) ease-in-out both;
  }
  /* The host's own text may be long, so its font is smaller than that of captions. */
  .words p.own {
    font-size: 1.3em;
    line-height: 1.34;
  }
  .words p.long {
    font-size: 1.08em;
  }
  .words p.stays {
    animation: come 1.2s ease-out;
  }
  time {
    display: block;
    margin-top: 0.2em;
    font-size: 1.5em;
    font-variant-numeric: tabular-nums;
  }
  figure {
    transition: opacity 2s;
  }
  :host([data-away]) figure {
    opacity: 0.25;
  }
  .code {
    display: block;
    width: 100%;
    aspect-ratio: 1;
    border-radius: 3.2%;
    background: oklch(0.945 0.012 165);
    fill: oklch(0.17 0.015 225);
    shape-rendering: crispEdges;
    transition: opacity 4s;
  }
  /* While there are no visitors, dim the QR code, so that the organisms attract attention. */
  :host([data-attract]) .code {
    opacity: 0.7;
    animation: beckon 6s ease-in-out infinite;
  }
  /* Never wrap the room's web address; reduce its font size instead. */
  figcaption {
    container-type: inline-size;
    margin-top: 0.75em;
    white-space: nowrap;
    font-variant-numeric: tabular-nums;
  }
  bdi {
    display: block;
    font-size: min(100cqi / (0.58 * var(--longest)), 1.3em);
  }
  @container (aspect-ratio < 1) {
    :host {
      width: 100cqw;
      height: var(--strip);
      display: grid;
      grid-template: auto 1fr auto auto auto / auto 1fr;
      gap: 0 3.2cqw;
    }
    figure {
      display: contents;
    }
    .code {
      grid-area: 1 / 1 / -1 / 2;
      width: auto;
      height: calc(var(--strip) - 2 * var(--edge));
    }
    figure p {
      grid-area: 1 / 1 / -1 / 2;
      width: 8em;
    }
    h1 {
      grid-area: 1 / 2;
    }
    .logo {
      grid-area: 1 / 2;
      justify-self: end;
      max-width: 45%;
      max-height: 3em;
      margin: 0;
    }
    /* Without an explicit height, the row of names would shrink to nothing. */
    .people {
      grid-area: 3 / 2;
      flex-direction: row;
      gap: 1em;
      height: 1.8em;
      margin: 0;
    }
    .people :is(p, li, .guests) {
      width: auto;
    }
    figcaption {
      grid-area: 4 / 2;
      margin-top: 0.4em;
    }
    .credits {
      grid-area: 5 / 2;
      margin-top: 0.2em;
    }
    .words p.own {
      font-size: 1.05em;
    }
    .words p.long {
      font-size: 0.88em;
    }
    /* A long text of the host replaces the names. */
    .people:has(+ .words .long) {
      display: none;
    }
    .words {
      grid-area: 2 / 2;
      min-height: 0;
      padding: 0;
      align-items: center;
    }
  }
  @keyframes come {
    from {
      opacity: 0;
    }
  }
  @keyframes speak {
    0%,
    100% {
      opacity: 0;
    }
    12%,
    90% {
      opacity: 1;
    }
  }
  @keyframes beckon {
    50% {
      box-shadow: 0 0 3.4em oklch(0.89 0.075 168 / 0.34);
    }
  }
  ${calm}
`;

/** Host texts with more characters than this are shown in a smaller font. */
const LONG = 140;
/** Width of the empty margin around the QR code, in modules. */
const QUIET = 4;
/** Maximum number of names shown. */
const MAX_NAMES = 8;
/** Maximum number of dots shown. Each dot stands for a participant without a name. */
const MAX_DOTS = 24;

const idOf = ({ id }: ParticipantView): number => id;
const dot = ({ hue }: ParticipantView) => html`<i style="--hue:${hue}"></i>`;
const namedItem = ({ name, hue }: ParticipantView) =>
  html`<li style="--hue:${hue}"><i></i><span>${name}</span></li>`;

@customElement('wall-overlay')
export class WallOverlay extends LitElement {
  static override styles = overlayStyle;

  @property() room = '';
  @property({ attribute: false }) wall!: WallState;
  /** Returns the facts from which captions are chosen; undefined until the room is known. */
  @property({ attribute: false }) facts!: (
    wall: Pick<CaptionFacts, 'isAlone' | 'hasCode'>,
  ) => CaptionFacts | undefined;
  /** Receives the caption to show beside an organism; undefined if there is none. */
  @property({ attribute: false }) tell: (told: OrganismCaption | undefined) => void = () => {};
  @state() private turn = 0;
  private readonly turns = new CaptionTurns();
  /**
   * The current caption. `turn`: the turn for which it was chosen. `said`: the number of earlier
   * turns in which it was shown, each time in another language.
   */
  private line:
    | (Line & { readonly turn: number; readonly said: number; readonly isOver?: boolean })
    | undefined;
  private code: Code | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.begin();
    this.style.setProperty('--turn', `${CAPTION_TIME}ms`);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { visitorAddress, attract, voices, away, farewell } = this.wall;
    const before = changed.has('wall') ? changed.get('wall') : this.wall;
    if (visitorAddress !== before?.visitorAddress) {
      const { address, forPhones } = visitorAddress;
      this.code = forPhones ? codeOf(address, QUIET) : undefined;
    }
    if (attract !== before?.attract) this.begin();
    this.chooseLine();
    this.dir = voices[0].direction;
    this.toggleAttribute('data-attract', attract);
    // Do not invite passers-by while they cannot join the room.
    this.toggleAttribute('data-away', away || farewell);
  }

  protected override updated(): void {
    this.tell(this.told);
  }

  override render(): TemplateResult {
    const { logo, credits } = this.wall.host;
    return html`
      <h1>Vivarium<span>${this.room}</span></h1>
      ${logo ? html`<img class="logo" src=${logo} alt="" />` : nothing}
      <div class="people">${this.whoIsHere()}</div>
      <div class="words" data-testid="caption">${this.caption()}</div>
      ${this.wall.visitorAddress.address ? this.wayIn() : nothing}
      ${credits ? html`<p class="credits" dir="auto">${credits}</p>` : nothing}
    `;
  }

  /** Ends the current turn, and begins a new turn with a new caption. */
  begin(): void {
    clearInterval(this.timer);
    this.turn++;
    this.line = undefined;
    this.timer = setInterval(() => this.turn++, CAPTION_TIME);
  }

  /**
   * Chooses the caption for the current turn. While a caption is true, it is shown for one turn in
   * each language before another caption follows.
   */
  private chooseLine(): void {
    const { turn, line } = this;
    const { attract, voices } = this.wall;
    const facts = this.facts({ isAlone: attract, hasCode: this.code !== undefined });
    if (!facts) return;
    const held = line && this.turns.again(line, facts);
    // If the caption is still true, update its text, because numbers in the text may have changed.
    if (held && line.turn === turn) this.line = { ...line, ...held };
    else if (line?.turn !== turn || (line.about && facts.shown !== undefined)) {
      const said = line ? line.said + 1 : 0;
      const next = held && said < voices.length ? { ...held, said } : this.turns.next(facts);
      this.line = next && { said: 0, ...next, turn };
    } else if (line.about) this.line = { ...line, isOver: true };
    // If a caption about the room stops being true, keep it until its turn ends, so that people can
    // finish reading it.
  }

  /** The caption to show beside an organism, if there is one. */
  private get told(): OrganismCaption | undefined {
    const { turn, line } = this;
    const { voices, refusal, away, blind, moment, farewell, captions, host } = this.wall;
    const isBusy = refusal || away || blind || farewell || moment !== undefined || host.message;
    if (!line?.about || line.isOver || isBusy || !captions) return undefined;
    const voice = voices[turn % voices.length];
    const { language, direction } = voice;
    return { organism: line.about, text: line.text(voice), language, direction };
  }

  private caption(): TemplateResult | typeof nothing {
    const { turn, line } = this;
    const { voices, attract, refusal, away, blind, moment, farewell, captions, host } = this.wall;
    const staying = (text: unknown, { language, direction } = voices[0]): TemplateResult =>
      html`<p class="stays" lang=${language} dir=${direction}>${text}</p>`;
    const [{ say }] = voices;
    const refused = refusedText(say, refusal);
    if (refused || away) return staying(refused || say(TEXTS.away));
    if (blind) return staying(say(TEXTS.noWebgl));
    if (moment !== undefined) return staying(html`${say(TEXTS.film)}<time>${moment}</time>`);
    const voice = voices[turn % voices.length];
    if (farewell) return staying(voice.say(TEXTS.farewell), voice);
    const own = (text: string): string => `own ${text.length > LONG ? 'long' : ''}`;
    if (host.message)
      return html`<p class="stays ${own(host.message)}" dir="auto">${host.message}</p>`;
    if (!captions || !line || line.about) return nothing;
    const text = line.text(voice);
    const p = line.isOwn
      ? html`<p class=${own(text)} dir="auto">${text}</p>`
      : html`<p lang=${voice.language} dir=${voice.direction}>${text}</p>`;
    return html`${keyed(`${attract} ${turn}`, p)}`;
  }

  private wayIn(): TemplateResult {
    const { visitorAddress, voices } = this.wall;
    const [{ say, language, direction }] = voices;
    const address = readable(visitorAddress.address);
    const { side, path } = this.code ?? {};
    const code = html`<svg class="code" data-testid="code" viewBox="0 0 ${side} ${side}" role="img" aria-label=${say(TEXTS.scanCode)}>
      ${svg`<path d=${path}></path>`}
    </svg>`;
    return html`<figure>
      ${this.code ? code : html`<p lang=${language} dir=${direction}>${say(TEXTS.noCode)}</p>`}
      <figcaption data-testid="address" style="--longest:${address.length}"><bdi dir="ltr">${address}</bdi></figcaption>
    </figure>`;
  }

  private whoIsHere(): TemplateResult | typeof nothing {
    const { people, voices } = this.wall;
    const [{ say, language, direction }] = voices;
    if (people.length === 0) return nothing;
    // Newest participants first: people who have just joined look for their own names.
    const named = people.filter(({ name }) => name !== '').reverse();
    const guests = people.filter(({ name }) => name === '').reverse();
    const hidden = Math.max(0, named.length - MAX_NAMES) + Math.max(0, guests.length - MAX_DOTS);
    return html`
      <p data-testid="here" lang=${language} dir=${direction}>${here(voices[0], people.length)}</p>
      <ul>
        ${repeat(named.slice(0, MAX_NAMES), idOf, namedItem)}
        ${hidden > 0 ? html`<li class="more">${others(say, hidden)}</li>` : nothing}
      </ul>
      <div class="guests" aria-hidden="true">${repeat(guests.slice(0, MAX_DOTS), idOf, dot)}</div>
    `;
  }
}
