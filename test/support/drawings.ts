/** Drawings as visitors make them on the pad, in three styles: test data. */
import { readFileSync } from 'node:fs';
import type { Colour, Width } from '../../client/visitor/drawing/drawing.ts';

/** A line that is drawn without lifting the finger. */
export interface DrawnLine {
  readonly colour: Colour;
  readonly width: Width;
  /** [x, y], shares (0…1) of the pad's side. */
  readonly points: readonly (readonly [number, number])[];
}

/** A drawing as its lines, in the order in which they are drawn. */
export interface VisitorDrawing {
  readonly name: string;
  /** How it is drawn: by a child of five, by an illustrator, or in haste. */
  readonly style: 'child' | 'illustrator' | 'hasty';
  readonly lines: readonly DrawnLine[];
}

/** All drawings; the styles take turns. */
export const DRAWINGS: readonly VisitorDrawing[] = (
  JSON.parse(readFileSync(new URL('../fixtures/drawings.json', import.meta.url), 'utf8')) as {
    readonly drawings: readonly VisitorDrawing[];
  }
).drawings;
