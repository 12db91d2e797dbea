/** Templates and event handlers that several elements of the host's page use. */
import { msg } from '@lit/localize';
import { html, nothing, type TemplateResult } from 'lit';

/** The heading of a section, with a lead text below and an action beside it. */
export function sectionHead(
  title: string,
  lead: unknown,
  action: TemplateResult | typeof nothing = nothing,
): TemplateResult {
  return html`<div class="head">
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
  return html`<fieldset>
    <legend>${legend}</legend>
    <div class="chips">
      ${choices.map(
        ({ value, name }) => html`<label class="chip"
          ><input type="radio" name=${legend} value=${value} .checked=${value === selected} @change=${() => select(value)} /><span>${name}</span></label
        >`,
      )}
    </div>
  </fieldset>`;
}

/** Shown instead of a section that needs stored data, on a server without any. */
export function noStorage(): TemplateResult {
  return html`<div class="empty"><p>${msg(html`This server does not store anything: it was started with <b>--data none</b>. Ask whoever runs the machine to start it without that option.`)}</p></div>`;
}

/** The value of the input, select or text area that an event comes from. */
export function inputValue({ target }: Event): string {
  return (target as HTMLInputElement | HTMLSelectElement).value;
}

/** Whether the checkbox that an event comes from is checked. */
export function isChecked({ target }: Event): boolean {
  return (target as HTMLInputElement).checked;
}

/** Hides a picture that could not be loaded, instead of showing a broken one. */
export function pictureFailed({ target }: Event): void {
  (target as HTMLImageElement).classList.add('failed');
}

/** Shows a picture again that failed to load before. */
export function pictureLoaded({ target }: Event): void {
  (target as HTMLImageElement).classList.remove('failed');
}
