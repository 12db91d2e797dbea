/** Selects the page's language. Texts are evaluated at start, so a change reloads the page. */
import { msg } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { LANGUAGE_CODES, LANGUAGES } from '../../../shared/languages.ts';
import { choose, language } from '../../locale/locale.ts';
import { StyledElement } from './styled-element.ts';

/** A select that reloads the page in the selected language. */
@customElement('host-language')
export class HostLanguage extends StyledElement {
  static override styles = css`
    select:not(:focus-visible) {
      border-color: transparent;
      background-color: transparent;
    }
    select {
      color: var(--ink-soft);
      cursor: pointer;
    }
    @media (hover: hover) {
      select:hover {
        color: var(--ink);
        background-color: var(--raised);
      }
    }
  `;

  override render(): TemplateResult {
    const current = language();
    return html`<select aria-label=${msg('Language')} data-testid="language" @change=${this.choose}>
      ${LANGUAGE_CODES.map(
        (code) =>
          html`<option value=${code} lang=${code} .selected=${code === current}>${LANGUAGES[code].name}</option>`,
      )}
    </select>`;
  }

  private async choose(event: Event): Promise<void> {
    await choose(event);
    location.reload();
  }
}
