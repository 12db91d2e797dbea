/** The room for screen readers: a live region with events and a list of all organisms. */
import { msg } from '@lit/localize';
import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, queryAll, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { rove, settle } from '../../input/roving-focus.ts';
import type { RoomModel } from '../../net/room-model.ts';
import { visuallyHidden } from '../../style/fragments.ts';
import { fire, VisitorElement } from './page-element.ts';
import { greeting, portraitText, Story } from './story.ts';

/** Least time between two announcements, ms, so that one can be heard in full. */
const MIN_INTERVAL = 7_000;
/** How long events are collected for one announcement, ms. */
const COLLECT_TIME = 900;

/** Fires `visit` (`detail`: OrganismView) when an organism of the list is chosen. */
@customElement('room-story')
export class RoomStory extends VisitorElement {
  static override styles = css`
    p,
    section:not(:focus-within) {
      ${visuallyHidden}
      white-space: nowrap;
    }
    section {
      position: absolute;
      z-index: 3;
      top: calc(var(--edge-top) + 3.6em);
      inset-inline-start: var(--edge-start);
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
      margin-bottom: 8px;
      margin-inline-start: 8px;
      font-size: 1em;
      font-weight: 500;
    }
    ul {
      margin: 0;
      padding: 0;
      list-style: none;
    }
    button {
      width: 100%;
      min-height: 44px;
      padding: 6px 8px;
      border-radius: 10px;
      text-align: start;
    }
    button:focus {
      background: var(--raised);
      color: var(--ink);
    }
  `;

  @property({ attribute: false }) model!: RoomModel;
  @state() private announcement = '';
  @queryAll('button') private readonly buttons!: NodeListOf<HTMLElement>;
  private readonly story = new Story();
  private readonly unsubscribers: (() => void)[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastAnnouncement = Number.NEGATIVE_INFINITY;
  private currentText: (() => string) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    const { model, story } = this;
    this.unsubscribers.push(
      model.on('opened', ({ organisms, participants }) => {
        story.forget();
        this.announce(() => greeting(organisms.length, participants.length));
      }),
      // Names may have changed or been removed.
      model.on('people', () => {
        if (this.currentText) this.announcement = this.currentText();
        this.requestUpdate();
      }),
      model.on('life', (change) => {
        const { event, organism } = change;
        const you = model.you?.id;
        // The page tells planters what others do, with their names, and what departs.
        const isTold =
          (event.what === 'wounded' && event.by !== you) ||
          event.what === 'departing' ||
          (event.what === 'died' && event.cause === 'departed');
        if (!isTold || organism.planter.id !== you) story.happened(change);
        this.schedule();
      }),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.unsubscribers.splice(0)) stop();
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  override render(): TemplateResult {
    const { organisms } = this.model;
    return html`<p role="status" aria-live="polite" data-testid="story">${this.announcement}</p>
      <section class="panel" aria-labelledby="title" data-testid="organism-list">
        <h2 id="title">${msg('What lives here')}</h2>
        <ul @keydown=${(event: KeyboardEvent) => rove(event, [...this.buttons])}>
          ${repeat(
            organisms.values(),
            ({ id }) => id,
            (organism) =>
              html`<li>
                <button class="flex soft capital" @click=${() => this.visit(organism)}>
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

  /** Announces an organism that the visitor has selected. */
  tell(organism: OrganismView): void {
    this.announce(() => portraitText(organism, this.model));
  }

  private visit(organism: OrganismView): void {
    fire(this, 'visit', organism);
    this.tell(organism);
  }

  private schedule(): void {
    if (this.timer !== undefined) return;
    const wait = Math.max(COLLECT_TIME, this.lastAnnouncement + MIN_INTERVAL - performance.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      // Drop events that happened while the page was hidden.
      if (document.hidden) this.story.forget();
      const text = this.story.hasNews ? this.story.take(this.model) : undefined;
      if (text) this.announce(text);
      // The list may have changed even if there is nothing to announce.
      else this.requestUpdate();
    }, wait);
  }

  /** @param text returns the announcement with the current names */
  private announce(text: () => string): void {
    this.currentText = text;
    this.announcement = text();
    this.lastAnnouncement = performance.now();
  }
}
