/** What visitors may plant in the selected room: drawings, keepsakes, own latents. */
import { msg } from '@lit/localize';
import { html, type TemplateResult } from 'lit';
import type { DrawingMode, SettingsRequest } from '../../../shared/host/settings.ts';
import { type Choice, radioChips } from '../elements/templates.ts';

const MODES: readonly Choice<DrawingMode>[] = [
  { value: 'on', name: msg('at once') },
  { value: 'ask', name: msg('ask first') },
  { value: 'off', name: msg('off') },
];

const ABOUT: Readonly<Record<DrawingMode, string>> = {
  on: msg('Whatever visitors draw can be planted at once.'),
  ask: msg('Drawings wait under “Watch” until you let them grow. Keepsakes do not wait.'),
  off: msg('Visitors do not see the drawing pad.'),
};

/** Texts of the switches, by setting. */
export const SEED_TOGGLES = {
  wholeGallery: {
    name: msg('Whole gallery'),
    about: msg('Also what does not suit everybody, and the many that look alike.'),
  },
  transformOthers: {
    name: msg('Turning others’ organisms'),
    about: msg(
      'Visitors can turn what others have planted into what their seed grows into. Their own they always can.',
    ),
  },
  tokens: {
    name: msg('Keepsakes'),
    about: msg('Visitors can plant an organism again from its link, also from another room.'),
  },
  latents: {
    name: msg('Seeds from programs'),
    about: msg('Programs of visitors can plant whatever they like.'),
  },
} as const;

/** A choice of what becomes of drawings. @param status whether the last change has been applied */
export function drawingChoice(
  selected: DrawingMode,
  status: string,
  apply: (change: SettingsRequest) => void,
): TemplateResult {
  return html`<div class="drawings" data-testid="knob-drawings">
    ${radioChips(msg('Drawings'), MODES, selected, (drawings) => apply({ drawings }))}
    <p class="soft" aria-live="polite">${status} ${ABOUT[selected]}</p>
  </div>`;
}
