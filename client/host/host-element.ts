/**
 * The base class of the elements on the host's page, on which the person who runs the exhibition
 * (the host) manages the rooms; and templates that several elements share.
 */
import { msg, str } from '@lit/localize';
import {
  type CSSResultGroup,
  html,
  LitElement,
  nothing,
  type PropertyValues,
  type TemplateResult,
} from 'lit';
import { state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import { repeat } from 'lit/directives/repeat.js';
import type { HostState, RoomSummary } from '../../shared/host/state.ts';
import { LANGUAGE_CODES, LANGUAGES, type LanguageCode } from '../../shared/languages.ts';
import { host } from './host-model.ts';
import { hostIcons } from './icons.ts';
import { hostStyle } from './style.ts';
import { failure, paceText } from './text.ts';

/**
 * Base class of elements that show the host's model (`host`). Adds the page's common styles,
 * renders the element when the model changes, and calls `roomChanged` when the host selects another
 * room.
 */
export abstract class HostElement<Loaded = unknown> extends LitElement {
  /**
   * Minimum time between two calls of `load` for one room, in ms of the server's clock. By default,
   * `load` is called once per room.
   */
  protected readonly reloadInterval: number = Number.POSITIVE_INFINITY;
  /** The result of `load` for the selected room; undefined until the data has arrived. */
  @state() protected loaded: Loaded | undefined;
  /** Explains why the last call of `load` failed; '' if it succeeded. */
  @state() protected loadFailure = '';
  /** Whether a long list is shown in full. */
  @state() private isWhole = false;
  private shownRoom = '';
  private loadedAt = 0;
  private readonly renew = (): void => this.requestUpdate();

  protected static override finalizeStyles(own: CSSResultGroup = []) {
    return LitElement.finalizeStyles([hostStyle, own]);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    host.listeners.add(this.renew);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    host.listeners.delete(this.renew);
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const { room, state } = host;
    const now = state?.now ?? 0;
    const isNew = room !== this.shownRoom;
    this.shownRoom = room;
    if (isNew) {
      this.loaded = undefined;
      this.isWhole = false;
      this.roomChanged();
    }
    if (!room || (!isNew && now - this.loadedAt <= this.reloadInterval)) return;
    this.loadedAt = now;
    void this.reload();
  }

  override render(): TemplateResult | typeof nothing {
    const { summary, state } = host;
    return summary && state ? this.section(summary, state) : nothing;
  }

  /**
   * Renders the content for the selected room; called only if a room is selected. An element that
   * does not depend on a room overrides `render` instead.
   */
  protected section(_room: RoomSummary, _all: HostState): TemplateResult | typeof nothing {
    return nothing;
  }

  /** Called after another room was selected, to reset state that belongs to the previous room. */
  protected roomChanged(): void {}

  /** Fetches additional data about a room. The result is stored in `loaded`. */
  protected load(_room: string): Promise<Loaded> | undefined {
    return undefined;
  }

  protected async reload(): Promise<void> {
    const { room } = host;
    try {
      const loaded = await this.load(room);
      if (room === host.room) this.loaded = loaded;
      this.loadFailure = '';
    } catch (error) {
      this.loadFailure = failure(error);
    }
  }

  /**
   * Returns the first `count` items of a list, or all items once the host has pressed “Show all”.
   */
  protected first<T>(all: readonly T[], count: number): readonly T[] {
    return this.isWhole ? all : all.slice(0, count);
  }

  /** Renders the button “Show all” of a list, or nothing if all items are already shown. */
  protected showAll(shown: number, all: number): TemplateResult | typeof nothing {
    const show = () => (this.isWhole = true);
    const label = msg(str`Show all ${all}`);
    return shown < all ? html`<button class="quiet" @click=${show}>${label}</button>` : nothing;
  }

  /** Fires a custom event that does not bubble. */
  protected emit(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/**
 * Renders the head of a section: a heading above an introduction (`lead`), and an action, such as a
 * button, at the side.
 */
export function sectionHead(title: string, lead: unknown, action: unknown = nothing) {
  return html`<div class="head wrap spread">
    <div>
      <h2>${title}</h2>
      <p class="lead">${lead}</p>
    </div>
    ${action}
  </div>`;
}

/** One option of a group of chips or of a select. */
export interface Choice<T> {
  readonly value: T;
  readonly name: string;
}

/** Turns each value into an option. @param name returns the text that the option shows */
export const choicesOf = <T>(values: readonly T[], name: (value: T) => string): Choice<T>[] =>
  values.map((value) => ({ value, name: name(value) }));

export const LANGUAGE_CHOICES = choicesOf(LANGUAGE_CODES, (code) => LANGUAGES[code].name);

/**
 * Renders radio buttons that look like chips. `legend` labels the group, and is also the HTML
 * attribute `name` of the buttons.
 */
export function radioChips<T extends string | number>(
  legend: string,
  choices: readonly Choice<T>[],
  selected: T,
  select: (value: T) => void,
): TemplateResult {
  const input = (value: T): TemplateResult =>
    html`<input type="radio" name=${legend} value=${value} .checked=${value === selected} @change=${() => select(value)} />`;
  return chips(legend, choices, input);
}

/** Renders a labelled group of check boxes, one per language, as chips. */
export const languageChips = (
  legend: string,
  checkbox: (language: LanguageCode) => TemplateResult,
): TemplateResult => chips(legend, LANGUAGE_CHOICES, checkbox, (language) => language);

/**
 * Renders a labelled group of chips: inputs, such as radio buttons, that look like small buttons.
 *
 * @param input renders the input for a value
 * @param lang language of a chip's name, if it differs from the page's language
 */
export function chips<T>(
  legend: string,
  choices: readonly Choice<T>[],
  input: (value: T) => TemplateResult,
  lang: (value: T) => string | typeof nothing = () => nothing,
): TemplateResult {
  const chip = ({ value, name }: Choice<T>): TemplateResult =>
    html`<label class="chip">${input(value)}<span lang=${lang(value)}>${name}</span></label>`;
  return html`<fieldset>
    <legend>${legend}</legend>
    <div class="chips wrap gap-8">${choices.map(chip)}</div>
  </fieldset>`;
}

/**
 * Renders a round button that shows only an icon.
 *
 * @param title tooltip; by default the same as `label`
 */
export const iconButton = (label: string, icon: unknown, click: () => void, title = label) =>
  html`<button class="icon" title=${title} aria-label=${label} @click=${click}>${icon}</button>`;

/** Renders a control with its label above it and notes below it. */
export const field = (label: unknown, control: TemplateResult, notes?: TemplateResult) =>
  html`<label class="field"><span>${label}</span>${control}${notes}</label>`;

/**
 * Renders the text field `name` for a form that uses `submitName`.
 *
 * @param example placeholder text
 */
export const nameField = (label: string, testId: string, example: string): TemplateResult =>
  html`<label class="field fills"
    ><span>${label}</span
    ><input name="name" data-testid=${testId} required maxlength="80" autocomplete="off" placeholder=${example} />
  </label>`;

/** Renders a row with a title, an explanation and, at the end, an input such as a check box. */
export const switchRow = (title: unknown, about: string, input: TemplateResult): TemplateResult =>
  html`<label class="switch flex spread gap-20"><span>${title}<small>${about}</small></span>${input}</label>`;

/** Renders a radio button with its name and an explanation. */
export const option = (input: TemplateResult, name: string, about: unknown): TemplateResult =>
  html`<label>${input}<span>${name}<small>${about}</small></span></label>`;

export const idOf = ({ id }: { readonly id: number }): number => id;

/**
 * Explains that the server stores nothing. A section about stored data shows this text instead of
 * its content.
 */
export const noStorage = (): TemplateResult =>
  html`<div class="empty"><p>${msg(html`This server does not store anything: it was started with <b>--data none</b>. Ask whoever runs the machine to start it without that option.`)}</p></div>`;

/** Returns the value of the input, select or text area that fired an event. */
export const inputValue = ({ target }: Event): string =>
  (target as HTMLInputElement | HTMLSelectElement).value;

/**
 * Renders a check box.
 *
 * @param label accessible name; not needed if the check box is inside a label element
 */
export function checkbox(
  on: boolean,
  change: (on: boolean) => void,
  { testId, label }: { readonly testId?: string; readonly label?: string } = {},
): TemplateResult {
  const changed = ({ target }: Event): void => change((target as HTMLInputElement).checked);
  return html`<input type="checkbox" data-testid=${testId ?? nothing} aria-label=${label ?? nothing} .checked=${live(on)} @change=${changed} />`;
}

/**
 * Renders a button that lets the host choose a file.
 *
 * @param accept file types, as in the HTML attribute
 */
export function fileButton(
  testId: string,
  name: string,
  accept: string,
  use: (file: File) => Promise<unknown>,
): TemplateResult {
  const changed = ({ target }: Event): void => {
    const input = target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file) void use(file);
    // Empty the input, so that choosing the same file again fires an event.
    input.value = '';
  };
  return html`<label class="plain chip">${hostIcons.load}${name}<input type="file" data-testid=${testId} accept=${accept} @change=${changed} /></label>`;
}

/** Renders a picture. Hides the picture if it cannot be loaded. */
export function picture(src: string, alt = '', kind = ''): TemplateResult {
  const ended = ({ target, type }: Event): void => {
    (target as HTMLImageElement).classList.toggle('failed', type === 'error');
  };
  return html`<img class="picture ${kind}" src=${src} alt=${alt} loading="lazy" @load=${ended} @error=${ended} />`;
}

/** Renders short facts next to each other. Leaves out empty facts. */
export const facts = (...all: readonly (TemplateResult | string | false)[]): TemplateResult =>
  html`<p class="facts wrap wide soft number">${all.filter(Boolean).map((each) => html`<span>${each}</span>`)}</p>`;

/** Renders a state, such as “open”, as a short text with a coloured dot. */
export const tag = (text: string, kind: '' | 'good' | 'warning' | 'wrong' = ''): TemplateResult =>
  html`<span class="tag ${kind}">${text}</span>`;

/** Renders a room's speed. Highlights the speed if the room runs slower than configured. */
export const paceFact = (pace: RoomSummary['pace']): TemplateResult =>
  html`<span class=${pace.slow ? 'warning' : ''}>${paceText(pace)}</span>`;

/** Renders a select element. @param change receives the value of the chosen option */
export function select(
  testId: string,
  options: readonly Choice<string | number>[],
  selected: string | number,
  change: (value: string) => void,
): TemplateResult {
  const option = ({ value, name }: Choice<string | number>): TemplateResult =>
    html`<option value=${value} .selected=${value === selected}>${name}</option>`;
  return html`<select data-testid=${testId} @change=${(event: Event) => change(inputValue(event))}>
    ${repeat(options, ({ value }) => value, option)}
  </select>`;
}

/**
 * Creates a submit handler for a form with a field `name`. The handler empties the form if `use`
 * resolves to a truthy value.
 *
 * @param use receives the typed name, and as `pressed` the value of the button that submitted the
 *   form
 */
export const submitName =
  (use: (name: string, pressed: string) => Promise<unknown>) =>
  async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = String(new FormData(form).get('name')).trim();
    const { value = '' } = (event.submitter ?? {}) as { value?: string };
    if (name && (await use(name, value))) form.reset();
  };
