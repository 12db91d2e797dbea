/** The wall's page: one room, full screen, without controls. */
import { html, LitElement, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';

@customElement('vivarium-wall')
export class VivariumWall extends LitElement {
  override render(): TemplateResult {
    return html`<canvas></canvas>`;
  }
}
