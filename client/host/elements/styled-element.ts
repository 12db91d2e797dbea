/** Base class of all elements of the host's page. */
import { type CSSResultGroup, type CSSResultOrNative, LitElement } from 'lit';
import { hostStyle } from '../style.ts';

/** Has the styles of the host's page, before its own. */
export abstract class StyledElement extends LitElement {
  protected static override finalizeStyles(own: CSSResultGroup = []): CSSResultOrNative[] {
    return LitElement.finalizeStyles([hostStyle, own]);
  }

  /** Fires an event that does not bubble. */
  protected emit(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
