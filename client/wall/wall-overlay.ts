/** The text on a wall beside its picture: QR code, participants, and captions in turn. */
import { html, LitElement, nothing, type PropertyValues, svg, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { repeat } from 'lit/directives/repeat.js';
import { addressLines, type Code, codeOf, readable } from '../../shared/printed-address.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../shared/vocabulary.ts';
import { type CaptionFacts, CaptionTurns, type Line } from './captions.ts';
import { overlayStyle } from './overlay-style.ts';
import {
  type Caption,
  cannotDraw,
  ENGLISH,
  goodbye,
  here,
  moment,
  noCode,
  others,
  refusedText,
  scanMe,
  soFar,
} from './text.ts';

/** Width of the quiet zone around the code, modules. */
const QUIET = 4;
/** Time that a caption is shown, ms. */
const TURN = 12_000;
/** Names and dots shown at once, at most. */
const MAX_NAMES = 8;
const MAX_DOTS = 24;

const idOf = ({ id }: ParticipantView): number => id;
const dot = ({ hue }: ParticipantView) => html`<i style="--hue:${hue}"></i>`;
const namedItem = ({ name, hue }: ParticipantView) =>
  html`<li style="--hue:${hue}"><i></i><span>${name}</span></li>`;

/** Code, participants and captions beside the wall's picture. */
@customElement('wall-overlay')
export class WallOverlay extends LitElement {
  static override styles = overlayStyle;

  @property() room = '';
  /** Address for visitors; '' while unknown. */
  @property() address = '';
  /** Whether phones can reach the address. If not, no QR code is shown. */
  @property({ attribute: false }) scannable = true;
  @property({ attribute: false }) people: readonly ParticipantView[] = [];
  /** What the captions are about; undefined before the room is known. */
  @property({ attribute: false }) facts: (
    wall: Pick<CaptionFacts, 'isAlone' | 'hasCode'>,
  ) => CaptionFacts | undefined = () => undefined;
  /** Nobody has been active for a while. */
  @property({ type: Boolean }) attract = false;
  /** Whether the host has enabled captions. */
  @property({ attribute: false }) captions = true;
  /** The server has not responded for a while. */
  @property({ type: Boolean }) away = false;
  /** This browser cannot draw the room. */
  @property({ type: Boolean }) blind = false;
  /** Why the wall is not let in; undefined: it is. */
  @property({ attribute: false }) refusal: Reason | undefined;
  /** The day of the room is ending. */
  @property({ attribute: false }) farewell = false;
  /** The moment that a film shows; undefined: the wall shows the room. */
  @property({ attribute: false }) moment: string | undefined;
  /** Languages of the captions, shown in turn. */
  @property({ attribute: false }) voices: readonly Caption[] = [ENGLISH];
  @state() private turn = 0;
  private readonly turns = new CaptionTurns();
  /** The caption of this turn, and in how many languages it has been shown before. */
  private line: (Line & { readonly turn: number; readonly said: number }) | undefined;
  private code: Code | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.begin();
    this.style.setProperty('--turn', `${TURN}ms`);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('address') || changed.has('scannable')) {
      this.code = this.address && this.scannable ? codeOf(this.address, QUIET) : undefined;
    }
    if (changed.has('attract')) this.begin();
    this.chooseLine();
    this.dir = this.voices[0].direction;
    this.toggleAttribute('data-attract', this.attract);
    // Nobody is called to a room that cannot be played in.
    this.toggleAttribute('data-away', this.away || this.farewell);
  }

  override render(): TemplateResult {
    return html`
      <h1>Vivarium<span>${this.room}</span></h1>
      <div class="people">${this.whoIsHere()}</div>
      <div class="words" data-testid="caption">${this.caption()}</div>
      ${this.address ? this.wayIn() : nothing}
    `;
  }

  /** Restarts at the first caption, which then gets its full time. */
  private begin(): void {
    clearInterval(this.timer);
    this.turn = 0;
    this.line = undefined;
    this.timer = setInterval(() => this.turn++, TURN);
  }

  /** Each caption is shown in all languages before the next one, as long as it holds. */
  private chooseLine(): void {
    const { turn, line, voices } = this;
    const facts = this.facts({ isAlone: this.attract, hasCode: this.code !== undefined });
    if (!facts) return;
    const held = line && this.turns.again(line, facts);
    // What no longer holds stays for its turn: text that vanishes is not read.
    if (line?.turn === turn) {
      // Its numbers may have changed.
      if (held) this.line = { ...line, ...held };
      return;
    }
    const said = line ? line.said + 1 : 0;
    if (held && said < voices.length) this.line = { ...held, turn, said };
    else {
      const next = this.turns.next(facts);
      this.line = next && { ...next, turn, said: 0 };
    }
  }

  private caption(): TemplateResult | typeof nothing {
    const { turn, voices, attract } = this;
    const [first] = voices;
    const refused = refusedText(first.say, this.refusal);
    if (refused || this.away) {
      return html`<p class="stays" lang=${first.language} dir=${first.direction}>${refused || moment(first.say)}</p>`;
    }
    if (this.blind) return html`<p class="stays">${cannotDraw(first.say)}</p>`;
    if (this.moment !== undefined) {
      return html`<p class="stays" lang=${first.language} dir=${first.direction}>
        ${soFar(first.say)}<time>${this.moment}</time>
      </p>`;
    }
    if (this.farewell) {
      const { language, direction, say } = voices[turn % voices.length];
      return html`<p class="stays" lang=${language} dir=${direction}>${goodbye(say)}</p>`;
    }
    const { line } = this;
    if (!this.captions || !line) return nothing;
    const voice = voices[turn % voices.length];
    const { language, direction } = voice;
    const p = html`<p lang=${language} dir=${direction}>${line.text(voice)}</p>`;
    return html`${keyed(`${attract} ${turn}`, p)}`;
  }

  private toScan({ side, path }: Code): TemplateResult {
    return html`<svg class="code" data-testid="code" viewBox="0 0 ${side} ${side}" role="img" aria-label=${scanMe(this.voices[0].say)}>
      ${svg`<path d=${path}></path>`}
    </svg>`;
  }

  private wayIn(): TemplateResult {
    const [{ say, language, direction }] = this.voices;
    const lines = addressLines(readable(this.address));
    const longest = Math.max(...lines.map(({ length }) => length));
    return html`<figure>
      ${this.code ? this.toScan(this.code) : html`<p lang=${language} dir=${direction}>${noCode(say)}</p>`}
      <figcaption data-testid="address" style="--longest:${longest}"><bdi dir="ltr">${lines.map((line) => html`<span>${line}</span>`)}</bdi></figcaption>
    </figure>`;
  }

  private whoIsHere(): TemplateResult | typeof nothing {
    const { people, voices } = this;
    const [{ say, language, direction }] = voices;
    if (people.length === 0) return nothing;
    // Newest first: newcomers look for their own name.
    const named = people.filter(({ name }) => name !== '').reverse();
    const guests = people.filter(({ name }) => name === '').reverse();
    const hidden = Math.max(0, named.length - MAX_NAMES) + Math.max(0, guests.length - MAX_DOTS);
    return html`
      <p data-testid="here" lang=${language} dir=${direction}>${here(voices[0], people.length)}</p>
      <ul>
        ${repeat(named.slice(0, MAX_NAMES), idOf, namedItem)}
        ${hidden > 0 ? html`<li class="more">${others(say, hidden)}</li>` : nothing}
      </ul>
      <div class="guests" aria-hidden="true">
        ${repeat(guests.slice(0, MAX_DOTS), idOf, dot)}
      </div>
    `;
  }
}
