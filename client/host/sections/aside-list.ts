/** Lists stored data that were damaged and set aside, and puts them back. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { AsideState } from '../../../shared/host/state.ts';
import { HostElement } from '../elements/host-element.ts';
import type { Question } from '../host-model.ts';
import { hostIcons } from '../icons.ts';

/** Whether an entry holds a whole room, so that it can be put back. */
const isWhole = ({ what }: AsideState): boolean => what === 'replaced' || what === 'room';

/** Lists the entries of all rooms. Hidden if there are none. */
@customElement('aside-list')
export class AsideList extends HostElement {
  static override styles = css`
    li {
      padding: 12px 34px;
      background: oklch(0.3 0.05 28);
      border-bottom: 1px solid var(--line);
    }
    li.calm {
      background: var(--card);
    }
    ul {
      margin: 0;
    }
    li > svg {
      flex: none;
      color: var(--alarm);
    }
    p {
      flex: 1 1 12em;
      max-width: 60em;
    }
    @media (max-width: 860px) {
      li {
        padding: 10px 16px;
      }
    }
  `;

  /** Ids of entries whose call is not answered yet. */
  @state() private pending: ReadonlySet<string> = new Set();

  override render(): TemplateResult | typeof nothing {
    const { aside = [], rooms = [] } = this.host.state ?? {};
    // Hide the entries of a room that is being restored, because they are about to change.
    const restoring = rooms.filter(({ busy }) => busy === 'restoring').map(({ name }) => name);
    const shown = aside.filter(({ room }) => room === null || !restoring.includes(room));
    this.hidden = shown.length === 0;
    if (this.hidden) return nothing;
    return html`<ul>
      ${repeat(
        shown,
        ({ id }) => id,
        (one) => this.entry(one),
      )}
    </ul>`;
  }

  private entry(entry: AsideState): TemplateResult {
    const { id, at, what, why } = entry;
    const isCalm = what === 'replaced';
    const isPending = this.pending.has(id);
    return html`<li class="row ${isCalm ? 'calm' : ''}" data-testid="aside">
      ${isCalm ? nothing : hostIcons.warning}
      <p role="status" title=${why}>${textOf(entry)} <small>${this.moment(at)}</small></p>
      ${
        isWhole(entry)
          ? html`<button
              class="plain"
              data-testid="put-back"
              ?disabled=${isPending}
              @click=${() => this.putBack(entry)}
            >
              ${hostIcons.undo}${msg('Put back')}
            </button>`
          : nothing
      }
      <button
        class="plain"
        data-testid="dismiss"
        ?disabled=${isPending}
        @click=${() => this.dismiss(entry)}
      >
        ${msg('Keep as it is')}
      </button>
    </li>`;
  }

  private async putBack({ id, room }: AsideState): Promise<void> {
    const question = {
      title: msg(str`Put the data of “${room ?? ''}” back?`),
      text: msg(
        'The room returns to what those data hold. What it has now is set aside first, so you can put it back.',
      ),
      confirm: msg('Put back'),
    };
    await this.act(id, question, () =>
      this.host.do('putBack', { aside: id }, {}, msg('The data are put back.')),
    );
  }

  private async dismiss(entry: AsideState): Promise<void> {
    const { id, room } = entry;
    const question = {
      title:
        room === null
          ? msg('Keep the server’s data as they are?')
          : msg(str`Keep “${room}” as it is?`),
      text: isWhole(entry)
        ? msg(
            'The data that were set aside stay in the data folder, but you can no longer put them back on this page.',
          )
        : msg('This message disappears. The damaged data stay in the data folder.'),
      confirm: msg('Keep as it is'),
    };
    await this.act(id, question, () => this.host.do('dismissAside', { aside: id }, {}));
  }

  /** Makes a call about an entry if the host confirms. */
  private async act(id: string, question: Question, call: () => Promise<unknown>): Promise<void> {
    if (!(await this.host.feedback.ask({ ...question, danger: true }))) return;
    this.pending = new Set([...this.pending, id]);
    await call();
    this.pending = new Set([...this.pending].filter((each) => each !== id));
  }
}

function textOf({ what, room, tick }: AsideState): string {
  if (what === 'file') {
    return msg(
      'The stored data were damaged. What could be read was kept; the damaged file is in the data folder.',
    );
  }
  if (room === null) return msg('Some of the server’s records were damaged and are set aside.');
  if (what === 'records') {
    return msg(str`Some records of “${room}” were damaged and are set aside. The room goes on.`);
  }
  if (what === 'replaced') {
    return msg(str`You put data of “${room}” back. What the room had before is set aside.`);
  }
  return tick === null
    ? msg(str`“${room}” was damaged and starts empty. Its data are set aside.`)
    : msg(str`“${room}” was damaged and is as it was when last saved. Its data are set aside.`);
}
