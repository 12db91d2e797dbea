import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { host } from '../host-model.ts';
import { failure } from '../text.ts';
import { checkbox, field, HostElement } from './host-element.ts';
import './host-nav.ts';

/** Signs the host in. */
@customElement('host-login')
export class HostLogin extends HostElement {
  static override styles = css`
    :host {
      display: grid;
      place-items: center;
      min-height: 100%;
      padding: 24px;
    }
    form {
      width: min(25em, 100%);
    }
    .mark {
      width: 4.2em;
      height: 4.2em;
      margin-bottom: 4px;
      stroke-width: 0.8;
      color: oklch(0.72 0.04 175);
    }
    h1 {
      font-size: 1.9em;
      font-weight: 300;
      letter-spacing: -0.01em;
    }
    input {
      font-size: 1.1em;
    }
    host-language {
      width: fit-content;
      margin-inline-start: -0.8em;
    }
    .solid {
      min-height: 3.1em;
    }
    @media (max-height: 480px) {
      :host {
        padding-block: 12px;
      }
      form {
        gap: 12px;
      }
      .mark {
        display: none;
      }
    }
  `;

  /** Reason why the last attempt failed. */
  @state() private failed = '';
  @state() private busy = false;
  @state() private shown = false;

  override render(): TemplateResult {
    const wrong = this.failed || host.signOutReason;
    return html`<form @submit=${this.submit}>
      <div>
        <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
          <circle cx="12" cy="12" r="10" />
          <circle cx="12" cy="12" r="8.8" opacity="0.4" />
          <g fill="currentColor" stroke="none">
            <circle cx="10" cy="11.2" r="2.6" fill="var(--accent)" />
            <circle cx="14.7" cy="13.9" r="1.3" />
            <circle cx="13.6" cy="8.3" r="0.7" opacity="0.7" />
          </g>
        </svg>
        <h1>${msg('Host’s page')}</h1>
        <p class="lead">${msg('Rooms, settings and statistics.')}</p>
      </div>
      <input type="text" name="username" value="host" autocomplete="username" hidden />
      ${field(
        msg('Host token'),
        html`<input name="token" data-testid="token" type=${this.shown ? 'text' : 'password'} required
          autocomplete="current-password" autocapitalize="off" autocorrect="off" spellcheck="false"
          aria-invalid=${wrong !== ''} aria-describedby="wrong" />`,
      )}
      <label class="check flex">
        ${checkbox(this.shown, (on) => (this.shown = on))}
        <span>${msg('Show token')}</span>
      </label>
      <p id="wrong" class="wrong" role="alert" data-testid="wrong">${wrong || nothing}</p>
      <button class="solid" ?disabled=${this.busy}>${this.busy ? msg('One moment …') : msg('Sign in')}</button>
      <details class="soft">
        <summary>${msg('Where do I find the token?')}</summary>
        <p>${msg('It was shown when Vivarium first started: in the terminal, or in the log of the service or container. If it is lost, whoever runs the machine can make a new one: see “When something hangs” in server/deploy/HOSTING.md.')}</p>
      </details>
      <host-language></host-language>
    </form>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const token = String(new FormData(event.target as HTMLFormElement).get('token')).trim();
    this.busy = true;
    this.failed = '';
    this.failed = await host.signIn(token).then(() => '', failure);
    this.busy = false;
  }
}
