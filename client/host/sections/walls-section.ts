/**
 * Lists the room's walls. It can give a wall an address of its own with a reserved seat, which
 * other walls cannot take.
 */
import { msg, str } from '@lit/localize';
import { html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { RoomSummary, WallState } from '../../../shared/host/state.ts';
import { number, plural } from '../../elements/text.ts';
import { formats } from '../../locale/locale.ts';
import { facts, HostElement, sectionHead, submitName, tag } from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { roughSpan } from '../text.ts';

@customElement('walls-section')
export class WallsSection extends HostElement {
  protected override section({ name }: RoomSummary): TemplateResult | typeof nothing {
    const walls = host.detail?.wallList;
    if (!walls) return nothing;
    return html`${sectionHead(
      msg(str`Walls of “${name}”`),
      msg('A wall with an address of its own always gets in, and is reported when it is lost.'),
    )}
      <div class="grid gap-14">
        <form class="card row end gap-12" @submit=${add}>
          <label class="field fills"
            ><span>${msg('Name of the wall')}</span
            ><input name="name" data-testid="wall-name" required maxlength="80" autocomplete="off" placeholder=${msg('for example: Foyer')} />
          </label>
          <button class="solid" data-testid="add-wall">${hostIcons.plus}${msg('Add wall')}</button>
        </form>
        ${walls.map(wallCard)}
        ${walls.length === 0 ? html`<div class="empty"><p>${msg('No wall is up.')}</p></div>` : nothing}
      </div>`;
  }
}

const add = submitName((name) => {
  const done = msg(str`“${name}” has an address now. Open it on that screen.`);
  return host.do('addWall', { name }, { done });
});

function wallCard(wall: WallState): TemplateResult {
  const { id, name, upFor, lost, screens, unwritable } = wall;
  // Name the languages in the page's language, because this screen may also lack their letters.
  const names = new Intl.DisplayNames(formats(), { type: 'language' });
  const languages = new Intl.ListFormat(formats()).format(
    unwritable.map((code) => names.of(code)!),
  );
  const title = id === null ? msg('A wall without an address of its own') : name;
  const frames = Math.round(wall.frameRate);
  const isUp = upFor !== null;
  return html`<article class="card grid gap-12" data-testid="wall-${id ?? 'guest'}" aria-label=${title}>
    <div>
      <div class="row">
        <h3 class="title">${title}</h3>
        ${isUp ? tag(msg('up'), 'good') : lost === null ? tag(msg('not opened yet')) : tag(msg('lost'), 'wrong')}
      </div>
      ${facts(
        isUp && msg(str`up for ${roughSpan(upFor)}`),
        isUp &&
          plural(
            frames,
            msg(str`${number(frames)} frame per second`),
            msg(str`${number(frames)} frames per second`),
          ),
        screens > 1 &&
          plural(
            screens,
            msg(str`${number(screens)} screen`),
            msg(str`${number(screens)} screens`),
          ),
        lost !== null && msg(str`lost: ${host.moment(lost)}`),
      )}
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
        ? html`<p class="soft">${msg('Others can crowd it out. Add a wall, and open its address on that screen.')}</p>`
        : address(wall)
    }
  </article>`;
}

function address({ id: wall, name, path }: WallState): TemplateResult {
  const url = (host.state?.addresses[0] ?? location.origin) + path;
  const ask = {
    title: msg(str`Remove the wall “${name}”?`),
    text: msg('Its address then opens an ordinary wall, which can lose its place to other walls.'),
    confirm: msg('Remove'),
  };
  const remove = () => host.do('removeWall', { wall }, { ask, done: msg(str`Removed: ${name}.`) });
  return html`<div class="wrap end gap-12">
    <p class="field fills wide">
      <span>${msg('Address of this wall')}</span>
      <code dir="ltr" data-testid="wall-address">${url}</code>
    </p>
    <div class="row">
      <a class="button plain" href=${path} target="_blank">${hostIcons.open}${msg('Open the wall')}</a>
      <button class="danger" data-testid="remove-wall" @click=${remove}>${hostIcons.remove}${msg('Remove')}</button>
    </div>
  </div>`;
}
