/** A select of the pages' languages. */
import { msg } from '@lit/localize';
import { html, type TemplateResult } from 'lit';
import { LANGUAGE_CODES, LANGUAGES } from '../../shared/languages.ts';
import { choose, language } from '../locale/locale.ts';

/** The select by which a page changes its language, by default without loading again. */
export const languageSelect = (change: (event: Event) => unknown = choose): TemplateResult =>
  html`<select aria-label=${msg('Language')} data-testid="language" @change=${change}>
    ${LANGUAGE_CODES.map(
      (code) =>
        html`<option value=${code} lang=${code} .selected=${code === language()}>${LANGUAGES[code].name}</option>`,
    )}
  </select>`;
