/**
 * Sections about the exhibition: the room's walls; the sign with a QR code, to be printed; and the
 * host's texts for walls, signs and visitors' pages.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { FILES, PAPERS, type Paper, pathOf } from '../../../shared/host/api.ts';
import type { RoomSettings } from '../../../shared/host/room-settings.ts';
import type { HostState, RoomSummary, WallState } from '../../../shared/host/state.ts';
import { type LanguageCode, SOURCE_LANGUAGE } from '../../../shared/languages.ts';
import { MAX_LOGO_BYTES } from '../../../shared/limits.ts';
import { number, plural } from '../../elements/text.ts';
import { formats } from '../../locale/locale.ts';
import * as ui from '../host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import * as texts from '../text.ts';

/**
 * Section “Walls”: lists the room's walls (large displays), and creates web addresses for new
 * walls. For each of these addresses, the room reserves a place for the screen that opens the
 * address.
 */
@customElement('walls-section')
export class WallsSection extends ui.HostElement {
  protected override section({ name }: RoomSummary): TemplateResult | typeof nothing {
    const walls = host.detail?.wallList;
    if (!walls) return nothing;
    const lead = msg(
      'A wall with its own web address can always connect, and this page warns you if it disconnects.',
    );
    return html`${ui.sectionHead(msg(str`Walls of “${name}”`), lead)}
      <div class="grid gap-14">
        <form class="card row end gap-12" @submit=${add}>
          ${ui.nameField(msg('Name of the wall or table'), 'wall-name', msg('for example: Foyer'))}
          <button class="solid" data-testid="add-wall">${hostIcons.plus}${msg('Add wall')}</button>
          <button class="plain" data-testid="add-table" value="table">${hostIcons.plus}${msg('Add touch table')}</button>
        </form>
        ${walls.map(wallCard)}
        ${walls.length === 0 ? html`<div class="empty"><p>${msg('No wall is up.')}</p></div>` : nothing}
      </div>`;
  }
}

const add = ui.submitName((name, pressed) => {
  const done = msg(
    str`“${name}” now has a web address. Open it on the screen of this wall or table.`,
  );
  return host.do('addWall', { name, table: pressed === 'table' }, { done });
});

function wallCard(wall: WallState): TemplateResult {
  const { id, name, upFor, lost, screens, unwritable, table, blocked } = wall;
  // `unwritable` lists languages whose letters the wall cannot display. Name them in the page's
  // language, because the host's screen may lack these letters too.
  const names = new Intl.DisplayNames(formats(), { type: 'language' });
  const list = unwritable.map((code) => names.of(code)!);
  const languages = new Intl.ListFormat(formats()).format(list);
  const title = id === null ? msg('A wall without its own web address') : name;
  const frames = Math.round(wall.frameRate);
  const isUp = upFor !== null;
  const down = lost === null ? ui.tag(msg('not opened yet')) : ui.tag(msg('lost'), 'wrong');
  const rate = plural(
    frames,
    msg(str`${number(frames)} frame per second`),
    msg(str`${number(frames)} frames per second`),
  );
  const several = plural(
    screens,
    msg(str`${number(screens)} screen`),
    msg(str`${number(screens)} screens`),
  );
  return html`<article class="card grid gap-12" data-testid="wall-${id ?? 'guest'}" aria-label=${title}>
    <div>
      <div class="row">
        <h3 class="title">${title}</h3>
        ${isUp ? ui.tag(msg('up'), 'good') : down}
        ${blocked ? ui.tag(msg('blocked'), 'wrong') : nothing}
      </div>
      ${ui.facts(
        table && msg('Touch table'),
        isUp && msg(str`up for ${texts.roughSpan(upFor)}`),
        isUp && rate,
        screens > 1 && several,
        lost !== null && msg(str`lost: ${host.moment(lost)}`),
      )}
      ${languages ? html`<p data-testid="unwritable">${unwritableText(languages)}</p>` : nothing}
    </div>
    ${
      id === null
        ? html`<p class="soft">${msg('Another wall can take this wall’s place in the room. To reserve a place, add a wall and open the new address on this wall’s screen.')}</p>`
        : address(wall)
    }
  </article>`;
}

const unwritableText = (languages: string): string =>
  msg(
    str`This screen has no fonts for ${languages}. On the computer that runs the screen, install the fonts that HOSTING.md lists.`,
  );

