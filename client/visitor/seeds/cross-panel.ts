/** The part of the organism card for crossing: two parents and a preview of their child. */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { Selection } from '../../state/interaction-state.ts';
import { PanelElement, quiet, radioGroup, solid } from '../elements/page-element.ts';

/** Mutation strengths on offer, 0 to 1. */
const MUTATIONS = [0, 0.35, 0.8] as const;

@customElement('cross-panel')
export class CrossPanel extends PanelElement {
  static override styles = css`
    .family {
      grid-template-columns: 1fr auto 1fr;
      align-items: center;
      justify-items: center;
      margin-top: 12px;
    }
    organism-portrait {
      width: 4.2em;
      height: 4.2em;
    }
    .empty {
      width: 3.2em;
      height: 3.2em;
      border: 1.5px dashed var(--warm);
    }
    .child {
      position: relative;
      width: 6.6em;
      height: 6.6em;
      background: radial-gradient(circle at 50% 46%, oklch(0.3 0.025 185), oklch(0.15 0.01 230));
      box-shadow: inset 0 0 0 1.5px oklch(0.89 0.075 168 / 0.4);
    }
    .child.surprise {
      box-shadow: inset 0 0 0 1.5px oklch(0.86 0.08 80 / 0.55);
    }
    .child seed-film {
      inset: 13%;
    }
    .mutation {
      flex-wrap: wrap;
      gap: 0 8px;
      margin-top: 2px;
    }
    .strengths {
      display: flex;
      gap: 2px;
    }
    .mutation button {
      min-height: 2.4em;
      padding: 0 0.6em;
      white-space: nowrap;
      border-radius: 999px;
    }
    footer {
      margin-top: 12px;
      gap: 6px;
    }
    @media (max-width: 720px), (max-height: 520px) {
      footer {
        margin-top: 4px;
      }
      .family {
        margin: 0;
      }
      .child {
        width: 5.6em;
        height: 5.6em;
      }
    }
    @media (max-width: 720px) and (max-height: 600px) {
      .child {
        width: 4.6em;
        height: 4.6em;
      }
    }
    @media (max-width: 299px) {
      .family {
        grid-template-columns: 1fr;
      }
      .strengths {
        flex-wrap: wrap;
      }
    }
  `;

  override render(): TemplateResult | typeof nothing {
    const { model, state, previews } = this.session;
    const { selection } = state.state;
    const first = selection && model.organisms.get(selection.organism);
    if (!selection || !first) return nothing;
    const second = model.organisms.get(selection.second);
    const child = second && { from: 'cross', a: first.id, b: second.id, mix: selection.mix };
    return html`<div class="family grid">
        ${this.portrait(first.id)}
        <div class="child round ${selection.mutation > 0 ? 'surprise' : ''}" data-testid="child">
          <seed-film class="over" .previews=${previews} .seed=${child}></seed-film>
        </div>
        ${second ? this.portrait(second.id) : html`<span class="empty round"></span>`}
      </div>
      ${second ? this.controls(selection) : nothing}
      <footer class="wrap spread">
        ${quiet('cancel-cross', msg('Cancel'), () => state.update({ selection: undefined }))}
        ${solid('make-seed', msg('Make a seed'), () => this.session.makeSeed(), !second)}
      </footer>`;
  }

  protected close(): void {
    this.session.state.stopCrossing();
  }

  private portrait(organism: number): TemplateResult {
    return html`<organism-portrait
      .session=${this.session}
      .organism=${organism}
    ></organism-portrait>`;
  }

  private controls(selection: Selection): TemplateResult {
    const { state } = this.session;
    const names = [msg('as they are'), msg('a little'), msg('wild')];
    return html`<input
        type="range"
        min="0"
        max="1"
        step="0.05"
        .value=${String(selection.mix)}
        aria-label=${msg('Share of the second parent')}
        data-testid="mix"
        @input=${(event: InputEvent) => {
          const mix = (event.target as HTMLInputElement).valueAsNumber;
          state.update({ selection: { ...selection, mix } });
        }}
      />
      <div class="mutation flex spread soft">
        <span>${msg('Surprise')}</span>
        ${radioGroup({
          class: 'strengths picks',
          label: msg('Surprise'),
          options: MUTATIONS.map((value, i) => ({
            value,
            testid: `mutation-${i}`,
            content: names[i],
          })),
          selected: selection.mutation,
          choose: (mutation) => state.update({ selection: { ...selection, mutation } }),
        })}
      </div>`;
  }
}
