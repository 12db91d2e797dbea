/** Bases of the elements of the visitor's page. */
import { localized } from '@lit/localize';
import { type CSSResultGroup, type CSSResultOrNative, css, LitElement } from 'lit';
import { property } from 'lit/decorators.js';
import { controls } from '../../style/controls.ts';
import type { RoomSession } from '../room-session.ts';

const block = css`
  :host {
    display: block;
  }
`;

/** Has the styles of the page's controls before its own, and renders again in another language. */
@localized()
export class VisitorElement extends LitElement {
  protected static override finalizeStyles(own: CSSResultGroup = []): CSSResultOrNative[] {
    return LitElement.finalizeStyles([controls, block, own]);
  }
}

/** An element that shows parts of the session. */
export abstract class PageElement extends VisitorElement {
  /** Its contents change in place, so the element renders whenever its parent does. */
  @property({ attribute: false, hasChanged: () => true }) session!: RoomSession;
}

/** Counts as an open panel while it is on the page. */
export abstract class PanelElement extends PageElement {
  private closed: (() => void) | undefined;

  protected abstract close(): void;

  override connectedCallback(): void {
    super.connectedCallback();
    this.closed = this.session.panels.open(() => this.close());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.closed?.();
  }
}

/** Fires an event that every element around this one can hear. */
export function fire<T>(element: HTMLElement, name: string, detail?: T): void {
  element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}
