/** The bans, with buttons to lift them. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import type { CallBody } from '../../../shared/host/api.ts';
import type { BanState, VisitorState } from '../../../shared/host/state.ts';
import { number, plural } from '../../elements/text.ts';
import { HostElement } from '../elements/host-element.ts';
import { type Choice, chips, option } from '../elements/templates.ts';
import { dialogStyle } from '../style.ts';
import { moment, visitorName } from '../text.ts';

/** Hidden while there are no bans. */
@customElement('ban-list')
export class BanList extends HostElement {
  static override styles = css`
    li {
      gap: 12px;
      padding: 8px 0;
      border-top: 1px solid var(--line);
    }
    .link {
      flex: none;
    }
  `;

  override render(): TemplateResult | typeof nothing {
    const { state } = this.host;
    const bans = state?.bans ?? [];
    this.hidden = bans.length === 0;
    if (!state || bans.length === 0) return nothing;
    return html`<h3>${msg('Banned')}</h3>
      <ul>
        ${bans.map((ban) => this.ban(ban))}
      </ul>`;
  }

  private ban(ban: BanState): TemplateResult {
    const { now = 0, zone = 'UTC' } = this.host.state ?? {};
    const name = visitorName({ id: ban.participant, name: ban.name });
    const until =
      ban.until === null
        ? msg('until you lift it')
        : msg(str`until ${moment(ban.until, now, zone)}`);
    return html`<li class="flex spread">
      <span>${name}<small>${ban.address ? msg('everyone at the address, ') : ''}${until}</small></span>
      <button
        class="link"
        aria-label=${msg(str`Lift the ban for ${name}`)}
        @click=${() => this.host.do('liftBan', { ban: ban.id }, {}, () => msg(str`${name} can come back in.`))}
      >
        ${msg('Lift ban')}
      </button>
    </li>`;
  }
}

/** In minutes. */
const DURATIONS: readonly Choice<number | null>[] = [
  { value: 10, name: msg('10 minutes') },
  { value: 60, name: msg('1 hour') },
  { value: 60 * 24, name: msg('1 day') },
  { value: null, name: msg('Until I lift the ban') },
];

function neighboursText(n: number): string {
  if (n === 0) return msg('Nobody else has this address right now.');
  return plural(
    n,
    msg(
      str`Careful: ${number(n)} other visitor has the same address, perhaps through your own Wi-Fi.`,
    ),
    msg(
      str`Careful: ${number(n)} other visitors have the same address, perhaps through your own Wi-Fi.`,
    ),
  );
}

/** Asks whom to ban, one device or an address, and for how long. */
@customElement('ban-dialog')
export class BanDialog extends HostElement {
  static override styles = dialogStyle;

  @state() private visitor: VisitorState | undefined;
  @query('dialog') private readonly dialog!: HTMLDialogElement | null;

  get isOpen(): boolean {
    return this.dialog?.open ?? false;
  }

  /** Opens the dialog for a visitor of the shown room. */
  async show(visitor: VisitorState): Promise<void> {
    this.visitor = visitor;
    await this.updateComplete;
    this.dialog?.querySelector('form')?.reset();
    this.dialog?.showModal();
  }

  /** The same id belongs to somebody else in another room. */
  protected override roomChanged(): void {
    this.dialog?.close();
  }

  override render(): TemplateResult {
    const { visitor } = this;
    return html`<dialog aria-labelledby="title">${visitor ? this.form(visitor) : nothing}</dialog>`;
  }

  private form(visitor: VisitorState): TemplateResult {
    const { neighbours } = visitor;
    return html`<form @submit=${this.submit}>
      <h2 id="title">${msg(str`Ban ${visitorName(visitor)}?`)}</h2>
      <div class="options" role="radiogroup" aria-label=${msg('Who to ban')}>
        ${option(
          html`<input type="radio" name="address" value="" checked />`,
          msg('This device'),
          msg(
            'It is disconnected and cannot come back in, even with the code. For ten minutes, new visitors at its address come in one by one.',
          ),
        )}
        ${option(
          html`<input type="radio" name="address" value="yes" />`,
          msg('Everyone at this address'),
          html`${msg('Nobody can join from this address, including new visitors. Phones on the same Wi-Fi often share one address.')} ${neighboursText(neighbours)}`,
        )}
      </div>
      ${chips(
        msg('For how long'),
        DURATIONS,
        (minutes) =>
          html`<input type="radio" name="minutes" value=${minutes ?? ''} ?checked=${minutes === 60} />`,
      )}
      <footer class="wrap">
        <button type="button" class="plain" @click=${() => this.dialog?.close()}>${msg('Cancel')}</button>
        <button class="danger now" data-testid="ban">${msg('Ban')}</button>
      </footer>
    </form>`;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const { visitor, host, shownRoom: room } = this;
    this.dialog?.close();
    if (!visitor) return;
    const data = new FormData(event.target as HTMLFormElement);
    const minutes = data.get('minutes');
    const ban: CallBody<'ban'> = {
      participant: visitor.id,
      address: data.get('address') === 'yes',
      minutes: minutes ? Number(minutes) : null,
    };
    void host.do('ban', { room }, ban, ({ id }) => ({
      text: msg(str`${visitorName(visitor)} is banned.`),
      action: {
        label: msg('Lift the ban'),
        run: () => void host.do('liftBan', { ban: id }, {}, () => msg('The ban is lifted.')),
      },
    }));
  }
}
