/** Base of the elements of the visitor's page. */
import { LitElement } from 'lit';
import { property } from 'lit/decorators.js';
import type { RoomSession } from '../room-session.ts';

/** An element that shows parts of the session. */
export abstract class PageElement extends LitElement {
  /** Its contents change in place, so the element renders whenever its parent does. */
  @property({ attribute: false, hasChanged: () => true }) session!: RoomSession;
}

/** Fires an event that every element around this one can hear. */
export function fire<T>(element: HTMLElement, name: string, detail?: T): void {
  element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}