function address({ id: wall, name, path, table, blocked }: WallState): TemplateResult {
  const url = (host.state?.addresses[0] ?? location.origin) + path;
  const ask = {
    title: table
      ? msg(str`Remove the touch table “${name}”?`)
      : msg(str`Remove the wall “${name}”?`),
    text: table
      ? msg('The web address of this touch table will stop working.')
      : msg(
          'The web address of this wall will keep working, but without a reserved place: the server may disconnect the wall to let in other walls.',
        ),
    confirm: msg('Remove'),
  };
  const block = () => host.do('blockTable', { wall, blocked: !blocked });
  const remove = () => host.do('removeWall', { wall }, { ask, done: msg(str`Removed: ${name}.`) });
  return html`<div class="wrap end gap-12">
    <p class="field fills wide">
      <span>${table ? msg('Address of this table') : msg('Address of this wall')}</span>
      <code dir="ltr" data-testid="wall-address">${url}</code>
    </p>
    <div class="row">
      ${table ? html`<button class="plain" data-testid="block-table" @click=${block}>${blocked ? msg('Unblock') : msg('Block')}</button>` : nothing}
      <a class="button plain" href=${path} target="_blank">${hostIcons.open}${table ? msg('Open the table') : msg('Open the wall')}</a>
      <button class="danger" data-testid="remove-wall" @click=${remove}>${hostIcons.remove}${msg('Remove')}</button>
    </div>
  </div>`;
}

@customElement('sign-section')
export class SignSection extends ui.HostElement {
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
  /** Number of changes to the Wi-Fi settings since the section was opened. */
  @state() private version = 0;
  @query('img') private readonly picture!: HTMLImageElement | null;

  protected override section(summary: RoomSummary, { addresses }: HostState): TemplateResult {
    const { name: room, settings } = summary;
    const address = this.address || addresses[0] || '';
    const query = new URLSearchParams({ paper: this.paper, language: this.language });
    if (address) query.set('address', address);
    // A new `version` makes the browser load the sign again. The server ignores `version`.
    query.set('version', `${this.version}`);
    const url = `${pathOf(FILES.sign, { room })}?${query}`;
    const watchLink = `${address || location.origin}/r/${room}?view=only`;
    const noAddress = html`<p class="wrong">
      ${msg('Phones cannot reach this server. Connect the machine to a network, or ask whoever runs the machine to start the server with --host 0.0.0.0.')}
    </p>`;
    // Browsers provide the share API only on pages loaded over https.
    const share = () => navigator.share({ url: watchLink }).catch(() => undefined);
    const watchText = settings.spectators
      ? msg(
          'People who open this link can watch everything, but not act. These viewers do not count towards the maximum number of visitors.',
        )
      : msg('The view-only link is switched off in this room’s settings.');
    const lead = msg(
      'Print the sign and hang it beside the wall. Visitors scan the sign to enter the room.',
    );
    return html`${ui.sectionHead(msg(str`Sign of “${room}”`), lead)}
      <div class="two grid">
        <div class="grid gap-22 card">
          ${ui.radioChips(msg('Paper'), ui.choicesOf(PAPERS, String), this.paper, (paper) => (this.paper = paper))}
          ${ui.radioChips(msg('Language'), ui.LANGUAGE_CHOICES, this.language, (language) => (this.language = language))}
          ${address ? this.addressField(address, addresses) : noAddress}
          ${this.wifiForm(settings.wifi)}
          <p class="field">
            <span>${msg('View-only link')}</span>
            <code dir="ltr" data-testid="watch-link">${watchLink}</code>
            ${'share' in navigator ? html`<button class="link fit" data-testid="share-watch" @click=${share}>${msg('Share')}</button>` : nothing}
            <small>${watchText}</small>
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

  private addressField(address: string, addresses: readonly string[]): TemplateResult {
    const choose = (chosen: string) => (this.address = chosen);
    return ui.field(
      msg('Address for phones'),
      ui.select('address', ui.choicesOf(addresses, String), address, choose),
      html`<small>${msg('Scan the code with a phone before you print. If nothing opens, choose another address.')}</small>`,
    );
  }

  /**
   * Renders the form for the Wi-Fi network that phones must join. If the host enters a network, the
   * sign shows a second QR code for joining this network.
   */
  private wifiForm(wifi: RoomSettings['wifi']): TemplateResult {
    const change = async (next: RoomSettings['wifi'], done: string): Promise<void> => {
      if (await host.change({ wifi: next }, done)) this.version++;
    };
    const save = (event: SubmitEvent): void => {
      event.preventDefault();
      const form = new FormData(event.target as HTMLFormElement);
      const [name, password] = ['ssid', 'key'].map((field) => `${form.get(field)}`);
      const next = { name, password, hidden: form.has('hidden') };
      void change(next, msg('The sign has a Wi-Fi code now.'));
    };
    const remove = (): unknown => change(null, msg('The Wi-Fi code was removed from the sign.'));
    return html`<form class="grid gap-12" data-testid="wifi" @submit=${save}>
      <label class="field"><span>${msg('Wi-Fi that phones must join')}</span>
        <input name="ssid" required maxlength="32" autocomplete="off" .value=${wifi?.name ?? ''} placeholder=${msg('Name of the network')} />
        <small>${msg('The sign then has a second code, which connects a phone to this Wi-Fi.')}</small></label>
      <label class="field"><span>${msg('Password')}</span>
        <input name="key" dir="ltr" minlength="8" maxlength="64" autocomplete="off" .value=${wifi?.password ?? ''} placeholder=${msg('none: an open network')} /></label>
      <label class="row"><input type="checkbox" name="hidden" .checked=${wifi?.hidden ?? false} />${msg('The network hides its name')}</label>
      <div class="row">
        <button class="plain" data-testid="save-wifi">${wifi ? msg('Change the Wi-Fi code') : msg('Add the Wi-Fi code')}</button>
        ${wifi ? html`<button type="button" class="quiet" data-testid="remove-wifi" @click=${remove}>${msg('Remove')}</button>` : nothing}
      </div>
    </form>`;
  }

  /**
   * Opens a window that contains only the sign, and prints the sign on the chosen size of paper.
   */
  private print(): void {
    const { picture, paper } = this;
    if (!picture) return;
    const page = window.open('', '_blank', 'width=800,height=1100');
    const blocked = msg(
      'The browser blocked the print window. Download the sign and print the downloaded file.',
    );
    if (!page) {
      host.show({ text: blocked, wrong: true });
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

/** Section “Exhibition”: a message to all visitors, the exhibition's texts and its logo. */
@customElement('exhibition-section')
export class ExhibitionSection extends ui.HostElement {
  static override styles = css`
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
    const lead = msg('The texts that you write here are not translated.');
    return html`${ui.sectionHead(msg(str`Exhibition in “${name}”`), lead)} ${keyed(name, cards)}`;
  }
}

