/** Saving a room's settings as a file, and loading them into any room. */
import { msg, str } from '@lit/localize';
import { html, type TemplateResult } from 'lit';
import * as v from 'valibot';
import {
  type RoomSettings,
  type SettingsRequest,
  settingsFile,
} from '../../../shared/host/room-settings.ts';
import { fileButton } from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';

/** Maximum size of a file, in bytes. The settings of a room take less than half of it. */
const MAX_BYTES = 65_536;

/** Renders the link that saves the settings, and the button that loads others. */
export function settingsFileButtons(room: string, all: RoomSettings): TemplateResult {
  // Leaves out the settings that the schema of the file does not have.
  const settings = v.parse(v.object(settingsFile.entries), all);
  const data = encodeURIComponent(`${JSON.stringify(settings, null, 1)}\n`);
  return html`<a class="button plain" data-testid="save-settings" href="data:application/json,${data}" download="${room}-settings.json">
      ${hostIcons.save}${msg('Save as file')}</a>
    ${fileButton('load-settings', msg('Load from file'), '.json,application/json', (file) =>
      load(file, room, settings),
    )}`;
}

async function load(file: File, room: string, before: SettingsRequest): Promise<void> {
  const content = file.size > MAX_BYTES ? '' : await file.text();
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), settingsFile), content);
  if (!parsed.success) {
    const text = msg(
      str`“${file.name}” does not hold the settings of a room. Nothing has changed.`,
    );
    host.show({ text, wrong: true });
    return;
  }
  const undo = { label: msg('Undo'), run: () => void host.change(before, '', room) };
  const text = msg(str`The settings of “${file.name}” apply now.`);
  await host.change(parsed.output, { text, action: undo }, room);
}
