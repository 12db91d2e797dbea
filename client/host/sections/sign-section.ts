/** The printed sign with the QR code: preview, print and download it. */
import { msg, str } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { FILES, PAPERS, type Paper, pathOf } from '../../../shared/host/api.ts';
import type { HostState, RoomSummary } from '../../../shared/host/state.ts';
import { type LanguageCode, SOURCE_LANGUAGE } from '../../../shared/languages.ts';
import {
  choicesOf,
  field,
  HostElement,
  LANGUAGE_CHOICES,
  radioChips,
  sectionHead,
  select,
} from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';

@customElement('sign-section')
export class SignSection extends HostElement {
  static override styles = css`
    .two {
      grid-template-columns: minmax(0, 24em) minmax(0, 1fr);
      gap: 26px;
      align-items: start;
    }
    .sheet {
      justify-items: center;
      padding: 26px;
      background: oklch(0.24 0.01 225);
    }
    img {
      display: block;
      width: 100%;
      max-width: 25em;
      aspect-ratio: 1 / 1.4142;
      background: white;
      box-shadow: 0 10px 40px oklch(0 0 0 / 0.5);
    }
    @media (max-width: 760px) {
      .two {
        grid-template-columns: minmax(0, 1fr);
      }
    }
  `;

  @state() private paper: Paper = 'A4';
  @state() private language: LanguageCode = SOURCE_LANGUAGE;
  @state() private address = '';
  @query('img') private readonly picture!: HTMLImageElement | null;

  protected override section(summary: RoomSummary, { addresses }: HostState): TemplateResult {
    const { name: room, settings } = summary;
    const address = this.address || addresses[0] || '';
    const query = new URLSearchParams({ paper: this.paper, language: this.language });
    if (address) query.set('address', address);
    const url = `${pathOf(FILES.sign, { room })}?${query}`;
    return html`${sectionHead(
      msg(str`Sign of “${room}”`),
      msg('Print it and hang it beside the wall. Scanning it takes visitors into the room.'),
    )}
      <div class="two grid">
        <div class="grid gap-22 card">
          ${radioChips(msg('Paper'), choicesOf(PAPERS, String), this.paper, (paper) => (this.paper = paper))}
          ${radioChips(msg('Language'), LANGUAGE_CHOICES, this.language, (language) => (this.language = language))}
          ${
            address
              ? field(
                  msg('Address for phones'),
                  select('address', choicesOf(addresses, String), address, (chosen) => {
                    this.address = chosen;
                  }),
                  html`<small>${msg('Scan the code with a phone before you print. If nothing opens, choose another address.')}</small>`,
                )
              : html`<p class="wrong">
                  ${msg('Phones cannot reach this server. Connect the machine to a network, or ask whoever runs it to start the server with --host 0.0.0.0.')}
                </p>`
          }
          <p class="field">
            <span>${msg('Link for those who only watch')}</span>
            <code dir="ltr" data-testid="watch-link">${`${address || location.origin}/r/${room}?view=only`}</code>
            <small
              >${
                settings.spectators
                  ? msg(
                      'Whoever opens it sees everything and cannot act. They take nobody’s place.',
                    )
                  : msg('The link is switched off in this room’s settings.')
              }</small>
          </p>
          <div class="row">
            <button class="solid" data-testid="print" @click=${this.print}>${hostIcons.print}${msg('Print')}</button>
            <a class="button plain" data-testid="download-sign" href=${url} download="${room}-${this.paper}-${this.language}.svg">${hostIcons.save}${msg('Download')}</a>
          </div>
        </div>
        <div class="sheet grid card">
          <img data-testid="sign" src=${url} alt=${msg('The sign: a code to scan and one sentence')} />
        </div>
      </div>`;
  }

  /** Prints only the sign, from a separate window that has the size of the paper. */
  private print(): void {
    const { picture, paper } = this;
    if (!picture) return;
    const page = window.open('', '_blank', 'width=800,height=1100');
    if (!page) {
      const text = msg(
        'The browser blocked the print window. Download the sign and print it from there.',
      );
      host.show({ text, wrong: true });
      return;
    }
    const { document: sheet } = page;
    sheet.title = 'Vivarium';
    const style = sheet.createElement('style');
    style.textContent = `@page { size: ${paper}; margin: 0 } body { margin: 0 } img { display: block; width: 100vw }`;
    const image = sheet.createElement('img');
    image.alt = picture.alt;
    image.addEventListener('load', () => page.print());
    image.src = picture.src;
    sheet.head.append(style);
    sheet.body.append(image);
  }
}
