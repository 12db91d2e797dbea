/** Keys: tools by number and letter, the brush's size, moving the view. Pure: says what a key means. */
import type { Tool } from '../../shared/vocabulary.ts';

export type KeyAction =
  | { readonly do: 'take'; readonly tool: Tool }
  | { readonly do: 'radius'; readonly by: number }
  | { readonly do: 'move'; readonly dx: number; readonly dy: number }
  | { readonly do: 'zoom'; readonly factor: number }
  | { readonly do: 'fit' | 'escape' | 'use' | 'look' };

const PAN = 90;
const ZOOM = 1.35;

const ACTIONS: Readonly<Record<string, KeyAction>> = {
  '1': { do: 'take', tool: 'plant' },
  p: { do: 'take', tool: 'plant' },
  '2': { do: 'take', tool: 'damage' },
  d: { do: 'take', tool: 'damage' },
  '3': { do: 'take', tool: 'look' },
  l: { do: 'take', tool: 'look' },
  '[': { do: 'radius', by: -0.5 },
  ']': { do: 'radius', by: 0.5 },
  '+': { do: 'zoom', factor: ZOOM },
  '=': { do: 'zoom', factor: ZOOM },
  '-': { do: 'zoom', factor: 1 / ZOOM },
  '0': { do: 'fit' },
  f: { do: 'fit' },
  c: { do: 'look' },
  escape: { do: 'escape' },
};

/** What these mean only while the canvas has the focus: elsewhere they belong to the controls. */
const CANVAS_ACTIONS: Readonly<Record<string, KeyAction>> = {
  arrowleft: { do: 'move', dx: PAN, dy: 0 },
  arrowright: { do: 'move', dx: -PAN, dy: 0 },
  arrowup: { do: 'move', dx: 0, dy: PAN },
  arrowdown: { do: 'move', dx: 0, dy: -PAN },
  enter: { do: 'use' },
};

export function keyAction(key: string, onCanvas: boolean): KeyAction | undefined {
  const name = key.toLowerCase();
  return ACTIONS[name] ?? (onCanvas ? CANVAS_ACTIONS[name] : undefined);
}
