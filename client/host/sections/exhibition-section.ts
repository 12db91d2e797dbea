/** Section “Exhibition”: what the host says on walls, signs and visitors' pages. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { MAX_LOGO_BYTES } from '../../../shared/host/api.ts';
import type { RoomSummary } from '../../../shared/host/state.ts';
import * as ui from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { REASON_TEXTS } from '../text.ts';

@customElement('exhibition-section')
export class ExhibitionSection extends ui.HostElement {
  static override styles = css`
    .said {
      align-items: center;
      border-color: var(--accent-edge);
      background: var(--accent-deep);
    }
    .said bdi {
      flex: 1 1 12em;
    }
    .logo {
      max-width: 100%;
      max-height: 8em;
      padding: 12px;
      border-radius: 12px;
      background: oklch(0.14 0.009 228);
    }
  `;

  protected override section({ name }: RoomSummary): TemplateResult {
    const cards = html`<div class="grid gap-14">${messageCard()}${textCard()}${logoCard(name)}</div>`;
    return html`${ui.sectionHead(
      msg(str`Exhibition in “${name}”`),
      msg('What you write here is shown as it is, in no other language.'),
    )}${keyed(name, cards)}`;
  }
}

function messageCard(): TemplateResult {
  const { message } = host.settings!;
  const send = ui.submitName((text) =>
    host.change({ message: text }, msg('Everybody sees the message.')),
  );
  return html`<form class="card gap-14" @submit=${send}>
    <h3>${msg('Message to everybody')}</h3>
    ${
      message
        ? html`<div class="said pill wrap spread" data-testid="message">
            <bdi>${message}</bdi>
            <button type="button" class="plain" @click=${() => host.change({ message: '' })}>${hostIcons.remove}${msg('Remove')}</button>
          </div>`
        : nothing
    }
    ${ui.field(
      msg('Text'),
      html`<input name="name" data-testid="message-text" dir="auto" required maxlength="200" autocomplete="off" placeholder=${msg('for example: We close in ten minutes.')} />`,
      html`<small>${msg('Phones, walls and tables show it until you remove it.')}</small>`,
    )}
    <div><button class="solid" data-testid="send-message">${msg('Show')}</button></div>
  </form>`;
}

function textCard(): TemplateResult {
  const { exhibition, credits } = host.settings!;
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(event.target as HTMLFormElement));
    void host.change(form, msg('The texts are saved.'));
  };
  return html`<form class="card gap-14" @submit=${save}>
    <h3>${msg('About the exhibition')}</h3>
    <p class="soft">${msg('Walls show it among their captions, signs at the foot, and phones beside the room’s details.')}</p>
    ${ui.field(
      msg('What it is'),
      html`<textarea name="exhibition" dir="auto" rows="3" maxlength="280" .value=${exhibition}></textarea>`,
    )}
    ${ui.field(
      msg('Who made it, who paid for it'),
      html`<input name="credits" dir="auto" maxlength="140" autocomplete="off" .value=${credits} />`,
    )}
    <div><button class="solid" data-testid="save-texts">${msg('Save')}</button></div>
  </form>`;
}

function logoCard(room: string): TemplateResult {
  const { logo } = host.settings!;
  return html`<section class="card grid gap-14" aria-label=${msg('Logo')}>
    <h3>${msg('Logo')}</h3>
    ${logo ? html`<div><img class="logo" data-testid="logo" src=${logo} alt=${msg('Logo')} /></div>` : nothing}
    <p class="soft">${msg('PNG, JPEG or WebP, up to 256 kB. Walls and phones are dark, signs are white.')}</p>
    <div class="row">
      ${ui.fileButton('load-logo', msg('Choose a picture'), 'image/png,image/jpeg,image/webp', (file) => useLogo(file, room))}
      ${logo ? html`<button class="danger" data-testid="remove-logo" @click=${() => host.change({ logo: '' })}>${hostIcons.remove}${msg('Remove')}</button>` : nothing}
    </div>
  </section>`;
}

async function useLogo(file: File, room: string): Promise<void> {
  if (file.size > MAX_LOGO_BYTES) {
    host.show({ text: REASON_TEXTS['too-large'], wrong: true });
    return;
  }
  const bytes = Array.from(new Uint8Array(await file.arrayBuffer()), (byte) =>
    String.fromCharCode(byte),
  );
  const stored = await host.do('putLogo', { name: room, picture: btoa(bytes.join('')) });
  if (stored) await host.change({ logo: stored.logo }, msg('The logo is shown now.'), room);
}
