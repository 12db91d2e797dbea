/** The language menu: shows the two-letter code and opens a native select. */
import { msg } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { LANGUAGE_CODES, LANGUAGES } from '../../../shared/languages.ts';
import { choose, language } from '../../locale/locale.ts';
import { VisitorElement } from './page-element.ts';

/** Switches the language of the page. */
@customElement('language-switch')
export class LanguageSwitch extends VisitorElement {
  static override styles = css`
    label {
      position: relative;
      min-width: 2.9em;
      height: 2.8em;
      border-radius: 999px;
      letter-spacing: 0.04em;
      text-transform: uppercase;
    }
    label:focus-within {
      color: var(--ink);
    }
    select {
      position: absolute;
      inset: -4px 0;
      width: 100%;
      font: inherit;
      text-transform: none;
      opacity: 0;
      cursor: pointer;
    }
    select:focus-visible + span {
      outline: 2px solid var(--accent);
      outline-offset: 6px;
      border-radius: 2px;
    }
    @media (pointer: coarse) {
      label {
        min-width: 44px;
        height: 44px;
      }
      /* The label is the touch target. */
      select {
        min-width: 0 !important;
        min-height: 0 !important;
      }
    }
    option {
      color: initial;
      background: initial;
    }
  `;

  override render(): TemplateResult {
    const current = language();
    return html`<label class="panel middle small soft bright" title=${msg('Language')}>
      <select aria-label=${msg('Language')} data-testid="language" @change=${choose}>
        ${LANGUAGE_CODES.map(
          (code) =>
            html`<option value=${code} lang=${code} .selected=${code === current}>${LANGUAGES[code].name}</option>`,
        )}
      </select>
      <span aria-hidden="true">${current}</span>
    </label>`;
  }
}
