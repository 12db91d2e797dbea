/** The notice for a visitor who acts while the page is disconnected; the action is dropped. */
import { msg } from '@lit/localize';

/** Text of the notice, in the language of the page. */
export function offlineText(): string {
  return msg('Nothing reaches the room just now. Please wait a moment.');
}
