/** The language of the host's page. Its words are read when the page begins, so choosing another begins it anew. */
import { msg } from '@lit/localize';
import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { LANGUAGE_CODES, LANGUAGES, type LanguageCode } from '../../../shared/languages.ts';
import { chooseFor, language } from '../../locale/locale.ts';
import { hostStyle } from '../style.ts';

@customElement('host-language')
export class HostLanguage extends LitElement {
  static override styles = [
    hostStyle,
    css`
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
    `,
  ];

  override render(): TemplateResult {
    const spoken = language();
    return html`<select aria-label=${msg('Language')} data-testid="language" @change=${this.choose}>
      ${LANGUAGE_CODES.map(
        (code) =>
          html`<option value=${code} lang=${code} .selected=${code === spoken}>${LANGUAGES[code].name}</option>`,
      )}
    </select>`;
  }

  private async choose(event: Event): Promise<void> {
    await chooseFor((event.target as HTMLSelectElement).value as LanguageCode);
    location.reload();
  }
}
