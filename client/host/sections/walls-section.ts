/**
 * Lists the room's walls. It can give a wall an address of its own with a reserved seat, which
 * other walls cannot take.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import type { WallState } from '../../../shared/host/state.ts';
import { number, plural } from '../../elements/text.ts';
import { formats } from '../../locale/locale.ts';
import { field, HostElement, sectionHead } from '../elements/host-element.ts';
import { hostIcons } from '../icons.ts';
import { roughSpan } from '../text.ts';

@customElement('walls-section')
export class WallsSection extends HostElement {
  static override styles = css`
    form .field {
      flex: 1 1 16em;
    }
    .address .field {
      flex: 1 1 20em;
      max-width: none;
    }
  `;

  @query('form input') private readonly input!: HTMLInputElement;

  override render(): TemplateResult | typeof nothing {
    const { detail, room, state } = this.host;
    if (!detail || !state) return nothing;
    const { wallList: walls } = detail;
    return html`${sectionHead(
      msg(str`Walls of “${room}”`),
      msg('A wall with its own address always gets in, and this page warns you if it is lost.'),
    )}
      <div class="grid gap-14">
        <form class="card row end gap-12" @submit=${this.add}>
          ${field(
            msg('Name of the wall'),
            html`<input data-testid="wall-name" required maxlength="80" autocomplete="off" placeholder=${msg('for example: Foyer')} />`,
          )}
          <button class="solid" data-testid="add-wall">${hostIcons.plus}${msg('Add wall')}</button>
        </form>
        ${walls.map((wall) => this.wall(wall))}
        ${walls.length === 0 ? html`<div class="empty"><p>${msg('No wall is up.')}</p></div>` : nothing}
      </div>`;
  }

  private wall(wall: WallState): TemplateResult {
    const { id, name, upFor, lost, screens, unwritable } = wall;
    // Name the languages in the page's language, because this screen may also lack their letters.
    const names = new Intl.DisplayNames(formats(), { type: 'language' });
    const languages = new Intl.ListFormat(formats()).format(
      unwritable.map((code) => names.of(code)!),
    );
    const title = id === null ? msg('A wall without its own address') : name;
    const frames = Math.round(wall.frameRate);
    return html`<article class="card grid gap-12" data-testid="wall-${id ?? 'guest'}" aria-label=${title}>
      <div>
        <div class="row">
          <h3 class="title">${title}</h3>
          ${
            upFor !== null
              ? html`<span class="tag good">${msg('up')}</span>`
              : lost !== null
                ? html`<span class="tag wrong">${msg('lost')}</span>`
                : html`<span class="tag">${msg('not opened yet')}</span>`
          }
        </div>
        <p class="facts wrap soft number">
          ${
            upFor !== null
              ? html`<span>${msg(str`up for ${roughSpan(upFor)}`)}</span>
                  <span>${plural(frames, msg(str`${number(frames)} frame per second`), msg(str`${number(frames)} frames per second`))}</span>`
              : nothing
          }
          ${screens > 1 ? html`<span>${plural(screens, msg(str`${number(screens)} screen`), msg(str`${number(screens)} screens`))}</span>` : nothing}
          ${lost !== null ? html`<span>${msg(str`lost: ${this.moment(lost)}`)}</span>` : nothing}
        </p>
        ${
          languages !== ''
            ? html`<p data-testid="unwritable">
                ${msg(str`This screen has no letters for ${languages}. Install fonts on it: HOSTING.md names them.`)}
              </p>`
            : nothing
        }
      </div>
      ${
        id === null
          ? html`<p class="soft">${msg('Others can take its place. Add a wall, and open its address on that screen.')}</p>`
          : this.address(wall, id)
      }
    </article>`;
  }

  private address({ name, path }: WallState, id: number): TemplateResult {
    const url = (this.host.state?.addresses[0] ?? location.origin) + path;
    return html`<div class="address wrap end gap-12">
      <p class="field">
        <span>${msg('Address of this wall')}</span>
        <code dir="ltr" data-testid="wall-address">${url}</code>
      </p>
      <div class="row">
        <a class="button plain" href=${path} target="_blank">${hostIcons.open}${msg('Open the wall')}</a>
        <button class="danger" data-testid="remove-wall" @click=${() => this.removeWall(name, id)}>
          ${hostIcons.remove}${msg('Remove')}
        </button>
      </div>
    </div>`;
  }

  private async add(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const name = this.input.value.trim();
    if (!name) return;
    const { shownRoom: room } = this;
    const added = await this.host.do('addWall', { room }, { name }, () =>
      msg(str`“${name}” has an address now. Open it on that screen.`),
    );
    if (added) this.input.value = '';
  }

  private async removeWall(name: string, wall: number): Promise<void> {
    const { shownRoom: room } = this;
    const yes = await this.host.feedback.ask({
      title: msg(str`Remove the wall “${name}”?`),
      text: msg(
        'Its address then opens an ordinary wall, which can lose its place to other walls.',
      ),
      confirm: msg('Remove'),
      danger: true,
    });
    if (!yes) return;
    await this.host.do('removeWall', { room, wall }, {}, msg(str`Removed: ${name}.`));
  }
}