function messageCard(): TemplateResult {
  const { message } = host.settings!;
  const done = msg('Everybody sees the message.');
  const send = ui.submitName((text) => host.change({ message: text }, done));
  const shown = html`<div class="said pill lit wrap spread centre" data-testid="message">
    <bdi>${message}</bdi>
    <button type="button" class="plain" @click=${() => host.change({ message: '' })}>${hostIcons.remove}${msg('Remove')}</button>
  </div>`;
  return html`<form class="card gap-14" @submit=${send}>
    <h3>${msg('Message to everybody')}</h3>
    ${message ? shown : nothing}
    <label class="field"><span>${msg('Text')}</span>
      <input name="name" data-testid="message-text" dir="auto" required maxlength="200" autocomplete="off" placeholder=${msg('for example: We close in ten minutes.')} />
      <small>${msg('Phones, walls and tables show the message until you remove it.')}</small></label>
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
    <p class="soft">${msg('Walls show this text among their captions, signs show it at the bottom, and phones show it beside the room’s details.')}</p>
    <label class="field"><span>${msg('What the exhibition is')}</span>
      <textarea name="exhibition" dir="auto" rows="3" maxlength="280" .value=${exhibition}></textarea></label>
    <label class="field"><span>${msg('Who made the exhibition, and who paid for it')}</span>
      <input name="credits" dir="auto" maxlength="140" autocomplete="off" .value=${credits} /></label>
    <div><button class="solid" data-testid="save-texts">${msg('Save')}</button></div>
  </form>`;
}

function logoCard(room: string): TemplateResult {
  const { logo } = host.settings!;
  return html`<section class="card grid gap-14" aria-label=${msg('Logo')}>
    <h3>${msg('Logo')}</h3>
    ${logo ? html`<div><img class="logo" data-testid="logo" src=${logo} alt=${msg('Logo')} /></div>` : nothing}
    <p class="soft">${msg('PNG, JPEG or WebP, up to 256 kB. The background is dark on walls and phones, and white on signs.')}</p>
    <div class="row">
      ${ui.fileButton('load-logo', msg('Choose a picture'), 'image/png,image/jpeg,image/webp', (file) => useLogo(file, room))}
      ${logo ? html`<button class="danger" data-testid="remove-logo" @click=${() => host.change({ logo: '' })}>${hostIcons.remove}${msg('Remove')}</button>` : nothing}
    </div>
  </section>`;
}

async function useLogo(file: File, room: string): Promise<void> {
  const tooLarge = { text: texts.REASON_TEXTS['too-large'], wrong: true };
  if (file.size > MAX_LOGO_BYTES) return host.show(tooLarge);
  const bytes = [...new Uint8Array(await file.arrayBuffer())];
  const picture = btoa(bytes.map((byte) => String.fromCharCode(byte)).join(''));
  const stored = await host.do('putLogo', { name: room, picture });
  if (stored) await host.change({ logo: stored.logo }, msg('The logo is shown now.'), room);
}
