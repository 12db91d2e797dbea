/** While the line is broken, whatever a visitor does is lost: she is told so, and nothing looks as if it had been done. */
import { msg } from '@lit/localize';

export function offlineText(): string {
  return msg('Nothing reaches the room just now. Please wait a moment.');
}
