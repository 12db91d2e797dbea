/** For screen readers: announcements of what happens in the room, and a list of its organisms. */
import { msg, str } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, property, queryAll, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { LifeEvent, OrganismView } from '../../../shared/vocabulary.ts';
import {
  furtherEvents,
  number,
  organismName,
  type People,
  peopleText,
  planterName,
  planterText,
  plural,
  stateText,
  survivedText,
} from '../../elements/text.ts';
import { rove, settle } from '../../input/keyboard.ts';
import type { LifeChange, RoomModel } from '../../room/room-model.ts';
import { visuallyHidden } from '../../style/fragments.ts';
import { fire, VisitorElement } from './page-element.ts';

type Room = People & Pick<RoomModel, 'organisms'>;

/** Maximum number of sentences in one announcement. */
const MAX_SENTENCES = 3;

/** The life events that are announced, most important first. */
const RANK: readonly LifeEvent['what'][] = [
  'born',
  'died',
  'transformed',
  'grafted',
  'wounded',
  'healed',
  'grown',
  'renewed',
  'departing',
];

/** Names an organism and its planter: 'penguin (planted by Ada)'. */
function label(organism: OrganismView, people: People): string {
  return `${organismName(organism)} (${planterText(organism, people)})`;
}

function sentence({ event, organism }: LifeChange, people: People): string {
  if (event.what === 'born') {
    const name = organismName(organism);
    const planter = planterName(organism, people);
    if (organism.planter.id === people.you?.id) return msg(str`You planted a seed: ${name}.`);
    if (planter === '') return msg(str`Somebody planted a seed: ${name}.`);
    return msg(str`${planter} planted a seed: ${name}.`);
  }
  const who = label(organism, people);
  if (event.what === 'died') {
    return event.cause === 'departed' ? msg(str`${who} has left.`) : msg(str`${who} has died.`);
  }
  if (event.what === 'transformed') {
    const before = label({ ...organism, kind: organism.was?.at(-1) ?? '' }, people);
    return msg(str`${before} turns into another creature: ${organismName(organism)}.`);
  }
  if (event.what === 'grafted') {
    return event.kind === undefined
      ? msg(str`A graft was removed from this creature: ${who}.`)
      : msg(str`A part was grafted onto this creature: ${who}.`);
  }
  if (event.what === 'wounded') return msg(str`${who} was wounded.`);
  if (event.what === 'departing') return msg(str`${who} is leaving.`);
  if (event.what === 'renewed') return msg(str`${who} stays.`);
  return event.what === 'healed' ? msg(str`${who} has healed.`) : msg(str`${who} has grown up.`);
}

/** Returns an organism with its planter's current name, which may have changed since the event. */
function withCurrentPlanter(organism: OrganismView, { organisms }: Room): OrganismView {
  const { planter } = organisms.get(organism.id) ?? organism;
  return { ...organism, planter };
}

/** Describes an organism in one line of text, with the facts on its card. */
export function portraitText(organism: OrganismView, room: Room): string {
  const facts = [
    planterText(withCurrentPlanter(organism, room), room),
    stateText(organism),
    survivedText(organism),
  ];
  return `${organismName(organism)}: ${facts.filter(Boolean).join(' · ')}`;
}

/**
 * Returns the announcement for a visitor who has just joined: the numbers of organisms and people
 * in the room.
 */
export function greeting(organisms: number, people: number): string {
  const living = plural(
    organisms,
    msg(str`${number(organisms)} creature lives here.`),
    msg(str`${number(organisms)} creatures live here.`),
  );
  return `${living} ${peopleText(people)}.`;
}

/** Collects life events, and chooses the most important ones for an announcement. */
export class Story {
  /**
   * The collected events, by organism and type. A later event replaces an earlier event of the same
   * organism and type.
   */
  private readonly pending = new Map<string, LifeChange>();

  get hasNews(): boolean {
    return this.pending.size > 0;
  }

  add(change: LifeChange): void {
    const { what } = change.event;
    const { id } = change.organism;
    // If an organism stays or has died, do not announce its departure.
    if (what === 'renewed' || what === 'died') this.pending.delete(`${id} departing`);
    if (RANK.includes(what)) this.pending.set(`${id} ${what}`, change);
  }

  forget(): void {
    this.pending.clear();
  }

  /**
   * Composes an announcement, and clears the collected events. The announcement describes the most
   * important events in chronological order, and says how many more there were.
   *
   * @returns a function that returns the announcement with people's current names
   */
  take(room: Room): () => string {
    const weight = ({ event, organism }: LifeChange): number =>
      RANK.indexOf(event.what) + (organism.planter.id === room.you?.id ? 0 : RANK.length);
    const all = [...this.pending.values()];
    this.pending.clear();
    // Prefer events of the reader's own organisms.
    const chosen = new Set([...all].sort((a, b) => weight(a) - weight(b)).slice(0, MAX_SENTENCES));
    const announced = all.filter((change) => chosen.has(change));
    const rest = all.length - announced.length;
    return () => {
      const sentences = announced.map(({ event, organism }) =>
        sentence({ event, organism: withCurrentPlanter(organism, room) }, room),
      );
      if (rest > 0) sentences.push(furtherEvents(rest));
      return sentences.join(' ');
    };
  }
}

/** Minimum time between two announcements, in ms. */
const MIN_INTERVAL = 7_000;
/** How long events are collected for one announcement, in ms. */
const COLLECT_TIME = 900;

/**
 * For screen readers: announces events, and lists the organisms. Fires `visit` (`detail`:
 * OrganismView) when the visitor chooses an organism in the list.
 */
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
      background: oklch(0.2 0.012 225);
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
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastAnnouncement = Number.NEGATIVE_INFINITY;
  private currentText: (() => string) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    const { model, story } = this;
    model.on('opened', ({ organisms, participants }) => {
      story.forget();
      this.announce(() => greeting(organisms.length, participants.length));
    });
    // Update the names in the announcement, because names may have been changed or hidden.
    model.on('people', () => {
      if (this.currentText) this.announcement = this.currentText();
      this.requestUpdate();
    });
    model.on('life', (change) => {
      const { event, organism } = change;
      const you = model.you?.id;
      // Whether the organism's planter sees a notice about the event. If this visitor is the
      // planter, do not announce the event as well.
      const isTold =
        ('by' in event && event.by !== you) ||
        event.what === 'departing' ||
        (event.what === 'died' && event.cause === 'departed');
      if (!isTold || organism.planter.id !== you) story.add(change);
      this.schedule();
    });
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

  protected override updated(): void {
    settle([...this.buttons]);
  }

  /** Announces the facts about an organism that the visitor has selected. */
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
      // Update the list of organisms even without an announcement.
      else this.requestUpdate();
    }, wait);
  }

  /**
   * Announces a text to screen readers.
   *
   * @param text returns the text with people's current names
   */
  private announce(text: () => string): void {
    this.currentText = text;
    this.announcement = text();
    this.lastAnnouncement = performance.now();
  }
}
