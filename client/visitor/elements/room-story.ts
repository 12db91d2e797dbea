/** The room for who cannot see it: what happens, told now and then, and a list of all that lives there. */
import { localized, msg } from '@lit/localize';
import { css, html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, queryAll, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { rove, settle } from '../../input/roving-focus.ts';
import type { RoomModel } from '../../net/room-model.ts';
import { controls } from '../../style/controls.ts';
import { greeting, portraitText, Story } from './story.ts';

/** Between two tellings, ms: time to listen to one. */
const PAUSE = 7_000;
/** What happens together is told together, ms. */
const GATHER = 900;

/** Says with a `visit` event (`detail`: OrganismView) which organism she wants to meet. */
@localized()
@customElement('room-story')
export class RoomStory extends LitElement {
  static override styles = [
    controls,
    css`
      p,
      section:not(:focus-within) {
        position: absolute;
        width: 1px;
        height: 1px;
        margin: 0;
        overflow: hidden;
        clip-path: inset(50%);
        white-space: nowrap;
      }
      section {
        position: absolute;
        z-index: 3;
        top: calc(var(--edge-top) + 3.6em);
        left: var(--edge-left);
        width: min(24em, calc(100vw - 2 * var(--gap)));
        max-height: min(24em, 60dvh, 100dvh - var(--edge-top) - 3.6em - var(--edge-bottom));
        padding: 14px;
        overflow-y: auto;
      }
      @media (max-height: 300px) {
        section {
          z-index: 5;
          top: 8px;
          max-height: calc(100dvh - 16px);
          padding: 6px;
        }
      }
      h2 {
        margin: 0 0 8px 8px;
        font-size: 1em;
        font-weight: 500;
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      button {
        display: flex;
        align-items: center;
        width: 100%;
        min-height: 44px;
        padding: 6px 8px;
        border-radius: 10px;
        color: var(--ink-soft);
        text-align: start;
      }
      button:focus {
        background: var(--raised);
        color: var(--ink);
      }
      button::first-letter {
        text-transform: uppercase;
      }
    `,
  ];

  @property({ attribute: false }) model!: RoomModel;
  @state() private told = '';
  @queryAll('button') private readonly buttons!: NodeListOf<HTMLElement>;
  private readonly story = new Story();
  private readonly stops: (() => void)[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private toldAt = Number.NEGATIVE_INFINITY;
  private saying: (() => string) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    const { model, story } = this;
    this.stops.push(
      model.on('welcome', ({ organisms, participants }) => {
        story.forget();
        this.say(() => greeting(organisms.length, participants.length));
      }),
      // A name may be another now, or none at all.
      model.on('people', () => {
        if (this.saying) this.told = this.saying();
        this.requestUpdate();
      }),
      model.on('life', (change) => {
        story.happened(change);
        this.later();
      }),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.stops.splice(0)) stop();
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  override render(): TemplateResult {
    const { organisms } = this.model;
    return html`<p role="status" aria-live="polite" data-testid="story">${this.told}</p>
      <section class="panel" aria-labelledby="title" data-testid="organism-list">
        <h2 id="title">${msg('What lives here')}</h2>
        <ul @keydown=${(event: KeyboardEvent) => rove(event, [...this.buttons])}>
          ${repeat(
            organisms.values(),
            ({ id }) => id,
            (organism) =>
              html`<li>
                <button @click=${() => this.visit(organism)}>
                  ${portraitText(organism, this.model)}
                </button>
              </li>`,
          )}
        </ul>
      </section>`;
  }

  protected override updated(_changed: PropertyValues): void {
    settle([...this.buttons]);
  }

  /** Tells of an organism that she has come to. */
  tell(organism: OrganismView): void {
    this.say(() => portraitText(this.signed(organism), this.model));
  }

  private visit(organism: OrganismView): void {
    this.dispatchEvent(new CustomEvent('visit', { detail: organism }));
    this.tell(organism);
  }

  private later(): void {
    if (this.timer !== undefined) return;
    const wait = Math.max(GATHER, this.toldAt + PAUSE - performance.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      // Nobody listens to a hidden page.
      if (document.hidden) this.story.forget();
      const news = this.story.hasNews
        ? this.story.take(this.model, (one) => this.signed(one))
        : undefined;
      if (news) this.say(news);
      // The list may have changed even where there is nothing to tell.
      else this.requestUpdate();
    }, wait);
  }

  /** As it was then, with its planter as she is shown now. */
  private signed(organism: OrganismView): OrganismView {
    const { planter } = this.model.organisms.get(organism.id) ?? organism;
    return { ...organism, planter };
  }

  /** @param saying the text, with the names as they are when it is asked for */
  private say(saying: () => string): void {
    this.saying = saying;
    this.told = saying();
    this.toldAt = performance.now();
  }
}
