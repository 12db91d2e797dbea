/** The host's page: rooms, knobs and moderation. */
import { html, LitElement, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';

@customElement('vivarium-host')
export class VivariumHost extends LitElement {
  override render(): TemplateResult {
    return html`<main></main>`;
  }
}
