/**
 * Base classes of the host's elements, and templates that several of them share. Nothing here calls
 * the server. Start with `HostElement`.
 */

import { msg, str } from '@lit/localize';
import {
  type CSSResultGroup,
  type CSSResultOrNative,
  html,
  LitElement,
  nothing,
  type PropertyValues,
  type TemplateResult,
} from 'lit';
import { property } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import type { HostState, RoomSummary } from '../../../shared/host/state.ts';
import { LANGUAGE_CODES, LANGUAGES, type LanguageCode } from '../../../shared/languages.ts';
import type { HostModel } from '../host-model.ts';
import { hostStyle } from '../style.ts';
import { moment } from '../text.ts';

/** Base class that adds the styles of the host's page before an element's own. */
export abstract class StyledElement extends LitElement {
  protected static override finalizeStyles(own: CSSResultGroup = []): CSSResultOrNative[] {
    return LitElement.finalizeStyles([hostStyle, own]);
  }

  /** Fires an event that does not bubble. */
  protected emit(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/**
 * Base class of elements that show the model. It renders again when `version` changes, and calls
 * `roomChanged` when another room is selected.
 */
export abstract class HostElement extends StyledElement {
  @property({ attribute: false }) host!: HostModel;
  @property({ attribute: false }) version = 0;
  /**
   * The room that actions apply to, even if the host selects another room before the actions end.
   */
  protected shownRoom = '';
  /** Minimum time between two calls of `load` for the same room, by the server's clock, in ms. */
  protected readonly reloadInterval: number = Number.POSITIVE_INFINITY;
  private loadedAt = 0;

  protected override willUpdate(_changed: PropertyValues): void {
    const { room, state } = this.host;
    const now = state?.now ?? 0;
    const isNew = room !== this.shownRoom;
    this.shownRoom = room;
    if (isNew) this.roomChanged();
    if (!room || (!isNew && now - this.loadedAt <= this.reloadInterval)) return;
    this.loadedAt = now;
    void this.load(room);
  }

  /**
   * Formats day and time in the server's time zone: 'yesterday, 23:30'.
   *
   * @param at in ms since 1970
   */
  protected moment(at: number): string {
    const { now = 0, zone = 'UTC' } = this.host.state ?? {};
    return moment(at, now, zone);
  }

  /**
   * Renders a section about the selected room. Elements that are a section about the selected room
   * override this method.
   */
  protected section(_room: RoomSummary, _all: HostState): TemplateResult | typeof nothing {
    return nothing;
  }

  override render(): TemplateResult | typeof nothing {
    const { summary, state } = this.host;
    return summary && state ? this.section(summary, state) : nothing;
  }

  /** Resets the state that belongs to the previous room. */
  protected roomChanged(): void {}

  /** Fetches data that the model does not hold. Must not reject. */
  protected async load(_room: string): Promise<void> {}
}

/** Renders a section's heading with a lead text below it and an action beside it. */
export function sectionHead(
  title: string,
  lead: unknown,
  action: TemplateResult | typeof nothing = nothing,
): TemplateResult {
  return html`<div class="head wrap spread">
    <div>
      <h2>${title}</h2>
      <p class="lead">${lead}</p>
    </div>
    ${action}
  </div>`;
}

/** One option of a group of chips. */
export interface Choice<T> {
  readonly value: T;
  readonly name: string;
}

/** Renders a labelled group of radio buttons as chips. The legend is also the name of the group. */
export function radioChips<T extends string | number>(
  legend: string,
  choices: readonly Choice<T>[],
  selected: T,
  select: (value: T) => void,
): TemplateResult {
  return chips(legend, choices, (value) => {
    return html`<input type="radio" name=${legend} value=${value} .checked=${value === selected} @change=${() => select(value)} />`;
  });
}

/** Renders a labelled group of check boxes for languages as chips. */
export function languageChips(
  legend: string,
  checkbox: (language: LanguageCode) => TemplateResult,
): TemplateResult {
  const choices = LANGUAGE_CODES.map((value) => ({ value, name: LANGUAGES[value].name }));
  return chips(legend, choices, checkbox, (language) => language);
}

/**
 * Renders a labelled group of chips.
 *
 * @param lang language of a chip's name, if it differs from the page's language
 */
export function chips<T>(
  legend: string,
  choices: readonly Choice<T>[],
  input: (value: T) => TemplateResult,
  lang: (value: T) => string | typeof nothing = () => nothing,
): TemplateResult {
  return html`<fieldset>
    <legend>${legend}</legend>
    <div class="chips wrap gap-8">
      ${choices.map(
        ({ value, name }) =>
          html`<label class="chip">${input(value)}<span lang=${lang(value)}>${name}</span></label>`,
      )}
    </div>
  </fieldset>`;
}

/** Renders a round button with an icon. @param title tooltip; the label or a longer explanation */
export function iconButton(label: string, icon: unknown, click: () => void, title = label) {
  return html`<button class="icon" title=${title} aria-label=${label} @click=${click}>${icon}</button>`;
}

/** Renders a control with its label above it and notes below it. */
export function field(label: unknown, control: TemplateResult, notes?: TemplateResult) {
  return html`<label class="field"><span>${label}</span>${control}${notes}</label>`;
}

/** Renders a row with a title, an explanation and a check box at the end. */
export function switchRow(title: unknown, about: string, input: TemplateResult): TemplateResult {
  return html`<label class="switch flex spread gap-20"><span>${title}<small>${about}</small></span>${input}</label>`;
}

/** Renders a radio button with its name and an explanation. */
export function option(input: TemplateResult, name: string, about: unknown): TemplateResult {
  return html`<label>${input}<span>${name}<small>${about}</small></span></label>`;
}

export const idOf = ({ id }: { readonly id: number }): number => id;

/** Renders a button that shows the rest of a list; nothing if the whole list is shown. */
export function showAll(shown: number, all: number, show: () => void) {
  return shown < all
    ? html`<button class="quiet" @click=${show}>${msg(str`Show all ${all}`)}</button>`
    : nothing;
}

/** Replaces a section that needs stored data, if the server stores none. */
export function noStorage(): TemplateResult {
  return html`<div class="empty"><p>${msg(html`This server does not store anything: it was started with <b>--data none</b>. Ask whoever runs the machine to start it without that option.`)}</p></div>`;
}

/** Returns the value of the input, select or text area that fired an event. */
export function inputValue({ target }: Event): string {
  return (target as HTMLInputElement | HTMLSelectElement).value;
}

/** Renders a check box. @param label name of the check box, unless a label element surrounds it */
export function checkbox(
  on: boolean,
  change: (on: boolean) => void,
  { testId, label }: { readonly testId?: string; readonly label?: string } = {},
): TemplateResult {
  const changed = ({ target }: Event): void => change((target as HTMLInputElement).checked);
  return html`<input type="checkbox" data-testid=${testId ?? nothing} aria-label=${label ?? nothing} .checked=${live(on)} @change=${changed} />`;
}

/** Hides a picture that could not be loaded, instead of showing a broken image. */
export function pictureLoaded({ target, type }: Event): void {
  (target as HTMLImageElement).classList.toggle('failed', type === 'error');
}
