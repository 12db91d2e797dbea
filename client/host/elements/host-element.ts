/**
 * Base classes of the host's elements, and the templates that several of them share. Nothing here
 * makes a call. Start with `HostElement`.
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

/** Has the styles of the host's page, before its own. */
export abstract class StyledElement extends LitElement {
  protected static override finalizeStyles(own: CSSResultGroup = []): CSSResultOrNative[] {
    return LitElement.finalizeStyles([hostStyle, own]);
  }

  /** Fires an event that does not bubble. */
  protected emit(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Renders again when `version` changes, and notices when another room is selected. */
export abstract class HostElement extends StyledElement {
  @property({ attribute: false }) host!: HostModel;
  @property({ attribute: false }) version = 0;
  /** Actions apply to this room, even if another one is selected before they end. */
  protected shownRoom = '';
  /** Server time between calls of `load` for the same room, ms. */
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

  /** Day and time at the server: 'yesterday, 23:30'. @param at ms since 1970 */
  protected moment(at: number): string {
    const { now = 0, zone = 'UTC' } = this.host.state ?? {};
    return moment(at, now, zone);
  }

  /** A section about the selected room renders this. */
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

/** The heading of a section, with a lead text below and an action beside it. */
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

/** A labelled group of radio buttons, shown as chips. The legend is also the name of the group. */
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

/** A labelled group of check boxes for languages, shown as chips. */
export function languageChips(
  legend: string,
  checkbox: (language: LanguageCode) => TemplateResult,
): TemplateResult {
  const choices = LANGUAGE_CODES.map((value) => ({ value, name: LANGUAGES[value].name }));
  return chips(legend, choices, checkbox, (language) => language);
}

/** A labelled group of chips. @param lang the language of a chip's name, if not the page's */
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

/** A round button with an icon. @param title the name, or what it does in more words */
export function iconButton(label: string, icon: unknown, click: () => void, title = label) {
  return html`<button class="icon" title=${title} aria-label=${label} @click=${click}>${icon}</button>`;
}

/** A control with its label above, and notes below. */
export function field(label: unknown, control: TemplateResult, notes?: TemplateResult) {
  return html`<label class="field"><span>${label}</span>${control}${notes}</label>`;
}

/** A row with a title, an explanation and a check box at its end. */
export function switchRow(title: unknown, about: string, input: TemplateResult): TemplateResult {
  return html`<label class="switch flex spread gap-20"><span>${title}<small>${about}</small></span>${input}</label>`;
}

/** A radio button with its name and an explanation. */
export function option(input: TemplateResult, name: string, about: unknown): TemplateResult {
  return html`<label>${input}<span>${name}<small>${about}</small></span></label>`;
}

/** The key of a list's items. */
export const idOf = ({ id }: { readonly id: number }): number => id;

/** A button to show the rest of a list, if there is any. */
export function showAll(shown: number, all: number, show: () => void) {
  return shown < all
    ? html`<button class="quiet" @click=${show}>${msg(str`Show all ${all}`)}</button>`
    : nothing;
}

/** Shown instead of a section that needs stored data, on a server without any. */
export function noStorage(): TemplateResult {
  return html`<div class="empty"><p>${msg(html`This server does not store anything: it was started with <b>--data none</b>. Ask whoever runs the machine to start it without that option.`)}</p></div>`;
}

/** The value of the input, select or text area that an event comes from. */
export function inputValue({ target }: Event): string {
  return (target as HTMLInputElement | HTMLSelectElement).value;
}

/** A check box. @param label its name, if no label element surrounds it */
export function checkbox(
  on: boolean,
  change: (on: boolean) => void,
  { testId, label }: { readonly testId?: string; readonly label?: string } = {},
): TemplateResult {
  const changed = ({ target }: Event): void => change((target as HTMLInputElement).checked);
  return html`<input type="checkbox" data-testid=${testId ?? nothing} aria-label=${label ?? nothing} .checked=${live(on)} @change=${changed} />`;
}

/** Hides a picture that could not be loaded, instead of showing a broken one. */
export function pictureLoaded({ target, type }: Event): void {
  (target as HTMLImageElement).classList.toggle('failed', type === 'error');
}
