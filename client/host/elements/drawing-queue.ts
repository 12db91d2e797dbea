/** The drawings that wait for the host's yes, with what each grows into. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { DrawingState } from '../../../shared/host/state.ts';
import { queue } from '../queue-style.ts';
import { drawingsText, roughSpan, visitorName } from '../text.ts';
import { QueueElement } from './queue-element.ts';
import { idOf, pictureLoaded } from './templates.ts';

/** Hidden while no drawing waits, unless the room's drawings have to. */
@customElement('drawing-queue')
export class DrawingQueue extends QueueElement {
  static override styles = css`
    ${queue}
    li {
      grid-template-columns: 5em 5em minmax(0, 1fr);
      gap: 10px 12px;
    }
    img {
      aspect-ratio: 1;
    }
    /* The film is a row of squares, the grown one last. */
    .grown {
      object-fit: cover;
      object-position: right;
    }
  `;

  protected override get ids(): readonly number[] {
    return (this.host.detail?.drawings ?? []).map(idOf);
  }

  override render(): TemplateResult | typeof nothing {
    const { detail, summary } = this.host;
    const drawings = detail?.drawings ?? [];
    const asks = summary?.open === true && summary.settings.drawings === 'ask';
    this.hidden = drawings.length === 0 && !asks;
    if (this.hidden) return nothing;
    return html`<h3 tabindex="-1" data-testid="drawings">${msg('Drawings to look at')}</h3>
      <p class="soft" role="status">
        ${drawings.length === 0 ? msg('No drawing is waiting.') : drawingsText(drawings.length)}
      </p>
      <ul>${repeat(drawings, idOf, (drawing) => this.drawing(drawing))}</ul>`;
  }

  private drawing(drawing: DrawingState): TemplateResult {
    const { id, by, waited } = drawing;
    const name = visitorName(by);
    const parts = { room: this.shownRoom, drawing: id };
    const isDecided = this.isDecided(id);
    const picture = (file: string, kind: string, alt: string): TemplateResult =>
      html`<img class="picture ${kind}" src=${pathOf(file, parts)} alt=${alt} @load=${pictureLoaded} @error=${pictureLoaded} />`;
    const drawingName = msg(str`Drawing by ${name}`);
    return html`<li tabindex="-1" aria-label=${drawingName} data-testid="drawing-${id}">
      ${picture(FILES.drawing, 'drawn', drawingName)}
      ${picture(FILES.grownDrawing, 'grown', msg('What it grows into'))}
      <span class="from">${name}<small>${roughSpan(waited)}</small></span>
      <div class="row">
        <button
          class="plain"
          ?disabled=${isDecided}
          aria-disabled=${this.unsettled(id)}
          aria-label=${msg(str`Decline the drawing by ${name}`)}
          @click=${(press: Event) => this.decideDrawing(press, drawing, false)}
        >
          ${msg('Decline')}
        </button>
        <button
          class="solid"
          ?disabled=${isDecided}
          aria-disabled=${this.unsettled(id)}
          aria-label=${msg(str`Let the drawing by ${name} grow`)}
          @click=${(press: Event) => this.decideDrawing(press, drawing, true)}
        >
          ${msg('Let it grow')}
        </button>
      </div>
    </li>`;
  }

  private decideDrawing(press: Event, { id, by }: DrawingState, approve: boolean): Promise<void> {
    const name = visitorName(by);
    return this.decide(id, press, (room) =>
      this.host.do('decideDrawing', { room, drawing: id }, { approve }, () =>
        approve
          ? msg(str`${name} can plant the drawing now.`)
          : msg(str`${name} is told that the drawing was declined.`),
      ),
    );
  }
}
