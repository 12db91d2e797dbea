/** The button that mutes a visitor, or lets them play again. */
import { msg, str } from '@lit/localize';
import { html, type TemplateResult } from 'lit';
import type { VisitorState } from '../../../shared/host/state.ts';
import type { HostModel } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { visitorName } from '../text.ts';

/** For a visitor of the selected room. */
export function muteButton(host: HostModel, visitor: VisitorState): TemplateResult {
  const { muted } = visitor;
  const name = visitorName(visitor);
  return html`<button
    class="icon"
    title=${muted ? msg('Unmute') : msg('Mute: can watch, but not act')}
    aria-label=${muted ? msg(str`Unmute ${name}`) : msg(str`Mute ${name}`)}
    @click=${() => mute(host, visitor)}
  >
    ${muted ? hostIcons.mute : hostIcons.sound}
  </button>`;
}

function mute(host: HostModel, visitor: VisitorState, room = host.room): void {
  const { id } = visitor;
  const muted = !visitor.muted;
  const name = visitorName(visitor);
  void host.do('mute', { room }, { participant: id, muted }, () =>
    muted
      ? {
          text: msg(str`${name} is muted.`),
          action: { label: msg('Undo'), run: () => mute(host, { ...visitor, muted: true }, room) },
        }
      : msg(str`${name} can play again.`),
  );
}
