/** What moves on a page, wherever in it: a document's own list leaves out what lies in shadow trees. */
import type { JSHandle, Page } from 'playwright-core';

/** For scripts in the page: all its animations and transitions, those in shadow trees too. */
export type AnimationsOf = (root: DocumentOrShadowRoot & ParentNode) => Animation[];

export const animationsOf = (page: Page): Promise<JSHandle<AnimationsOf>> =>
  page.evaluateHandle(() => {
    const of: AnimationsOf = (root) => [
      ...root.getAnimations(),
      ...[...root.querySelectorAll('*')].flatMap(({ shadowRoot }) =>
        shadowRoot ? of(shadowRoot) : [],
      ),
    ];
    return of;
  });
